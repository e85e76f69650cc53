"""Each rule of re-runs, each refusal with its reason, and what is proposed where nothing speaks against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.operations.situations import LINE, POLICY, RULE, RUN, failed_job, situation, verdict

from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.doctor import Flaky
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.history import RerunRecord
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.verdict import Outcome
from cicd_agents.operations.policy import Mode, RerunPolicy
from cicd_agents.operations.rerun import FailedJob, Refusal, RerunFacts, propose, rule_of

SEEN = Evidence("run", "run 6", "passed on the same commit")
COMES_AND_GOES = Flaky("yes", reason="It passed and failed on the same commit.", evidence=(SEEN,))
STAYS = Flaky("no", reason="It fails the same way on the base branch.")


def refused(facts: RerunFacts, policy: RerunPolicy = POLICY) -> Refusal:
    found = propose(facts, policy)
    assert isinstance(found, Refusal)
    return found


def proposed(facts: RerunFacts, policy: RerunPolicy = POLICY) -> Operation:
    found = propose(facts, policy)
    assert isinstance(found, Operation), found
    return found


def test_a_run_whose_failed_job_has_a_transient_cause_is_started_again() -> None:
    assert proposed(situation(pull_request=4, on_pull_request=2, today=9)) == Operation(
        "RerunJobs", "org/app run 7", "Job build: The connection broke off (dependency_network, confidence 0.93).", "Cancel the new attempt of the run.",
        "RerunJobs:org/app:7:1", RULE, (LINE,), (("run", "7"), ("attempt", "1"), ("jobs", "build")), OperationStatus.PLANNED,
    )  # fmt: skip


def test_the_key_names_the_attempt_so_that_it_is_started_once() -> None:
    keys = {proposed(situation(run=RunRef("7", attempt)), replace(POLICY, max_attempt=3)).key for attempt in (1, 2, 2)}
    assert keys == {"RerunJobs:org/app:7:1", "RerunJobs:org/app:7:2"}


@dataclass(frozen=True)
class Case:
    """A change to the situation or the policy, and the refusal that must follow."""

    rule: str
    reason: str
    jobs: tuple[FailedJob, ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()
    policy: tuple[tuple[str, Any], ...] = ()
    escalate: bool = False


NEVER_HELPED = {RULE: RerunRecord(4, 0)}
CASES = {
    "switched off": Case("off", "switched off", policy=(("mode", Mode.OFF),)),
    "a fork": Case("fork", "`rerun-forks: true`", facts=(("trusted", False), ("from_fork", True))),
    "not trusted": Case("untrusted", "not of a trusted branch", facts=(("trusted", False),)),
    "not trusted, forks allowed": Case("untrusted", "not of a trusted branch", facts=(("trusted", False),), policy=(("forks", True),)),
    "still running": Case("running", "has not ended", facts=(("startable", False),)),
    "nothing failed": Case("no-failed-job", "No job", (failed_job(status=Status.SUCCESS), failed_job("slow", status=Status.CANCELLED))),
    "only an optional job failed": Case("no-failed-job", "No job", (failed_job(allowed_to_fail=True),)),
    "second attempt": Case("attempt", "attempt 2; the last one that may be started again is 1", facts=(("run", RunRef("7", 2)),)),
    "a job was not read": Case("not-diagnosed", "1 of 2 failed jobs", (failed_job(), FailedJob(failed_job("other").job, None))),
    "a deploy job": Case("deploys", "Job release deploys", (failed_job(), failed_job("release", deploys=True))),
    "another category": Case("lasting-cause", "category compile is not one", (failed_job("build", verdict(category="compile")),)),
    "no category": Case("lasting-cause", "no cause was found", (failed_job("build", verdict(category=None)),)),
    "not transient": Case("lasting-cause", f"({RULE}) stays when it is tried again", (failed_job("build", verdict(transient=False)),)),
    "not sure": Case("lasting-cause", "confidence is 0.79, and 0.80 is needed", (failed_job("build", verdict(confidence=0.79)),)),
    "only a lead": Case("lasting-cause", "no cause was found", (failed_job("build", replace(verdict(), outcome=Outcome.INCONCLUSIVE)),)),
    "one of two lasts": Case("lasting-cause", "Job lint: the category", (failed_job(), failed_job("lint", verdict(category="lint_format")))),
    "fails on the base branch": Case("lasting-cause", "does not come and go. It fails the same way on the base", (failed_job(flaky=STAYS),)),
    "no evidence": Case("no-evidence", "no line or message", (failed_job("build", replace(verdict(), findings=())),)),
    "the rule does not help": Case("does-not-help", f"Of 4 earlier re-runs by the rule {RULE} only 0 helped", facts=(("records", NEVER_HELPED),)),
    "no memory": Case("no-memory", "set `history`", facts=(("today", None),)),
    "no memory of the pull request": Case("no-memory", "set `history`", facts=(("pull_request", 4),)),
    "day's budget": Case("budget", "10 re-runs in the last 24 hours, 10 are allowed", facts=(("today", 10),), escalate=True),
    "pull request's budget": Case(
        "budget", "3 re-runs for this pull request, 3 are allowed", facts=(("pull_request", 4), ("on_pull_request", 3)), escalate=True
    ),
    "a budget of nothing": Case("budget", "0 are allowed", policy=(("per_day", 0),)),
    "nothing for pull requests": Case("budget", "0 are allowed", facts=(("pull_request", 4), ("on_pull_request", 0)), policy=(("per_pull_request", 0),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_speaks_against_it_is_said(name: str) -> None:
    case = CASES[name]
    refusal = refused(situation(*case.jobs, **dict(case.facts)), replace(POLICY, **dict(case.policy)))
    assert (refusal.rule, refusal.escalate) == (case.rule, case.escalate)
    assert case.reason in refusal.reason
    assert refusal.reason.endswith(".")


@pytest.mark.parametrize(
    ("jobs", "facts", "policy"),
    [
        ((), {"trusted": False, "from_fork": True}, {"forks": True}),
        ((failed_job("release", deploys=True),), {}, {"deploys": True}),
        ((), {"run": RunRef("7", 2)}, {"max_attempt": 2}),
        ((failed_job("build", verdict(category="timeout")),), {}, {"categories": ("timeout",)}),
        ((failed_job("build", verdict(confidence=0.5)),), {}, {"min_confidence": 0.5}),
        ((failed_job(), failed_job("lint", verdict(category="lint_format"), allowed_to_fail=True)), {}, {}),
        ((failed_job(), FailedJob(failed_job("notes", status=Status.CANCELLED).job, None)), {}, {}),
        ((), {"records": {RULE: RerunRecord(3, 0)}}, {}),
        ((), {"records": {"another.rule": RerunRecord(90, 0)}}, {}),
        ((), {"mode": Mode.SUGGEST}, {}),
    ],
)
def test_what_is_allowed_is_proposed(jobs: tuple[FailedJob, ...], facts: dict[str, Any], policy: dict[str, Any]) -> None:
    mode = facts.pop("mode", Mode.AUTO)
    assert proposed(situation(*jobs, **facts), replace(POLICY, mode=mode, **policy)).kind == "RerunJobs"


def test_a_failure_that_comes_and_goes_is_started_again_whatever_its_category() -> None:
    job = failed_job("test", verdict(category="test_failure", transient=False, signature="pytest.failed"), flaky=COMES_AND_GOES)
    operation = proposed(situation(job))
    assert operation.rule == "flaky:f1"
    assert operation.why == "Job test: The connection broke off (test_failure, confidence 0.93, seen to come and go)."
    assert operation.evidence == (LINE, SEEN)


def test_what_other_runs_show_is_evidence_enough() -> None:
    job = failed_job("test", replace(verdict(category="test_failure"), findings=()), flaky=COMES_AND_GOES)
    assert proposed(situation(job)).evidence == (SEEN,)


@pytest.mark.parametrize(
    ("details", "flaky", "rule"),
    [
        ({}, None, RULE),
        ({"signature": None}, None, "category:dependency_network"),
        ({"category": "compile"}, None, None),
        ({"category": "compile"}, COMES_AND_GOES, "flaky:f1"),
        ({"category": "compile", "fingerprint": ""}, COMES_AND_GOES, f"flaky:{RULE}"),
        ({"category": "compile", "fingerprint": "", "signature": None}, COMES_AND_GOES, "flaky:build"),
        ({}, STAYS, None),
    ],
)
def test_the_rule_is_the_signature_or_that_it_comes_and_goes(details: dict[str, Any], flaky: Flaky | None, rule: str | None) -> None:
    assert rule_of(failed_job("build", verdict(**details), flaky=flaky), POLICY) == rule


def test_all_failed_jobs_are_named_up_to_five() -> None:
    operation = proposed(situation(*(failed_job(f"job {number}" + "x" * 90 * (number == 2)) for number in range(7))))
    assert operation.why.endswith("; and 2 more.")
    assert dict(operation.parameters)["jobs"] == f"job 0, job 1, job 2{'x' * 74}…, job 3, job 4"
    assert len(operation.evidence) == 5


def test_a_rule_is_distrusted_only_when_it_surely_helps_in_less_than_half() -> None:
    def distrusted(helped: int, tried: int) -> bool:
        return isinstance(propose(situation(records={RULE: RerunRecord(tried, helped)}), POLICY), Refusal)

    most = {tried: max((helped for helped in range(tried + 1) if distrusted(helped, tried)), default=None) for tried in (0, 1, 3, 4, 7, 8, 12)}
    assert most == {0: None, 1: None, 3: None, 4: 0, 7: 0, 8: 1, 12: 2}


def test_no_attempt_is_read_from_the_names_of_jobs() -> None:
    operation = proposed(situation(failed_job("; drop\nattempt=9")))
    assert dict(operation.parameters)["attempt"] == str(RUN.attempt)
