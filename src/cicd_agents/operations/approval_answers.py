"""What comments say to a request: which lines are answers, and why others are none. Pure.

An answer is a line that is exactly `/approve HASH` or `/refuse HASH` (the slash may lack), seen as the writer's own words by whoever reads the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cicd_agents.domain.ci import Author, Comment
from cicd_agents.domain.invisible import seen

LEAST_DIGITS = 12
# Forges write creation and change of a new comment at once; GitLab may need a moment in between.
TOLERANCE = 1.0
_MOST_CHARACTERS = 20_000
_ANSWER = re.compile(rf"/?(approve|refuse) ([0-9a-f]{{{LEAST_DIGITS},64}})[ \t]*", re.IGNORECASE | re.ASCII)
# What somebody writes who wants to answer; only such comments are worth a note.
_MEANT = re.compile(r"/(?:approve|refuse)\b|\b(?:approve|refuse)\b.{0,20}[0-9a-f]{6}", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")  # CommonMark 0.31.2, fenced code blocks
_QUOTE = re.compile(r" {0,3}>")
_MULTILINE_QUOTE = re.compile(r">>>[ \t]*")  # GitLab docs, user/markdown, multiline blockquote
_HTML = re.compile(r"<[A-Za-z/!?]")
# Accounts of apps (GitHub), of project and group tokens (GitLab docs, user/project/settings/project_access_tokens) and service accounts.
_BOT = re.compile(r".*\[bot\]|(?:project|group)_[0-9]+_bot(?:_?[0-9a-f]*)|service_account_.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """A yes or no to this plan, by whom, when (seconds since the epoch) and where. Whether its author has a say is another question."""

    author: Author
    approves: bool
    time: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A comment that looks like an answer and is none, with the reason."""

    author: Author
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is answered: the whole hash of the plan, when it was asked and until when it can be answered, and our own account.

    `others` are the hashes of other plans that were asked for at the same place.
    """

    plan: str
    asked: float
    until: float
    me: Author
    others: Sequence[str] = ()


def answers(question: Question, comments: Iterable[Comment]) -> Iterator[Answer | Ignored]:
    """What the comments after the request say, in order. A comment with both a yes and a no is a no."""
    for comment in comments:
        if comment.author.id == question.me.id or not _MEANT.search(comment.body[:_MOST_CHARACTERS]):
            continue
        words = list(_words(comment.body[:_MOST_CHARACTERS]))
        ours = [word for word in words if question.plan.startswith(word.digits)]
        reason = _against(question, comment, words, ours)
        if reason:
            yield Ignored(comment.author, reason)
        elif comment.created is not None:
            yield Answer(comment.author, all(word.approves for word in ours), comment.created, comment.url)


@dataclass(frozen=True, slots=True)
class _Word:
    approves: bool
    digits: str


def _against(question: Question, comment: Comment, words: Sequence[_Word], ours: Sequence[_Word]) -> str:
    """Why a comment is no answer to the question; empty where it is one."""
    if is_bot(comment.author):
        return "it is of a bot"
    if not comment.author.id:
        return "its account is gone"
    if not words:
        return "the words must stand alone on a line, not in a quote, code or HTML, with at least 12 digits of the plan's hash"
    if not ours:
        return "it is about another plan"
    if any(other.startswith(word.digits) for other in question.others for word in ours):
        return "the digits fit another plan, too; give all of them"
    return _by_time(question, comment, approves=all(word.approves for word in ours))


def _by_time(question: Question, comment: Comment, approves: bool) -> str:
    if comment.created is None or comment.updated is None:
        return "the platform does not say when it was written and whether it was changed"
    if comment.created < question.asked:
        return "it is older than the request"
    if not approves:
        return ""  # a no counts at any time, and one that was changed is no worse for it
    if comment.updated > comment.created + TOLERANCE:
        return "it was changed after it was written; write a new one"
    return "it came after the time had passed" if comment.created > question.until else ""


def is_bot(author: Author) -> bool:
    """Whether the account is a program's by its name; a person cannot have such a login on GitHub, and no approver needs one."""
    return _BOT.fullmatch(author.login) is not None


def told(ignored: Ignored) -> str:
    """The note of a comment that does not count."""
    who = " ".join(seen(ignored.author.login).split())[:80] or f"account {ignored.author.id}"
    return f"An answer of {who} does not count: {ignored.reason}."


def _words(body: str) -> Iterator[_Word]:
    """The answers in a comment that its reader sees as such. HTML could hide anything, so with it there are none."""
    if _HTML.search(body):
        return
    for line in _own_lines(body.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        found = _ANSWER.fullmatch(line)
        if found:
            yield _Word(found[1].lower() == "approve", found[2].lower())


def _own_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines that are neither code nor quoted; a line that follows a quote without a blank one in between belongs to it (CommonMark, laziness)."""
    fence, span = "", 0
    quoting = quoted = False
    for line in lines:
        opening = _FENCE.fullmatch(line)
        if fence:
            if opening and opening[1].startswith(fence) and not opening[2].strip():
                fence = ""
        elif _MULTILINE_QUOTE.fullmatch(line):
            quoting = quoted = not quoting
        elif opening and not quoting:
            fence, span = opening[1], 0
        elif _QUOTE.match(line):
            quoted = True
        elif not line.strip():
            quoted, span = quoting, 0
        else:
            if not quoted and not span:
                yield line
            span = _open_span(line, span)


def _open_span(line: str, length: int) -> int:
    """How many backticks stand before code that goes on in the next line of the paragraph, 0: none; `length` is that of the lines before."""
    for run in re.findall("`+", line):
        length = len(run) if not length else 0 if len(run) == length else length
    return length
