"""What the tool itself suggests, and what it shows at the place."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.hints import MOST_HINTS, MOST_SHOWN, hints_of, shown_by


@pytest.mark.parametrize(
    "line",
    [
        "help: consider borrowing here: `&name`", "hint: Updates were rejected because the remote contains work", "npm error To address all issues, run:",
        "  = help: use a float literal",
        "Did you mean the method 'size'?", "Try `terraform init -upgrade`", "Perhaps you forgot to add it to the index", "You may need an additional loader",
        "Please run `uv lock`",
        "Make sure the service is running", "E: You must put some 'source' URIs in your sources.list", "Run `npm audit fix` to fix them",
        "If you want to keep it, use --force",
    ],
)  # fmt: skip
def test_a_suggestion_after_the_error_is_taken(line: str) -> None:
    assert hints_of("error: it broke", ["some code", line]) == (" ".join(line.split()),)


@pytest.mark.parametrize(
    "line",
    [
        "> Run with --stacktrace option to get the stack trace.", "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        "For more information, try '--help'.",
        "If you think this is a bug, open an issue", "npm error A complete log of this run can be found in: x", "error: aborting",
        "To see the full stack trace of the errors, re-run Maven with the -e switch.",
    ],
)  # fmt: skip
def test_where_to_read_more_is_no_suggestion(line: str) -> None:
    assert hints_of("error: it broke", [line]) == ()


def test_the_message_itself_may_suggest() -> None:
    root = "error: unknown command 'instal', did you mean 'install'?"
    assert hints_of(root, []) == (root,)


def test_suggestions_are_few_each_once_and_cut_between_words() -> None:
    many = [f"hint: do this {number}" for number in range(9)]
    assert hints_of("x", [many[0], *many]) == tuple(many[:MOST_HINTS])
    (long,) = hints_of("x", ["hint: " + "word " * 200])
    assert long.endswith("word …")
    assert len(long) < 250


@pytest.mark.parametrize(
    "line",
    [
        "E       assert 2.0 == 1.97", ">       assert total(cart) == 1.97", "    Expected: 30", "    Received: 29", "       expected: 14400",
        "            got: 3600", "  left: 3", "want: x", "6 | assert_eq!(d, 5);",
        "  12 │   return a", "     Failure/Error: expect(Sla.due).to eq(4)", "src/a.c:12:4: note", "+ received: 3",
    ],
)  # fmt: skip
def test_compared_values_and_source_are_shown(line: str) -> None:
    assert shown_by(["words", line, line]) == (" ".join(line.split()),)


def test_what_is_shown_is_bounded() -> None:
    assert len(shown_by([f"Expected: {number}" for number in range(20)])) == MOST_SHOWN
    assert shown_by(["a sentence", "", "expected nothing of it"]) == ()
