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
# Endings of hosts; mail programs make a link of one with a path, whatever a forge does. The first ones are no names of methods or files.
_SURE_ENDINGS = "com|net|org|xyz|ru|cn|biz|example|test|invalid|icu|cyou|buzz|monster|quest"
_ENDINGS = (
    rf"{_SURE_ENDINGS}|io|dev|app|info|link|site|online|top|click|co|me|ai|gg|ly|page|cloud|tech|live|us|uk|de|eu|to|cc|sh|zip|mov|pro|world|best|store|shop|"
    r"club|fun|space|website|host|press|vip|work|works|run|rocks|life|today|news|blog|wiki|art|id|in|is|it|fr|es|nl|pl|ch|at|be|br|jp|kr|tw|hk|sg|au|nz|ca|"
    r"mx|ua|su|tk|ml|ga|cf|gq|pw|ws|tv|fm|im|st|sx|la|vc|so|rs|py|md|edu|gov|mil|int|arpa|onion|xn--[a-z0-9-]+|[^\W_a-z0-9]{2,}"
)
# Where everybody may put up a page under a name of his own.
_FREE_HOSTS = (
    r"(?:pages|workers|fly)\.dev|(?:github|gitlab|ngrok|glitch|gitbook|surge)\.(?:io|me|sh)|(?:vercel|netlify|web|run|ngrok-free|firebaseapp|onrender)\.app"
)
# Words at which other robots start to work, in a text that nobody else would take for an order.
_ROBOTS = (
    r"^[^\w\n]*(?:bors|homu|r\?)\s+(?:r[+-]|r=|d[+-]|d=|try|retry|merge|delegate|\w+$)|\b(?:ok\s+to\s+test|(?:re)?test\s+this\s+please|add\s+to\s+whitelist|"
    r"(?:re)?run\s+(?:jenkins|buildkite|tests?\s+please))\b|^[^\w\n]*(?:recheck|lgtm|r\+)[^\w\n]*$"
)
_CLOSING = r"(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)"

