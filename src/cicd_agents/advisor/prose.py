"""Whether a model's text is plain prose: nothing in it that a platform, a runner, a chat or a reader could take for more than words.

A text that fails is dropped, never mended: half of a hostile sentence is no better. Reports escape what is left all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from html import unescape

from cicd_agents.domain.invisible import seen

# Elements of HTML that browsers know; `Promise<void>` and `Vec<String>` are none.
_ELEMENTS = (
    "a|abbr|acronym|address|applet|area|article|aside|audio|b|base|basefont|bdi|bdo|bgsound|big|blink|blockquote|body|br|button|canvas|caption|center|cite|"
    "code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head|"
    "header|hgroup|hr|html|i|iframe|image|img|input|ins|kbd|label|legend|li|link|main|map|mark|marquee|math|menu|meta|meter|nav|nobr|noembed|noframes|"
    "noscript|object|ol|optgroup|option|output|p|param|picture|plaintext|pre|progress|q|rp|rt|ruby|s|samp|script|search|section|select|slot|small|source|"
    "span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|var|video|wbr|xmp"
)
_VERBS = (
    "approve|unapprove|assign|unassign|assign_reviewer|award|cancel|cc|cherry-pick|close|confidential|copy_metadata|create-merge-request|deploy|draft|due|duplicate|"
    "estimate|execute|hold|label|lgtm|lock|merge|milestone|move|ok-to-test|override|promote|publish|react|ready|reassign|rebase|relabel|release|reopen|"
    "request_review|rerun|retest|retry|rollback|run|shrug|spend|submit_review|subscribe|tableflip|target_branch|test|title|todo|unlabel|unlock|wip|zoom"
)
_ENDINGS = "com|net|org|io|dev|app|xyz|ru|cn|info|biz|link|site|online|top|click|example|test|invalid|co|me|ai|gg|ly|page|cloud|tech|live|us|uk|de|eu|to|cc"
_CLOSING = r"(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)"

# Addresses by scheme, as Markdown, without a scheme, of a person, by a host's name or number with a path.
_LINKS = (
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://", r"\bwww\.", r"\b(?:mailto|javascript|vbscript|xmpp|tel):\S", r"\]\s*[(]", r"^[ \t]*\[[^\]\n]+\]:",
    r"(?<![\w:])//[\w-]+\.", r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", rf"(?<![\w/.-])(?:[a-z0-9-]+\.)+(?:{_ENDINGS})(?::\d+)?/",
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/",
)  # fmt: skip
# The first that is found names the reason; reasons are shown in reports.
_FAULTS = (
    ("image", r"!\["),
    ("data URL or encoded blob", r"\bdata:[\w.+-]*[/;,]"),
    ("HTML", rf"<(?:!|\?|/\s*[a-z]|(?:{_ELEMENTS})(?![\w-])|[a-z][\w-]*[^<>]*=|[a-z]\w*-[\w-]*[\s/>])"),
    ("link", "|".join(_LINKS)),
    ("mention", r"(?<![\w.+-])@(?=\w)|<[!@#]"),
    ("workflow command", r"^[^\w\n]*::|(?<![\w>])::[\w-]+[^\n]*?::|##[\w.-]*\[|section_(?:start|end):\s*\d|\b(?:vso|teamcity)\["),
    ("slash command", rf"^[ \t>*+-]*/[a-z_][\w-]*(?:\s|$)|(?<![\w/.-])/(?:{_VERBS})(?![\w/.-])"),
    ("closing reference", rf"\b{_CLOSING}\b:?\s+(?:the\s+)?(?:issues?\s+)?(?:[\w.-]+(?:/[\w.-]+)+)?(?:#|!|gh-)\d|(?<![\w.-])[\w.-]+/[\w.-]+[#!]\d"),
    ("markup", r"```|~~~|^ {0,3}#{1,6}(?:\s|$)|^[ \t]*\||^[ \t]*>|^[ \t]*(?:={3,}|-{3,}|\*{3,}|_{3,})[ \t]*$|\$\$"),
    ("shell line", r"\|\s*(?:sudo\s+)?(?:ba|z|da|k|fi)?sh\b|\$\(|\brm\s+-[a-z]*[rf]|\b(?:curl|wget)\s+(?:-\S+\s+)*[\w-]+\.\w"),
)
_COMPILED = tuple((reason, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for reason, pattern in _FAULTS)
_HOST = re.compile(r"(?<![\w/.@-])(?:[a-z0-9-]+\.)+(?:com|net|org|xyz|ru|cn|biz|example|test|invalid)(?![\w-]|\.\w)", re.IGNORECASE)
# Well-known services and names that only look like hosts; all may be named, none may be linked to.
_KNOWN_HOSTS = frozenset({
    "api.nuget.org", "archive.ubuntu.com", "asp.net", "crates.io", "deb.debian.org", "docker.com", "files.pythonhosted.org", "github.com", "gitlab.com",
    "google.com", "index.crates.io", "java.net", "npmjs.com", "npmjs.org", "nuget.org", "packagist.org", "proxy.golang.org", "pypi.org",
    "registry.npmjs.org", "registry.yarnpkg.com", "repo.maven.apache.org", "repo.packagist.org", "repo1.maven.org", "rubygems.org", "services.gradle.org",
    "static.crates.io", "sum.golang.org", "system.net",
})  # fmt: skip
_URL = re.compile(r"https://([\w.-]+)(?:/[\w./#-]*)?(?![\w/:@?&=%~+;,!*])", re.ASCII)
_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{40,}")
_HEX, _LONGEST_HEX = re.compile(r"[0-9a-fA-F]+"), 64  # a SHA-256
_LONGEST_NAME, _LEAST_BLOB, _BLOB_DIGITS = 64, 25, 12  # random base64 has a digit in six characters, a name has few
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}){8,}")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a text may name although it looks like a link or a mention: hosts, and packages like `@scope/name` in backticks."""

    hosts: Collection[str] = ()
    packages: Collection[str] = ()


