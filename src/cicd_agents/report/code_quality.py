"""The findings as a GitLab code quality report (doc/ci/testing/code_quality.md, custom tool): those that have a place in the repository."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cicd_agents.domain.finding import Finding
from cicd_agents.report.document import Report
from cicd_agents.report.escape import plain
from cicd_agents.report.json_format import unmarked
from cicd_agents.report.paths import in_repository

_SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def to_code_quality(reports: Sequence[Report], repository: str = "") -> str:
    """A JSON array. GitLab shows findings with equal fingerprints once, so each has its own; it stays the same when only line numbers move."""
    seen: Counter[str] = Counter()
    found = []
    for report in reports:
        for finding in report.findings:
            path = in_repository(finding.location.path, repository) if finding.location else None
            if path and finding.evidence:
                found.append(_issue(report.agent, finding, plain(path, 400), seen))
    return unmarked(json.dumps(found, ensure_ascii=True, indent=2)) + "\n"


def _issue(agent: str, finding: Finding, path: str, seen: Counter[str]) -> dict[str, Any]:
    name = "\0".join((agent, finding.id, path, finding.title))
    seen[name] += 1
    line = finding.location.line if finding.location else None
    return {
        "description": plain(" ".join(finding.title.split()), 300),
        "check_name": plain(finding.id, 100),
        "fingerprint": hashlib.sha256(f"{name}\0{seen[name]}".encode(errors="replace")).hexdigest(),
        "severity": _SEVERITIES.get(finding.severity, "info"),
        "location": {"path": path, "lines": {"begin": line or 1}},
    }
