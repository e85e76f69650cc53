"""Writes schema/canary-policy-v1.json, by which editors check a canary policy, from the table of its keys; with --check, fails when the file differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cicd_agents.analysis.canary.defaults import METRICS
from cicd_agents.analysis.canary.reading.policy_keys import AT_ONCE, METRIC, POLICY, STAGE, TOLERANCE, Form, Key

FILE = Path(__file__).resolve().parent.parent / "schema" / "canary-policy-v1.json"
ID = "cicd-agents/canary-policy/v1"
_TIME = r"^\s*(0|[0-9]+([.,][0-9]+)?\s?(us|µs|ms|s|sec|seconds|m|min|minutes|h|hours|d|days))\s*$"
_SHARE = r"^\s*[0-9]+([.,][0-9]+)?\s?%\s*$"
_FORMS: dict[Form, dict[str, Any]] = {
    Form.DURATION: {"type": ["string", "null"], "pattern": _TIME},
    Form.MINUTES: {"anyOf": [{"type": ["number", "null"], "minimum": 0}, {"type": "string", "pattern": _TIME}]},
    Form.SHARE: {"anyOf": [{"type": ["number", "null"], "minimum": 0, "maximum": 1}, {"type": "string", "pattern": _SHARE}]},
    Form.COUNT: {"type": ["integer", "null"], "minimum": 1},
    Form.WHOLE: {"type": ["integer", "null"], "minimum": 0},
    Form.NUMBER: {"type": ["number", "null"], "minimum": 0},
    Form.FLAG: {"type": ["boolean", "null"]},
    Form.TEXT: {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
    Form.QUERY: {"type": ["string", "null"], "minLength": 1, "maxLength": 4000},
    Form.NAMES: {"type": ["array", "string", "integer", "null"], "items": {"type": ["string", "integer"]}, "minItems": 1, "maxItems": 50},
    Form.QUANTILE: {
        "anyOf": [
            {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            {"type": "string", "pattern": r"^\s*([pP][0-9.]+|[0-9.]+\s?%)\s*$"},
        ]
    },
    Form.TOLERANCE: {"type": ["string", "null"], "minLength": 2, "maxLength": 120, "examples": ["1.2x", "+0.1pp", "-10%", "80%", "1.1x +5pp, 80%"]},
}


def schema() -> str:
    """The JSON Schema (2020-12). It knows forms and names; the reader also checks that units fit and that limits agree."""
    tolerances = {"type": "object", "additionalProperties": mapping(TOLERANCE)}
    stage = mapping(STAGE, {"tolerances": tolerances}) | {"required": ["share", "minutes"]}
    metric = {"anyOf": [{"type": ["boolean", "null"]}, mapping((*METRIC, *TOLERANCE))]}
    metrics = {"type": "object", "properties": {known.name: {"description": known.title, "$ref": "#/$defs/metric"} for known in METRICS},
               "additionalProperties": {"$ref": "#/$defs/metric"}, "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,62}$"}}  # fmt: skip
    sections = {"stages": {"type": "array", "items": stage, "minItems": 1, "maxItems": 20}, "metrics": metrics, "at_once": mapping(AT_ONCE)}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, "title": "Canary policy of cicd-agents",
        "description": "How the deployment-guardian compares a new version with the old one. Names may be written with hyphens as well.",
        **mapping(POLICY, sections), "$defs": {"metric": metric},
    }  # fmt: skip
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def mapping(keys: tuple[Key, ...], sections: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of a mapping with these keys and no others; each may have hyphens for underscores."""
    found: dict[str, Any] = {}
    for key in keys:
        values = (sections or {})[key.name] if key.form is Form.SECTION else {"enum": [*key.choices, None]} if key.form is Form.CHOICE else _FORMS[key.form]
        for name in dict.fromkeys((key.name, key.name.replace("_", "-"))):
            found[name] = {"description": key.help, **values}
    return {"type": "object", "additionalProperties": False, "properties": found}


def main() -> int:
    """Write the file or check it."""
    text = schema()
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
            print("schema/canary-policy-v1.json differs from the table of keys; run `python scripts/canary_policy_schema.py`.", file=sys.stderr)
            return 1
        return 0
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
