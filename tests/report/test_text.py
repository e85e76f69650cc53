"""The report on a terminal: golden texts, no colour unless it is wanted, and nothing of a log that a terminal or a CI system obeys."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.samples import ANNOTATED, FULL, NOTHING, of_text

from cicd_agents.domain.doctor import DoctorDetails, Excerpt, RootCause, ScoredLine
from cicd_agents.domain.finding import Fix, Location
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report
from cicd_agents.report.text import to_text

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07\x9b1m ::set-output name=a::b\n::set-output name=c::d\r::add-mask::x\u2028::error::y ##[error]boom ##vso[x]y "
    "section_start:1:x ````\n```\n</details> @team #123 <img src=x> \u202egpj\u2066\u200b\u2069\ufeff\ud800 "
)


def report(details: DoctorDetails, outcome: Outcome, title: str, summary: str = "", notes: tuple[str, ...] = ()) -> Report:
    return Report("cicd-agents/report/v1", "pipeline-doctor", outcome, 0, title, summary, (), (), details, notes, 0.1239)


FOUND = report(
    DoctorDetails(
        "github", "ci.log", 40, 400, "build", "dependency_resolution", "yarn.frozen_lockfile", 0.87,
        RootCause(12, "  error Your lockfile needs to be updated.", "Run yarn", Location("src/app.py", 7, 3)),
        (ScoredLine(12, 0.9, "yarn.frozen_lockfile"),),
        (
            Fix("quick", "Update the lockfile", "It is older than package.json.", ("yarn install", "git add yarn.lock"), 0.7),
            Fix("prevention", "Let a bot do it", "", (), 0.5),
        ),
        Excerpt(8, tuple(f"line {number}" for number in range(8, 22))),
        (RootCause(30, "another", None, None),), docs="https://yarnpkg.com/cli/install",
    ),
    Outcome.FAIL, "yarn: lockfile is old", "package.json asks for more.", ("2 secrets redacted.",),
)  # fmt: skip


def test_a_found_failure_has_line_place_step_excerpt_fixes_and_further_failures() -> None:
    assert (
        to_text(FOUND)
        == """\
FAIL  yarn: lockfile is old
  package.json asks for more.

  line      12: error Your lockfile needs to be updated.
  where     src/app.py:7:3
  step      Run yarn
  kind      dependency_resolution (build), confidence 87%, rule yarn.frozen_lockfile
  docs      https://yarnpkg.com/cli/install

        9 | line 9
       10 | line 10
       11 | line 11
>      12 | line 12
       13 | line 13
       14 | line 14
       15 | line 15
       16 | line 16
       17 | line 17
       18 | line 18

What to do (not tried)
  quick      Update the lockfile
             It is older than package.json.
             $ yarn install
             $ git add yarn.lock
  prevention Let a bot do it

Further failures in this log
  line 30: another
Note: 2 secrets redacted.
Log ci.log (github, 40 lines), 0.12 s, exit code 0
"""
    )


def test_all_that_is_known_follows_the_fixes() -> None:
    shown = to_text(FULL)
    assert "  where     src/app.py:7:3\n  job       build\n  link      https://git.example/job/2\n  step      Run yarn\n" in shown
    assert (
        shown.partition("             $ git add yarn.lock\n")[2]
        == """
Changed since the last good run
  aaaaaaaaaaaa → bbbbbbbbbbbb, 3 commits (the platform cut the list)
  suspect cccccccccccc Bump lodash: it changes `yarn.lock`; it is the newest
  suspect dddddddddddd Tidy
  lodash 4.17.20 → 4.17.21 in yarn.lock
  left-pad 1.3.0 (added) in yarn.lock
  x/y v1 (removed) in go.sum
  CI configuration: .github/workflows/ci.yml
  $ git bisect start bbbb aaaa
  $ git bisect run make test

Flaky: yes
  It passed and failed on the same commit.
  Passed in 7 of 10 runs (70%, 95 % interval 40% to 89%).

Seen before
  4 times, first 2026-01-02T03:04:05Z, last 2026-03-04T05:06:07Z, on main, dev
  https://git.example/run/9

Other failed jobs
  lint: ruff: E501, line 5: line too long
  test (3.12): the same failure

Operations
  RerunJobs run 1: done. The network was down. Started 1 job.
  CreateIssue repo: refused. The budget is spent.

Further failures in this log
  line 30: another
Note: 2 secrets redacted.
Log build (github, 40 lines), 0.10 s, exit code 0
"""
    )


def test_what_only_the_platform_knows_has_a_message_but_no_line() -> None:
    assert (
        to_text(ANNOTATED)
        == """\
FAIL  yarn: lockfile is old
  package.json asks for more.

  message   The hosted runner lost communication
  job       build
  link      https://git.example/job/2
  kind      infrastructure_runner, confidence 90%, rule github.lost_runner
Log https://git.example/job/2 (raw, 0 lines), 0.10 s, exit code 0
"""
    )


def test_long_lists_are_counted() -> None:
    changes = FULL.details.changes
    assert changes
    details = replace(FULL.details, other_jobs=FULL.details.other_jobs * 5, changes=replace(changes, packages=changes.packages * 3))
    assert [line for line in to_text(replace(FULL, details=details)).splitlines() if "more" in line and "…" in line] == ["  … and 4 more", "  … and 5 more"]


def test_an_inconclusive_lead_is_shown_with_the_best_three_candidates() -> None:
    candidates = (ScoredLine(5, 0.25, "generic.last-words"), ScoredLine(9, 0.2, None), ScoredLine(1, 0.1, None), ScoredLine(2, 0.05, None))
    details = replace(NOTHING, category="other", phase="build", signature="generic.last-words", root_cause=RootCause(5, "zork", None, None), confidence=0.25)
    assert (
        to_text(report(replace(details, candidates=candidates), Outcome.INCONCLUSIVE, "Not sure: it stopped here"))
        == """\
