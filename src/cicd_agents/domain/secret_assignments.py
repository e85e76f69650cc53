"""Secrets that only their name gives away: `PASSWORD=…`, `"apiKey": "…"`, `--token …`, `Authorization: …`, `<password>…`.

The name is found first; whether the value is a secret or a placeholder, a reference, a type or a word is then judged, in `secret_values`.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_OWNERS = [
    "api", "access", "auth", "account", "admin", "app", "application", "sign", "signing", "shared", "service", "ssh", "encrypt",
    "encryption", "private", "master", "deploy", "license", "client", "hmac", "webhook", "integration", "ingestion", "write", "rsa",
]  # fmt: skip
# Every alternative begins with one of _HEADS: these are found first, many times faster than by the pattern.
_HEADS = ("pass", "pwd", "authorization", "token", "jwt", "crumb", "jsessionid", "phpsessid", "_gitlab_session", "secret", "credential", "connection", "key")
_KEY = re.compile(
    r"(?P<password>p(?:ass(?:w(?:or)?d|phrase|code|(?<=[_-]pass)|(?<=storepass)|(?<=keypass))|wd))"
    r"|(?P<authorization>authorization)"
    r"|(?P<token>token(?<!publickeytoken)|jwt|crumb|jsessionid|phpsessid|_gitlab_session)"
    r"|(?P<secret>secret(?:[ _.-]?(?:access[ _.-]?)?key)?(?:[_-]base)?|credentials?|connection[ _.-]?string)"
    r"|(?P<key>key(?:" + "|".join(f"(?<={owner}key)|(?<={owner}[ _.-]key)" for owner in _KEY_OWNERS) + "))"
)
# Repeated groups are atomic, `(?>(?:…)*)`, and not possessive, `(?:…)*+`: before Python 3.11.5 the latter match wrongly or never end (gh-106052).
_SUFFIX = r"(?>(?i:[_-]?(?:[0-9]{1,3}|value|prod(?:uction)?|stag(?:e|ing)|dev|test|live|main|old|new|raw|plain|b64|base64|env))?)"
_QUOTE = r"\\{0,3}+[\"']?+"
_SET = r"(?>(?:\\{0,3}+[\"']\]?+)?)[ \t]{0,8}+[?+]?+(?P<sign>:=|=>|[:=](?![:=]))[ \t]{0,8}+"
_ELEMENT = r">(?=[^<>\s]{4,400}</)"
_PAIRED = _QUOTE + r"\s{0,4}+,?+\s{0,60}+" + _QUOTE + r"(?i:value)" + _QUOTE + r"\s{0,4}+[:=]\s{0,4}+"
_NOTATION = re.compile(f"{_SUFFIX}(?:{_SET}|{_ELEMENT}|{_PAIRED})")
_FLAG_GAP = re.compile(_SUFFIX + r"[\"']?+,?+[ \t]{1,4}+")
_FLAG_HEAD = re.compile(r"(?:^|[\s\"'=\[,(])--?(?:[A-Za-z][\w-]*)?$")


def assigned(text: str, lowered: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of each value whose name says that it is secret. `lowered`: the text in lower case, same positions."""
    position = 0
    for start in sorted(chain.from_iterable(_places(lowered, head) for head in _HEADS if head in lowered)):
        key = _KEY.match(lowered, start) if start >= position else None
        if key is None:
            continue
        position = key.end()
        found = _value_after(text, key)
        if found:
            yield found[0], found[1], key.lastgroup or "secret"
            position = max(found[1], position)


def _places(text: str, word: str) -> Iterator[int]:
    """Where the word stands."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _value_after(text: str, key: re.Match[str]) -> tuple[int, int] | None:
    """The span of the secret that belongs to the key, if there is one."""
    begin, firm = _separator(text, key)
    if not begin:
        return None
    from cicd_agents.domain.secret_values import value_at

    return value_at(text, begin, key.lastgroup or "secret", key.start(), firm)


def _separator(text: str, key: re.Match[str]) -> tuple[int, bool]:
    """(where the value begins or 0, whether the notation leaves no doubt that it is a value)."""
    if found := _NOTATION.match(text, key.end()):
        return found.end(), found["sign"] is None or "=" in found["sign"]
    start = key.start()
    if text[start - 1 : start] == " ":  # prose, and no flag
        return 0, False
    gap = _FLAG_GAP.match(text, key.end())
    if gap and _FLAG_HEAD.search(text[max(0, start - 40) : start]):
        return gap.end(), False
    return 0, False
