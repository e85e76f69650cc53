"""Writes schema/report-v1.json from the report's models; with --check, fails when the file differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from cicd_agents.domain.advice import Advice
from cicd_agents.domain.guardian import GuardianDetails
from cicd_agents.report.document import SCHEMA, AgentReport, ReleaseReport, Report

FILE = Path(__file__).resolve().parent.parent / "schema" / "report-v1.json"
# What is measured may be no number (NaN, infinite), which JSON writes as null.
MEASURED = ("MetricRow", "Chart", "QueryRecord", "NextTrigger", "RiskTerm")
# Two classes of one name: the older one keeps it in the schema.
NAMES = {"cicd_agents__domain__release__Decision": "Decision", "cicd_agents__domain__canary__Decision": "GuardianDecision"}


def schema() -> str:
    """The JSON Schema (2020-12) of a report."""
    report = TypeAdapter(Report | ReleaseReport | AgentReport[GuardianDetails], config=ConfigDict(defer_build=True))
    report.rebuild(_types_namespace={**vars(sys.modules[AgentReport.__module__]), "Advice": Advice})
    document = report.json_schema(mode="serialization")
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["$id"] = SCHEMA
    for definition in document["$defs"].values():
        if {"schema", "agent", "details"} <= definition.get("properties", {}).keys():
            definition["properties"]["schema"]["const"] = SCHEMA
    for name in MEASURED:
        nullable(document["$defs"][name])
    text = json.dumps(document, indent=2, sort_keys=True)
    for name, short in NAMES.items():
        text = text.replace(name, short)
    return json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def nullable(part: Any) -> None:
    """Let every number in a part of the schema be null as well."""
    if isinstance(part, dict):
        if part.get("type") == "number":
            part["type"] = ["number", "null"]
        for value in part.values():
            nullable(value)
    elif isinstance(part, list):
        for value in part:
            nullable(value)


def main() -> int:
    text = schema()
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text() != text:
            print("schema/report-v1.json differs from the models; run `make schema`.", file=sys.stderr)
            return 1
        return 0
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
