"""What a memory does, whichever database holds it: the same tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.servers.clock import START, FakeClock
from tests.servers.postgres import shared

from cicd_agents.clients.history import open_history
from cicd_agents.clients.history_records import CAPS, MAX_TITLE
from cicd_agents.clients.history_schema import BOUNDS, DAY, Bounds
from cicd_agents.clients.history_store import MAX_BRANCHES, MAX_LATEST, NOT_WRITTEN, StoredHistory
from cicd_agents.domain.history import PastFailure, PastRerun, RerunRecord, Sightings
from cicd_agents.domain.ports import History

FAILURE = PastFailure(
    "acme/shop", "0123456789abcdef", "pip-no-match", "dependency_resolution", "No version fits", "build.yml", "test (3.11)", "main", "c0ffee", "17", 1,
    START - 60, "https://ci.example/17",
)  # fmt: skip
RERUN = PastRerun("acme/shop", "17", 1, "npm-timeout", 4, START - 60)


@dataclass(frozen=True)
class Store:
    """A memory that can be opened again and again."""

    path: str
    url: str
    clock: FakeClock

    def open(self, *, writable: bool = True, bounds: Bounds = BOUNDS) -> AbstractContextManager[StoredHistory]:
        return open_history(self.path, self.url, writable, self.clock, bounds=bounds)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return Store(str(tmp_path / "memory" / "history.db"), "", FakeClock())
    server = shared(request.config)
    return Store("", server.socket_url(**server.new_schema()), FakeClock())


@pytest.fixture
def history(store: Store) -> Iterator[StoredHistory]:
    with store.open() as opened:
        yield opened


def seen(history: History, *, other_than: str = "") -> Sightings | None:
    return history.sightings(FAILURE.repository, FAILURE.fingerprint, other_than=other_than)


def test_a_new_memory_knows_nothing(history: StoredHistory) -> None:
    assert seen(history) is None
    assert not history.seen_at("acme/shop", FAILURE.fingerprint, "c0ffee")
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(0, 0)
    assert history.reruns_since("acme/shop", 0) == 0


def test_a_failure_comes_back_as_it_was_recorded(history: StoredHistory) -> None:
    history.record(FAILURE)
    assert seen(history) == Sightings(1, FAILURE.time, FAILURE.time, ("main",), (FAILURE,))


def test_what_was_recorded_is_there_when_opened_again(store: Store) -> None:
    with store.open() as history:
        history.record(FAILURE)
        history.record_rerun(RERUN)
    with store.open() as history:
        assert seen(history) is not None
        assert history.reruns_since("acme/shop", 0) == 1


def test_recording_the_same_failure_twice_changes_nothing(history: StoredHistory) -> None:
    history.record(FAILURE)
    history.record(replace(FAILURE, title="another title", time=START - 30))
    assert seen(history) == Sightings(1, FAILURE.time, FAILURE.time, ("main",), (FAILURE,))


@pytest.mark.parametrize(("field", "value"), [("repository", "acme/other"), ("fingerprint", "f" * 16)])
def test_other_repositories_and_fingerprints_are_not_seen(history: StoredHistory, field: str, value: str) -> None:
    history.record(replace(FAILURE, **{field: value}))  # type: ignore[arg-type]
    assert seen(history) is None


def test_the_asking_run_is_left_out_with_all_its_attempts(history: StoredHistory) -> None:
    history.record(FAILURE)
    history.record(replace(FAILURE, attempt=2))
    assert seen(history, other_than="17") is None
    history.record(replace(FAILURE, run_id="16"))
    found = seen(history, other_than="17")
    assert found is not None
    assert (found.count, [failure.run_id for failure in found.latest]) == (1, ["16"])


def test_a_failure_without_a_run_id_is_seen_where_no_run_is_left_out(history: StoredHistory) -> None:
    history.record(replace(FAILURE, run_id=""))
    assert seen(history) is not None


def test_jobs_that_failed_alike_in_one_attempt_count_once_and_attempts_count_each(history: StoredHistory) -> None:
    for attempt in (1, 2):
        for job in ("test (3.11)", "test (3.12)", "test (3.13)"):
            history.record(replace(FAILURE, attempt=attempt, job=job))
    found = seen(history)
    assert found is not None
    assert found.count == 2


def test_sightings_tell_first_last_and_the_newest_failures_first(history: StoredHistory) -> None:
    failures = [replace(FAILURE, run_id=str(number), time=START - number) for number in range(8)]
    for failure in (*failures[4:], *failures[:4]):
        history.record(failure)
    found = seen(history)
    assert found == Sightings(8, START - 7, START, ("main",), tuple(failures[:MAX_LATEST]))


def test_branches_are_those_seen_last_first_without_empty_ones_and_bounded(history: StoredHistory) -> None:
    history.record(replace(FAILURE, branch="", run_id="a"))
    history.record(replace(FAILURE, branch="old", run_id="b", time=START - 900))
    history.record(replace(FAILURE, branch="main", run_id="c", time=START - 1000))
    history.record(replace(FAILURE, branch="main", run_id="d", time=START - 10))
    found = seen(history)
    assert found is not None
    assert found.branches == ("main", "old")
    for number in range(MAX_BRANCHES):
        history.record(replace(FAILURE, branch=f"new-{number}", run_id=f"n{number}", time=START))
    found = seen(history)
    assert found is not None
    assert len(found.branches) == MAX_BRANCHES
    assert "old" not in found.branches


def test_seen_at_asks_for_the_very_commit_fingerprint_and_repository(history: StoredHistory) -> None:
    history.record(FAILURE)
    assert history.seen_at("acme/shop", FAILURE.fingerprint, "c0ffee")
    assert not history.seen_at("acme/shop", FAILURE.fingerprint, "c0ffe")
    assert not history.seen_at("acme/shop", "f" * 16, "c0ffee")
    assert not history.seen_at("acme/other", FAILURE.fingerprint, "c0ffee")


def test_an_unknown_commit_was_never_seen(history: StoredHistory) -> None:
    history.record(replace(FAILURE, sha=""))
    assert not history.seen_at("acme/shop", FAILURE.fingerprint, "")


def test_a_rerun_is_recorded_by_the_first_only(history: StoredHistory) -> None:
    assert history.record_rerun(RERUN)
    assert not history.record_rerun(replace(RERUN, signature="another", time=START))
    assert history.record_rerun(replace(RERUN, attempt=2))
    assert history.record_rerun(replace(RERUN, run_id="18"))
    assert history.record_rerun(replace(RERUN, repository="acme/other"))


def test_a_rerun_that_was_taken_back_may_be_recorded_again(history: StoredHistory) -> None:
    history.record_rerun(RERUN)
    history.forget_rerun(RERUN)
    assert history.reruns_since("acme/shop", 0) == 0
    assert history.record_rerun(RERUN)


def test_a_rerun_that_has_ended_cannot_be_taken_back(history: StoredHistory) -> None:
    history.record_rerun(RERUN)
    history.settle_rerun("acme/shop", "17", 1, helped=True)
    history.forget_rerun(RERUN)
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(1, 1)


def test_only_ended_reruns_count_for_a_signature(history: StoredHistory) -> None:
    for attempt in (1, 2, 3, 4):
        history.record_rerun(replace(RERUN, attempt=attempt))
    history.record_rerun(replace(RERUN, run_id="18", signature="another", helped=True))
    history.settle_rerun("acme/shop", "17", 1, helped=True)
    history.settle_rerun("acme/shop", "17", 2, helped=False)
    history.settle_rerun("acme/shop", "17", 3, helped=True)
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(tried=3, helped=2)
    assert history.rerun_record("acme/shop", "another") == RerunRecord(tried=1, helped=1)
    assert history.rerun_record("acme/other", "npm-timeout") == RerunRecord(0, 0)


def test_settling_an_unknown_rerun_does_nothing_and_the_last_word_counts(history: StoredHistory) -> None:
    history.settle_rerun("acme/shop", "17", 1, helped=True)
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(0, 0)
    history.record_rerun(RERUN)
    history.settle_rerun("acme/shop", "17", 1, helped=True)
    history.settle_rerun("acme/shop", "17", 1, helped=False)
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(1, 0)


def test_reruns_are_counted_since_a_time_and_by_pull_request(history: StoredHistory) -> None:
    history.record_rerun(replace(RERUN, run_id="a", time=START - 100))
    history.record_rerun(replace(RERUN, run_id="b", time=START - 50))
    history.record_rerun(replace(RERUN, run_id="c", time=START - 10, pull_request=None))
    assert history.reruns_since("acme/shop", START - 100) == 3
    assert history.reruns_since("acme/shop", START - 99) == 2
    assert history.reruns_since("acme/shop", START - 99, pull_request=4) == 1
    assert history.reruns_since("acme/shop", 0, pull_request=5) == 0
    assert history.reruns_since("acme/other", 0) == 0


def test_the_oldest_failures_over_the_bound_are_forgotten(store: Store) -> None:
    with store.open(bounds=Bounds(failures=3)) as history:
        for number in (5, 1, 4, 2, 3):
            history.record(replace(FAILURE, run_id=str(number), time=START - number))
        history.record(replace(FAILURE, repository="acme/other"))
        found = seen(history)
        assert found is not None
        assert [failure.run_id for failure in found.latest] == ["1", "2", "3"]
        assert history.sightings("acme/other", FAILURE.fingerprint) is not None


def test_the_oldest_reruns_over_the_bound_are_forgotten(store: Store) -> None:
    with store.open(bounds=Bounds(reruns=3)) as history:
        for number in (5, 1, 4, 2, 3):
            history.record_rerun(replace(RERUN, run_id=str(number), time=START - number))
        assert history.reruns_since("acme/shop", 0) == 3
        assert history.reruns_since("acme/shop", START - 3) == 3


def test_records_are_forgotten_after_400_days_at_the_next_write(store: Store) -> None:
    with store.open() as history:
        history.record(FAILURE)
        history.record_rerun(RERUN)
        store.clock.advance(399 * DAY)
        history.record(replace(FAILURE, fingerprint="another", time=store.clock.now()))
        assert seen(history) is not None
        store.clock.advance(DAY)
        history.record(replace(FAILURE, fingerprint="another", run_id="18", time=store.clock.now()))
        assert seen(history) is None
        assert history.reruns_since("acme/shop", 0) == 0


@pytest.mark.parametrize("time", [START + 1e9, float("inf"), float("nan"), -1.0])
def test_a_record_with_an_impossible_time_gets_the_present_one(history: StoredHistory, time: float) -> None:
    history.record(replace(FAILURE, time=time))
    found = seen(history)
    assert found is not None
    assert found.last == START


def test_long_texts_are_cut_and_found_again(history: StoredHistory) -> None:
    text = "ü" * 5000
    long = PastFailure(text, text, text, text, text, text, text, text, text, text, 2**40, START, text)
    history.record(long)
    found = history.sightings(long.repository, long.fingerprint)
    assert found is not None
    assert found.latest[0].title == "ü" * (MAX_TITLE - 1) + "…"
    assert all(len(getattr(found.latest[0], name)) == most for name, most in CAPS.items())
    assert history.seen_at(long.repository, long.fingerprint, long.sha)
    assert history.sightings(long.repository, long.fingerprint, other_than=long.run_id) is None


def test_two_long_job_names_that_begin_alike_stay_two(history: StoredHistory) -> None:
    history.record(replace(FAILURE, job="matrix " * 100 + "a"))
    history.record(replace(FAILURE, job="matrix " * 100 + "b"))
    found = seen(history)
    assert found is not None
    assert len(found.latest) == 2


@pytest.mark.parametrize("text", ["a\0b", "lone \ud800 surrogate", "'; DROP TABLE cicd_agents_failures; --", "🧨 \u202e \x1b[31m", ":repository $1 %s ?", "\\"])
def test_hostile_texts_are_stored_as_mere_text(history: StoredHistory, text: str) -> None:
    hostile = replace(FAILURE, repository=text, fingerprint=text, title=text, branch=text, job=text, run_id=text)
    history.record(hostile)
    found = history.sightings(text, text)
    assert found is not None
    assert found.latest[0].branch == text.replace("\0", "").replace("\ud800", "?")


def test_secrets_in_titles_are_not_stored(history: StoredHistory) -> None:
    history.record(replace(FAILURE, title="login failed for https://ci:hunter2secret@registry.example/"))
    found = seen(history)
    assert found is not None
    assert "hunter2secret" not in found.latest[0].title


def test_numbers_beyond_the_databases_do_no_harm(history: StoredHistory) -> None:
    assert history.record_rerun(replace(RERUN, attempt=2**80, pull_request=2**80))
    history.settle_rerun("acme/shop", "17", 2**80, helped=True)
    assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(1, 1)
    assert history.reruns_since("acme/shop", 0, pull_request=2**80) == 1


def test_an_untrusted_run_reads_but_never_writes_and_says_so(store: Store) -> None:
    with store.open() as history:
        history.record(FAILURE)
        history.record_rerun(RERUN)
    with store.open(writable=False) as history:
        history.record(replace(FAILURE, run_id="18"))
        assert not history.record_rerun(replace(RERUN, run_id="18"))
        history.forget_rerun(RERUN)
        history.settle_rerun("acme/shop", "17", 1, helped=True)
        assert history.notes == [NOT_WRITTEN]
        assert seen(history) == Sightings(1, FAILURE.time, FAILURE.time, ("main",), (FAILURE,))
    with store.open() as history:
        assert history.notes == []
        assert seen(history) == Sightings(1, FAILURE.time, FAILURE.time, ("main",), (FAILURE,))
        assert history.reruns_since("acme/shop", 0) == 1
        assert history.rerun_record("acme/shop", "npm-timeout") == RerunRecord(0, 0)


def test_an_untrusted_run_finds_an_empty_memory_where_there_is_none(store: Store) -> None:
    with store.open(writable=False) as history:
        assert seen(history) is None
        history.record(FAILURE)
        assert seen(history) is None


_WRITER = """
import sys
from dataclasses import replace
from cicd_agents.clients.history import open_history
from tests.clients.test_history import FAILURE, RERUN
from tests.servers.clock import FakeClock

path, url, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with open_history(path, url, True, FakeClock()) as history:
    for number in range(10):
        history.record(replace(FAILURE, run_id=f"{name}-{number}"))
        history.record(replace(FAILURE, run_id=f"both-{number}"))
        if history.record_rerun(replace(RERUN, run_id=f"both-{number}")):
            print(number)
"""


def test_two_processes_that_write_at_once_lose_nothing_and_start_each_rerun_once(store: Store) -> None:
    command = [sys.executable, "-c", _WRITER, store.path, store.url]
    writers = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in ("one", "two")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    started = [number for writer in writers for number in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(started, key=int) == [str(number) for number in range(10)]
    with store.open() as history:
        found = seen(history)
        assert found is not None
        assert found.count == 30


def test_with_neither_file_nor_url_all_is_forgotten() -> None:
    with open_history("", "", True, FakeClock()) as history:
        history.record(FAILURE)
        assert seen(history) is not None
    with open_history("", "", True, FakeClock()) as history:
        assert seen(history) is None


def test_5000_failures_and_reruns_and_400_days_are_kept() -> None:
    assert Bounds(5_000, 5_000, 400) == BOUNDS
