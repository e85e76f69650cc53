"""Writes schema/report-v1.json from the report's models; with --check, fails when the file differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from cicd_agents.report.document import SCHEMA, ReleaseReport, Report

FILE = Path(__file__).resolve().parent.parent / "schema" / "report-v1.json"


def schema() -> str:
    """The JSON Schema (2020-12) of a report."""
    document = TypeAdapter(Report | ReleaseReport).json_schema(mode="serialization")
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["$id"] = SCHEMA
    for definition in document["$defs"].values():
        if {"schema", "agent", "details"} <= definition.get("properties", {}).keys():
            definition["properties"]["schema"]["const"] = SCHEMA
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


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
