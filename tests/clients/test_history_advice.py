"""The memory of what a model was asked, in both databases."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.postgres import shared

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_merge import merge
from cicd_agents.clients.history_postgres import open_postgres
from cicd_agents.clients.history_records import ADVICE_CAPS, MAX_ANSWER
from cicd_agents.clients.history_schema import BOUNDS, DAY, MIGRATIONS, SQLITE_TYPES, Bounds, statements
from cicd_agents.clients.history_sqlite import APPLICATION_ID, open_copy, open_sqlite
from cicd_agents.clients.history_store import NOT_WRITTEN, StoredHistory
from cicd_agents.domain.errors import BadAnswer, UsageError
from cicd_agents.domain.history import PastAdvice, PastDecision, PastRerun
from cicd_agents.domain.ports import AdviceMemory

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
ADVICE = PastAdvice("acme/shop", "a" * 64, "17", START - 60, "pipeline-doctor", "gemini-2.5-flash", '{"narrative": "why"}', 0.25, 1200)
DECISION = PastDecision("acme/shop", "api", "prod", "v2", 0, "17", START - 60, START - 900, "fail", "rollback", "Error rate spike", 0.9)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Path and URL of a new memory."""
    if request.param == "sqlite":
        return str(tmp_path / "history.db"), ""
    server = shared(request.config)
    return "", server.socket_url(**server.new_schema())


@pytest.fixture
def history(place: tuple[str, str]) -> Iterator[StoredHistory]:
    with open_history(*place, True, FakeClock(), bounds=Bounds(answers=2, questions=4)) as opened:
        yield opened


def answer(memory: AdviceMemory, key: str = ADVICE.key) -> str | None:
    return memory.advice("acme/shop", key)


def test_a_new_memory_has_no_answer_and_nothing_was_spent(history: StoredHistory) -> None:
    assert answer(history) is None
    assert history.spent_since("acme/shop", 0) == 0


def test_the_newest_answer_to_a_question_is_given(history: StoredHistory) -> None:
    for advice in (ADVICE, replace(ADVICE, run_id="18", time=START - 30, text='{"narrative": "newer"}'), replace(ADVICE, time=START - 90, text="{}")):
        history.record_advice(advice)
    assert answer(history) == '{"narrative": "newer"}'


def test_an_answer_is_of_its_question_and_repository_only(history: StoredHistory) -> None:
    history.record_advice(ADVICE)
    assert answer(history) == ADVICE.text
    assert answer(history, "b" * 64) is None
    assert history.advice("acme/other", ADVICE.key) is None


def test_what_is_over_its_cap_is_found_all_the_same(history: StoredHistory) -> None:
    long = replace(ADVICE, **{name: "x" * (most + 1) for name, most in ADVICE_CAPS.items()})  # type: ignore[arg-type]
    history.record_advice(long)
    assert history.advice(long.repository, long.key) == ADVICE.text
    assert history.spent_since(long.repository, 0) == 0.25


def test_a_question_without_an_answer_hides_no_older_answer_and_costs_all_the_same(history: StoredHistory) -> None:
    history.record_advice(ADVICE)
    history.record_advice(replace(ADVICE, run_id="18", time=START - 30, text="", usd=0.5))
    assert answer(history) == ADVICE.text
    assert history.spent_since("acme/shop", 0) == 0.75


def test_recording_the_same_question_twice_counts_its_price_once(history: StoredHistory) -> None:
    history.record_advice(ADVICE)
    history.record_advice(ADVICE)
    assert history.spent_since("acme/shop", 0) == 0.25


def test_only_known_prices_since_then_of_this_repository_are_added(history: StoredHistory) -> None:
    for number, usd in enumerate((0.25, None, 0.5)):
        history.record_advice(replace(ADVICE, run_id=str(number), time=START - number, usd=usd))
    history.record_advice(replace(ADVICE, repository="acme/other", usd=9))
    assert history.spent_since("acme/shop", START - 2) == 0.75
    assert history.spent_since("acme/shop", START - 1) == 0.25


