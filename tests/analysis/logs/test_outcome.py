"""Where the platform does not say it, the log must speak of its failure itself."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.outcome import ends_well


@pytest.mark.parametrize(
    ("tail", "well"),
    [
        (b"Executed 20 tests, with 0 failures (0 unexpected)\nTest run with 3 tests passed after 0.001 seconds.", True), (b"* DONE\nStatus: 3 NOTEs\n", True),
        (b"3 passed in 0.2s\n", True),
        (b"Deployment completed successfully", True), (b"Done.", True), (b"OK", True), (b"1 passed, 1 failed", False), (b"all done\nerror: it broke", False),
        (b"Compiling a", False), (b"", False),
        (b"TEST-OK | /x | passed", False), (b"0 errors, 0 failures\nfinished in 3 s", True), (b"done\n" * 3 + b"a\nb\nc\n", False),
    ],
)  # fmt: skip
def test_the_last_lines_tell_of_success(tail: bytes, well: bool) -> None:
    assert ends_well(tail) is well


FILLER = b"compiled one more file\n" * 100


def failed(log: bytes) -> bool | None:
    return diagnose(log).failed


def test_an_error_of_unknown_meaning_at_the_end_is_a_failure_and_in_the_middle_it_is_not() -> None:
    assert failed(FILLER + b"error: the frobnicator refuses\n")
    assert failed(b"error: the frobnicator refuses\n" + FILLER) is False


def test_a_plain_error_is_a_failure_wherever_it_stands_unless_all_ends_well() -> None:
    plain = b"curl: (6) Could not resolve host: registry.example\n"
    assert failed(plain + FILLER)
    assert failed(plain + FILLER + b"All 12 checks passed.\n") is False
