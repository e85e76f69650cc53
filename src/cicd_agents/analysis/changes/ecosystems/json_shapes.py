"""JSON of unknown shape, read without surprises: what is not as expected reads as empty (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cicd_agents.analysis.changes.packages import Unreadable


def loaded(text: str) -> dict[str, Any]:
    """The object that the text holds. Raises Unreadable for anything else, nested bombs included."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    if not isinstance(data, dict):
        raise Unreadable("it is not a JSON object")
    return data


def entries(data: Any, key: str) -> dict[str, Any]:
    """The object under a key of an object."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def items(data: Any, key: str) -> Iterator[dict[str, Any]]:
    """The objects in the list under a key of an object."""
    value = data.get(key) if isinstance(data, dict) else None
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def text(data: Any, key: str) -> str:
    """The text under a key of an object."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""
