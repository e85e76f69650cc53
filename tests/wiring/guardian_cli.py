"""The guardian by its own command line, in the same workspace."""

from __future__ import annotations

from contextlib import chdir
from types import SimpleNamespace
from typing import cast

from tests.wiring.guardian_rig import Deployment
from tests.wiring.rig import Ran

from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.domain.redaction import Redactor
from cicd_agents.wiring.guardian import guardian as command
from cicd_agents.wiring.world import World


def guardian(
    deployment: Deployment, what: str, *, reason: str | None = None, releases: str | None = None, form: str = "text", foresight: str = "", **settings: str
) -> Ran:  # fmt: skip
    """`cicd-agents guardian WHAT` on a person's machine: no CI, settings by the environment."""
    import argparse

    out: list[str] = []
    said: list[str] = []
    given = {"prometheus_url": deployment.metrics, "service": "api", "allow_http": "127.0.0.1", **deployment.environment, **settings}
    variables = {f"CICD_AGENTS_{name.upper()}": value for name, value in given.items()}
    asked = SimpleNamespace(what=what, format=form, reason=reason, releases=releases, foresight=bool(foresight), config=None, output=None)
    options = cast("argparse.Namespace", asked)
    (deployment.folder / "work").mkdir(exist_ok=True)
    world = World(variables, out.append, said.append, Redactor(()), lambda _: bundled(), deployment.clock)
    with chdir(deployment.folder / "work"):
        code = command(options, world)
    return Ran(code, "".join(out), said, deployment.folder)
