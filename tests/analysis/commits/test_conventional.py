import pytest
from tests.analysis.commits.reading_of import read, types


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("feat: allow objects", "feat"), ("Fix(API): case", "fix(API)"), ("refactor!: drop Node 6", "refactor!"), ("feat(a/b)!:  two blanks", "feat(a/b)!"),
        ("chore((part)): x", "chore((part))"), ("feat(ng:list): x", "feat(ng:list)"), ("chor: x", "chor"), ("my-type: x", "my-type"),
    ],
)  # fmt: skip
def test_a_title_is_read_with_type_scope_and_mark(title: str, expected: str) -> None:
    assert types(title) == [expected]


@pytest.mark.parametrize(
    "title", ["feat add x", "feat:x", "feat : x", "feat (x): y", "foo bar: x", "feat(x): ", "feat(x)", "BREAKING CHANGE: x", "feat(a\n): x", " ", "", "#1 x"]
)
def test_other_titles_are_not_read(title: str) -> None:
    assert types(title) == []


@pytest.mark.parametrize(
    "body",
    ["BREAKING CHANGE: gone", "text\n\nBREAKING-CHANGE: gone", "BREAKING CHANGE #gone", "* BREAKING CHANGE:\n\ngone", "text\nBREAKING CHANGE: gone\nRefs: #1"],
)
def test_a_breaking_footer_needs_capitals_a_separator_and_a_text(body: str) -> None:
    (change,) = read(f"fix: x\n\n{body}")
    assert (change.breaking, change.note) == (True, "gone")


@pytest.mark.parametrize(
    "body",
    [
        "BREAKING CHANGE", "BREAKING CHANGE:", "breaking change: x", "BREAKING CHANGES: x", "### BREAKING CHANGE: x", "> BREAKING CHANGE: x",
        "    BREAKING CHANGE: x", "```\nBREAKING CHANGE: x\n```", "<details>\nBREAKING CHANGE: x\n</details>", "<!-- \nBREAKING CHANGE: x\n-->",
        "no BREAKING CHANGE: x",
    ],
)  # fmt: skip
def test_prose_and_quotations_break_nothing(body: str) -> None:
    assert types(f"fix: x\n\n{body}") == ["fix"]


def test_the_note_ends_before_the_next_footer_and_wins_over_the_subject() -> None:
    (change,) = read("feat!: x\n\nBREAKING CHANGE: one\ntwo\n\nthree\nCo-authored-by: B <b@example.org>")
    assert change.note == "one\ntwo\n\nthree"


def test_footers_are_the_paragraphs_of_tokens_at_the_end() -> None:
    (change,) = read("feat: x\n\nNote: not the end\n\nfree text\n\nMy-Footer #bar\nRefs: #1\n more\n\nSigned-off-by: A")
    assert change.footers == (("My-Footer", "bar"), ("Refs", "#1\n more".removeprefix("#")), ("Signed-off-by", "A"))
    assert change.body == "Note: not the end\n\nfree text"


def test_references_carry_their_action_and_addresses_hold_none() -> None:
    (change,) = read("fix: x (#9)\n\nCloses #1, #2 and group/app!3\nrelates to #4, see https://host/a/b#5 and repo#6 x!7")
    assert change.subject == "x"
    assert [(ref.action, ref.target) for ref in change.refs] == [
        ("request", "#9"), ("closes", "#1"), ("closes", "#2"), ("closes", "group/app!3"), ("relates", "#4"),
    ]  # fmt: skip


def test_lines_of_git_are_no_part_of_the_message() -> None:
    (change,) = read("gpg: Signature made today\n\nfeat: x\r\n\r\ntext\r\n# ------------------------ >8 ------------------------\r\nBREAKING CHANGE: x")
    assert (change.type, change.breaking, change.body, change.line) == ("feat", False, "text", 3)


@pytest.mark.parametrize("text", ["Release-As: v3.0.0", "text\n\nrelease-as: 3.0.0"])
def test_a_footer_forces_a_version(text: str) -> None:
    assert read(f"meta: x\n\n{text}")[0].release_as == "3.0.0"