INCONCLUSIVE  Not sure: it stopped here

  line      5: zork
  kind      other (build), confidence 25%, rule generic.last-words

The best candidates:
  line 5 (score 0.25, rule generic.last-words)
  line 9 (score 0.20, rule None)
  line 1 (score 0.10, rule None)
Log ci.log (raw, 1,234,567 lines), 0.12 s, exit code 0
"""
    )


def test_a_skipped_run_has_no_cause_and_no_candidates() -> None:
    assert (
        to_text(report(NOTHING, Outcome.SKIPPED, "Nothing to diagnose", "The log says that the run succeeded."))
        == """\
SKIPPED  Nothing to diagnose
  The log says that the run succeeded.

Log ci.log (raw, 1,234,567 lines), 0.12 s, exit code 0
"""
    )


@pytest.mark.parametrize(
    ("place", "shown"),
    [(Location("a.py"), "a.py"), (Location("a.py", 3), "a.py:3"), (Location("a.py", 3, 4), "a.py:3:4")],
)
def test_a_place_is_shown_as_far_as_it_is_known(place: Location, shown: str) -> None:
    details = replace(NOTHING, root_cause=RootCause(1, "x", None, place))
    assert f"  where     {shown}\n" in to_text(report(details, Outcome.FAIL, "t"))


def test_the_excerpt_shows_three_lines_before_the_root_and_six_after_it() -> None:
    numbers = [int(number) for number in re.findall(r"^[> ] +(\d+) \|", to_text(FOUND), re.MULTILINE)]
    assert numbers == list(range(9, 19))


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.FAIL, "31"), (Outcome.INCONCLUSIVE, "33"), (Outcome.SKIPPED, "36"), (Outcome.PASS, "32")])
def test_the_outcome_is_coloured_only_where_colour_is_wanted(outcome: Outcome, code: str) -> None:
    made = report(NOTHING, outcome, "title")
    assert to_text(made, colour=True).startswith(f"\x1b[{code};1m{outcome.value.upper()}\x1b[0m  \x1b[1mtitle\x1b[0m\n")
    assert to_text(made).startswith(f"{outcome.value.upper()}  title\n")


def test_colours_are_all_that_differs_and_every_line_ends_without_one() -> None:
    coloured = to_text(FOUND, colour=True)
    assert coloured != to_text(FOUND)
    assert re.sub(r"\x1b\[[0-9;]+m", "", coloured) == to_text(FOUND)
    for line in coloured.splitlines():
        assert len(re.findall(r"\x1b\[[1-9][0-9;]*m", line)) == line.count("\x1b[0m")
    assert "\x1b[31m>      12 | line 12\x1b[0m" in coloured
    assert "\x1b[36m$ yarn install\x1b[0m" in coloured
    assert "\x1b[1mWhat to do (not tried)\x1b[0m" in coloured


def dangers(text: str) -> list[str]:
    """What a terminal, GitHub, Azure or GitLab would obey, looked for apart from our own rules."""
    lines = re.split("[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]", text)
    found = [line for line in lines if line.strip("\ufeff\u200b\u2060 \t").startswith("::")]
    found += re.findall(r"##(?:vso|teamcity)?\[", text)
    found += re.findall(r"section_(?:start|end):\d+:", text)
    return found + re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]", text)


def test_hostile_text_reaches_neither_terminal_nor_runner() -> None:
    shown = to_text(of_text(HOSTILE))
    assert dangers(HOSTILE)
    assert dangers(shown) == []
    assert "@team #123" in shown  # words are shown as they are


def without_bisect(made: Report) -> Report:
    """The report without the one text that has lines of its own."""
    assert made.details.changes
    return replace(made, details=replace(made.details, changes=replace(made.details.changes, bisect=None)))


def test_hostile_text_adds_no_line_and_no_colour() -> None:
    hostile, harmless = without_bisect(of_text(HOSTILE)), without_bisect(of_text("x"))
    assert to_text(hostile).count("\n") == to_text(harmless).count("\n")
    codes = re.findall(r"\x1b\[[^m]*m", to_text(hostile, colour=True))
    assert codes == re.findall(r"\x1b\[[^m]*m", to_text(harmless, colour=True))
    assert dangers(re.sub(r"\x1b\[[0-9;]+m", "", to_text(of_text(HOSTILE), colour=True))) == []


def test_a_bisect_command_of_many_lines_is_bounded() -> None:
    assert to_text(of_text("line\n" * 100)).count("  $ line\n") == 5


def test_a_text_of_100_kb_is_cut_in_each_line() -> None:
    shown = to_text(of_text("z" * 100_000))
    assert max(len(line) for line in shown.splitlines()) < 320
    assert shown.count("z…") > 10


PIECES = st.sampled_from(
    ["::", ":", "##", "[", "#", "vso[", "section_start:", "1:", "\n", "\r", "\x1b", "\x1b[", "\x9b", "0m", "\u202e", "\u2028", "\x85", " ", "a", "]", "\ud800"]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_mixture_of_pieces_becomes_a_command(text: str) -> None:
    assert dangers(to_text(of_text(text))) == []
