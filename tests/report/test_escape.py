"""Untrusted text made safe for terminals, CI logs and Markdown: golden cases, and properties with independent checkers."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cicd_agents.report.escape import code_span, fence, inline, plain, truncate_utf8, workflow_safe

MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])

PIECES = st.one_of(
    st.sampled_from("`*_~[]()<>!#@&|\\/:.-+=$%^{}\"'\n\r\t \u2028\x0b\x85\u200b\u202e\x1b\x9b\x00\ud800"),
    st.sampled_from(["::", "##[", "##vso[", "::error::x", "]", "```", "~~~", "<!--", "-->", "</details>", "<img src=x>", "![a](b)"]),
    st.sampled_from(["@octocat", "@org/team", "#12", "owner/repo#3", "GH-4", "closes ", "/approve"]),
    st.sampled_from(["https://x.example", "www.x.example", "&#64;", "[a](b)"]),
    st.sampled_from(["\x1b[31m", "\x1b]8;;https://x\x07", "e\u0301", "\ufeff", "section_start:1:x", "1. ", "    ", "deadbeef1", "|---|"]),
    st.text(max_size=5),
)
TEXTS = st.lists(PIECES, max_size=15).map("".join)


def inline_tokens(markdown: str) -> list[Token]:
    """The inline tokens of a text that must be one paragraph."""
    blocks = MARKDOWN.parse(markdown)
    assert [block.type for block in blocks] == ["paragraph_open", "inline", "paragraph_close"]
    return blocks[1].children or []


class TestPlain:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b[38:2::255:0:0mred\x1b[m", "red"),
            ("\x9b31mred", "red"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1bP1$q\x1b\\text\x1b(B", "text"),
            ("\x1b[8mha:////4AAAAAAA=\x1b[0mJenkins", "Jenkins"),
            ("\x1b]0;never ended", "0;never ended"),
            ("a\x00b\x07c\x7fd\x80e", "abcde"),
            ("a\tb\nc\r\nd\re", "a\tb\nc\nd\ne"),
            ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
            ("a\u202eb\u2066c\u200fd", "abcd"),
            ("a\u200bb\u200dc\ufeffd\u00ade\u2060f", "abcdef"),
            ("x\U000e0041y\ufe0fz", "xyz"),
            ("e\u0301", "é"),
            ("\ud83d\ude00 \ud83d", "😀 \ufffd"),
            ("a" + "\u0301" * 20, unicodedata.normalize("NFC", "a" + "\u0301" * 8)),
        ],
    )
    def test_golden(self, text: str, shown: str) -> None:
        assert plain(text, 100) == shown

    @pytest.mark.parametrize(("limit", "shown"), [(7, "abcdef"), (6, "abcdef"), (5, "abcd…"), (1, "…"), (0, ""), (-1, "")])
    def test_the_cut_is_seen(self, limit: int, shown: str) -> None:
        assert plain("abcdef", limit) == shown

    @settings(deadline=None)
    @given(TEXTS, st.integers(0, 40))
    def test_nothing_unseen_is_left(self, text: str, limit: int) -> None:
        shown = plain(text, limit)
        assert len(shown) <= limit
        assert all(unicodedata.category(character) not in ("Cc", "Cs") or character in "\n\t" for character in shown)
        assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", shown)
        assert plain(shown, limit) == shown
        shown.encode()

    def test_many_combining_marks_are_finished(self) -> None:
        assert len(plain("a" + "\u0301\u0327" * 200_000, 1000)) < 20


def commands(text: str) -> list[str]:
    """What GitHub, Azure, TeamCity or GitLab would take for a command, read the way of the strictest of them."""
    lines = re.split("[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]", text)
    found = [line for line in lines if line.strip().lstrip("\ufeff\u200b\u2060 \t").startswith("::")]
    found += [line for line in lines if re.search(r"##(?:vso|teamcity)?\[", line, re.IGNORECASE)]
    return found + re.findall(r"section_(?:start|end):\d+:[\w.-]+", text)


class TestWorkflowSafe:
    @pytest.mark.parametrize(
        ("text", "safe"),
        [
            ("::error::x", ": :error::x"),
            (" \t::set-output name=a::b", " \t: :set-output name=a::b"),
            ("first\n::stop-commands::x\nlast", "first\n: :stop-commands::x\nlast"),
            ("progress\r::add-mask::x", "progress\r: :add-mask::x"),
            ("a\u2028::x::", "a\u2028: :x::"),
            ("\ufeff::x::", "\ufeff: :x::"),
            ("\x1b[0m::x::", "\x1b[0m: :x::"),
            ("\n \n\t::x::", "\n \n\t: :x::"),
            ("text ##[error]x", "text ## [error]x"),
            ("###[x]##[y]", "### [x]## [y]"),
            ("##vso[task.setvariable variable=a]b", "## vso[task.setvariable variable=a]b"),
            ("##VSO[x]", "## VSO[x]"),
            ("##teamcity[buildStop]", "## teamcity[buildStop]"),
            ("section_start:1560896352:name\r", "section_start :1560896352:name\r"),
            ("std::vector<int> a::b ## heading [x]", "std::vector<int> a::b ## heading [x]"),
            ("::::", ": :::"),
        ],
    )
    def test_golden(self, text: str, safe: str) -> None:
        assert workflow_safe(text) == safe

    @settings(deadline=None)
    @given(TEXTS)
    @example("\x1b::x")
    @example("\u3000::x")
    def test_no_line_is_a_command(self, text: str) -> None:
        safe = workflow_safe(text)
        assert commands(safe) == []
        assert workflow_safe(safe) == safe

    @settings(deadline=None)
    @given(TEXTS)
    def test_only_blanks_are_added(self, text: str) -> None:
        assert workflow_safe(text).replace(" ", "") == text.replace(" ", "")

    @settings(deadline=None)
    @given(TEXTS)
    def test_also_after_plain(self, text: str) -> None:
        assert commands(workflow_safe(plain(text, 1000))) == []


class TestInline:
    @pytest.mark.parametrize(
        ("text", "markdown"),
        [
            ("plain words, (nothing else).", "plain words, (nothing else)."),
            ("two\nlines\tand  blanks ", "two lines and blanks"),
            ("*bold* _it_ ~~ `code`", r"\*bold\* \_it\_ \~\~ &#96;code&#96;"),
            ("<b>hi</b> & <!-- x -->", "&lt;b&gt;hi&lt;/b&gt; &amp; &lt;!-- x --&gt;"),
            ("[a](b) ![c](d)", r"\[a\](b) !\[c\](d)"),
            ("ping @octocat and @org/team.", "ping `@octocat` and `@org/team`."),
            ("mail jane@example.com", "mail `jane@example.com`"),
            ("uses actions/checkout@v4", "uses `actions/checkout@v4`"),
            ("closes #1, fixes owner/repo#2 (GH-3)", "closes `#1`, fixes `owner/repo#2` (`GH-3`)"),
            ("see !12 ~bug %v1 &3 $4", "see `!12` `~bug` `%v1` `&3` `$4`"),
            ("[vulnerability:12]", "`[vulnerability:12]`"),
            ("https://x.example/a?b=c#d", "`https://x.example/a?b=c#d`"),
            ("at www.x.example.", "at `www.x.example`."),
            ("in 1a2b3c4d5e of 2026", "in `1a2b3c4d5e` of 2026"),
            ("/approve this", "`/approve` this"),
            ("# heading", r"\# heading"),
            ("- item", r"\- item"),
            ("12. item", r"12\. item"),
            ("> quote", "&gt; quote"),
            ("=== and ---", r"\=== and ---"),
            ("a|b", r"a\|b"),
            ("@a|@b", r"`@a`\|`@b`"),
            ("back\\slash", r"back\\slash"),
            ("`@x` ``y``", "`` `@x` `` &#96;&#96;y&#96;&#96;"),
            ("", ""),
        ],
    )
    def test_golden(self, text: str, markdown: str) -> None:
        assert inline(text) == markdown

    def test_the_limit_is_of_the_text_that_is_seen(self) -> None:
        assert inline("*" * 10, 4) == r"\*\*\*…"

    @settings(deadline=None)
    @given(TEXTS)
    @example("a `@x")
    @example("``@x`")
    def test_only_text_and_code_and_nothing_live(self, text: str) -> None:
        markdown = inline(text)
        assert "\n" not in markdown
        if not markdown.strip():
            return
        tokens = inline_tokens(markdown)
        assert {token.type for token in tokens} <= {"text", "text_special", "code_inline", "softbreak"}
        prose = "\0".join(token.content for token in tokens if token.type != "code_inline")
        assert not re.search(r"@\w|[#!]\d|://|\bwww\.|\bgh-\d", prose, re.IGNORECASE)
        assert not re.match(r"/\w", markdown)

    @settings(deadline=None)
    @given(TEXTS)
    def test_the_reader_sees_the_same_characters(self, text: str) -> None:
        words = plain(text, 10_000).split()
        tokens = inline_tokens(inline(text, 10_000)) if words else []
        seen = "".join(token.content.replace("\\|", "|") if token.type == "code_inline" else token.content for token in tokens)
        assert seen.split() == words or "\\" in text  # a code span keeps the backslash before a pipe

    @settings(deadline=None)
    @given(TEXTS)
    def test_safe_in_a_list_and_in_a_table(self, text: str) -> None:
        item = MARKDOWN.parse("- " + inline(text) + "\n- end")
        assert {token.type for token in item} <= {
            "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "paragraph_open", "paragraph_close", "inline",
        }  # fmt: skip
        table = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {inline(text)} | {code_span(text)} |")
        assert sum(token.type == "td_open" for token in table) == 2


class TestCodeSpan:
    @pytest.mark.parametrize(
        ("text", "markdown"),
        [
            ("make test", "`make test`"),
            ("two\nlines", "`two lines`"),
            ("a`b", "``a`b``"),
            ("a``b`c", "```a``b`c```"),
            ("`", "`` ` ``"),
            ("a | b", r"`a \| b`"),
            ("\x1b[31m@x\x1b[0m", "`@x`"),
            ("", "` `"),
            (" \n ", "` `"),
        ],
    )
    def test_golden(self, text: str, markdown: str) -> None:
        assert code_span(text) == markdown

    def test_limit(self) -> None:
        assert code_span("abcdef", 4) == "`abc…`"

    @settings(deadline=None)
    @given(TEXTS)
    def test_one_code_token(self, text: str) -> None:
        tokens = inline_tokens("x " + code_span(text, 1000) + " y")
        assert [token.type for token in tokens] == ["text", "code_inline", "text"]
        assert tokens[1].content.strip() == " ".join(plain(text, 10_000).split()).replace("|", "\\|")


class TestFence:
    @pytest.mark.parametrize(
        ("text", "limit", "markdown"),
        [
            ("a\nb\n", 100, "```text\na\nb\n```"),
            ("a\n```\nb", 100, "````text\na\n```\nb\n````"),
            ("\x1b[31mred\x1b[0m\ttab", 100, "```text\nred\ttab\n```"),
            ("one\ntwo\nthree", 8, "```text\none\ntwo\n… 1 more line\n```"),
            ("one\ntwo\nthree", 7, "```text\none\ntwo\n… 1 more line\n```"),
            ("one\ntwo\nthree", 6, "```text\none\n… 2 more lines\n```"),
            ("a long line\nnext", 6, "```text\na lon…\n… 1 more line\n```"),
            ("a long line", 6, "```text\na lon…\n```"),
            ("", 10, "```text\n\n```"),
        ],
    )
    def test_golden(self, text: str, limit: int, markdown: str) -> None:
        assert fence(text, limit) == markdown

    def test_language_is_a_word(self) -> None:
        assert fence("x", 10, "sh` <b>") == "```shb\nx\n```"

    @settings(deadline=None)
    @given(TEXTS, st.integers(0, 200))
    def test_it_cannot_be_closed_from_inside(self, text: str, limit: int) -> None:
        blocks = MARKDOWN.parse("before\n\n" + fence(text, limit) + "\n\nafter")
        types = ["paragraph_open", "inline", "paragraph_close"]
        assert [block.type for block in blocks] == [*types, "fence", *types]

    @settings(deadline=None)
    @given(TEXTS)
    def test_all_of_it_or_a_note(self, text: str) -> None:
        whole = plain(text, 10_000).rstrip("\n")
        assert MARKDOWN.parse(fence(text, 10_000))[0].content == whole.replace("\0", "") + "\n"
        shown = fence(text, len(whole) // 2)
        left_out = re.search(r"\n… (\d+) more lines?\n`+$", shown)
        assert left_out is None or 0 < int(left_out[1]) <= whole.count("\n")


class TestTruncateUtf8:
    @pytest.mark.parametrize(("budget", "text"), [(10, "aé😀"), (7, "aé😀"), (6, "aé"), (3, "aé"), (2, "a"), (0, ""), (-5, "")])
    def test_golden(self, budget: int, text: str) -> None:
        assert truncate_utf8("aé😀", budget) == text

    @settings(deadline=None)
    @given(st.text(), st.integers(-1, 60))
    def test_longest_beginning_that_fits(self, text: str, budget: int) -> None:
        cut = truncate_utf8(text, budget)
        assert text.startswith(cut)
        assert len(cut.encode()) <= max(budget, 0)
        assert cut == text or len(text[: len(cut) + 1].encode()) > budget

    def test_surrogates_can_be_written(self) -> None:
        assert truncate_utf8("a\ud800b", 10) == "a\ufffdb"
