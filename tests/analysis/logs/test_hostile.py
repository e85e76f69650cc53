"""Whatever a log holds: an answer within bounds, at a line that is there, and nothing of it that a terminal obeys."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.logs import bundled, clean
from cicd_agents.analysis.logs.diagnosis import MAX_CANDIDATES, MAX_FAILURES, diagnose
from cicd_agents.analysis.logs.finders import EveryLine
from cicd_agents.analysis.logs.reader import Log
from cicd_agents.analysis.logs.scan import KEEP_FIRST, KEEP_LAST, MAX_EVENTS, Catalogue, catalogue, scan
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.cli import main
from cicd_agents.domain.doctor import Diagnosis

SCHEMA = json.loads((Path(__file__).parents[3] / "schema" / "report-v1.json").read_text())
DISK = b"cp: error writing 'a': No space left on device"
STAMP = b"2026-06-08T14:47:04.6281400Z "

FRAGMENTS = st.one_of(
    st.sampled_from([STAMP, b"2026-05-10T09:24:32.814280Z 01O ", b"[2026-06-08T14:47:04.628Z] ", b"14:47:04 ", b"\xef\xbb\xbf", b"job\tstep\t" + STAMP]),
    st.sampled_from([b"##[error]", b"##[group]Run make", b"##[endgroup]", b"##[warning]", b"##[error]Process completed with exit code 1."]),
    st.sampled_from([b"section_start:1:step_script\r\x1b[0K", b"section_end:1:step_script\r\x1b[0K", b"ERROR: Job failed: exit code 1", b"Job succeeded"]),
    st.sampled_from([b"[Pipeline] { (Test)", b"[Pipeline] // stage", b"Finished: FAILURE", b"\x1b[8mha:////4AAA=\x1b[0m", b"Started by timer"]),
    st.sampled_from([b"travis_fold:start:x\r", b'The command "make" exited with 1.', b"Done. Your build exited with 1.", b"$ make", b"+ make"]),
    st.sampled_from([b"\x1b[31m", b"\x1b[0m", b"\x1b", b"\x1b[", b"\x1b]0;", b"\x07", b"\x9b", b"\x1b]8;;http://x\x1b\\", b"\x1b[38;5", b"\x1bP"]),
    st.sampled_from([b"\r", b"\n", b"\r\n", b"\n\n", b"\0", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b" ", b"\t", b"\x0b", b"\x85"]),
    st.sampled_from(["\u202eabc", "\u200b", "\u2066x", "\u0645\u0631", "e\u0301", "\U000e0041", "\u2028"]).map(str.encode),
    st.sampled_from([DISK, b"npm ERR! code ERESOLVE", b"E   AssertionError: assert 1 == 2", b"main.c:3:1: error: expected ';'", b"make: *** [all] Error 2"]),
    st.sampled_from([b"Traceback (most recent call last):", b'  File "a.py", line 3, in x', b"ValueError: bad", b"retrying", b"warning: x", b"#12 0.711 "]),
    st.sampled_from([b"x" * 9000, b"\x1b[1m" * 3000, b"a " * 5000, b"Error " * 2000, b"(" * 400, b"/a" * 5000]),
    st.binary(max_size=12),
)
MIXTURES = st.lists(FRAGMENTS, max_size=40).map(b"".join)


def assert_true_to(log: bytes, found: Diagnosis) -> None:
    """The diagnosis counts the lines of this log, and each failure stands at the line, byte and text that it names."""
    lines = log.split(b"\n")
    count = len(lines) - (not lines[-1])
    assert (found.lines, found.size) == (count, len(log))
    assert len(found.failures) <= MAX_FAILURES
    assert len(found.candidates) <= MAX_CANDIDATES
    assert all(1 <= candidate.line <= count for candidate in found.candidates)
    for failure in found.failures:
        assert 1 <= failure.line <= count
        assert failure.offset == sum(len(line) + 1 for line in lines[: failure.line - 1])
        text = clean.text_of(lines[failure.line - 1]).decode()
        assert failure.text == text or (len(text) > 600 and text.startswith(failure.text.removesuffix(" …")) and failure.text != " …")
        assert 0 <= failure.confidence <= 1
        assert failure.excerpt.first <= failure.line < failure.excerpt.first + len(failure.excerpt.lines)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=600))
@example(b"")
@example(b"\n")
@example(b"\0")
@example(b"##[error]")
@example(b"##[error]\r")
def test_any_bytes_get_a_diagnosis_that_is_true_to_them(log: bytes) -> None:
    assert_true_to(log, diagnose(log))


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(MIXTURES, st.sampled_from(["auto", "github", "gitlab", "jenkins", "raw"]))
def test_any_mixture_of_what_logs_hold_gets_a_diagnosis_that_is_true_to_it(log: bytes, platform: str) -> None:
    assert_true_to(log, diagnose(log, platform=platform))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(MIXTURES, MIXTURES)
def test_any_good_run_can_be_compared_with(log: bytes, good: bytes) -> None:
    assert_true_to(log, diagnose(log, baseline=[good]))


def command_line(log: bytes | Path, *options: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of the doctor on a file."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        file = log if isinstance(log, Path) else Path(folder) / "x.log"
        if isinstance(log, bytes):
            file.write_bytes(log)
        code = main(["doctor", str(file), *options])
    return code, out.getvalue(), err.getvalue()


def assert_documented(said: tuple[int, str, str]) -> dict[str, Any]:
    """A documented exit code, and either one report of the contract or one sentence."""
    code, out, err = said
    assert code in (0, 1, 2, 3), err
    if code == 2:
        assert (out, err.count("\n")) == ("", 1)
        return {}
    assert err == ""
    report: dict[str, Any] = json.loads(out)
    jsonschema.validate(report, SCHEMA)
    assert report["exit_code"] == code
    return report


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=200), MIXTURES), st.sampled_from(["never", "fail", "inconclusive"]))
@example(b"", "fail")
@example(b"\x1f\x8b", "fail")
@example(b"PK\x03\x04", "fail")
def test_the_command_line_answers_any_bytes_with_a_documented_exit_code_and_valid_json(log: bytes, fail_on: str) -> None:
    assert_documented(command_line(log, "--format", "json", "--fail-on", fail_on))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(MIXTURES)
@example(b"\x1b[31m##[error]\x1b]0;title\x07 \xe2\x80\xaeNo space left on device\xe2\x81\xa6 \x9b1m\xc2\x9b \r::set-output name=a::b\n")
@example(b"::set-output name=a::No space left on device\n")
@example(b"\xef\xbb\xbf::error::No space left on device\n##vso[x]y\nsection_start:1:x\n")
def test_the_text_report_holds_nothing_that_a_terminal_or_a_runner_obeys(log: bytes) -> None:
    code, out, err = command_line(log)
    assert code in (0, 2)
    for text in (out, err):
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]", text) == []
        assert re.findall(r"(?m)^\s*::|##(?:vso)?\[|section_(?:start|end):\d", text) == []


def repeated(file: Path, unit: bytes, times: int) -> Path:
    """A file that holds the unit so many times, written in pieces."""
    with file.open("wb") as out:
        whole, rest = divmod(times, 4096)
        block = unit * 4096
        for _ in range(whole):
            out.write(block)
        out.write(unit * rest)
    return file


def peak_of(file: Path, rules: Catalogue) -> tuple[Diagnosis, int]:
    """The diagnosis and the most memory in bytes that Python held for it."""
    with file.open("rb") as log:
        tracemalloc.start()
        try:
            found = diagnose(log, signatures=rules)
            return found, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


MB = 1_000_000


# Few rules keep the suite quick under tracemalloc; what is kept per rule is the same.
FEW = catalogue(
    Signature(id=f"few.{name}", tool="few", category="other", weight=80, match=match, title="t", cause="c")
    for name, match in {"error": "^Error: ", "disk": r"No space left on device\b", "make": r"^make: \*\*\* "}.items()
)


@pytest.mark.parametrize(
    ("unit", "times", "lines", "most"),
    [
        (b"x", 100 * MB, 1, 200 * MB),
        (DISK + b" ", 30 * MB // 47, 1, 200 * MB),
        (b"Error: boom\n", MB // 50, MB // 50, 20 * MB),
        (b"\r", 20 * MB, 1, 100 * MB),
        (b"\n", MB // 12, MB // 12, 20 * MB),
        (b"\x1b", 20 * MB, 1, 100 * MB),
        (b"##[error]\n", MB // 50, MB // 50, 20 * MB),
        (b"##[error]boom\n", MB // 50, MB // 50, 20 * MB),
    ],
    ids=["one line", "one line of errors", "errors", "CR", "LF", "ESC", "empty annotations", "annotations"],
)
def test_memory_and_results_are_bounded_whatever_the_size(tmp_path: Path, unit: bytes, times: int, lines: int, most: int) -> None:
    file = repeated(tmp_path / "large.log", unit, times)
    found, peak = peak_of(file, FEW)
    assert (found.lines, found.size) == (lines, file.stat().st_size)
    assert peak < most
    assert len(found.candidates) <= MAX_CANDIDATES
    assert len(found.failures) <= MAX_FAILURES
    assert all(failure.line <= lines and len(failure.text) <= 600 for failure in found.failures)


MILLION = """
import resource, sys
from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.analysis.logs.scan import catalogue
from cicd_agents.analysis.logs.signature import Signature
rules = catalogue([Signature(id="few.error", tool="few", category="other", weight=80, match="^Error: ", title="t", cause="c")])
unit = 1024 if sys.platform == "linux" else 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[1], "rb") as log:
    found = diagnose(log, signatures=rules)
