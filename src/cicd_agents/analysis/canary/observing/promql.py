"""Label matchers as users write them, and selectors made of them (pure).

Source: Prometheus, "Querying basics": strings stand in double quotes, single quotes (both with Go's escapes) or backquotes (none).
"""

from __future__ import annotations

import re

from cicd_agents.domain.errors import UsageError

MAX_MATCHERS = 8_000
_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`"""
_MATCHER = re.compile(rf"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*({_STRING})\s*(,|$)")
STRING = re.compile(_STRING)


def checked(matchers: str, setting: str) -> str:
    """The matchers without braces around them and without a comma at the end. Raises UsageError for anything that is not only matchers of labels."""
    text = matchers.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removesuffix(",").rstrip()
    if len(text) > MAX_MATCHERS:
        raise UsageError(f"{setting}: the matchers are longer than {MAX_MATCHERS} characters.")
    done = 0
    while done < len(text):
        found = _MATCHER.match(text, done)
        if found is None or (found[4] == "," and found.end() == len(text)):
            raise UsageError(f'{setting}: label matchers such as namespace="prod",pod=~"api-.*" are expected; this is none: {text[done : done + 80]!r}')
        if found[1] == "__name__":
            raise UsageError(f"{setting}: the names of metrics come from the query pack; leave __name__ out.")
        done = found.end()
    return text


def labels_of(matchers: str) -> tuple[str, ...]:
    """The names of the labels in checked matchers, each once."""
    return tuple(dict.fromkeys(found[1] for found in _MATCHER.finditer(matchers)))


def all_of(*parts: str) -> str:
    """Matchers joined; empty parts are left out."""
    return ",".join(part for part in parts if part)


def selector(name: str, matchers: str) -> str:
    """An instant vector selector."""
    return f"{name}{{{matchers}}}"
