"""Texts and diffs as redacted lines: whole secrets are found, also between the signs of a diff and across the border of a cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.agents.evidence_lines import MOST_CHARACTERS, diff_lines, text_lines
from cicd_agents.domain.redaction import Redactor

SECRET = "first-half-of-it\nsecond-half-of-it\nthird-part-of-it"
REDACTOR = Redactor((SECRET,))
HEAD = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n"


def hunk(*lines: str) -> str:
    return HEAD + "@@ -1,9 +1,9 @@\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("signs", ["+++", "---", "   ", " ++", "+ +", "- -", " - ", "  +"])
def test_a_secret_of_several_lines_is_found_between_the_signs(signs: str) -> None:
    lines = [sign + part for sign, part in zip(signs, SECRET.split("\n"), strict=True)]
    shown = diff_lines(hunk(" before", *lines, " after"), REDACTOR, whole=True)
    assert len(shown) == 6
    assert not [part for part in SECRET.split("\n") if part in "\n".join(shown)]
    assert (shown[1], shown[-1]) == (" before", " after")


def test_a_secret_with_lines_of_the_other_side_between_its_own_is_found() -> None:
    first, second, third = SECRET.split("\n")
    shown = "\n".join(diff_lines(hunk(f"+{first}", "-old", f"+{second}", f" {third}"), REDACTOR, whole=True))
    assert "-old" in shown
    assert "half" not in shown
    assert "third" not in shown


def test_a_line_of_which_each_side_hides_something_else_is_hidden_whole() -> None:
    redactor = Redactor(("alpha-secret\nshared", "shared-too\nomega-secret"))
    shown = diff_lines(hunk("-alpha-secret", " shared-too", "+omega-secret"), redactor, whole=True)
    assert not [word for word in ("alpha", "shared", "omega") if word in "\n".join(shown)]


def test_the_head_of_a_diff_is_left_out_and_one_without_hunks_is_empty() -> None:
    assert diff_lines(hunk("+new"), REDACTOR, whole=True) == ("@@ -1,9 +1,9 @@", "+new")
    assert diff_lines("diff --git a/x b/x\nBinary files a/x and b/x differ\n", REDACTOR, whole=True) == ()
    assert diff_lines("", REDACTOR, whole=True) == ()


def test_a_secret_across_the_border_of_a_cut_leaves_no_part_of_it() -> None:
    secret = "part-of-a-known-value-" * 40
    redactor = Redactor((secret,))
    for before in range(MOST_CHARACTERS - len(secret), MOST_CHARACTERS, 97):
        text = ("x" * 78 + "\n") * (before // 79) + "y" * (before % 79) + secret
        assert "part-of-a-known" not in "".join(text_lines(text, redactor))
        assert "part-of-a-known" not in "".join(diff_lines(f"@@\n{text}", redactor, whole=False))


def test_a_text_that_is_not_cut_keeps_its_last_line() -> None:
    assert text_lines("one\ntwo\n", REDACTOR) == ("one", "two")
    assert diff_lines("@@\n+one", REDACTOR, whole=True) == ("@@", "+one")
    assert diff_lines("@@\n+one\n+tw", REDACTOR, whole=False) == ("@@", "+one")


@given(st.text(alphabet="+- @\nabc", max_size=80))
def test_without_secrets_a_diff_stays_what_it_is(text: str) -> None:
    body = f"@@ -1 +1 @@\n{text}".rstrip("\n")
    assert diff_lines(body, REDACTOR, whole=True) == tuple(body.split("\n"))
