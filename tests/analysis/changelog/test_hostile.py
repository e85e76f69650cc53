"""Texts of commits are hostile: whatever they hold, the changelog shows them and nothing more."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.analysis.changelog import reading
from tests.analysis.changelog.samples import GITHUB, GITLAB, sha

from cicd_agents.analysis.changelog.notes import release_notes
from cicd_agents.analysis.changelog.prose import blocks, line
from cicd_agents.analysis.changelog.section import Release, changelog_section
from cicd_agents.analysis.changelog.style import Form, style
from cicd_agents.analysis.changelog.update import update_changelog
from cicd_agents.domain.release import Change, HistoryCommit, Reference

PIECES = st.one_of(
    st.sampled_from("`*_~[]()<>!#@&|\\/:.-+=$%^{}\"'\n\r\t \u2028\x0b\x85\u200b\u202e\x1b\x00\ud800"),
    st.sampled_from(["](http://evil.example)", "![x](https://evil.example/x.png)", "<img src=x>", "<!--", "-->", "</details>", "```", "~~~", "    "]),
    st.sampled_from(["@octocat", "#12", "owner/repo#3", "g/s/app!4", "GH-4", "closes ", "fixes: ", "Resolves issue ", "/approve", "&3", "~bug", "%v1", "$5"]),
    st.sampled_from(["https://evil.example", "www.evil.example", "<https://evil.example>", "mail@evil.example", "&#64;x", "deadbeef1", "*iteration:1"]),
    st.sampled_from(["\n/close\n", "\n- ", "\n1. ", "\n# x", "\n\n", "\n> ", "|---|", "[x]: http://evil.example", "\n===", "\n---\n", "## [9.9.9]"]),
    st.sampled_from(["<!-- /cicd-agents:release 1.0.0 -->", "\n<!-- cicd-agents:release 1.0.0 000000000000 -->\n"]),
    st.text(max_size=5),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)
FORGES = st.sampled_from([GITHUB, GITLAB, None])
CHANGES = st.builds(
    Change,
    st.one_of(st.just(sha("a")), TEXTS),
    st.one_of(st.sampled_from(["feat", "fix", "chore", ""]), TEXTS),
    st.one_of(st.none(), TEXTS),
    TEXTS,
    st.booleans(),
    TEXTS,
    footers=st.lists(st.tuples(st.sampled_from(["Migration", "Refs"]), TEXTS), max_size=2).map(tuple),
    refs=st.lists(st.builds(Reference, TEXTS, TEXTS), max_size=3).map(tuple),
    reverts=st.lists(TEXTS, max_size=1).map(tuple),
)
OURS = re.compile(r"https://(?:github\.com|gitlab\.com)/[\w./#@%+~-]*", re.ASCII)
TAME_INLINES = {"text", "code_inline", "link_open", "link_close", "strong_open", "strong_close", "softbreak", "text_special"}


def assert_tame(markdown: str) -> None:
    tokens = {token.type for token in reading.inlines(markdown)}
    assert tokens <= TAME_INLINES
    assert reading.live_texts(markdown) == []
    assert all(OURS.fullmatch(link) for link in reading.links(markdown))
    assert "html_block" not in reading.blocks(markdown)
    assert not re.search(r"^\s{0,3}/\w", re.sub(r"^ *(`{3,}).*?^ *\1$", "", markdown, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


@settings(deadline=None, max_examples=200)
@given(TEXTS, FORGES)
@example("closes #1", GITHUB)
@example("``a` b`` `", GITHUB)
@example("a!#1", GITHUB)
@example("#1`#2`", GITHUB)
def test_a_line_is_one_paragraph_without_markup(text: str, forge: object) -> None:
    made = line(text, forge)  # type: ignore[arg-type]
    assert "\n" not in made
    assert reading.blocks(made) <= {"paragraph", "inline"}
    assert reading.blocks(f"- {made}") <= {"bullet_list", "list_item", "paragraph", "inline"}
    assert_tame(made)


@settings(deadline=None, max_examples=200)
@given(TEXTS, FORGES)
def test_a_note_has_paragraphs_lists_and_code_only(text: str, forge: object) -> None:
    made = blocks(text, forge)  # type: ignore[arg-type]
    markdown = "- x\n\n" + "\n".join(f"  {each}" for each in made)
    assert reading.blocks(markdown) <= {"paragraph", "inline", "bullet_list", "ordered_list", "list_item", "fence"}
    assert_tame(markdown)


@settings(deadline=None, max_examples=60)
@given(st.lists(CHANGES, max_size=4), FORGES, st.sampled_from(Form), TEXTS, TEXTS, TEXTS)
def test_a_section_is_headings_and_lists_only(changes: list[Change], forge: object, form: Form, version: str, tag: str, name: str) -> None:
    commits = tuple(HistoryCommit(change.sha, (), name, "secret@mail.example", 1, name) for change in changes)
    release = Release(version, tuple(changes), tag, tag, 1_700_000_000, commits)
    for text in (changelog_section(release, style(form), forge), release_notes(release, style(form), forge).body):  # type: ignore[arg-type]
        assert reading.blocks(text) <= {"heading", "paragraph", "inline", "bullet_list", "ordered_list", "list_item", "fence"}
        assert_tame(text)
        assert "secret@mail" not in text
        text.encode()


@settings(deadline=None, max_examples=60)
@given(st.lists(CHANGES, max_size=3), st.lists(CHANGES, max_size=3), st.sampled_from(Form))
def test_no_text_of_a_commit_breaks_the_marks_in_the_file(changes: list[Change], others: list[Change], form: Form) -> None:
    first = changelog_section(Release("1.0.0", tuple(changes)), style(form))
    second = changelog_section(Release("1.0.0", tuple(others)), style(form))
    before = "# Changelog\n\n## Unreleased\n\n## 0.9.0\n\n- old\n"
    file = update_changelog(before, first, "1.0.0", form).text
    assert update_changelog(file, first, "1.0.0", form).text == file
    assert update_changelog(file, second, "1.0.0", form).text == update_changelog(before, second, "1.0.0", form).text


@pytest.mark.parametrize(
    ("text", "github", "gitlab"),
    [
        ("closes #1", "closes `#1`", "closes `#1`"),
        ("Fixes: #1, and (#2)", "Fixes: `#1`, and ([#2](https://github.com/acme/app/issues/2))", None),
        ("resolves issue o/r#1", "resolves issue `o/r#1`", "resolves issue `o/r#1`"),
        ("see #1 & !2", "see [#1](https://github.com/acme/app/issues/1) &amp; `!2`", None),
        ("by @octocat", "by `@octocat`", "by `@octocat`"),
        ("use `a*b` and *c*", r"use `a*b` and \*c\*", r"use `a*b` and \*c\*"),
        ("- [ ] 1. x", r"\- \[ \] 1. x", None),
        ("12) x", r"12\) x", None),
        ("![x](http://y.example/z.png)", r"!\[`x](http://y.example/z.png`)", None),
        ("<script>", "&lt;script&gt;", "&lt;script&gt;"),
        ("/close now", "`/close` now", "`/close` now"),
        ("C#12 v1.2.3 a-b/c, don't (ok)?", "`C#12` v1.2.3 a-b/c, don't (ok)?", None),
        ("two\nlines  here ", "two lines here", "two lines here"),
    ],
)
def test_lines(text: str, github: str, gitlab: str | None) -> None:
    assert line(text, GITHUB) == github
    if gitlab is not None:
        assert line(text, GITLAB) == gitlab


def test_a_scope_cannot_make_a_reference_close_its_issue() -> None:
    change = Change(sha("a"), "feat", "closes", "#1 is done")
    assert "- **closes:** `#1` is done (" in changelog_section(Release("1.0.0", (change,)), style(), GITHUB)


def test_long_texts_are_cut() -> None:
    change = Change(sha("a"), "feat", "s" * 10**6, "x" * 10**6, True, "word " * 10**6 + "\n" * 10**6)
    assert len(changelog_section(Release("1.0.0", (change,)), style(), GITHUB)) < 8000


@pytest.mark.parametrize("piece", ["`", "[", "a/", "#1", "<", "\n- ", "```\n", "@a", "a" * 7 + " ", "(#1) "])
def test_repeated_pieces_are_read_in_time(piece: str) -> None:
    text = piece * 200_000
    change = Change(sha("a"), "feat", text, text, True, text, refs=(Reference(text, text),) * 1000)
    assert changelog_section(Release("1.0.0", (change,), text, text), style(), GITHUB)