# Addresses by scheme, as Markdown, without a scheme, of a person, by a host's name or number with a path.
_LINKS = (
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://", r"\bwww\.", r"\b(?:mailto|javascript|vbscript|xmpp|tel|magnet|sms):\S",
    r"\bfile:/|\b(?:https?|ftps?|wss?):[^\s:`'\"),.;]",
    r"\]\s*[(]", r"^[ \t]*\[[^\]\n]+\]:",
    r"(?<![\w:])//[\w-]+\.", r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", rf"(?<![\w/.\\-])(?:[\w-]+\.)+(?:{_ENDINGS})(?::\d+)?/",
    rf"(?<![\w/@-])[\w-]+\.(?:{_FREE_HOSTS})(?![\w-]|\.\w)",
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/",
)  # fmt: skip
# Lines that fetch something or run what was fetched, and lines after which something is gone, open or told.
FETCH_AND_RUN = (
    r"\|\s*(?:sudo\s+)?(?:(?:ba|z|da|k|fi)?sh\b|python3?\b|perl\b|iex\b)|\b(?:curl|wget|iwr|invoke-webrequest)\s+(?:-\S+\s+)*[\w-]+\.\w|"
    r"[<>]\([^)\n]*\b(?:curl|wget)|\b(?:powershell|pwsh)\S*\s+-e|\bbase64\s+(?:-d|--decode)|\bnc(?:at)?\s+\S+\s+\d+|/dev/tcp/|(?<![\w.])env\s*\|"
)
_RUIN = (
    r"\bgit\s+push\s+(?:\S+[ \t]+){0,4}(?:-f\b|--force)|\bkubectl\s+(?:-\S+\s+(?:[\w-]+\s+)?){0,3}delete\b|\bterraform\s+destroy\b|"
    r"\bhelm\s+(?:uninstall|delete)\b|\bchmod\s+(?:-\w+\s+)?[0-7]*777\b|>\s*/(?:etc|dev/sd|boot|root)\b|\bmkfs|\bdd\s+if="
)
# The first that is found names the reason; reasons are shown in reports.
_FAULTS = (
    ("image", r"!\["),
    ("data URL or encoded blob", r"\bdata:[\w.+-]*[/;,]"),
    ("HTML", rf"<(?:!|\?|/\s*[a-z]|(?:{_ELEMENTS})(?![\w-])|[a-z][\w-]*[^<>]*=|[a-z]\w*-[\w-]*[\s/>])"),
    ("link", "|".join(_LINKS)),
    ("mention", r"(?<![a-z0-9_])@(?=\w)|<[!@#]"),
    ("workflow command", r"^[^\w\n]*::|(?<![\w>])::[\w-]+[^\n]*?::|##[\w.-]*\[|section_(?:start|end):\s*\d|\b(?:vso|teamcity)\["),
    ("slash command", rf"^[ \t>*+-]*/[a-z_][\w-]*(?:\s|$)|(?<![\w/.-])/(?:{_VERBS})(?![\w/.-])"),
    ("closing reference", rf"\b{_CLOSING}\b:?\s+(?:the\s+)?(?:issues?\s+)?(?:[\w.-]+(?:/[\w.-]+)+)?(?:#|!|gh-)\d|(?<![\w.-])[\w.-]+/[\w.-]+[#!]\d"),
    ("markup", r"```|~~~|^ {0,3}#{1,6}(?:\s|$)|^[ \t]*\||^[ \t]*>|^[ \t]*(?:={3,}|-{3,}|\*{3,}|_{3,})[ \t]*$|\$\$"),
    ("shell line", rf"{FETCH_AND_RUN}|\$\(|\brm\s+-[a-z]*[rf]|{_RUIN}"),
    ("order to a robot", _ROBOTS),
)
_COMPILED = tuple((reason, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for reason, pattern in _FAULTS)
_HOST = re.compile(rf"(?<![\w/.@\\-])(?:[\w-]+\.)+(?:{_SURE_ENDINGS})(?![\w-]|\.\w)", re.IGNORECASE)
# Stops that names of hosts may have in place of full stops (RFC 3490, 3.1; the others become one of these by NFKC), and the one dot leader.
_STOPS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": "."})
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
        bare = _without(seen(form.translate(_STOPS)), allowed)
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


# In code: with a scheme, whose colon a properties file escapes; without one, where a value begins; a name of a host in quotes.
_CODE_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*\\?:(?:\\?/){2}|\bgit@[\w.-]+:|[\"'(=`]\\?/\\?/[\w-]+\.[\w-]|\bwww\.[\w-]|\]\(\s*//", re.IGNORECASE)
_CODE_HOST = re.compile(r"[\"'`]((?:[\w-]+\.)+(?:com|net|org|xyz|ru|cn|biz|example|invalid))(?::\d+)?[/\"'`]", re.IGNORECASE)


def foreign_links(text: str, hosts: Collection[str], kept: str = "") -> bool:
    """Whether code leads to none of the hosts: by an address, or by the name of a host in quotes that `kept` does not hold already."""
    left = _URL.sub(lambda found: "" if found[1].lower() in hosts else found[0], text.translate(_STOPS))
    named = {found[1].lower() for found in _CODE_HOST.finditer(left)} - _KNOWN_HOSTS - set(hosts)
    return bool(_CODE_LINK.search(left)) or any(name not in kept.lower() for name in named)


def _without(text: str, allowed: Allowed) -> str:
    """The text without what is allowed in it."""
    if allowed.packages:
        text = re.sub(r"`(@[\w./-]+?)(?:@[\w.^~-]+)?`", lambda found: "package" if found[1] in allowed.packages else found[0], text)
    if allowed.hosts:
        text = _URL.sub(lambda found: "address" if found[1].lower() in allowed.hosts else found[0], text)
        text = _HOST.sub(lambda found: "host" if found[0].lower() in allowed.hosts else found[0], text)
    return text
