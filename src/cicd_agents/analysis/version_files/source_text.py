"""Words, strings and brackets of source code, so that a comment or a text is never taken for an assignment (pure).

No grammar of a language: enough to tell what a statement begins with. A quote that is not closed on its line is a sign like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.analysis.version_files.places import Place, Role, Spelling


class Sort(StrEnum):
    """What a token is."""

    WORD = "word"
    STRING = "string"
    OPEN = "open"
    CLOSE = "close"
    END = "end"  # of a line, or a semicolon
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `depth` counts the brackets around it. `text` of a string is without its quotes, and empty where it has escapes or several lines."""

    sort: Sort
    text: str
    start: int
    end: int
    depth: int

    def place(self, role: Role = Role.OWN, spelling: Spelling = Spelling.PLAIN, name: str = "") -> Place:
        """The place of the text of a string."""
        return Place(self.start + 1, self.end - 1, self.text, role, spelling, name)


_TRIPLE = r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:"""|\Z)' + r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z)"
_SINGLE = r'"(?:[^"\\\n]|\\[^\n])*+"' + r"|'(?:[^'\\\n]|\\[^\n])*+'"
_HASH, _SLASHES = r"#[^\n]*", r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
_RUBY_BLOCKS = r"^=begin\b[\s\S]*?(?:^=end\b|\Z)|^__END__\b[\s\S]*"


def _lexer(skipped: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<skip>{skipped}|\\\r?\n|[^\S\n]+)|(?P<string>{_TRIPLE}|{_SINGLE})|(?P<word>[^\W\d]\w*)"
        r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>[\n;])|(?P<sign>[0-9][0-9A-Za-z_.]*|[\s\S])",
        re.MULTILINE,
    )


PYTHON = _lexer(_HASH)
GRADLE = _lexer(_SLASHES)
ELIXIR = _lexer(_HASH + r"|\?\\?[^\s\w]")
RUBY = _lexer(_RUBY_BLOCKS + "|" + _HASH)


def tokens(text: str, language: re.Pattern[str]) -> Iterator[Token]:
    """The tokens of a text, without comments and white space; at the end always one END."""
    depth = 0
    for found in language.finditer(text):
        if found.lastgroup == "skip" or found.lastgroup is None:
            continue
        sort = Sort(found.lastgroup)
        depth = max(0, depth - (sort is Sort.CLOSE))
        yield Token(sort, _string(found[0]) if sort is Sort.STRING else found[0], found.start(), found.end(), depth)
        depth += sort is Sort.OPEN
    yield Token(Sort.END, "", len(text), len(text), depth)


def signs(run: list[Token], *wanted: str) -> bool:
    """Whether a run of tokens begins with these words and signs."""
    return len(run) >= len(wanted) and all(token.sort is not Sort.STRING and token.text == text for token, text in zip(run, wanted))


def statements(text: str, language: re.Pattern[str]) -> Iterator[list[Token]]:
    """Tokens up to an END, a `{` or a `}`. The end of a line within other brackets does not end a statement."""
    run: list[Token] = []
    braces: list[bool] = []
    for token in tokens(text, language):
        if token.sort is Sort.OPEN:
            braces.append(token.text == "{")
        elif token.sort is Sort.CLOSE and braces:
            braces.pop()
        within = bool(braces) and not braces[-1]
        if token.sort is Sort.END and within and token.text:
            continue
        run.append(token)
        if token.sort is Sort.END or (token.text == "{" and token.sort is Sort.OPEN) or (token.text == "}" and token.sort is Sort.CLOSE):
            yield run
            run = []


def _string(raw: str) -> str:
    return "" if "\\" in raw or raw[:3] in {'"""', "'''"} else raw[1:-1]
