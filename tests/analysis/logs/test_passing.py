"""What a passing test printed is no failure."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.passing import of_passing_test

RUN, CONT, PASS, FAIL = b"=== RUN   TestA", b"=== CONT  TestB", b"--- PASS: TestA (0.00s)", b"--- FAIL: TestB (0.00s)"
SAID = b"    a_test.go:13: level=error msg=down"


@pytest.mark.parametrize(
    ("before", "after", "passing"),
    [
        ([RUN], [PASS], True), ([RUN], [FAIL], False), ([RUN, CONT], [PASS, FAIL], False), ([CONT, RUN], [FAIL, PASS], True), ([PASS], [], True),
        ([FAIL], [], False), ([], [PASS], False), ([RUN], [], False),
    ],
)  # fmt: skip
def test_go_prints_the_lines_of_passing_tests_too(before: list[bytes], after: list[bytes], passing: bool) -> None:
    assert of_passing_test(before, SAID, after) is passing


def test_the_verdict_itself_is_no_line_of_the_test() -> None:
    assert not of_passing_test([RUN], PASS, [])


def test_an_error_that_a_passing_go_test_logged_is_not_the_cause() -> None:
    log = "\n".join(
        (
            "$ go test -v ./...", "=== RUN   TestA", "    a_test.go:13: error: upstream failed, connection refused", "--- PASS: TestA (0.00s)",
            "=== RUN   TestB", "    a_test.go:40: tokens after 2s = 5, want 4", "--- FAIL: TestB (0.00s)", "FAIL", "FAIL\texample.com/a\t0.01s",
        )
    )  # fmt: skip
    assert diagnose(log.encode()).failures[0].line == 6
