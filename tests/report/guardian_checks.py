"""What the guardian's tests look for in its forms, apart from our own rules: whatever a reader, a runner or a browser would obey."""

from __future__ import annotations

import re
from collections.abc import Collection
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from cicd_agents.domain.guardian import Chart

COMMONMARK = MarkdownIt("commonmark", {"html": True})
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
HOSTILE = (
    "\x1b[31mred\x1b]0;t\x07 ::set-output name=a::b\n::error::x ##[error]boom ```` ``` `x`\n```\n</details></sub></style></title></svg> <!-- m --> ]]> "
    "@team `@team` #123 <script>alert(1)</script> \"><img src=x onerror=alert(1)> ' onload='x ![b](https://evil.example/x.png) [c](https://evil.example) "
    "https://evil.example"
    "\n\n# heading\n\n- item\n\n    code\n\n[a]: https://evil.example\n/approve\n| a |\n|---|\n&lt;b&gt; \u202egpj\u2066\u200b %%{init: {}}%% \\"
)
_OURS = re.compile(r"<details><summary>(?:Risk score [0-9.]+ and its terms|Queries and values|Timeline)</summary>\n?|</details>\n?|<sub>|</sub>")
_LIVE = re.compile(r"@\w|[#!]\d|://|\bwww\.|\bgh-\d|^/\w", re.IGNORECASE | re.MULTILINE)


def live(markdown: str, links: Collection[str] = ()) -> list[str]:
    """Everything that a platform would bring to life and that is not ours: HTML, links, images, mentions, references, commands."""
    found = []
    for token in [part for block in COMMONMARK.parse(markdown) for part in (block, *(block.children or ()))]:
        if token.type in ("html_block", "html_inline") and not _OURS.fullmatch(token.content):
            found.append(f"html {token.content!r}")
        if token.type == "link_open" and token.attrs["href"] not in links:
            found.append(f"link {token.attrs['href']}")
        if token.type in ("image", "code_block"):
            found.append(token.type)
        if token.type == "text" and _LIVE.search(token.content):
            found.append(f"text {token.content!r}")
        if UNSEEN.search(token.content):
            found.append(f"unseen {token.content!r}")
    return found


def outline(markdown: str) -> list[str]:
    """The blocks of a Markdown text, without their content."""
    return [block.type for block in COMMONMARK.parse(markdown) if block.nesting]


def commands(text: str) -> list[str]:
    """What a terminal, GitHub, Azure or GitLab would obey."""
    lines = re.split("[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]", text)
    found = [line for line in lines if line.strip("\ufeff\u200b\u2060 \t").startswith("::")]
    return found + re.findall(r"##(?:vso|teamcity)?\[", text) + UNSEEN.findall(text.replace("\u200d", ""))


class Page(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, the style and blanks apart."""
        return " ".join(" ".join(text.split()) for text in self.texts if text.strip() and ":root" not in text)

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def numbers_of(points: str) -> list[float]:
    """The coordinates of a polyline."""
    return [float(number) for pair in points.split() for number in pair.split(",")]


def nothing() -> Chart:
    """A chart without a sample."""
    return Chart("x", "X", "s", (), ())