print(found.lines, len(found.candidates), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def test_a_flood_of_errors_needs_little_more_memory_than_the_rules(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="not on this system")
    file = repeated(tmp_path / "large.log", b"Error: boom\n", MB // 8)
    out = subprocess.run([sys.executable, "-c", MILLION, str(file)], capture_output=True, text=True, check=True).stdout
    lines, candidates, growth = (int(number) for number in out.split())
    assert lines == MB // 8
    assert 1 <= candidates <= MAX_CANDIDATES
    assert growth < 100 * MB


def test_memory_is_bounded_with_all_rules_too(tmp_path: Path) -> None:
    file = repeated(tmp_path / "large.log", b"x", 30 * MB)
    found, peak = peak_of(file, bundled.bundled())
    assert (found.lines, found.size) == (1, 30 * MB)
    assert peak < 200 * MB


def test_hits_and_events_of_a_flood_are_bounded_and_counted() -> None:
    log = b"Error: boom\n##[error]boom\n##[group]Run x\n" * 20_000
    found = scan(Log(log), FEW, EveryLine())
    assert len(found.hits) <= 2 * (KEEP_FIRST + KEEP_LAST)
    assert len(found.events) <= MAX_EVENTS
    assert found.counts[0] == 20_000


class Counted(io.BytesIO):
    """A stream that counts the bytes read from it."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As of BytesIO."""
        data = super().read(size)
        self.read_bytes += len(data)
        return data


@contextlib.contextmanager
def calls() -> Iterator[Callable[[], int]]:
    """Counts the calls of Python and C functions meanwhile."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        yield lambda: count
    finally:
        sys.setprofile(None)


def work(log: bytes) -> tuple[int, int]:
    """(bytes read, calls made) for a diagnosis."""
    stream = Counted(log)
    with calls() as made:
        diagnose(stream)
        return stream.read_bytes, made()


SOME = b"".join(STAMP + line + b"\n" for line in (b"compiling a", b"\x1b[32mok\x1b[0m", DISK, b"##[error]boom", b"$ make", b"##[group]Run x", b"a" * 300))


@pytest.mark.parametrize(
    "unit",
    [SOME, b"Error: boom\n", b"##[error]boom\n", b"\x1b[", b"\r", b"\n", b"x", b"##[group]Run a\n##[error]Process completed with exit code 1.\n"],
    ids=["mixture", "errors", "annotations", "escapes", "CR", "LF", "one line", "failed steps"],
)
def test_twice_the_log_is_at_most_about_twice_the_work(unit: bytes) -> None:
    diagnose(b"warm up")
    size = 60_000 if len(unit) < 3 else 700
    (read_once, calls_once), (read_twice, calls_twice) = work(unit * size), work(unit * size * 2)
    assert read_once >= len(unit) * size
    assert read_twice / read_once < 2.5
    assert calls_once > 0
    assert calls_twice / calls_once < 2.5


def own_rule(folder: Path, pattern: str) -> Path:
    """A folder with one signature of the user."""
    folder.mkdir()
    (folder / "own.toml").write_text(
        f"[[signature]]\nid = 'own.bait'\ntool = 'own'\ncategory = 'other'\nweight = 90\nmatch = '''{pattern}'''\ntitle = 'bait'\ncause = 'c'\n"
        "examples = ['aaa']\nnear_misses = ['b!']\n"
    )
    return folder


def test_nested_quantifiers_of_a_users_rule_are_accepted_and_run(tmp_path: Path) -> None:
    own = own_rule(tmp_path / "own", "(a+)+$")
    bait = tmp_path / "bait.log"
    bait.write_bytes(b"a" * 8000 + b"!\n" + b"step\n" * 5 + b"aaaa\n")
    report = assert_documented(command_line(bait, "--signatures", str(own), "--format", "json"))
    assert report["details"]["signature"] == "own.bait"
    assert report["details"]["root_cause"]["line"] == 7


@pytest.mark.parametrize("pattern", ["(?=a)a", "(?<!b)a+", r"(a)\1", "(?>a+)a", "a*"])
def test_what_cannot_run_in_linear_time_is_refused_in_one_sentence(tmp_path: Path, pattern: str) -> None:
    own = own_rule(tmp_path / "own", pattern)
    bait = tmp_path / "bait.log"
    bait.write_bytes(b"aaa\n")
    code, out, err = command_line(bait, "--signatures", str(own))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "own.toml: rule own.bait: 'match'" in err


@pytest.mark.parametrize("ended", [b"", b"\n", b"\nnext line\n"])
@pytest.mark.parametrize("filler", [b"x ", b"\x1b[0m ", b"\xc3\xa9 "], ids=["ASCII", "colours", "UTF-8"])
@pytest.mark.parametrize("size", [9_000, 40_000, 200_000])
def test_an_error_at_the_end_of_a_long_line_is_found_at_that_line(size: int, filler: bytes, ended: bytes) -> None:
    log = b"first\n" + filler * (size // len(filler)) + DISK + ended
    found = diagnose(log)
    assert_true_to(log, found)
    assert [failure.line for failure in found.failures] == [2]


@pytest.mark.parametrize("size", [300_000, 2 * MB])
def test_an_error_at_the_end_of_a_very_long_line_is_found_at_that_line(size: int) -> None:
    log = b"first\n" + b"x " * (size // 2) + DISK + b"\n"
    found = diagnose(log)
    assert [(failure.line, failure.offset) for failure in found.failures] == [(2, 6)]


def test_an_error_behind_eight_megabytes_of_one_line_has_the_offset_of_its_line() -> None:
    log = b"first\n" + b"x" * (9 << 20) + b" " + DISK + b" " + b"x" * 100 + b"\n"
    found = diagnose(log)
    assert [(failure.line, failure.offset) for failure in found.failures] == [(2, 6)]


TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3


@pytest.mark.parametrize("before", [560, 575])
def test_a_secret_at_the_place_where_a_line_is_cut_is_not_shown_in_part(before: int) -> None:
    line = DISK + b" " + b"y" * (before - len(DISK) - 2) + b" " + TOKEN.encode() + b" end\n"
    for form in ("text", "json", "markdown", "sarif"):
        code, out, _ = command_line(line, "--format", form)
        assert code == 0
        assert TOKEN[:12] not in out


def test_a_private_key_in_the_log_is_shown_in_no_format() -> None:
    body = "MIIEowIBAAKCAQEAx3bQ7V9pZk0uT4yqk1mW2n8R5s6D7f8G9h0JkLmNoPqRsTuV"
    log = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n".encode() + DISK + b"\n"
    shown = [command_line(log, "--format", form)[1] for form in ("text", "json", "markdown")]
    assert [body in out for out in shown] == [False, False, False]


def zipped(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


FAILED = STAMP + b"##[group]Run cp\n" + STAMP + DISK + b"\n" + STAMP + b"##[error]Process completed with exit code 1.\n"


def lines_of(file: Path) -> dict[str, Any]:
    details: dict[str, Any] = assert_documented(command_line(file, "--format", "json"))["details"]
    return details


def test_a_zip_inside_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"0_build.txt": FAILED}).read_bytes()
    code, _, err = command_line(zipped(tmp_path / "outer.zip", {"logs.zip": inner}))
    assert (code, "holds no log" in err) == (2, True)
    disguised = zipped(tmp_path / "disguised.zip", {"0_build.txt": inner})
    assert lines_of(disguised)["bytes"] == len(inner) + 1
    assert lines_of(disguised)["root_cause"] is None


@pytest.mark.parametrize("name", ["/etc/0_build.txt", "C:\\0_build.txt", "../0_build.txt", "//host/share/0_build.txt", "a/../../0_build.txt"])
def test_a_member_with_an_absolute_or_climbing_name_is_read_and_written_nowhere(tmp_path: Path, name: str) -> None:
    file = zipped(tmp_path / "logs.zip", {name: FAILED})
    assert lines_of(file)["root_cause"]["line"] == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["logs.zip"]


def test_members_without_content_are_passed_over(tmp_path: Path) -> None:
    file = zipped(tmp_path / "logs.zip", {"-1_first.txt": b"", "0_build.txt": FAILED, "1_last.txt": b""})
    assert lines_of(file)["root_cause"]["line"] == 2
    code, _, err = command_line(zipped(tmp_path / "empty.zip", {"0_build.txt": b"", "1_test.txt": b""}))
    assert (code, "the log is empty" in err) == (2, True)


def test_a_member_without_a_last_line_feed_does_not_run_into_the_next(tmp_path: Path) -> None:
    file = zipped(tmp_path / "logs.zip", {"a/1_x.txt": b"all is well", "a/2_y.txt": FAILED})
    assert lines_of(file)["root_cause"]["line"] == 3
    assert lines_of(file)["lines"] == 4


def test_gzip_in_gzip_is_opened_once(tmp_path: Path) -> None:
    once = gzip.compress(FAILED)
    file = tmp_path / "twice.gz"
    file.write_bytes(gzip.compress(once))
    assert lines_of(file)["bytes"] == len(once)
    file.write_bytes(once)
    assert lines_of(file)["root_cause"]["line"] == 2


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def packed(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("0_b\u00fcild.txt", FAILED)
        archive.writestr("1_test.txt", FAILED * 3)
    return buffer.getvalue()


ARCHIVES = {"gzip": gzip.compress(FAILED * 3), **{f"zip {method}": packed(method) for method in METHODS}}
DAMAGE = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4)


def damaged(kind: str, damage: list[tuple[int, int]], length: int = 2000) -> bytes:
    data = bytearray(ARCHIVES[kind][:length])
    for at, byte in damage:
        data[at % len(data)] = byte
    return bytes(data)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["gzip"]), DAMAGE, st.integers(4, 2000))
def test_a_damaged_gzip_gets_a_documented_exit_code(kind: str, damage: list[tuple[int, int]], length: int) -> None:
    assert_documented(command_line(damaged(kind, damage, length), "--format", "json"))


@pytest.mark.parametrize("kind", [kind for kind in ARCHIVES if kind.startswith("zip")])
def test_a_zip_that_is_cut_short_gets_a_documented_exit_code(kind: str) -> None:
    for length in range(4, len(ARCHIVES[kind]), 7):
        assert command_line(ARCHIVES[kind][:length], "--format", "json")[0] == 2


@pytest.mark.parametrize(
    "kind",
    [
        "zip 0",
        "zip 8",
        "zip 12",
        "zip 14",
    ],
)
def test_a_zip_whose_packed_data_is_damaged_gets_a_documented_exit_code(kind: str) -> None:
    begin = 30 + len("0_b\u00fcild.txt".encode())  # behind the header and the name of the first member
    for at in range(begin, begin + 60):
        assert_documented(command_line(damaged(kind, [(at, 0xFF)]), "--format", "json"))


def test_a_zip_whose_names_are_damaged_gets_a_documented_exit_code() -> None:
    data = ARCHIVES["zip 8"].replace("\u00fc".encode(), b"\xff\xff")
    assert_documented(command_line(data, "--format", "json"))
