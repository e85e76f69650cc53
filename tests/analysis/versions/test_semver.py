"""SemVer 2.0.0 by the lists of semver.org (valid and invalid: regex101.com/r/Ly7O1x and vkijKf; order: section 11)."""

import itertools
import json
import os
from typing import Any

import pytest

from cicd_agents.analysis.versions.semver import Version, parse, step
from cicd_agents.domain.release import Bump

VALID = """
0.0.4 1.2.3 10.20.30 1.1.2-prerelease+meta 1.1.2+meta 1.1.2+meta-valid 1.0.0-alpha 1.0.0-beta 1.0.0-alpha.beta 1.0.0-alpha.beta.1 1.0.0-alpha.1
1.0.0-alpha0.valid 1.0.0-alpha.0valid 1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay 1.0.0-rc.1+build.1 2.0.0-rc.1+build.123 1.2.3-beta
10.2.3-DEV-SNAPSHOT 1.2.3-SNAPSHOT-123 1.0.0 2.0.0 1.1.7 2.0.0+build.1848 2.0.1-alpha.1227 1.0.0-alpha+beta 1.2.3----RC-SNAPSHOT.12.9.1--.12+788
1.2.3----R-S.12.9.1--.12+meta 1.2.3----RC-SNAPSHOT.12.9.1--.12 1.0.0+0.build.1-rc.10000aaa-kk-0.1
99999999999999999999999.999999999999999999.99999999999999999 1.0.0-0A.is.legal
"""
INVALID = """
1 1.2 1.2.3-0123 1.2.3-0123.0123 1.1.2+.123 +invalid -invalid -invalid+invalid -invalid.01 alpha alpha.beta alpha.beta.1 alpha.1 alpha+beta alpha_beta
alpha. alpha.. beta 1.0.0-alpha_beta -alpha. 1.0.0-alpha.. 1.0.0-alpha..1 1.0.0-alpha...1 1.0.0-alpha....1 1.0.0-alpha.....1 1.0.0-alpha......1
1.0.0-alpha.......1 01.1.1 1.01.1 1.1.01 1.2 1.2.3.DEV 1.2-SNAPSHOT 1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788 1.2-RC-SNAPSHOT -1.0.3-gamma+b7718
+justmeta 9.8.7+meta+meta 9.8.7-whatever+meta+meta
99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1--------------------------------..12
"""
ASCENDING = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]


def version(text: str) -> Version:
    found = parse(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize("text", VALID.split())
def test_a_valid_version_is_read_and_printed_as_it_was(text: str) -> None:
    assert str(version(text)) == text


@pytest.mark.parametrize("text", [*INVALID.split(), "", "v1.2.3", "1.2.3 ", "1.2.3\n", "1.2.٣", "1.2.3-" + "a" * 300])
def test_what_is_no_version_is_refused(text: str) -> None:
    assert parse(text) is None


def test_the_order_of_the_specification_holds_for_all_pairs() -> None:
    for low, high in itertools.combinations(ASCENDING, 2):
        assert version(low).precedence < version(high).precedence, (low, high)


def test_build_metadata_is_no_difference_in_precedence_but_in_equality() -> None:
    assert version("1.0.0+1").precedence == version("1.0.0+2").precedence
    assert version("1.0.0+1") != version("1.0.0+2")


def test_numeric_identifiers_are_compared_as_numbers_and_stand_before_words() -> None:
    assert version("1.0.0-rc.2").precedence < version("1.0.0-rc.10").precedence < version("1.0.0-rc.x").precedence


@pytest.mark.parametrize(
    ("text", "bump", "expected"),
    [
        ("1.2.3", Bump.MAJOR, "2.0.0"),
        ("1.2.3", Bump.MINOR, "1.3.0"),
        ("1.2.3", Bump.PATCH, "1.2.4"),
        ("1.2.3+b", Bump.NONE, "1.2.3+b"),
        ("1.2.3-0", Bump.PATCH, "1.2.3"),
        ("1.3.0-rc.1", Bump.PATCH, "1.3.0"),
        ("1.3.0-rc.1", Bump.MINOR, "1.3.0"),
        ("1.3.1-rc.1", Bump.MINOR, "1.4.0"),
        ("2.0.0-rc.1", Bump.MAJOR, "2.0.0"),
        ("2.1.0-rc.1", Bump.MAJOR, "3.0.0"),
    ],
)  # fmt: skip
def test_a_prerelease_becomes_the_stable_version_that_it_stands_for(text: str, bump: Bump, expected: str) -> None:
    assert str(step(version(text), bump)) == expected


CORPUS = os.environ.get("CICD_AGENTS_CORPUS", "")


def measured(kind: str) -> list[dict[str, Any]]:
    with open(os.path.join(CORPUS, "release", "parse_cases.jsonl"), encoding="utf-8") as lines:  # noqa: PTH118
        return [case for case in map(json.loads, lines) if case["kind"] == kind]


@pytest.mark.skipif(not CORPUS, reason="CICD_AGENTS_CORPUS names no corpus")
def test_all_semver_cases_of_the_corpus_hold() -> None:
    checked = 0
    for case in measured("semver_valid"):
        assert (parse(str(case["input"])) is not None) is case["expect"], case
        checked += 1
    for case in measured("semver_order"):
        keys = [version(text).precedence for text in case["input"]]
        assert all(a < b for a, b in itertools.pairwise(keys)) if case["expect"] == "ascending" else len(set(keys)) == 1, case
        checked += 1
    for case in measured("semver_inc"):
        text, kind = case["input"]
        if kind != "prerelease":  # which are counted by the tags of their channel (analysis.versions.next)
            assert str(step(version(text), Bump(kind))) == case["expect"], case
            checked += 1
    assert checked >= 39
