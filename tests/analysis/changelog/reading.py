"""Markdown read by an independent parser, and what GitHub and GitLab would bring to life in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Mentions and mail addresses, references, URLs, commit ids, maths and placeholders: taken from the text that is neither code nor in a link.
LIVE = re.compile(
    r"@\w|(?<!\w)[#!&~%^]\d|\w[#!]\d|~\w|(?<!\w)GH-\d|\$|%\{|[a-z]+://|www\.|mailto:|(?<![0-9a-z_])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}(?![0-9a-z_])",
    re.IGNORECASE,
)


def inlines(markdown: str) -> Iterator[Token]:
    """All inline tokens of a text."""
    for block in MARKDOWN.parse(markdown):
        yield from block.children or ()


def blocks(markdown: str) -> set[str]:
    """The kinds of blocks that a text has."""
    return {block.type.removesuffix("_open").removesuffix("_close") for block in MARKDOWN.parse(markdown)}


def live_texts(markdown: str) -> list[str]:
    """Texts outside of code and links that would come to life."""
    found, depth = [], 0
    for token in inlines(markdown):
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth and LIVE.search(token.content):
            found.append(token.content)
    return found


def links(markdown: str) -> list[str]:
    """Where the links of a text lead."""
    return [str(token.attrs["href"]) for token in inlines(markdown) if token.type == "link_open"]


def shown(markdown: str) -> str:
    """What a reader sees, without spaces."""
    made = ""
    for block in MARKDOWN.parse(markdown):
        for token in block.children or [block]:
            made += token.content if token.type in ("text", "code_inline", "fence", "html_inline", "html_block") else ""
    return "".join(made.split())
