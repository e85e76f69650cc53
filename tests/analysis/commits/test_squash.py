import pytest
from tests.analysis.commits.reading_of import read, types

DEPENDENCY = "chore(deps): update x to v2 (#3)\n\n{}\n\n* feat!: something of x\n\nfix: more of x\n\nBREAKING CHANGE: of x"


def test_stars_of_a_squashed_request_are_changes_with_their_own_marks() -> None:
    message = (
        "fix(a): one (#10)\n\ntext\n\n* feat: two\n\n* fix(b)!: three\n\nBREAKING CHANGE: gone\n\n* no header\n* docs: four\n\n"
        "---------\n\nCo-authored-by: B <b>"
    )
    assert types(message) == ["fix(a)", "feat", "fix(b)!", "docs"]
    assert [change.line for change in read(message)] == [1, 5, 7, 12]


def test_the_title_repeated_as_a_star_is_one_change_with_the_marks_of_both() -> None:
    (change,) = read("feat: two words (#10)\n\n* feat!: two words\n\nBREAKING CHANGE: gone")
    assert (change.breaking, change.note, change.line) == (True, "gone", 1)


def test_git_indents_squashed_commits() -> None:
    message = (
        "Squashed commit of the following:\n\ncommit 63ec09b9e844e616dcaa7bae35a0b66671b59fbb\nAuthor: A <a>\nDate:   Sun\n\n    feat(x): one\n\n"
        "    BREAKING CHANGE: gone\n\ncommit 63ec09b\nAuthor: A <a>\n\n    fix: two"
    )
    assert types(message) == ["feat(x)!", "fix"]


def test_bitbucket_squashes_have_their_changes_in_paragraphs() -> None:
    assert types("Merged in feat/x  (pull request #10)\n\nfix(a): one\n\nResolves: #12\n\nfeat: two words\n\nfix: #12") == ["fix(a)", "feat"]


def test_nested_blocks_add_changes() -> None:
    message = "fix: a b\n\nbody\nBEGIN_NESTED_COMMIT\ndocs(s): c\n\nBREAKING CHANGE: d\nEND_NESTED_COMMIT\nBEGIN_NESTED_COMMIT\nfeat: e\nEND_NESTED_COMMIT"
    assert types(message) == ["fix", "docs(s)!", "feat"]
    assert [change.line for change in read(message)] == [1, 5, 10]


def test_an_override_block_replaces_the_message() -> None:
    assert types("feat!: wrong\n\nBEGIN_COMMIT_OVERRIDE\nfix: right one\n\nfeat: right two\nEND_COMMIT_OVERRIDE\nBREAKING CHANGE: x") == ["fix", "feat"]


@pytest.mark.parametrize(
    "quotation",
    [
        "[![Mend Renovate](https://x/banner.svg)](https://x)",
        "This PR contains the following updates:",
        "Bumps [x](https://x) from 1 to 2.",
        "Bumps x\nfrom 1 to 2.",
    ],
)
def test_notes_of_a_dependency_say_nothing_about_this_project(quotation: str) -> None:
    assert types(DEPENDENCY.format(quotation)) == ["chore(deps)"]


@pytest.mark.parametrize("before", ["<details>", "```", "## What is new", "# [1.2.0](https://x) (2024-01-01)", "~~~"])
def test_lists_in_quotations_and_below_headings_are_no_changes(before: str) -> None:
    assert types(f"docs: x\n\n{before}\n\n* feat!: one\n\nfeat: two words") == ["docs"]


def test_a_footer_below_a_heading_still_counts() -> None:
    assert types("fix: x\n\n## Why\n\ntext\n\nBREAKING CHANGE: gone") == ["fix!"]


@pytest.mark.parametrize(
    ("author", "expected"), [("renovate[bot]", ["fix(deps)!"]), ("Copilot[bot]", ["fix(deps)!", "feat"]), ("Abbot Smith", ["fix(deps)!", "feat"])]
)
def test_the_body_of_a_bot_is_not_read_but_that_of_a_coding_agent_is(author: str, expected: list[str]) -> None:
    assert types("fix(deps)!: update x\n\n* feat: of x", author=author) == expected


def test_a_dash_is_a_change_only_where_a_paragraph_begins() -> None:
    assert types("docs: x\n\ntext\n- feat: in a list of the text") == ["docs"]
    assert types("docs: x\n\n- feat: one\n- fix: two words") == ["docs", "feat", "fix"]


def test_words_before_a_colon_are_no_changes_in_a_body() -> None:
    assert types("test: x\n\nbody\n\nFoo: Foo: a trailer\nBar: a footer") == ["test"]
