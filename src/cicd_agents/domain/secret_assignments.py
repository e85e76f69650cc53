"""Secrets that only their name gives away: `PASSWORD=…`, `"apiKey": "…"`, `--token …`, `Authorization: …`, `<password>…`.

The name is found first; whether the value is a secret or a placeholder, a reference, a type or a word is then judged.
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

_SCHEME = r"(?>(?:(?i:bearer|basic|token|digest|apikey|api-key|negotiate|bot|aws4-hmac-sha256)[ \t]{1,4}+)?)"
_QUOTED = re.compile(r"(?P<mark>[\"'`])" + _SCHEME + r"(?P<value>(?>(?:'(?:\\'|\"'\")'|\\[^\r\n]|(?!(?P=mark))[^\r\n\\])*))")
_ESCAPED = re.compile(r"(?P<mark>\\{1,3}[\"'])" + _SCHEME + r"(?P<value>(?>(?:(?!(?P=mark))[^\r\n])*))")
# A bare value ends at a blank or a quote, and at a separator only where the next key follows it.
_BARE = re.compile(_SCHEME + r"(?P<value>(?>(?:[^\s\"'`<;&,]|<(?!/)|[;&,](?![\w .%\[\]-]{1,40}[=:]))+))")
_CLOSERS = ",;:.)]}>\\"
_LINE_END = re.compile(r"[\s\"',;}\]]*+(?:[\r\n]|\Z)")

_LONG = 200  # a longer bare value is hidden without judgement: that keeps the scan linear
_MIN_WORD = 16
_CAMEL = re.compile(r"[A-Z]?[a-z]{1,14}+(?>(?:[A-Z][a-z]{1,14}+)*)")
_PARSER_TALK = re.compile(r"(?:unexpected|illegal|expected|unrecognized|parse|lexer|near|next|eof)[ \t]{1,3}$")

_PLACEHOLDER = re.compile(
    r"(?>(?:\[redacted:[a-z0-9-]{1,40}\]?)+)|(.)\1*+|.*\*\*\*.*"  # hidden already, masks
    r"|(?>(?:\$\w*+[^\w$]?+)+)|\$[{(].*|\$env:.*|%\w+%?|%[({].*|\{.*\}?|<.*"  # variables and templates
    r"|\[?(?:masked|redacted|filtered|hidden|secure|protected|removed|omitted|sensitive|concealed)\]?"
    r"|\((?:sensitive|known|masked|hidden|redacted|null|none|empty|unset|not|no|computed).*"
    r"|null|none|nil|undefined|true|false|yes|no|on|off|empty|unset|n/a|todo|tbd|required|optional|missing|invalid|default"
    r"|str|string|bytes|integer|int|number|boolean|bool|object|any|unknown|optional\[.*|&?(?:'\w+ )?str|\[\]byte|option<.*"
    r"|(?:self|this|process|os|env|envs|secrets?|vars?|config|conf|cfg|settings?|ctx|context|args|options|opts|params|props|request|req"
    r"|response|steps|inputs|github|needs|matrix|module|values|\.values)(?:\.|\[|\?\.|->|::).*"
    r"|(?:id|type|src|source|name|path|file|env)=.*"  # docker --secret id=…
    r"|arn:.*|(?:https?|op|vault|awssm|file|gcpsm|keyvault|ssm)://.*|!(?:ref|reference|vault|sub|getatt|secret|env)\b.*|enc\[.*",
    re.IGNORECASE | re.DOTALL,
)
_REFERENCE = re.compile(
    r"&?[A-Za-z_][\w.:]*+\((?:.*\).*|)"  # a call
    r"|[A-Z][A-Z0-9]*+(?:_[A-Z0-9]++)+"  # the name of a variable
    r"|(?:[A-Za-z]+[_.-])*(?:password|passwd|passphrase|pwd|secret|token|key|credential)s?"  # password=password
    r"|(?:~|\.{1,2})?/[a-z0-9._-]{1,40}(?>(?:/[\w.@+-]*+)*)|[A-Za-z]:\\\\?[\w.\\ -]+",  # a path
    re.DOTALL,
)
_BLANK = re.compile(r"\s")
_WORD = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"[0-9.,:/+-]+")
_NAME_PART = r"(?:(?>(?:[A-Z]?[a-z]{1,20}+){1,6})[0-9]{0,4}+|[0-9]{1,4}+)"
_NAME = re.compile(_NAME_PART + r"(?>(?:[-_./:]" + _NAME_PART + r")+)")


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
    kind = key.lastgroup or "secret"
    begin, firm = _separator(text, key)
    value = (_ESCAPED.match(text, begin) or _QUOTED.match(text, begin) or _BARE.match(text, begin)) if begin else None
    if value is None:
        return None
    bare = "mark" not in value.re.groupindex
    written = value["value"].rstrip(_CLOSERS) if bare else value["value"]
    start = value.start("value")
    end = start + len(written)
    if bare and len(written) > _LONG:
        return start, end
    if kind == "token" and _PARSER_TALK.search(text[max(0, key.start() - 24) : key.start()].lower()):
        return None
    if _REFERENCE.fullmatch(value["value"]):
        return None
    ends_line = _LINE_END.match(text, end) is not None
    return (start, end) if _plausible(kind, written, firm or not bare, ends_line) else None


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


def _plausible(kind: str, value: str, firm: bool, ends_line: bool) -> bool:
    """Whether a value under such a key is a secret: not a placeholder, a reference, a type, a name or a word of prose."""
    is_password = kind == "password"
    if len(value) < (4 if is_password else 6 if firm else 8) or _PLACEHOLDER.fullmatch(value) or _REFERENCE.fullmatch(value):
        return False
    is_word = _WORD.fullmatch(value) is not None
    if is_password:
        return firm or ends_line or not is_word
    if is_word:
        return len(value) >= _MIN_WORD and firm and not _CAMEL.fullmatch(value)
    return not (_BLANK.search(value) or (_NUMBER.fullmatch(value) and len(value) < 20) or _NAME.fullmatch(value))