@pytest.mark.parametrize("usd", [float("nan"), float("inf"), -1.0])
def test_a_price_that_is_none_is_not_known(history: StoredHistory, usd: float) -> None:
    history.record_advice(replace(ADVICE, usd=usd))
    assert history.spent_since("acme/shop", 0) == 0
    assert answer(history) == ADVICE.text


def test_the_oldest_answers_are_forgotten_first_and_their_prices_later(history: StoredHistory) -> None:
    for number in range(5):
        history.record_advice(replace(ADVICE, key=str(number), time=START - 100 + number, usd=1))
    assert [number for number in range(5) if answer(history, str(number))] == [3, 4]
    assert history.spent_since("acme/shop", 0) == 4


def test_questions_from_the_future_are_of_now(history: StoredHistory) -> None:
    history.record_advice(replace(ADVICE, time=START + DAY))
    assert history.spent_since("acme/shop", START) == 0.25
    assert history.spent_since("acme/shop", START + 1) == 0


def test_secrets_are_not_stored_and_the_answer_stays_json(history: StoredHistory) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEA\n-----END PRIVATE KEY-----"
    kept = {"narrative": f"token={SECRET}", "hypotheses": [{"why": f"the key {key}", "confidence": 0.5}]}
    history.record_advice(replace(ADVICE, text=json.dumps(kept)))
    found = answer(history) or ""
    assert SECRET not in found
    assert "MIIBVQ" not in found
    assert json.loads(found)["hypotheses"][0]["confidence"] == 0.5


def test_secrets_in_what_is_no_json_are_not_stored(history: StoredHistory) -> None:
    history.record_advice(replace(ADVICE, text=f"no JSON: {SECRET}"))
    assert "no JSON" in (answer(history) or "")
    assert SECRET not in (answer(history) or "")


def test_an_answer_that_is_too_long_is_not_kept_but_its_price_is(history: StoredHistory) -> None:
    history.record_advice(replace(ADVICE, text="x" * (MAX_ANSWER + 1)))
    assert answer(history) is None
    assert history.spent_since("acme/shop", 0) == 0.25


@pytest.mark.parametrize("text", ["a\0b", "lone \ud800 surrogate", "'; DROP TABLE cicd_agents_advice; --", "🧨 \u202e \x1b[31m", ":repository $1 %s ?"])
def test_hostile_texts_are_stored_as_mere_text(history: StoredHistory, text: str) -> None:
    history.record_advice(replace(ADVICE, repository=text, key=text, run_id=text, model=text, agent=text, text=text))
    assert history.advice(text, text) == text.replace("\0", "").replace("\ud800", "?")


def test_a_memory_that_may_not_be_written_says_so_and_answers(place: tuple[str, str]) -> None:
    with open_history(*place, True, FakeClock()) as history:
        assert history.writable
        history.record_advice(ADVICE)
    with open_history(*place, False, FakeClock()) as history:
        assert not history.writable
        history.record_advice(replace(ADVICE, run_id="18", time=START - 30, text="{}", usd=1))
        assert answer(history) == ADVICE.text
        assert history.spent_since("acme/shop", 0) == 0.25
        assert history.notes == [NOT_WRITTEN]


def test_500_answers_and_5000_prices_are_kept_400_days(place: tuple[str, str]) -> None:
    assert (BOUNDS.answers, BOUNDS.questions) == (500, 5_000)
    with open_history(*place, True, FakeClock()) as history:
        history.record_advice(replace(ADVICE, time=START - 401 * DAY))
        assert history.spent_since("acme/shop", 0) == 0
        history.record_advice(replace(ADVICE, time=START - 399 * DAY))
        assert history.spent_since("acme/shop", 0) == 0.25


# Money that is set aside before a question is asked


def reserve(memory: StoredHistory, usd: float, limit: float = 1.0, **changes: Any) -> PastAdvice | None:
    return memory.reserve(replace(ADVICE, text="", tokens=0, usd=usd, **changes), START - DAY, limit)


