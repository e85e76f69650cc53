"""The memory of the guardian's decisions, in both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.postgres import shared

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_merge import merge
from cicd_agents.clients.history_schema import BOUNDS, DAY, MIGRATIONS, SQLITE_TYPES, Bounds, statements
from cicd_agents.clients.history_sqlite import APPLICATION_ID
from cicd_agents.clients.history_store import StoredHistory
from cicd_agents.domain.history import PastDecision

DECISION = PastDecision(
    "acme/shop", "api", "prod", "v2", 0, "17", START - 60, START - 900, "fail", "rollback", "Error rate spike", 0.9,
    'pod=~"api-7d9-.*"', 'pod=~"api-5c1-.*"', 'namespace="prod"',
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredHistory]:
    url = ""
    if request.param == "postgresql":
        server = shared(request.config)
        url = server.socket_url(**server.new_schema())
    with open_history("" if url else str(tmp_path / "history.db"), url, True, FakeClock(), bounds=Bounds(decisions=3)) as opened:
        yield opened


def known(history: StoredHistory, most: int = 10) -> tuple[PastDecision, ...]:
    return history.decisions("acme/shop", "api", "prod", most)


def test_a_decision_comes_back_as_it_was(history: StoredHistory) -> None:
    history.record_decision(DECISION)
    history.record_decision(DECISION)
    assert known(history) == (DECISION,)


def test_a_later_decision_of_the_same_stage_takes_its_place_and_an_earlier_one_does_not(history: StoredHistory) -> None:
    later = replace(DECISION, time=START - 10, decision="hold", status="inconclusive")
    history.record_decision(later)
    history.record_decision(DECISION)
    assert known(history) == (later,)


def test_the_newest_come_first_and_only_of_this_service_and_environment(history: StoredHistory) -> None:
    second = replace(DECISION, stage=1, time=START - 30)
    for one in (DECISION, second, replace(DECISION, service="web"), replace(DECISION, environment="dev")):
        history.record_decision(one)
    assert known(history) == (second, DECISION)


def test_what_is_over_the_bounds_is_forgotten_oldest_first(history: StoredHistory) -> None:
    for number in range(5):
        history.record_decision(replace(DECISION, run_id=str(number), time=START - 100 + number))
    assert [one.run_id for one in known(history)] == ["4", "3", "2"]
    assert [one.run_id for one in known(history, 1)] == ["4"]


def test_secrets_in_reasons_and_selectors_that_are_too_long_are_not_kept(history: StoredHistory) -> None:
    history.record_decision(replace(DECISION, reason="token=ghp_0123456789abcdefghijABCDEFGHIJ012345", canary="x" * 1001))
    (kept,) = known(history)
    assert "ghp_" not in kept.reason
    assert (kept.canary, kept.baseline, kept.common) == ("", "", "")


def test_a_run_that_may_not_write_reads_only(tmp_path: Path) -> None:
    path = str(tmp_path / "history.db")
    with open_history(path, "", True, FakeClock()) as history:
        history.record_decision(DECISION)
    with open_history(path, "", False, FakeClock()) as history:
        history.record_decision(replace(DECISION, version="v3"))
        assert known(history) == (DECISION,)
        assert history.notes


def test_a_memory_of_the_first_version_is_lifted_and_keeps_its_failures(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    old = sqlite3.connect(path)
    for statement in statements(MIGRATIONS[:1], 0, SQLITE_TYPES):
        old.execute(statement)
    old.execute("INSERT INTO cicd_agents_reruns VALUES ('acme/shop', '1', 1, 's', NULL, 5.0, 1)")
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with open_history(str(path), "", True, FakeClock()) as history:
        assert history.rerun_record("acme/shop", "s").helped == 1
        history.record_decision(DECISION)
        assert known(history) == (DECISION,)


def test_merged_memories_hold_the_decisions_of_both(tmp_path: Path) -> None:
    paths = tmp_path / "one.db", tmp_path / "two.db"
    other = replace(DECISION, version="v3", time=START - 30)
    for path, decision in zip(paths, (DECISION, other), strict=True):
        with open_history(str(path), "", True, FakeClock()) as history:
            history.record_decision(decision)
    assert merge(paths[0], paths[1], FakeClock()) == 1
    with open_history(str(paths[0]), "", False, FakeClock()) as history:
        assert known(history) == (other, DECISION)


def test_decisions_are_kept_400_days(tmp_path: Path) -> None:
    assert BOUNDS.decisions == 2_000
    with open_history(str(tmp_path / "history.db"), "", True, FakeClock()) as history:
        history.record_decision(replace(DECISION, time=START - 401 * DAY))
        assert known(history) == ()
