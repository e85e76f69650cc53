"""Which objects a list answers with: label and field selectors, and pages with `limit` and `continue`."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

Data = dict[str, Any]
_SET = re.compile(r"\s*([^\s!=(),]+)\s+(in|notin)\s+\(([^)]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s!=(),]+)\s*(==|=|!=)\s*([^\s!=(),]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s!=(),]+)\s*")
_TERMS = re.compile(r",(?![^(]*\))")


class BadSelector(Exception):
    """A selector or a continue token that an API server does not understand."""


def selected(items: Sequence[Data], labels: str, fields: str) -> list[Data]:
    """The objects that match both selectors; an empty one matches all."""
    tests = [_label_test(term) for term in _TERMS.split(labels) if term] + [_field_test(term) for term in fields.split(",") if term]
    return [item for item in items if all(test(item) for test in tests)]


def page(items: Sequence[Data], limit: int, token: str) -> tuple[list[Data], Data]:
    """The items of a page and what belongs into the list's metadata. A token names the first key of its page, so it holds while objects come and go."""
    start = _decoded(token) if token else ""
    rest = [item for item in items if _order(item) >= start]
    if not limit or len(rest) <= limit:
        return rest, {}
    following = base64.urlsafe_b64encode(json.dumps({"v": "meta.k8s.io/v1", "start": _order(rest[limit])}).encode()).decode()
    return rest[:limit], {"continue": following, "remainingItemCount": len(rest) - limit}


def _order(item: Data) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _decoded(token: str) -> str:
    try:
        return str(json.loads(base64.urlsafe_b64decode(token))["start"])
    except (ValueError, KeyError):
        raise BadSelector(f"continue key is not valid: {token}") from None


def _label_test(term: str) -> Callable[[Data], bool]:
    if found := _SET.fullmatch(term):
        key, word, values = found[1], found[2], {value.strip() for value in found[3].split(",")}
        return lambda item: (_labels(item).get(key) in values) == (word == "in")
    if found := _EQUAL.fullmatch(term):
        label, sign, value = found.groups()
        return lambda item: (_labels(item).get(label) == value) != (sign == "!=")
    if found := _EXISTS.fullmatch(term):
        no, name = found.groups()
        return lambda item: (name in _labels(item)) != bool(no)
    raise BadSelector(f"unable to parse requirement: {term}")


def _field_test(term: str) -> Callable[[Data], bool]:
    found = _EQUAL.fullmatch(term)
    if found is None:
        raise BadSelector(f"invalid selector: {term}")
    path, sign, value = found.groups()
    return lambda item: (_field(item, path) == value) != (sign == "!=")


def _labels(item: Data) -> Data:
    return item["metadata"].get("labels") or {}


def _field(item: Any, path: str) -> str:
    for part in path.split("."):
        item = item.get(part, {}) if isinstance(item, dict) else {}
    return "" if item == {} else str(item)
