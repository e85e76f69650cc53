"""The lines of a commit message, and which of them are quoted: text of others, that says nothing about this commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache

# Longer messages are cut. Git has no limit; the largest real message of our corpora (notes of dependencies) has 65,000 characters, which is GitHub's limit.
MAX_MESSAGE = 1_000_000

_SCISSORS = re.compile(r"^# -+ >8 -+", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s|$)")
_DETAILS = re.compile(r"<(/?)details\b", re.IGNORECASE)
# How the bots that update dependencies, and the tools that write release requests, begin the text they quote.
_FOREIGN = re.compile(
    r"(?:\[?!\[(?:mend|renovate|greenkeeper|dependabot|snyk)\b|this pr contains the following updates|(?:bumps|updates) (?:the |\[|`|\S+ from\b|\S+$)"
    r"|updates the requirements on|<h3>snyk has created|snyk has created this pr|sourced from \[|release notes$|:robot: i have created a release)",
    re.IGNORECASE,
)
_BOT = re.compile(
    r"\[bot\]|(?:^|[^a-z])(?:renovate|dependabot|greenkeeper|snyk|pyup|depfu|scala[ -]steward|whitesource|imgbot)(?:[^a-z]|$)|(?:^|[-_ ])bot$", re.IGNORECASE
)
# These write about their own changes, as people do.
_CODING_AGENT = re.compile(r"copilot|claude|codex|cursor|devin|jules|gemini", re.IGNORECASE)


class Quoted(IntEnum):
    """How far a line is from being the author's own words about the commit."""

    NO = 0
    DOCUMENT = 1  # below a heading: a document, in which lists are lists, but a footer is a footer
    YES = 2


@lru_cache(maxsize=10_000)
def is_bot(author: str, email: str) -> bool:
    """Whether a machine wrote the body: what it quotes are the notes of others. Agents that write code are no bots in this sense."""
    return bool(_BOT.search(author) or "[bot]@" in email) and not _CODING_AGENT.search(author)


def cleaned(message: str) -> tuple[str, int]:
    """The message as its author wrote it, and how many lines stood before it.

    Without carriage returns, blank lines before the title, what `git log --show-signature` prints, and what follows git's scissors line.
    """
    text = message[:MAX_MESSAGE]
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if ">8" in text and (cut := _SCISSORS.search(text)):
        text = text[: cut.start()]
    if text[:1].isspace() or text.startswith("gpg:"):
        return _without_head(text)
    return text, 0


def _without_head(text: str) -> tuple[str, int]:
    lines = text.split("\n")
    skipped = 0
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("gpg:")):
        skipped += 1
    return "\n".join(lines[skipped:]).lstrip(), skipped


def quotes(lines: Sequence[str]) -> Iterator[Quoted]:
    """For each line of a body, how far it is quoted: fences, `<details>`, block quotes, comments, headings, and notes of dependencies to the end."""
    fence = ""
    depth = 0
    comment = False
    level = Quoted.NO
    for line in lines:
        start = line.lstrip()
        if fence:
            fence = "" if start.startswith(fence) and not start.strip(fence[0]).strip() else fence
            yield Quoted.YES
            continue
        if level is Quoted.YES:
            yield level
            continue
        if start[:1] in "`~" and (found := _FENCE.match(line)):
            fence = found[1]
            yield Quoted.YES
            continue
        inside = depth > 0 or comment
        if "<" in line:
            depth = _depth(line, depth)
            comment = "<!--" in line.rpartition("-->")[2] or (comment and "-->" not in line)
        if _FOREIGN.match(start):
            level = Quoted.YES
        heading = start[:1] == "#" and _HEADING.match(line)
        if heading:
            level = max(level, Quoted.DOCUMENT)
        yield Quoted.YES if inside or depth or comment or heading or start[:1] == ">" else level


def _depth(line: str, depth: int) -> int:
    for found in _DETAILS.finditer(line):
        depth = max(0, depth - 1) if found[1] else depth + 1
    return depth
