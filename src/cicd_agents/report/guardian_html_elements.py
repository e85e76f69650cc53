"""HTML made of elements: whatever is not `Html` already goes through `escaped`, the one place where text becomes HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NewType

from cicd_agents.report.escape import plain, workflow_safe

Html = NewType("Html", str)

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_TEXT, _ATTRIBUTE = 2000, 2000


def escaped(text: str, limit: int = _TEXT) -> Html:
    """Text for content and for attributes in quotes: no markup, nothing invisible or bidirectional, at most `limit` characters, no runner's command."""
    return Html(workflow_safe(plain(text, limit)).translate(_ENTITIES))


def phrase(text: str) -> Html:
    """A text of ours that may quote something: what stands in backticks becomes code."""
    parts = re.split(r"`([^`\n]{1,200})`", text[:_TEXT])
    return Html("".join(element("code", escaped(part)) if index % 2 else escaped(part) for index, part in enumerate(parts)))


def element(name: str, *content: Html, **attributes: str) -> Html:
    """An element; `class_` is class, `aria_label` aria-label. Attributes are escaped here, content was before."""
    pairs = "".join(f' {key.rstrip("_").replace("_", "-")}="{escaped(value, _ATTRIBUTE)}"' for key, value in attributes.items() if value)
    return Html(f"<{name}{pairs}>{''.join(content)}</{name}>")


def joined(parts: Iterable[Html]) -> Html:
    """One after the other, each on its line."""
    return Html("\n".join(parts))


def items(lines: Sequence[Html], most: int, class_: str = "") -> Html:
    """A list of the first lines, with a last one that counts the rest."""
    shown = [element("li", line) for line in lines[:most]]
    rest = [element("li", escaped(f"… and {len(lines) - most} more"))] if len(lines) > most else []
    return element("ul", *shown, *rest, class_=class_)


def section(heading: str, *content: Html, class_: str = "") -> Html:
    """A part of the page under its heading."""
    return element("section", element("h2", escaped(heading)), *content, class_=class_)


def folded(title: str, *content: Html) -> Html:
    """A part that is closed at first."""
    return element("details", element("summary", escaped(title)), *content)


def code(text: str) -> Html:
    """A block of code, its lines kept."""
    return element("pre", element("code", escaped(text, 10_000)))