def granted(memory: StoredHistory, usd: float, limit: float = 1.0, **changes: Any) -> PastAdvice:
    found = reserve(memory, usd, limit, **changes)
    assert found is not None
    return found


def test_what_is_reserved_counts_as_paid_until_it_is_settled_by_what_it_cost(history: StoredHistory) -> None:
    reserved = granted(history, 0.75)
    assert reserved.usd == 0.75
    assert history.spent_since("acme/shop", 0) == 0.75
    assert answer(history) is None
    history.settle(reserved, replace(ADVICE, time=reserved.time, usd=0.125))
    assert history.spent_since("acme/shop", 0) == 0.125
    assert answer(history) == ADVICE.text


def test_a_question_that_was_not_asked_gives_its_money_back(history: StoredHistory) -> None:
    history.settle(granted(history, 0.75), None)
    assert history.spent_since("acme/shop", 0) == 0


def test_a_failure_that_cost_less_than_was_reserved_counts_with_what_it_cost(history: StoredHistory) -> None:
    reserved = granted(history, 0.75)
    history.settle(reserved, replace(reserved, usd=0.25, tokens=7))
    assert history.spent_since("acme/shop", 0) == 0.25


def test_what_cost_more_than_was_reserved_counts_in_full(history: StoredHistory) -> None:
    reserved = granted(history, 0.75)
    history.settle(reserved, replace(reserved, usd=2.0, tokens=7))
    assert history.spent_since("acme/shop", 0) == 2
    assert reserve(history, 0.25) is None


def test_the_limit_leaves_what_was_neither_paid_nor_reserved_since_then(history: StoredHistory) -> None:
    history.record_advice(replace(ADVICE, run_id="old", time=START - 2 * DAY, usd=64))
    history.record_advice(replace(ADVICE, run_id="18", usd=0.25))
    assert granted(history, 0.5).usd == 0.5
    assert granted(history, 0.5, run_id="19").usd == 0.25
    assert reserve(history, 0.5, run_id="20") is None
    assert granted(history, 0.5, repository="acme/other").usd == 0.5


def test_the_same_question_at_the_same_time_is_paid_for_each_time_that_it_is_asked(history: StoredHistory) -> None:
    first, second = granted(history, 0.25), granted(history, 0.25)
    assert history.spent_since("acme/shop", 0) == 0.5
    for reserved in (first, second):
        history.settle(reserved, replace(ADVICE, time=reserved.time, usd=0.125))
    assert history.spent_since("acme/shop", 0) == 0.25


def test_a_reservation_from_the_future_or_with_a_long_name_is_found_again(history: StoredHistory) -> None:
    reserved = granted(history, 0.25, time=START + DAY, repository="x" * 300, key="x" * 300, run_id="x" * 300)
    assert reserved.time == START
    assert history.spent_since("x" * 300, 0) == 0.25
    history.settle(reserved, None)
    assert history.spent_since("x" * 300, 0) == 0


def test_what_was_forgotten_meanwhile_is_remembered_when_it_is_settled(history: StoredHistory) -> None:
    reserved = granted(history, 0.25, time=START - 500)
    for number in range(5):
        history.record_advice(replace(ADVICE, key=str(number), usd=0.0))
    assert history.spent_since("acme/shop", 0) == 0
    history.settle(reserved, replace(ADVICE, key="late", usd=0.25))
    assert history.spent_since("acme/shop", 0) == 0.25


def test_a_memory_that_may_not_be_written_reserves_nothing(place: tuple[str, str]) -> None:
    with open_history(*place, False, FakeClock()) as history:
        assert reserve(history, 0.25) is None
        history.settle(ADVICE, ADVICE)
        assert answer(history) is None
        assert history.notes == [NOT_WRITTEN]


def test_what_a_killed_run_has_reserved_counts_as_paid(place: tuple[str, str]) -> None:
    with open_history(*place, True, FakeClock()) as history:
        granted(history, 0.75)
    with open_history(*place, True, FakeClock()) as history:
        assert granted(history, 0.5, run_id="18").usd == 0.25


