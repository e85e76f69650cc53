"""The reports of one run as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from cicd_agents.domain.finding import Finding, Location
from cicd_agents.report.document import Report
from cicd_agents.report.escape import plain
from cicd_agents.report.json_format import unmarked

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(reports: Sequence[Report], version: str) -> str:
    """One SARIF log with one run; a finding without a place in the sources points to its line in the log."""
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for report in reports:
        for finding in report.findings:
            if not finding.evidence:
                continue
            rules.setdefault(finding.id, _rule(finding, report))
            results.append(_result(finding, report))
    driver = {"name": "cicd-agents", "version": version, "informationUri": "https://github.com/org/cicd-agents", "rules": list(rules.values())}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}]}
    return unmarked(json.dumps(document, ensure_ascii=True, indent=2)) + "\n"


def _rule(finding: Finding, report: Report) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": finding.id, "shortDescription": {"text": plain(finding.title, 200)}}
    if report.details.docs and finding.id == report.details.signature:
        rule["helpUri"] = report.details.docs
    return rule


def _result(finding: Finding, report: Report) -> dict[str, Any]:
    fixes = "; ".join(fix.title for fix in finding.fixes[:3])
    text = plain(finding.title + (f". What to do: {fixes}" if fixes else ""), 1000)
    in_log = _in_log(report, _log_line(finding))
    return {
        "ruleId": finding.id,
        "level": "error",
        "message": {"text": text},
        "locations": [_place(finding.location) if finding.location else in_log],
        "relatedLocations": [in_log],
        "properties": _properties(finding, report),
    }


def _log_line(finding: Finding) -> int | None:
    """The line of the log that proves it; None where the proof is no log line, such as a message of the platform."""
    lines = (item.where for item in finding.evidence if item.kind == "log-line")
    return next((int(line) for line in lines if line.isascii() and line.isdigit() and int(line) > 0), None)


def _properties(finding: Finding, report: Report) -> dict[str, Any]:
    known = {"confidence": finding.confidence, "evidence": plain(finding.evidence[0].text, 500)}
    return {**known, "category": report.details.category} if finding.id == report.details.signature else known


def _place(location: Location) -> dict[str, Any]:
    region = {name: value for name, value in (("startLine", location.line), ("startColumn", location.column)) if value}
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(location.path)}}
    if region.get("startLine"):
        physical["region"] = region
    return {"physicalLocation": physical}


def _in_log(report: Report, line: int | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(report.details.log)}}
    if line:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical, "message": {"text": "log line" if line else "log"}}


def _uri(path: str) -> str:
    """A relative reference by RFC 3986: everything else percent-encoded."""
    keep = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/+@"
    text = re.sub(r"^/{2,}", "/", plain(path, 400).replace("\\", "/"))  # "//x" would be another host
    return "".join(char if char in keep else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)
