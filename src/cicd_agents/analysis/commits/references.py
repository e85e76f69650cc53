"""References to issues and requests in a text: `#12`, `group/app!3`, `closes #1, #2`; never the numbers inside of addresses."""

from __future__ import annotations

import re

from cicd_agents.domain.release import Reference

# The action of the number that a forge puts behind the title of a merged request.
REQUEST = "request"
# More references than this in one commit are a list, not a link.
MAX_REFERENCES = 200
MAX_NUMBERS = 2_000

_NUMBER = re.compile(r"[#!](\d{1,12})(?![\w-])")
# GitHub and Gitea write (#123), GitLab (!123), Bitbucket (pull request #123).
_REQUEST = re.compile(r"\s*\((?:pull request )?([#!]\d{1,12})\)$")
_PATH_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"
_LOOK_BACK, _LEAD = 160, 40
# No path of a project ends with one of these.
_BEFORE = frozenset(" \t\n([,;")
_JOINER = re.compile(r"[\s,;/]*(?:and|or)?[\s]*")
_ACTIONS = frozenset(
    {
        "close", "closes", "closed", "closing", "fix", "fixes", "fixed", "fixing", "resolve", "resolves", "resolved", "resolving", "implement", "implements",
        "implemented", "ref", "refs", "references", "see", "relates", "related", "revert", "reverts", "addresses",
    }
)  # fmt: skip


def request_of(title: str) -> tuple[str, str | None]:
    """The title without the number of its request, and that number (`#123`, `!45`), or None."""
    if not title.endswith(")"):
        return title, None
    found = _REQUEST.search(title, max(0, len(title) - 60))
    return (title[: found.start()], found[1]) if found else (title, None)


def references(text: str) -> tuple[Reference, ...]:
    """All references of a text in its order, each target once."""
    found: dict[str, Reference] = {}
    action, end = "", 0
    at, seen = _first_sign(text), 0
    while seen < MAX_NUMBERS and (number := _NUMBER.search(text, at)):
        seen += 1
        begin, at = number.span()
        start = begin
        if begin and text[begin - 1] not in _BEFORE:
            lead = text[max(end, begin - _LOOK_BACK, 0) : begin].rstrip(_PATH_LETTERS)
            start = max(end, begin - _LOOK_BACK, 0) + len(lead)
            if lead.endswith(("&", "#")) or (start < begin and not _is_path(text[start:begin], lead)):
                continue
        if not (end and _JOINER.fullmatch(text, end, start)):
            action = _action(text[max(end, start - _LEAD, 0) : start])
        end = at
        target = text[start:end]
        if target not in found:
            found[target] = Reference(action, target)
            if len(found) == MAX_REFERENCES:
                break
    return tuple(found.values())


def _first_sign(text: str) -> int:
    """Where the first # or ! stands, the end of the text for none."""
    number, request = text.find("#"), text.find("!")
    if request < 0 or 0 <= number < request:
        return number if number >= 0 else len(text)
    return request


def _is_path(project: str, lead: str) -> bool:
    """Whether the letters before a number are the path of a project, and not a part of a word or of an address."""
    return "/" in project.strip("/") and project[0] != "/" and not lead.endswith((":", "@", "="))


def _action(lead: str) -> str:
    """The word that stands before a reference, if it says what happens to it: `closes`, `relates to`."""
    if lead[-1:] not in (" ", "\t", ":"):
        return ""
    words = lead.rsplit(None, 2)
    word = words[-1].lower() if words else ""
    if word == "to":
        word = words[-2].lower() if len(words) > 1 else ""
    word = word.strip(":([*-")
    return word if word in _ACTIONS else ""