def test_runs_at_the_same_time_do_not_get_the_same_money(place: tuple[str, str]) -> None:
    with open_history(*place, True, FakeClock()):
        pass  # the tables are there
    together = threading.Barrier(6)

    def run(number: int) -> float:
        with open_history(*place, True, FakeClock()) as history:
            together.wait(60)
            reserved = reserve(history, 0.25, run_id=str(number))
        return reserved.usd or 0.0 if reserved else 0.0

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(run, range(6))) == [0.0, 0.0, 0.25, 0.25, 0.25, 0.25]


# The schema


def old_file(path: Path, version: int) -> None:
    """A memory as a program of that version left it: one re-run, and from version 2 on a decision."""
    with closing(sqlite3.connect(path)) as old:
        for statement in statements(MIGRATIONS[:version], 0, SQLITE_TYPES):
            old.execute(statement)
        old.execute("INSERT INTO cicd_agents_reruns VALUES ('acme/shop', '1', 1, 's', NULL, ?, 1)", (START,))
        if version > 1:
            columns = "('acme/shop', 'api', 'prod', 'v2', 0, '17', ?, 1.0, 's', 'd', 'r', 0.5, '', '', '')"
            old.execute(f"INSERT INTO cicd_agents_decisions VALUES {columns}", (START,))  # noqa: S608 the test's own words
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(f"PRAGMA user_version = {version}")
        old.commit()


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_older_version_is_lifted_and_keeps_its_records(tmp_path: Path, version: int) -> None:
    path = tmp_path / "history.db"
    old_file(path, version)
    with open_history(str(path), "", True, FakeClock()) as history:
        history.record_advice(ADVICE)
        assert answer(history) == ADVICE.text
        assert history.rerun_record("acme/shop", "s").helped == 1
        assert len(history.decisions("acme/shop", "api", "prod", 5)) == version - 1


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_older_version_can_be_read_by_a_run_that_may_not_write_it(tmp_path: Path, version: int) -> None:
    path = tmp_path / "history.db"
    old_file(path, version)
    before = path.read_bytes()
    with open_history(str(path), "", False, FakeClock()) as history:
        assert answer(history) is None
        assert history.spent_since("acme/shop", 0) == 0
        assert history.rerun_record("acme/shop", "s").helped == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [1, 2])
