"""setup.py: the literal `version=` of the call of setup, or the literal of the variable that is given there."""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.analysis.version_files.kinds.pyproject import normalised
from cicd_agents.analysis.version_files.places import Kind, Place, Role, Spelling, named
from cicd_agents.analysis.version_files.source_text import PYTHON, Sort, Token, signs, tokens


def _find(text: str) -> Iterator[Place]:
    if "setup" not in text:
        return
    read = list(tokens(text, PYTHON))
    variables = {run[0].text: run[2] for run in _windows(read) if not run[0].depth and run[0].sort is Sort.WORD and _gives_string(run)}
    arguments = dict(_arguments(read))
    name = arguments.get("name")
    given = arguments.get("version")
    literal = variables.get(given.text) if given and given.sort is Sort.WORD else given
    if literal and literal.sort is Sort.STRING:
        yield literal.place(Role.OWN, Spelling.PEP440, normalised(name.text) if name and name.sort is Sort.STRING else "")


def _windows(read: list[Token]) -> Iterator[list[Token]]:
    return (read[at : at + 4] for at in range(len(read) - 3))


def _gives_string(run: list[Token]) -> bool:
    return signs(run[1:], "=") and run[2].sort is Sort.STRING and run[3].sort is Sort.END


def _arguments(read: list[Token]) -> Iterator[tuple[str, Token]]:
    """The keyword arguments of the call of `setup` whose value is one token."""
    inside: int | None = None
    for run in _windows(read):
        if inside is None and run[0].text == "setup" and run[1].text == "(":
            inside = run[1].depth + 1
        elif inside is not None and run[0].depth < inside and run[0].sort is Sort.CLOSE:
            inside = None
        elif inside == run[0].depth and run[0].sort is Sort.WORD and signs(run[1:], "=") and _is_whole(run[3]):
            yield run[0].text, run[2]


def _is_whole(behind: Token) -> bool:
    return behind.sort in {Sort.CLOSE, Sort.END} or behind.text == ","


KIND = Kind("setup.py", "python", named("setup.py"), _find)