def fault(text: str, most: int, allowed: Allowed) -> str:
    """Why the text may not be kept; empty where it may. `text` is what a reader sees (domain.invisible.seen)."""
    if len(text) > most:
        return "too long"
    for form in {text, unicodedata.normalize("NFKC", unescape(text))}:  # full-width signs and entities are read by somebody, too
        bare = _without(seen(form), allowed)
        for reason, pattern in _COMPILED:
            if pattern.search(bare):
                return reason
        if blob(bare):
            return "data URL or encoded blob"
        if any(found[0].lower() not in _KNOWN_HOSTS for found in _HOST.finditer(bare)):
            return "link"
    return ""


def blob(text: str) -> bool:
    """Whether something stands there that looks encoded: a long run without the breaks that words and paths have."""
    return bool(_ESCAPES.search(text)) or any(_is_blob(found[0]) for found in _ENCODED.finditer(text))


def _is_blob(run: str) -> bool:
    if _HEX.fullmatch(run):
        return len(run) > _LONGEST_HEX
    longest = max(re.split(r"[/_=-]", run), key=len)
    digits = sum(map(str.isdigit, longest))
    mixed = any(map(str.islower, longest)) and any(map(str.isupper, longest))
    return len(longest) > _LONGEST_NAME or (len(longest) >= _LEAST_BLOB and mixed and digits * _BLOB_DIGITS >= len(longest))


def foreign_links(text: str, hosts: Collection[str]) -> bool:
    """Whether an address with a scheme stands there that leads to none of the hosts."""
    left = _URL.sub(lambda found: "" if found[1].lower() in hosts else found[0], text)
    return bool(re.search(r"\b[a-z][a-z0-9+.-]*://|\bgit@[\w.-]+:", left, re.IGNORECASE))


def _without(text: str, allowed: Allowed) -> str:
    """The text without what is allowed in it."""
    if allowed.packages:
        text = re.sub(r"`(@[\w./-]+?)(?:@[\w.^~-]+)?`", lambda found: "package" if found[1] in allowed.packages else found[0], text)
    if allowed.hosts:
        text = _URL.sub(lambda found: "address" if found[1].lower() in allowed.hosts else found[0], text)
        text = _HOST.sub(lambda found: "host" if found[0].lower() in allowed.hosts else found[0], text)
    return text
