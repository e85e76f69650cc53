"""Whether what stands behind the name of a secret is one: not a placeholder, a reference, a type, a name or a word of prose.

Apart from the names, since its many patterns take 10 ms to compile, and most texts assign nothing.
"""

from __future__ import annotations

import re

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


def value_at(text: str, begin: int, kind: str, named: int, firm: bool) -> tuple[int, int] | None:
    """The span of the secret of a kind that begins here, if there is one; its name stands at `named`, `firm` where the notation leaves no doubt."""
    value = _ESCAPED.match(text, begin) or _QUOTED.match(text, begin) or _BARE.match(text, begin)
    if value is None:
        return None
    bare = "mark" not in value.re.groupindex
    written = value["value"].rstrip(_CLOSERS) if bare else value["value"]
    start = value.start("value")
    end = start + len(written)
    if bare and len(written) > _LONG:
        return start, end
    if kind == "token" and _PARSER_TALK.search(text[max(0, named - 24) : named].lower()):
        return None
    if _REFERENCE.fullmatch(value["value"]):
        return None
    ends_line = _LINE_END.match(text, end) is not None
    return (start, end) if _plausible(kind, written, firm or not bare, ends_line) else None


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
