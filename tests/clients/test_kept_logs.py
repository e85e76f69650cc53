"""Logs that stay open for more of their lines: numbered as in the report, cleaned, redacted with what stands around them, bounded, given back."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.agents.log_doctor import LogDoctor
from cicd_agents.analysis.logs import clean
from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.clients.kept_logs import MOST_LINES, KeptLog, KeptLogs
from cicd_agents.clients.logfiles import LogFiles
from cicd_agents.domain.ci import Job, RunRef, Status
from cicd_agents.domain.errors import Unavailable
from cicd_agents.domain.ports import OpenLog
from cicd_agents.domain.redaction import Redactor

STAMP = "2026-03-14T02:10:13.1234567Z "
BODY = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ" + format(number, "014d") for number in range(400)]
KEY = ["-----BEGIN PRIVATE " + "KEY-----", *BODY, "-----END PRIVATE " + "KEY-----"]


@contextmanager
def opened(log: bytes, start: int = 0) -> Iterator[OpenLog]:
    with io.BytesIO(log) as stream:
        stream.seek(start)
        yield OpenLog(stream)


def kept(log: bytes, most: int = 1 << 30, secrets: tuple[str, ...] = ()) -> KeptLogs:
    logs = KeptLogs(most, Redactor(secrets))
    with logs.keeping("log", opened(log)) as read:
        read.stream.read(3)
    return logs


def test_lines_are_cleaned_as_the_excerpts_of_the_report_are() -> None:
    log = f"{STAMP}##[error]\x1b[31mred\x1b[0m line\r\n10 %\r50 %\r100 %\n{STAMP}[exec] built\nlast".encode()
    logs = kept(log)
    assert logs.lines("log", 1, 9) == ("red line", "100 %", "built", "last")
    assert logs.count("log") == 4


@given(st.lists(st.text(alphabet="ab \x1b[31m\r:2", max_size=30), max_size=30), st.booleans(), st.integers(1, 40), st.integers(0, 40))
def test_any_line_has_the_number_that_line_feeds_give_it(lines: list[str], ended: bool, first: int, more: int) -> None:
    log = "\n".join(lines).encode() + (b"\n" if ended and lines else b"")
    expected = [clean.text_of(raw).decode() for raw in log.split(b"\n")[: None if log and not log.endswith(b"\n") else -1]]
    logs = kept(log)
    assert logs.lines("log", first, first + more) == tuple(expected[first - 1 : first + more])
    assert logs.count("log") == len(expected)


def test_lines_far_inside_of_a_large_log_are_found() -> None:
    log = b"".join(b"line %d with words\n" % number for number in range(1, 30_001))
    logs = kept(log)
    for number in (1, 2, 3_277, 3_278, 15_000, 29_999, 30_000):
        assert logs.lines("log", number, number) == (f"line {number} with words",)
    assert logs.lines("log", 30_001, 30_002) == ()
    assert logs.lines("log", 29_990, 10**7)[-1] == "line 30000 with words"  # type: ignore[index]


def test_of_a_very_long_line_the_next_ones_keep_their_numbers() -> None:
    logs = kept(b"first\n" + b"word " * 100_000 + b"\nthird\n")
    first, long, third = logs.lines("log", 1, 3) or ()
    assert (first, third) == ("first", "third")
    assert long.startswith("word word")
    assert len(long) < 700


@pytest.mark.parametrize("form", ["{line}", STAMP + "{line}", "\x1b[36;1m{line}\x1b[0m"])
@pytest.mark.parametrize(("first", "last"), [(3, 3), (200, 210), (402, 403), (1, 2), (2, 2)])
def test_a_key_that_begins_before_or_ends_after_the_wanted_lines_stays_hidden(form: str, first: int, last: int) -> None:
    log = "\n".join(form.format(line=line) for line in ["before", *KEY, "after"]).encode()
    lines = kept(log).lines("log", first, last) or ()
    assert len(lines) == last - first + 1
    assert [line for line in lines if line not in ("[redacted:private-key]", "before", "after")] == []
    assert ("before" in lines) == (first == 1)
    assert "after" not in lines


def test_what_stands_between_two_keys_is_shown() -> None:
    log = "\n".join([*KEY, "between", *KEY]).encode()
    assert kept(log).lines("log", 402, 404) == ("[redacted:private-key]", "between", "[redacted:private-key]")


def test_secrets_of_the_environment_are_hidden_also_over_several_lines() -> None:
    logs = kept(b"a tango-uniform b\nalpha-bravo\ncharlie-delta\nz\n", secrets=("tango-uniform", "alpha-bravo\ncharlie-delta"))
    assert logs.lines("log", 1, 1) == ("a [redacted:known-value] b",)
    assert logs.lines("log", 3, 4) == ("[redacted:known-value]", "z")


@pytest.mark.parametrize(("first", "last"), [(0, 3), (-5, 3), (3, 2), (10**9, 10**9)])
def test_numbers_that_make_no_sense_give_no_lines(first: int, last: int) -> None:
    assert kept(b"a\nb\nc\n").lines("log", first, last) == ()


def test_one_answer_is_bounded() -> None:
    assert len(kept(b"x\n" * 5000).lines("log", 1, 5000) or ()) == MOST_LINES


def test_an_empty_log_has_no_lines() -> None:
    assert (kept(b"").lines("log", 1, 5), kept(b"").count("log")) == ((), 0)


def test_a_log_that_is_not_kept_is_none() -> None:
    logs = kept(b"x\n")
    assert (logs.lines("other", 1, 1), logs.count("other")) == (None, None)


def test_a_log_begins_where_it_was_opened() -> None:
    logs = KeptLogs(100, Redactor())
    with logs.keeping("log", opened(b"head\nfirst\nsecond\n", start=5)):
        pass
    assert logs.lines("log", 1, 5) == ("first", "second")


def test_logs_stay_open_until_they_are_given_back_and_only_as_far_as_they_fit() -> None:
    logs = KeptLogs(10, Redactor())
    streams = []
    for name, log in (("a", b"12345\n"), ("b", b"123456\n"), ("c", b"123\n")):
        with logs.keeping(name, opened(log)) as read:
            streams.append(read.stream)
    assert [stream.closed for stream in streams] == [False, True, False]
    assert [logs.count(name) for name in "abc"] == [1, None, 1]
    logs.close()
    assert [stream.closed for stream in streams] == [True, True, True]
    assert logs.lines("a", 1, 1) is None


def test_a_log_that_could_not_be_read_is_not_kept() -> None:
    logs = KeptLogs(100, Redactor())
    with pytest.raises(Unavailable), logs.keeping("log", opened(b"x\n")) as read:
        raise Unavailable("The server went away.")
    assert read.stream.closed
    assert logs.count("log") is None


def test_a_log_that_cannot_be_read_any_more_is_as_if_it_were_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "ci.log"
    path.write_bytes(b"a\n")
    logs = KeptLogs(100, Redactor())
    with logs.keeping("log", LogFiles().open(str(path))) as read:
        folder = os.open(tmp_path, os.O_RDONLY)
        os.dup2(folder, read.stream.fileno())
        os.close(folder)
    assert (logs.lines("log", 1, 1), logs.count("log")) == (None, None)
    logs.close()


def test_of_jobs_those_that_failed_are_kept_and_opened_once() -> None:
    asked: list[str] = []

    @contextmanager
    def open_log(job: Job) -> Iterator[OpenLog]:
        asked.append(job.id)
        with opened(b"a\nb\n") as log:
            yield log

    logs = KeptLogs(100, Redactor())
    for job in (Job("1", "test", Status.FAILURE, RunRef("9")), Job("2", "test", Status.SUCCESS, RunRef("8"))):
        with logs.of_jobs(open_log)(job):
            pass
    assert logs.lines("1", 2, 2) == ("b",)
    assert logs.lines("2", 2, 2) is None
    assert asked == ["1", "2"]


LOG = b"collecting\n" + b"line\n" * 50 + b"E   ModuleNotFoundError: No module named 'requests'\n" + b"##[error]Process completed with exit code 1.\n"


def _zipped(log: bytes) -> bytes:
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("0_test.txt", log)
        return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, _zipped], ids=["plain", "gzip", "zip"])
def test_log_files_are_kept_however_they_are_packed_and_numbered_as_in_the_report(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "ci.log"
    path.write_bytes(pack(LOG))  # type: ignore[operator]
    logs = KeptLogs(1 << 20, Redactor())
    verdict = LogDoctor(KeptLog(LogFiles(), logs, str(path)), bundled()).run(str(path))
    root, excerpt = verdict.details.root_cause, verdict.details.excerpt
    assert root
    assert excerpt
    assert logs.lines(str(path), root.line, root.line) == ("E   ModuleNotFoundError: No module named 'requests'",)
    assert logs.lines(str(path), excerpt.first, excerpt.first + len(excerpt.lines) - 1) == excerpt.lines
    logs.close()
