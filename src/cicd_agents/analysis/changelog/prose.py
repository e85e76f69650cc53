"""Texts of commits as Markdown: a line that links what it refers to, and notes of several paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.changelog.escape import code, cut, escaped, fence, visible, word
from cicd_agents.analysis.changelog.forge import REFERENCE, Forge

LINE = 300  # characters of a line that are shown
_NOTE, _NOTE_LINES = 6000, 120
_LETTERS = re.compile(r"[A-Za-z][A-Za-z ,;:'\"()?+=-]*")  # no digit, dot or sign: nothing in it is live or markup
_SUSPECT = re.compile(r"://|www\.|mailto:|xmpp:|gh-|[0-9a-f]{7}")  # all that may be live in a tame text, and more
_TAME = re.compile(r"[A-Za-z][A-Za-z0-9 ,;:.'\"()?/+=-]*")
_WORD = re.compile(r"[A-Za-z,;:'\"()?+=-]*")
_CODE = re.compile(r"`([^`]+)`")
_BLOCK_START = re.compile(r"^(?=[#+=-])|^(\d{1,9})(?=[.)])")
# Words after which a reference closes the issue (docs.github.com, linking a pull request to an issue; GitLab's default closing pattern).
_CLOSING = re.compile(r"(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):?", re.IGNORECASE)


def line(text: str, forge: Forge | None, before: str = "", limit: int = LINE) -> str:
    """One line of Markdown that shows the text; references to issues and requests become links.

    What stands in backticks is code. A reference after a closing word stays code, so that it closes nothing; `before` is the word in front of the text.
    """
    if len(text) <= limit and "  " not in text and text[-1:] != " " and _is_tame(text):
        return text
    shown = cut(" ".join(visible(text, limit).split()), limit)
    return _BLOCK_START.sub(r"\1\\", _joined(_parts(shown, forge, before)))


def _is_tame(text: str) -> bool:
    return _LETTERS.fullmatch(text) is not None or (_TAME.fullmatch(text) is not None and _SUSPECT.search(text.lower()) is None)


def _parts(shown: str, forge: Forge | None, before: str) -> Iterator[str]:
    """Runs of Markdown: code, and words with the blanks between them."""
    for index, part in enumerate(_CODE.split(shown)):
        if index % 2:
            yield code(part)
            before = ""
            continue
        words = part.split(" ")
        yield " ".join([text if _WORD.fullmatch(text) else _linked(text, None if _closes(words[:at], before) else forge) for at, text in enumerate(words)])


def _closes(words: list[str], before: str) -> bool:
    """Whether the words end in one that closes the issue named next; between them may stand the word issue."""
    for text in (*words[-1:-4:-1], before):
        if text.lower() not in ("", "issue", "issues"):
            return _CLOSING.fullmatch(text.lstrip("([{\"'")) is not None
    return False


def _joined(parts: Iterator[str]) -> str:
    """Two runs of backticks must not become one."""
    made = ""
    for part in parts:
        made += f" {part}" if made.endswith("`") and part.startswith("`") else part
    return made


def _linked(text: str, forge: Forge | None) -> str:
    if forge is None or not ("#" in text or "!" in text or "GH-" in text):
        return word(text)
    made, end = "", 0
    for found in REFERENCE.finditer(text):
        if url := forge.reference(found[0]):
            made += word(text[end : found.start()]) + f"[{escaped(found[0])}]({url})"
            end = found.end()
    return made + word(text[end:]) if end else word(text)


_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+-]*)")
_BULLET = re.compile(r"\s*(?:[-*+]|(\d{1,3})[.)])\s+(.*)")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*)")


def blocks(text: str, forge: Forge | None) -> list[str]:
    """The Markdown lines of a note: its paragraphs, lists and blocks of code, nothing else. At most 6,000 characters and 120 lines are shown."""
    lines = visible(text, _NOTE).split("\n")
    if len(lines) > _NOTE_LINES:
        lines = [*lines[: _NOTE_LINES - 1], "…"]
    made: list[str] = []
    at, last = 0, ""
    while at < len(lines):
        at, kind, block = _block(lines, at, forge)
        if block and made and not (kind == "item" == last):
            made.append("")
        if block:
            made += block
            last = kind
    return made


def _block(lines: list[str], at: int, forge: Forge | None) -> tuple[int, str, list[str]]:
    """The block that begins at a line: where the next one begins, its kind, its lines."""
    first = lines[at]
    if not first.strip():
        return at + 1, "blank", []
    if opened := _FENCE.match(first):
        return _fenced(lines, at, opened[1], opened[2])
    if heading := _HEADING.fullmatch(first):
        title = line(heading[1].strip("# *"), forge)
        return at + 1, "heading", [f"**{title}**"] if title else []
    end = at + 1
    while end < len(lines) and lines[end].strip() and not (_FENCE.match(lines[end]) or _BULLET.match(lines[end]) or _HEADING.match(lines[end])):
        end += 1
    if bullet := _BULLET.fullmatch(first):
        mark = f"{int(bullet[1])}." if bullet[1] else "-"
        content = line(" ".join([bullet[2], *lines[at + 1 : end]]), forge, limit=_NOTE)
        return end, "item", [f"{mark} {content}"] if content else []
    return end, "text", [line(" ".join(lines[at:end]), forge, limit=_NOTE)]


def _fenced(lines: list[str], at: int, mark: str, language: str) -> tuple[int, str, list[str]]:
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith(mark):
        end += 1
    body = lines[at + 1 : end]
    margin = min((len(each) - len(each.lstrip()) for each in body if each.strip()), default=0)
    return end + 1, "code", fence("\n".join(each[margin:].rstrip() for each in body), language).split("\n")
