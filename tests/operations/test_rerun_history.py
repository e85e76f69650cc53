"""What the memory adds to the facts, and how a re-run is settled once its attempt has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.operations.situations import POLICY, RULE, failed_job, situation, verdict
from tests.servers.clock import START, FakeClock

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_store import StoredHistory
from cicd_agents.domain.ci import JobResult, Run, RunRef, Status
from cicd_agents.domain.context import Platform
from cicd_agents.domain.doctor import Flaky
from cicd_agents.domain.history import PastRerun, RerunRecord
from cicd_agents.operations.rerun import Refusal, propose
from cicd_agents.operations.rerun_history import attempt_before, settle, with_memory

HOUR = 3600.0
NOW = START
RUN = Run(RunRef("7", 2), "CI", Status.SUCCESS, "a" * 40, "main", "push", created=5000.0)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[StoredHistory]:
    with open_history(str(tmp_path / "history.db"), "", True, FakeClock()) as opened:
        yield opened


def rerun(run_id: str, *, age: float = HOUR, attempt: int = 1, signature: str = RULE, pull_request: int | None = None) -> PastRerun:
    return PastRerun("org/app", run_id, attempt, signature, pull_request, NOW - age)


def test_the_budgets_count_a_day_of_the_repository_and_all_of_the_pull_request(history: StoredHistory) -> None:
    for past in (rerun("1"), rerun("2", age=25 * HOUR), rerun("3", age=48 * HOUR, pull_request=4), rerun("4", pull_request=5)):
        assert history.record_rerun(past)
    facts = with_memory(situation(pull_request=4), POLICY, history, NOW)
    assert (facts.today, facts.on_pull_request) == (2, 1)
    assert with_memory(situation(), POLICY, history, NOW).on_pull_request is None


def test_records_are_read_for_the_rules_at_work(history: StoredHistory) -> None:
    for number in range(5):
        history.record_rerun(rerun(str(number)))
        settle(history, "org/app", RunRef(str(number)), Status.FAILURE, trusted=True)
    comes_and_goes = failed_job("test", verdict(category="test_failure"), flaky=Flaky("yes"))
    facts = with_memory(situation(failed_job(), comes_and_goes), POLICY, history, NOW)
    assert facts.records == {RULE: RerunRecord(5, 0), "flaky:f1": RerunRecord(0, 0)}


def test_a_rule_whose_reruns_do_not_help_is_not_trusted_any_more(history: StoredHistory) -> None:
    for number in range(4):
        assert not isinstance(propose(with_memory(situation(), POLICY, history, NOW), POLICY), Refusal)
        history.record_rerun(rerun(str(number)))
        settle(history, "org/app", RunRef(str(number)), Status.FAILURE, trusted=True)
    refusal = propose(with_memory(situation(), POLICY, history, NOW), POLICY)
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "does-not-help"


def test_a_rerun_that_has_not_ended_says_nothing_of_its_rule(history: StoredHistory) -> None:
    history.record_rerun(rerun("7"))
    assert with_memory(situation(), POLICY, history, NOW).records == {RULE: RerunRecord(0, 0)}


@pytest.mark.parametrize(
    ("status", "trusted", "record"),
    [
        (Status.SUCCESS, True, RerunRecord(1, 1)),
        (Status.FAILURE, True, RerunRecord(1, 0)),
        (Status.TIMED_OUT, True, RerunRecord(1, 0)),
        (Status.CANCELLED, True, RerunRecord(0, 0)),
        (Status.RUNNING, True, RerunRecord(0, 0)),
        (Status.SKIPPED, True, RerunRecord(0, 0)),
        (Status.UNKNOWN, True, RerunRecord(0, 0)),
        (Status.SUCCESS, False, RerunRecord(0, 0)),  # a fork teaches us nothing
        (Status.FAILURE, False, RerunRecord(0, 0)),
    ],
)
def test_a_rerun_helped_when_all_is_green_after_it(history: StoredHistory, status: Status, trusted: bool, record: RerunRecord) -> None:
    history.record_rerun(rerun("7"))
    assert settle(history, "org/app", RunRef("7"), status, trusted=trusted) is bool(record.tried)
    assert history.rerun_record("org/app", RULE) == record


def test_an_attempt_that_we_did_not_start_again_changes_nothing(history: StoredHistory) -> None:
    settle(history, "org/app", RunRef("8"), Status.SUCCESS, trusted=True)
    assert not settle(history, "org/app", None, Status.SUCCESS, trusted=True)
    assert history.rerun_record("org/app", RULE) == RerunRecord(0, 0)


def result(run: str, time: float | None, attempt: int = 1) -> JobResult:
    return JobResult(RunRef(run, attempt), "a" * 40, Status.FAILURE, time)


@pytest.mark.parametrize(
    ("platform", "run", "on_commit", "before"),
    [
        (Platform.GITHUB, RUN, [], RunRef("7", 1)),
        (Platform.GITHUB, RUN, [result("6", 4000.0)], RunRef("7", 1)),
        (Platform.GITHUB, replace(RUN, ref=RunRef("7", 1)), [result("6", 4000.0)], None),
        (Platform.GITLAB, replace(RUN, ref=RunRef("7", 3)), [], RunRef("7", 2)),
        (Platform.JENKINS, RUN, [], None),
        (Platform.JENKINS, RUN, [result("app#9", 6000.0), result("app#6", 4000.0, 2), result("app#5", 3000.0), result("app#1", None)], RunRef("app#6", 2)),
        (Platform.JENKINS, replace(RUN, created=None), [result("app#6", 4000.0)], None),
    ],
)
def test_the_attempt_before_is_the_platforms(platform: Platform, run: Run, on_commit: list[JobResult], before: RunRef | None) -> None:
    assert attempt_before(platform, run, on_commit) == before