def test_a_memory_of_an_older_version_can_be_merged(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    old_file(old, version)
    with open_history(str(new), "", True, FakeClock()) as history:
        history.record_advice(ADVICE)
    assert merge(old, new, FakeClock()) == 1
    with open_history(str(old), "", True, FakeClock()) as history:
        assert answer(history) == ADVICE.text


def test_the_released_steps_to_versions_1_and_2_are_as_they_were() -> None:
    old = "\n".join(statement for step in MIGRATIONS[:2] for statement in step)
    assert "advice" not in old
    assert len(MIGRATIONS) == 3


@pytest.mark.parametrize("writable", [True, False])
def test_an_older_program_refuses_the_file_and_leaves_it_alone(tmp_path: Path, writable: bool) -> None:
    path = tmp_path / "history.db"
    with open_history(str(path), "", True, FakeClock()) as history:
        history.record_advice(ADVICE)
    before = path.read_bytes()
    opened = open_sqlite if writable else open_copy
    with pytest.raises(UsageError, match="was written by a newer version"), opened(path, migrations=MIGRATIONS[:2]):
        pass
    assert path.read_bytes() == before


def test_a_file_that_says_to_be_of_version_3_without_its_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    old_file(path, 2)
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("PRAGMA user_version = 3")
    with pytest.raises(UsageError, match="is damaged"), open_history(str(path), "", True, FakeClock()):
        pass


@pytest.mark.parametrize("version", [1, 2])
def test_tables_of_an_older_version_are_lifted_by_a_run_that_may_write_and_left_alone_by_another(pytestconfig: pytest.Config, version: int) -> None:
    server = shared(pytestconfig)
    url = server.socket_url(**server.new_schema())
    with open_postgres(url, writable=True, migrations=MIGRATIONS[:version]) as database:
        StoredHistory(database, FakeClock(), bounds=BOUNDS).rerun_record("acme/shop", "s")
        with database.writing("acme/shop") as transaction:
            transaction.change("INSERT INTO cicd_agents_reruns VALUES ('acme/shop', '1', 1, 's', NULL, 5.0, 1)")
    with open_history("", url, False, FakeClock()) as history:
        assert answer(history) is None
    with open_history("", url, True, FakeClock()) as history:
        assert history.rerun_record("acme/shop", "s").helped == 1
        history.record_advice(ADVICE)
        assert answer(history) == ADVICE.text
    with pytest.raises(UsageError, match="were made by a newer version"), open_postgres(url, writable=True, migrations=MIGRATIONS[:version]):
        pass


@pytest.mark.parametrize("assignment", ["text = x'ff00'", "usd = 'dear'", "tokens = 'many'", "time = 'noon'"])
def test_values_of_a_wrong_type_are_refused(tmp_path: Path, assignment: str) -> None:
    mine, path = tmp_path / "mine.db", tmp_path / "history.db"
    with open_history(str(path), "", True, FakeClock()) as history:
        history.record_advice(ADVICE)
    with closing(sqlite3.connect(path)) as changed:
        changed.execute(f"UPDATE cicd_agents_advice SET {assignment}")  # noqa: S608 the test's own words
        changed.commit()
    with pytest.raises(BadAnswer, match="holds a value of the wrong type"):
        merge(mine, path, FakeClock())


# Two memories become one


def write(path: Path, records: Sequence[PastAdvice], bounds: Bounds = BOUNDS) -> Path:
    with open_history(str(path), "", True, FakeClock(), bounds=bounds) as history:
        for record in records:
            history.record_advice(record)
    return path


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM cicd_agents_advice ORDER BY repository, key, run_id, time").fetchall()


def test_merged_memories_hold_the_questions_of_both_and_the_rest(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.db", [ADVICE]), write(tmp_path / "two.db", [ADVICE, replace(ADVICE, run_id="18", usd=1)])
    with open_history(str(two), "", True, FakeClock()) as history:
        history.record_decision(DECISION)
        history.record_rerun(PastRerun("acme/shop", "17", 1, "s", None, START))
    assert merge(one, two, FakeClock()) == 3
    assert merge(one, two, FakeClock()) == 0
    with open_history(str(one), "", False, FakeClock()) as history:
        assert history.spent_since("acme/shop", 0) == 1.25
        assert history.decisions("acme/shop", "api", "prod", 5) == (DECISION,)


def test_an_answer_that_one_memory_has_forgotten_is_taken_from_the_other(tmp_path: Path) -> None:
    without, full = write(tmp_path / "without.db", [replace(ADVICE, text="")]), write(tmp_path / "full.db", [ADVICE])
    assert merge(without, full, FakeClock()) == 1
    assert merge(full, without, FakeClock()) == 0
    assert rows(without) == rows(full)


@pytest.mark.parametrize("bounds", [BOUNDS, Bounds(answers=2, questions=3), Bounds(answers=1, questions=9)])
def test_the_order_of_merging_makes_no_difference(tmp_path: Path, bounds: Bounds) -> None:
    questions = [replace(ADVICE, key=str(number), run_id=str(number % 3), time=START - number % 4, usd=number) for number in range(8)]
    parts = (questions[:5], questions[3:], [replace(question, text="", usd=None) for question in questions[::2]])
    paths = [write(tmp_path / f"{number}.db", part, bounds) for number, part in enumerate(parts)]
    results = []
    for number, order in enumerate(permutations(paths)):
        for path in order:
            merge(tmp_path / f"merged{number}.db", path, FakeClock(), bounds=bounds)
        results.append(rows(tmp_path / f"merged{number}.db"))
    assert all(result == results[0] for result in results)
    assert len(results[0]) == min(bounds.questions, 8)
