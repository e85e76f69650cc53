"""Conventional Commits 1.0.0: one message, or one part of a message, read as one change; docs/release-rules.md says what is tolerated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cicd_agents.analysis.commits.lines import Quoted
from cicd_agents.analysis.commits.reading import Reading
from cicd_agents.analysis.commits.references import REQUEST, references, request_of
from cicd_agents.analysis.commits.reverts import named_by
from cicd_agents.domain.release import Change, Reference

# A title is cut here: it is shown in tables and changelogs.
MAX_SUBJECT = 1_000
MAX_FOOTERS = 200

_HEADER = re.compile(r"([\w-]+)(?:\(([^()\n]*)\))?(!)?:(\s*)(\S.*)")
# The scope holds parentheses; slower, and rare.
_NESTED_HEADER = re.compile(r"([\w-]+)(?:\(([^\n]*?)\))(!)?:(\s*)(\S.*)")
# As commitizen finds changes in any line: no blank is needed.
_LINE_HEADER = re.compile(r"(\w+)(?:\((.+)\))?(!)?:(\s*)(.*)")
_FOOTER = re.compile(r"(?:\* )?(BREAKING[ -]CHANGE|[A-Za-z][\w-]*)(?:: |:$| (?=#))(.*)", re.MULTILINE)
# Stars and bars stand before it in squashed messages and tables; four blanks make it code.
_BREAKING = re.compile(r" {0,3}(?:[|*]+[ \t]*)?BREAKING([ -])CHANGE(?:\*\*)?(?::(?:\*\*)?| (?=#))(.*)")
_LOOSE_BREAKING = re.compile(r"[\s|*]*BREAKING([ -])CHANGE[:\s]+(.*)", re.IGNORECASE)
_RELEASE_AS = re.compile(r"\s{0,3}release-as\s{0,3}:\s*v?([0-9][0-9A-Za-z.+-]{0,100})\s*$", re.IGNORECASE)


class Header(NamedTuple):
    """A title that could be read; `type` is in lower case unless case counts."""

    type: str
    scope: str | None
    breaking: bool
    subject: str


@dataclass(frozen=True, slots=True)
class Part:
    """A message, or the part of one that tells of one change: its title (None where nothing can be read), and the lines below it. `line` counts from 1."""

    title: str
    header: Header | None
    line: int
    body: Sequence[str] = ()
    quoted: Sequence[Quoted] = ()


def header_of(title: str, reading: Reading) -> Header | None:
    """The title as `type(scope)!: subject`, or None."""
    found = _LINE_HEADER.match(title) if reading.every_line else _HEADER.match(title) or _NESTED_HEADER.match(title)
    if not found:
        return None
    name, scope, bang, blank, subject = found.groups()
    if (reading.blank and not blank) or (bang and not reading.exclamation):
        return None
    kind = name if reading.exact_case else name.lower()
    if reading.only_types and kind not in reading.only_types:
        return None
    return Header(kind, (scope.strip() or None) if scope else None, bang is not None, subject.rstrip()[:MAX_SUBJECT])


def change_of(sha: str, part: Part, reading: Reading) -> Change:
    """The part as a change. A part without a header has type "" and its title as the subject."""
    header = part.header
    subject, request = request_of(header.subject if header else part.title.strip()[:MAX_SUBJECT])
    refs = _references(subject, part.body, request)
    kind, scope, bang = (header.type, header.scope, header.breaking) if header else ("", None, False)
    if not part.body:
        return Change(sha, kind, scope, subject, bang, subject if bang else "", refs=refs, line=part.line)
    note = _note(part, reading)
    body, footers = _body_and_footers("\n".join(map(str.rstrip, part.body)).strip())
    return Change(
        sha, kind, scope, subject, bang or note is not None, note or (subject if bang else ""), body, footers, refs,
        named_by(kind, part.title, part.body), _release_as(part), part.line,
    )  # fmt: skip


def _references(subject: str, body: Sequence[str], request: str | None) -> tuple[Reference, ...]:
    found: tuple[Reference, ...] = (Reference(REQUEST, request),) if request else ()
    text = "\n".join((subject, *body)) if body else subject
    return found + references(text) if "#" in text or "!" in text else found


def plain_change(sha: str, title: str, header: Header | None, body: str, with_body: bool) -> Change:
    """The change of a message whose body holds no change of its own and no breaking mark: the common case, kept short for speed."""
    kind, scope, breaking, subject = header or ("", None, False, title.strip()[:MAX_SUBJECT])
    refs: tuple[Reference, ...] = ()
    if subject[-1:] == ")":
        subject, request = request_of(subject)
        refs = (Reference(REQUEST, request),) if request else ()
    if "#" in subject or "#" in body or "!" in body or "!" in subject:
        refs += references(f"{subject}\n{body}" if body else subject)
    rest, footers = _body_and_footers(body) if body and with_body else ("", ())
    return Change(sha, kind, scope, subject, breaking, subject if breaking else "", rest, footers, refs)


def _body_and_footers(body: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The free text and the footers: the paragraphs at the end that each begin with a token and a separator."""
    end = start = len(body)
    while end > 0:
        above = body.rfind("\n\n", 0, end)
        first = above + 2 if above >= 0 else 0
        if first < end and not _FOOTER.match(body, first, end):
            break
        start, end = first, above
    if start == len(body):
        return body, ()
    return body[:start].rstrip(), _footers(body[start:])


def _footers(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    more: list[str] = []
    for line in text.split("\n"):
        footer = _FOOTER.match(line)
        if footer is None:
            more.append(line)
            continue
        if more:
            _continue(found, more)
            more = []
        if len(found) == MAX_FOOTERS:
            break
        token, value = footer.groups()
        found.append((token, value.strip().removeprefix("#")))
    if more:
        _continue(found, more)
    return tuple(found)


def _continue(found: list[tuple[str, str]], lines: list[str]) -> None:
    """Lines without a token belong to the footer above them."""
    if found:
        token, value = found[-1]
        found[-1] = (token, "\n".join([value, *filter(None, lines)]))


def _note(part: Part, reading: Reading) -> str | None:
    """The text of the breaking change, None where there is none. A mark without text is none."""
    for index, line in enumerate(part.body):
        if reading.loose_breaking:
            loose = _LOOSE_BREAKING.match(line)
            if loose and (loose[1] == " " or reading.hyphen):
                return _note_text(loose[2], part.body, index + 1)
            continue
        if "BREAKING" not in line or part.quoted[index] is Quoted.YES:
            continue
        mark = _BREAKING.match(line)
        if mark and (mark[1] == " " or reading.hyphen):
            text = _note_text(mark[2], part.body, index + 1)
            if text:
                return text
    return None


def _note_text(first: str, body: Sequence[str], start: int) -> str:
    """The text behind the mark up to the next footer."""
    taken = [first.strip().removeprefix("#")]
    for index in range(start, len(body)):
        line = body[index]
        if _FOOTER.match(line) or line.startswith("---------"):
            break
        taken.append(line.rstrip())
    return "\n".join(taken).strip()


def _release_as(part: Part) -> str | None:
    for index, line in enumerate(part.body):
        found = _RELEASE_AS.match(line)
        if found and part.quoted[index] is not Quoted.YES:
            return found[1]
    return None
