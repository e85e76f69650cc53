"""What good runs print is remembered in a form that does not change from run to run, within bounds."""

from __future__ import annotations

import io

import pytest

from cicd_agents.analysis.logs import novelty
from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.masking import masked
from cicd_agents.analysis.logs.novelty import good_lines

BAD = b"Error: cache 17 is cold\nstep one\nError: the ledger does not balance\n##[error]Process completed with exit code 1.\n"


def test_no_good_run_no_good_lines() -> None:
    assert good_lines([]) == frozenset()


def test_stamps_colours_and_numbers_of_a_good_run_do_not_matter() -> None:
    good = good_lines([b"2026-03-14T02:00:00.0000001Z \x1b[33mcache 17 is cold\x1b[0m\r\n", io.BytesIO(b"all is well")])
    assert masked(b"cache 99 is cold") in good
    assert masked(b"all is well") in good
    assert masked(b"all is lost") not in good


def test_the_lines_of_all_good_runs_count() -> None:
    assert good_lines([b"one\ntwo\n", b"two\nthree\n"]) == {b"one", b"two", b"three", b""}


def test_distinct_lines_are_bounded() -> None:
    def words(first: int) -> bytes:
        return b"\n".join(b"line " + "".join(chr(103 + int(digit)) for digit in str(number)).encode() for number in range(first, first + 3_000))

    logs = [words(1_000_000), words(2_000_000), b"never read\n"]
    assert len(good_lines(logs, most=5_000)) == 5_000
    assert masked(b"never read") not in good_lines(logs, most=5_000)
    assert novelty.MAX_LINES <= 500_000


def test_a_line_of_a_good_run_is_not_blamed_and_what_is_new_is() -> None:
    assert next(failure.line for failure in diagnose(BAD).failures) == 1
    found = diagnose(BAD, baseline=[b"Error: cache 99 is cold\nstep one\n"]).failures[0]
    assert (found.line, found.text) == (3, "Error: the ledger does not balance")


@pytest.mark.parametrize("good", [b"", b"\n\n\n", b"\x00\xff\xfe"])
def test_a_good_run_that_says_nothing_changes_nothing(good: bytes) -> None:
    assert next(failure.line for failure in diagnose(BAD, baseline=[good]).failures) == 1
