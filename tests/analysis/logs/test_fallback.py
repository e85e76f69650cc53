"""Failures that no signature knows still get a line to look at."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.domain.doctor import Failure

STAMP = "2026-03-14T02:10:11.1234567Z "


def failure(*output: str) -> Failure:
    """The diagnosis of a GitHub step that prints this and exits with 1."""
    lines = ["##[group]Run ./ci/gate.sh", "\x1b[36;1m./ci/gate.sh\x1b[0m", "shell: /usr/bin/bash -e {0}", "##[endgroup]", *output]
    lines += ["##[error]Process completed with exit code 1.", "Post job cleanup.", "Cleaning up orphan processes"]
    (found,) = diagnose("".join(f"{STAMP}{line}\n" for line in lines).encode()).failures
    return found


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (("counting", "the frobnicator must be blue", "it is green"), "the frobnicator must be blue"),
        (("3 widgets too old", "please renew them", "see the wiki"), "3 widgets too old"),
        (("counting", "bye"), "bye"),
        (("the frobnicator must be blue", "", "bye", "bye"), "the frobnicator must be blue"),
        (("x should be y", "a_should_fail PASSED"), "x should be y"),
    ],
)  # fmt: skip
def test_the_last_words_that_tell(output: tuple[str, ...], told: str) -> None:
    assert failure(*output).text == told


def test_it_is_no_claim() -> None:
    found = failure("counting", "the frobnicator must be blue")
    assert found.signature == "generic.last-words"
    assert found.confidence < 0.5
    assert failure("counting", "bye").confidence < 0.4


def test_an_annotation_is_told_before_the_last_words() -> None:
    found = failure("##[error]The frobnicator is green", "must be repainted")
    assert (found.text, found.signature) == ("The frobnicator is green", "generic.error-annotation")
