"""Build hook: writes the bundled signatures in the form that is read quickly (cicd_agents.analysis.logs.compiled) into the package."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileSignatures(BuildHookInterface[Any]):
    """Runs before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 hatchling's interface
        """Write the file; hatchling packs it as an artifact."""
        source = Path(self.root) / "src"
        sys.path.insert(0, str(source))
        try:
            from cicd_agents.analysis.logs import bundled

            folder = source / "cicd_agents/analysis/logs"
            (folder / bundled.COMPILED).write_bytes(bundled.compiled_form())
            (folder / bundled.DATABASE).write_bytes(bundled.compiled_database() or b"")
        finally:
            sys.path.remove(str(source))
