"""Two memories that began as one become one again, in whatever order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.clock import START, FakeClock

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_merge import merge, take
from cicd_agents.clients.history_schema import BOUNDS, DAY, Bounds
from cicd_agents.clients.history_sqlite import SqliteDatabase, open_copy, open_nothing
from cicd_agents.clients.history_store import StoredHistory
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.history import PastFailure, PastRerun

FAILURE = PastFailure("acme/shop", "f" * 16, "rule", "other", "title", "build.yml", "job", "main", "c0ffee", "17", 1, START - 60)
RERUN = PastRerun("acme/shop", "17", 1, "npm-timeout", 4, START - 60)
Records = Sequence[PastFailure | PastRerun]


def write(path: Path, records: Records, bounds: Bounds = BOUNDS) -> Path:
    """A memory in which all this happened; re-runs with an outcome are settled."""
    with open_history(str(path), "", True, FakeClock(), bounds=bounds) as history:
        tell(history, records)
    return path


def tell(history: StoredHistory, records: Records) -> None:
    for record in records:
        if isinstance(record, PastFailure):
            history.record(record)
        elif history.record_rerun(replace(record, helped=None)) and record.helped is not None:
            history.settle_rerun(record.repository, record.run_id, record.attempt, record.helped)


def content(path: Path) -> tuple[list[Any], list[Any]]:
    with open_copy(path) as database:
        return rows(database)


def rows(database: SqliteDatabase) -> tuple[list[Any], list[Any]]:
    failures, reruns = (database.rows(f"SELECT * FROM {table}") for table in ("cicd_agents_failures", "cicd_agents_reruns"))  # noqa: S608 constants
    return sorted(failures), sorted(reruns, key=lambda row: row[:3])


def test_the_union_of_both_is_kept_and_the_other_file_is_not_changed(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", [FAILURE, replace(FAILURE, run_id="18")])
    other = write(tmp_path / "other", [FAILURE, replace(FAILURE, run_id="19"), replace(FAILURE, repository="acme/other"), RERUN])
    before = other.read_bytes()
    assert merge(mine, other, FakeClock()) == 3
    failures, reruns = content(mine)
    assert [(row[0], row[1]) for row in failures] == [("acme/other", "17"), ("acme/shop", "17"), ("acme/shop", "18"), ("acme/shop", "19")]
    assert len(reruns) == 1
    assert other.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [mine, other]


@pytest.mark.parametrize(
    ("mine", "other", "expected"),
    [(None, True, 1), (True, None, 1), (False, None, 0), (None, False, 0), (True, False, 0), (False, True, 0), (None, None, None), (True, True, 1)],
)
def test_an_outcome_wins_over_none_and_not_helped_over_helped(tmp_path: Path, mine: bool | None, other: bool | None, expected: int | None) -> None:
    first = write(tmp_path / "mine", [replace(RERUN, helped=mine)])
    merge(first, write(tmp_path / "other", [replace(RERUN, helped=other)]), FakeClock())
    assert [row[-1] for row in content(first)[1]] == [expected]


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_records_with_one_identity_the_newer_stays_whole(tmp_path: Path, swapped: bool) -> None:
    old = write(tmp_path / "old", [replace(FAILURE, title="z", branch="z", time=START - 99), replace(RERUN, signature="z", time=START - 99)])
    new = write(tmp_path / "new", [FAILURE, RERUN])
    expected = content(new)
    first, second = (new, old) if swapped else (old, new)
    merge(first, second, FakeClock())
    assert content(first) == expected


def test_merging_into_a_file_that_is_not_there_makes_it(tmp_path: Path) -> None:
    other = write(tmp_path / "other", [FAILURE, RERUN])
    assert merge(tmp_path / "new" / "mine", other, FakeClock()) == 2
    assert content(tmp_path / "new" / "mine") == content(other)


def test_a_file_merged_with_itself_stays_as_it_was(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", [FAILURE, RERUN])
    before = content(mine)
    assert merge(mine, mine, FakeClock()) == 0
    assert content(mine) == before


def test_the_bounds_hold_for_the_union(tmp_path: Path) -> None:
    bounds = Bounds(failures=4, reruns=2)
    mine = write(tmp_path / "mine", [replace(FAILURE, run_id=str(number), time=START - number) for number in (1, 3, 5, 7)])
    other = write(tmp_path / "other", [replace(FAILURE, run_id=str(number), time=START - number) for number in (2, 4, 6, 8)])
    merge(mine, other, FakeClock(), bounds=bounds)
    assert [row[1] for row in content(mine)[0]] == ["1", "2", "3", "4"]


def test_what_is_older_than_400_days_is_not_taken(tmp_path: Path) -> None:
    other = write(tmp_path / "other", [FAILURE, RERUN])
    merge(tmp_path / "mine", other, FakeClock(START + 401 * DAY))
    assert content(tmp_path / "mine") == ([], [])


def test_a_missing_other_file_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"other: no such file"):
        merge(tmp_path / "mine", tmp_path / "other", FakeClock())
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_other_file_is_named_and_mine_is_not_changed(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", [FAILURE])
    other = tmp_path / "other"
    other.write_bytes(b"no memory")
    before = mine.read_bytes()
    with pytest.raises(UsageError, match="other: is damaged"):
        merge(mine, other, FakeClock())
    assert mine.read_bytes() == before


# Few values, so that records meet; the same identity may come with other texts, times and outcomes.
_times = st.integers(0, 3).map(lambda seconds: START - seconds)
_failures = st.builds(
    PastFailure, repository=st.sampled_from(["a", "b"]), fingerprint=st.sampled_from(["f", "g"]), signature=st.sampled_from(["s", "t"]),
    category=st.just("other"), title=st.sampled_from(["", "é", "z"]), workflow=st.just("w"), job=st.sampled_from(["j", "k"]),
    branch=st.sampled_from(["main", "dev"]), sha=st.just("c"),
    run_id=st.sampled_from(["1", "2", "10"]), attempt=st.integers(1, 2), time=_times,
)  # fmt: skip
_reruns = st.builds(
    PastRerun, repository=st.sampled_from(["a", "b"]), run_id=st.sampled_from(["1", "2", "10"]), attempt=st.integers(1, 2),
    signature=st.sampled_from(["s", "t"]), pull_request=st.sampled_from([None, 0, 1]), time=_times, helped=st.sampled_from([None, True, False]),
)  # fmt: skip
_records = st.lists(_failures | _reruns, max_size=8)
_tight = st.builds(Bounds, failures=st.integers(1, 6), reruns=st.integers(1, 4))


@contextmanager
def memory(records: Records, bounds: Bounds) -> Iterator[SqliteDatabase]:
    with open_nothing() as database:
        tell(StoredHistory(database, FakeClock(), bounds=bounds), records)
        yield database


def merged(order: Sequence[SqliteDatabase], bounds: Bounds = BOUNDS) -> tuple[list[Any], list[Any]]:
    """What a new memory holds that has taken these, one after the other."""
    with open_nothing() as database:
        for source in order:
            take(database, source, START, bounds)
        return rows(database)


@settings(max_examples=40, deadline=None)
@given(first=_records, second=_records, third=_records)
def test_merging_is_commutative_associative_and_idempotent(first: Records, second: Records, third: Records) -> None:
    with memory(first, BOUNDS) as one, memory(second, BOUNDS) as two, memory(third, BOUNDS) as three, memory([], BOUNDS) as union:
        expected = merged((one, two, three))
        assert merged((three, one, two)) == expected
        take(union, two, START, BOUNDS)
        take(union, three, START, BOUNDS)
        assert merged((one, union)) == expected
        assert merged((one, union, three, one, one)) == expected


@settings(max_examples=40, deadline=None)
@given(first=_records, second=_records, bounds=_tight)
def test_merging_is_commutative_and_idempotent_where_the_oldest_are_forgotten(first: Records, second: Records, bounds: Bounds) -> None:
    with memory(first, bounds) as one, memory(second, bounds) as two:
        expected = merged((one, two), bounds)
        assert merged((two, one), bounds) == expected
        assert merged((one, two, one, two), bounds) == expected


@settings(max_examples=40, deadline=None)
@given(lists=st.tuples(*[st.lists(_failures, max_size=4)] * 3), bounds=_tight)
def test_merging_failures_is_associative_where_the_oldest_are_forgotten(lists: tuple[Records, Records, Records], bounds: Bounds) -> None:
    with memory(lists[0], bounds) as one, memory(lists[1], bounds) as two, memory(lists[2], bounds) as three:
        expected = merged((one, two, three), bounds)
        assert merged((three, two, one), bounds) == expected
        assert merged((two, one, three), bounds) == expected
