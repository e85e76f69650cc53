"""The small template format of changelogs: text with `${name}` or `$name`, and `$$` for a dollar. Nothing in it is ever run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PLACEHOLDER = re.compile(r"\$(?:(\$)|\{([a-z_]+)\}|([a-z_]+)|)")
MOST = 20_000  # characters of a template


class TemplateMistake(ValueError):
    """A template that cannot be used; the text says what is wrong and which names there are."""


class Template:
    """A template, read once. `names` are the placeholders that it may use.

    Raises TemplateMistake for other placeholders, a lone dollar, and templates of more than 20,000 characters.
    """

    __slots__ = ("_format", "names")

    def __init__(self, text: str, names: Collection[str], what: str = "template") -> None:
        if len(text) > MOST:
            raise TemplateMistake(f"The {what} has more than {MOST:,} characters.")
        used: set[str] = set()
        made, end = "", 0  # in the form of the % operator, which is the fastest; nothing of it can be written in a template
        for found in _PLACEHOLDER.finditer(text):
            made += _literal(text[end : found.start()])
            end = found.end()
            if found[1]:
                made += "$"
                continue
            name = found[2] or found[3]
            if name not in names:
                raise TemplateMistake(_wrong(text, found.start(), names, what))
            used.add(name)
            made += f"%({name})s"
        self._format = made + _literal(text[end:])
        self.names = frozenset(used)

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with its values; every name that the template uses must have one."""
        return self._format % values


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _wrong(text: str, at: int, names: Collection[str], what: str) -> str:
    line = text.count("\n", 0, at) + 1
    shown = text[at : at + 30].split()[0]
    return f"The {what} has {shown!r} in line {line}; the placeholders are {', '.join(sorted(names))}, and $$ is a dollar."
