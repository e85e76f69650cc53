"""Writes schema/settings-v1.json, by which editors check `.cicd-agents.yml`, from the table of settings; with --check, fails when the file differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cicd_agents.settings.options import OPTIONS, Kind, Option

FILE = Path(__file__).resolve().parent.parent / "schema" / "settings-v1.json"
ID = "cicd-agents/settings/v1"


def schema() -> str:
    """The JSON Schema (2020-12) of the settings file: only what may stand in it, and nothing else."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Settings of cicd-agents",
        "description": "The file .cicd-agents.yml. Commands, addresses and credentials never stand in it.",
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: described(option) for option in OPTIONS if option.in_file},
    }
    return json.dumps(document, indent=2) + "\n"


def described(option: Option) -> dict[str, Any]:
    """The schema of one setting; null stands for not given."""
    found: dict[str, Any] = {"description": option.help, **values(option)}
    if option.default:
        found["default"] = default(option)
    return found


def values(option: Option) -> dict[str, Any]:
    """The values that the reader of the file takes."""
    match option.kind:
        case Kind.FLAG:
            return {"type": ["boolean", "null"]}
        case Kind.COUNT:
            return {"type": ["integer", "null"], "minimum": option.least, "maximum": option.most}
        case Kind.SHARE:
            return {"type": ["number", "null"], "minimum": 0, "maximum": 1}
        case Kind.MONEY:
            return {"type": ["number", "null"], "minimum": 0, "maximum": 999_999}
        case Kind.CHOICE:
            return {"enum": [*(choice for choice in option.choices if choice), None]}
        case Kind.LIST | Kind.LINES:
            item: dict[str, Any] = {"enum": list(option.choices)} if option.choices else {"type": "string"}
            return {"type": ["array", "string", "null"], "items": item}
        case _:
            return {"type": ["string", "null"]}


def default(option: Option) -> Any:
    """The default in the type of the file."""
    if option.kind in (Kind.LIST, Kind.LINES):
        return option.default.split(",")
    return json.loads(option.default) if option.kind in (Kind.FLAG, Kind.COUNT, Kind.SHARE) else option.default


def main() -> int:
    """Write the file or check it."""
    text = schema()
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
            print("schema/settings-v1.json differs from the table of settings; run `python scripts/settings_schema.py`.", file=sys.stderr)
            return 1
        return 0
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
