"""Flaky or real: one case per rule, in the order of the rules, and what none of them may say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.flaky.judgement import MAX_EVIDENCE, FlakyFacts, judge
from cicd_agents.domain.ci import JobResult, RunRef, Status
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.history import PastFailure, RerunRecord, Sightings

SHA, OTHER = "a" * 40, "b" * 40
FACTS = FlakyFacts(signature="pytest.assertion", category="test_failure", sha=SHA, head="topic", branch="topic", base="main")


def results(letters: str, sha: str = SHA, start: float = 100.0, prefix: str = "r") -> tuple[JobResult, ...]:
    """One result per letter, oldest first in time: p passed, f failed, t timed out, c cancelled, s skipped, r running, u unknown."""
    status = dict(
        zip("pftcsru", (Status.SUCCESS, Status.FAILURE, Status.TIMED_OUT, Status.CANCELLED, Status.SKIPPED, Status.RUNNING, Status.UNKNOWN), strict=True)
    )
    return tuple(JobResult(RunRef(f"{prefix}{at}"), sha, status[letter], start + 10 * at, f"https://ci/{prefix}{at}") for at, letter in enumerate(letters))


def on_branch(letters: str, start: float = 100.0) -> tuple[JobResult, ...]:
    """The runs of the branch, newest first, as the platform tells them."""
    return tuple(reversed(results(letters, OTHER, start, "b")))


def seen(*times_and_branches: tuple[float, str], count: int | None = None) -> Sightings:
    """Sightings of a fingerprint at these times on these branches, each on a commit of its own."""
    past = [
        PastFailure(
            "o/r", "f" * 16, "pytest.assertion", "test_failure", "t", "ci", "test", branch, f"{number:040x}", f"h{number}", 1, time, f"https://ci/h{number}"
        )
        for number, (time, branch) in enumerate(times_and_branches)
    ]
    times = [time for time, _ in times_and_branches]
    return Sightings(count or len(past), min(times), max(times), tuple(dict.fromkeys(branch for _, branch in times_and_branches)), tuple(reversed(past))[:5])


SPREAD = seen((105.0, "a"), (115.0, "b"), (135.0, "c"))


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        (replace(FACTS, on_commit=results("p")), "yes", "The same job passed and failed on the same commit (1 of 1 other run passed)."),
        (replace(FACTS, on_commit=results("fpft")), "yes", "The same job passed and failed on the same commit (1 of 4 other runs passed)."),
        (replace(FACTS, on_commit=results("ffff")), "no", "It failed in all 4 other runs of the same commit."),
        (replace(FACTS, fails_on_base=True), "no", "It also fails on main: its newest run fails in the same way, so it does not come from this change."),
        (replace(FACTS, sightings=SPREAD, on_branch=on_branch("pppp")), "yes",
         "Likely: the same failure was seen 3 times before, on 3 branches, with good runs in between."),
        (replace(FACTS, sightings=seen((105.0, "topic"), (125.0, "topic"), (126.0, "topic")), on_branch=on_branch("fpfpf")), "yes",
         "Likely: the same failure was seen 3 times before, on several commits, with good runs in between."),
        (replace(FACTS, sightings=seen((105.0, "topic"), (115.0, "topic")), on_branch=on_branch("pfff")), "no",
         "No run on topic has passed since it was first seen (3 runs)."),
        (replace(FACTS, transient=True, reruns=RerunRecord(4, 4)), "yes", "Likely: re-runs of this kind of failure helped 4 times out of 4."),
        (replace(FACTS, on_commit=results("fff")), "unknown", "It failed in all 3 other runs of the same commit; too few to say that it always does."),
        (replace(FACTS, on_commit=results("f")), "unknown", "It failed in the one other run of the same commit; too few to say that it always does."),
        (replace(FACTS, transient=True), "unknown", "Failures of this kind often pass on a second try, but no other run of this commit shows it."),
        (FACTS, "unknown", "No other run of this commit is known, and one run cannot tell."),
        (FlakyFacts(), "unknown", "The message is too general to be recognised in other runs, and no other run of this commit is known."),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_facts(facts: FlakyFacts, verdict: str, reason: str) -> None:
    found = judge(facts)
    assert (found.verdict, found.reason) == (verdict, reason)


EVERYTHING = replace(
    FACTS, on_commit=results("pf"), fails_on_base=True, sightings=SPREAD, on_branch=on_branch("pppp"), transient=True, reruns=RerunRecord(9, 9)
)


def test_the_same_commit_is_believed_before_the_base_branch_and_that_before_memory_and_that_before_re_runs() -> None:
    assert "same commit" in judge(EVERYTHING).reason
    assert "also fails on main" in judge(replace(EVERYTHING, on_commit=())).reason
    assert "seen 3 times" in judge(replace(EVERYTHING, on_commit=(), fails_on_base=False)).reason
    assert "re-runs" in judge(replace(EVERYTHING, on_commit=(), fails_on_base=None, sightings=None)).reason


@pytest.mark.parametrize(
    "general", [{"signature": None}, {"signature": "generic.error-annotation"}, {"signature": "generic"}, {"signature": "make.wrapper", "wrapper": True}]
)
def test_a_general_message_proves_nothing_by_its_likes_but_the_same_commit_does(general: dict[str, object]) -> None:
    facts = replace(EVERYTHING, **general)  # type: ignore[arg-type]
    assert judge(facts).verdict == "yes"
    assert judge(replace(facts, on_commit=())).verdict == "unknown"


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, on_commit=results("csru")),
        replace(FACTS, on_commit=results("pppp", OTHER)),
        replace(FACTS, fails_on_base=False),
        replace(FACTS, sightings=SPREAD),
        replace(FACTS, sightings=SPREAD, on_branch=on_branch("pp", start=20.0)),
        replace(FACTS, sightings=SPREAD, on_branch=on_branch("pp", start=400.0)),
        replace(FACTS, sightings=seen((105.0, "a"), (135.0, "b")), on_branch=on_branch("pppp")),
        replace(FACTS, branch="main", sightings=seen((105.0, "topic"), (115.0, "a"), (135.0, "topic")), on_branch=on_branch("pppp")),
        replace(FACTS, branch="main", sightings=seen((105.0, "main"), (125.0, "main"), (126.0, "main")), on_branch=on_branch("fpfpf")),
        replace(FACTS, sightings=seen((105.0, "a"), (115.0, "b")), on_branch=on_branch("pfff")),
        replace(FACTS, sightings=seen((105.0, "topic"), (115.0, "topic")), on_branch=on_branch("pfff"), fails_on_base=False),
        replace(FACTS, category="lint_format", sightings=SPREAD, on_branch=on_branch("pppp")),
        replace(FACTS, category="auth_secret", sightings=SPREAD, on_branch=on_branch("pppp")),
        replace(FACTS, sightings=seen((105.0, "a"), (115.0, "a"), (135.0, "a")), on_branch=on_branch("pppp")),
        replace(FACTS, sightings=seen((105.0, "topic"), (106.0, "topic"), (107.0, "topic")), on_branch=on_branch("ffpp")),
        replace(FACTS, sightings=seen((105.0, "topic")), on_branch=on_branch("pfff")),
        replace(FACTS, sightings=seen((105.0, "topic"), (106.0, "topic")), on_branch=on_branch("pf")),
        replace(FACTS, sightings=SPREAD, on_branch=tuple(replace(result, time=None) for result in on_branch("pppp"))),
        replace(FACTS, transient=True, reruns=RerunRecord(3, 3)),
        replace(FACTS, transient=True, reruns=RerunRecord(10, 5)),
        replace(FACTS, transient=True, reruns=RerunRecord(0, 0)),
        replace(FACTS, transient=True, reruns=RerunRecord(4, 9)),
    ],
)  # fmt: skip
def test_too_little_is_no_verdict(facts: FlakyFacts) -> None:
    assert judge(facts).verdict == "unknown"


def test_the_rate_counts_each_other_run_once_and_only_those_that_ended_so_or_so() -> None:
    commit, branch = results("pfc"), on_branch("ppf")
    found = judge(replace(FACTS, on_commit=commit, on_branch=(*branch, commit[0])))
    assert (found.runs, found.pass_rate) == (5, 0.6)
    assert found.interval == (0.2307, 0.8824)


def test_without_other_runs_there_is_no_rate() -> None:
    found = judge(FACTS)
    assert (found.runs, found.pass_rate, found.interval, found.evidence) == (0, None, None, ())


def test_a_run_without_a_hash_is_taken_for_one_of_the_commit_that_was_asked_for() -> None:
    assert judge(replace(FACTS, on_commit=results("p", ""))).verdict == "yes"


def test_the_evidence_says_where_it_passed_and_where_it_failed() -> None:
    assert judge(replace(FACTS, on_commit=results("fp"))).evidence == (
        Evidence("run", "https://ci/r1", "passed on commit aaaaaaa"),
        Evidence("run", "https://ci/r0", "failed on commit aaaaaaa"),
    )
    (first, *rest) = judge(replace(FACTS, sightings=SPREAD, on_branch=on_branch("pppp"))).evidence
    assert first == Evidence("run", "https://ci/h2", "failed in the same way on c, commit 0000000")
    assert len(rest) == 2


def test_the_evidence_is_bounded_and_shows_a_failure_beside_many_passes() -> None:
    found = judge(replace(FACTS, on_commit=results("p" * 50 + "f")))
    assert len(found.evidence) == MAX_EVIDENCE
    assert found.evidence[-1].text.startswith("failed")


def test_only_sightings_on_the_base_branch_are_shown_for_it() -> None:
    found = judge(replace(FACTS, fails_on_base=True, sightings=seen((1.0, "main"), (2.0, "a"))))
    assert [item.where for item in found.evidence] == ["https://ci/h0"]


TIMES = st.none() | st.floats(allow_nan=False)
RUNS = st.builds(RunRef, st.sampled_from("123"))
RESULTS = st.lists(st.builds(JobResult, RUNS, st.sampled_from([SHA, OTHER, ""]), st.sampled_from(Status), TIMES, st.just("")), max_size=5).map(tuple)
SIGHTINGS = st.lists(st.tuples(st.floats(0, 1e9), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=5).map(lambda items: seen(*items))
ALL_FACTS = st.builds(
    FlakyFacts, signature=st.sampled_from([None, "a.b", "generic.x", ""]), category=st.sampled_from(["timeout", "compile"]),
    wrapper=st.booleans(), transient=st.booleans(), sha=st.sampled_from([SHA, ""]), head=st.sampled_from(["a", ""]),
    branch=st.sampled_from(["a", "b", ""]), base=st.sampled_from(["a", ""]), on_commit=RESULTS, on_branch=RESULTS, fails_on_base=st.none() | st.booleans(),
    sightings=st.none() | SIGHTINGS, reruns=st.none() | st.builds(RerunRecord, st.integers(0, 50), st.integers(0, 50)),
)  # fmt: skip


@given(ALL_FACTS)
@settings(max_examples=60, deadline=None)
def test_the_rate_lies_in_its_interval_and_a_general_message_is_never_flaky_by_history(facts: FlakyFacts) -> None:
    found = judge(facts)
    assert found.verdict in {"yes", "no", "unknown"}
    assert found.reason.endswith(".")
    assert (found.pass_rate is None) == (found.interval is None) == (found.runs == 0)
    if found.pass_rate is not None and found.interval is not None:
        assert 0 <= found.interval[0] <= found.pass_rate <= found.interval[1] <= 1
    if found.verdict == "yes" and not facts.telling:
        assert any(result.status is Status.SUCCESS for result in facts.on_commit)
