"""`__version__ = "1.2.3"` of a Python module, annotated or not, at the left edge: https://peps.python.org/pep-0396/"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, ending
from cicd_agents.analysis.version_files.source_text import PYTHON, Sort, Token, signs, statements

_NAME = "__version__"


def _find(text: str) -> Iterator[Place]:
    if _NAME not in text:
        return
    for run in statements(text, PYTHON):
        if len(run) > 3 and any(token.text == _NAME for token in run[:3]) and _at_left_edge(text, run[0]):
            yield from _literal(run)


def _at_left_edge(text: str, token: Token) -> bool:
    return not token.depth and text[token.start - 1 : token.start] in {"", "\n", "\r"}


def _literal(run: list[Token]) -> Iterator[Place]:
    """The string at the end of `__version__ = "…"`, `__version__: str = "…"` or `__version__ = version = "…"`."""
    targets, value = run[:-3], run[-2]
    plain = all(token.sort is Sort.WORD or token.text == "=" for token in targets)
    annotated = signs(targets, _NAME, ":") and not any(token.text == "=" for token in targets)
    if value.sort is Sort.STRING and run[-3].text == "=" and (plain or annotated):
        yield value.place(Role.OWN, Spelling.PEP440)


KIND = Kind("__version__", "python", ending(".py"), _find)
