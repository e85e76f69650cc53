"""Which lines tell of a crash, which only mention one, and how often each kind of message came."""

from __future__ import annotations

from itertools import pairwise

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.canary.making import START, observation

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.analysis.canary.observing.log_templates import FILTER, is_critical, message_of, nothing, template_of, templates_of, with_logs
from cicd_agents.domain.canary import LogTemplate, Status
from cicd_agents.domain.log_counts import LogLine
from cicd_agents.domain.redaction import Redactor

# Each made a pattern go back over what it had read, again and again: a line of 8 kB took minutes.
SLOW = ["exception", "a.", "error=", "a@", "http", "oom-", "no panic", "Error", "/a", "'a", "1a"]

CRITICAL = [
    "2024-05-01T10:00:00Z ERROR [main] c.s.Orders - java.lang.NullPointerException: x is null",
    "2024-05-01 10:00:00,123 ERROR Exception on /orders [POST]",
    "panic: runtime error: index out of range [5] with length 3",
    "FATAL:  remaining connection slots are reserved",
    "thread 'main' panicked at src/main.rs:3:5",
    '{"level":"error","msg":"unhandled exception","trace":"4bf92f3577b34da6"}',
    "java.lang.OutOfMemoryError: Java heap space",
    "Out of memory: Killed process 12 (java)",
    "Segmentation fault (core dumped)",
    'ts=2024-05-01T10:00:00Z level=fatal msg="cannot bind"',
    "ValueError: invalid literal for int()",
    '{"severity":"CRITICAL","message":"the database is gone"}',
    "UnhandledPromiseRejectionWarning: unhandled promise rejection",
    "fatal error: all goroutines are asleep - deadlock!",
    "pq: deadlock detected",
    "goroutine panic in the handler; for more info see the docs",
]
HARMLESS = [
    "request done error=0 exceptions=0",
    'request done status=200 errors: 0, panics: 0, fatal="false"',
    "10.0.0.1 - - \"GET /exception/list HTTP/1.1\" 200",
    "fetching https://example.com/panic?fatal=1 took 5 ms",
    "exception_count: 0",
    "INFO Registered ExceptionHandler",
    "2024-05-01 10:00:00 INFO [main] Exception translation is on",
    'level=info msg="recovered from panic"',
    '{"level":"info","msg":"exception filter loaded"}',
    '{"level":"debug","msg":"fatal"}',
    "no exceptions found, 0 fatal errors",
    "\tat com.shop.OrderException.<init>(OrderException.java:5)",
    "Caused by: java.io.IOException: closed",
    '  File "/app/exception.py", line 3, in run',
    "Traceback (most recent call last):",
    "reading /etc/fatal/exception.conf",
    "non-fatal warning: try again",
    "ERROR request failed with 500",
    "",
]  # fmt: skip


@pytest.mark.parametrize("line", CRITICAL)
def test_lines_that_tell_of_a_crash_are_critical_and_the_store_is_asked_for_them(line: str) -> None:
    assert is_critical(message_of(line))
    assert re2.search(FILTER.removeprefix("|~ `").removesuffix("`"), line)


@pytest.mark.parametrize("line", HARMLESS)
def test_a_mention_is_not_critical(line: str) -> None:
    assert not is_critical(message_of(line))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 of bob@example.com failed", "order 4711 of eve@example.org failed"),
        ('cannot open "a b"', 'cannot open "c"'),
        ("GET https://a.example/x took 3 ms", "GET https://b.example/y?z=1 took 14 ms"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 lost", "trace 00f067aa0ba902b7d3ce929d0e0e4736 lost"),
        ('{"level":"error","msg":"no route to 10.0.0.1","id":1}', '{"id":2,"msg":"no route to 10.0.0.9","level":"error"}'),
        ("2024-05-01T10:00:00.123Z worker abc12def gone", "2024-05-02T11:00:00.456Z worker fff99aaa gone"),
    ],
)
def test_messages_that_differ_only_in_values_are_one_kind(one: str, other: str) -> None:
    assert template_of(message_of(one)) == template_of(message_of(other))


def test_different_messages_are_different_kinds() -> None:
    assert template_of("connection refused") != template_of("connection reset")


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(is_critical(message_of(text)), bool)
    assert len(template_of(message_of(text))) <= 400


def line(time: float, text: str = "panic: boom", pod: str = "new-0") -> LogLine:
    return LogLine(time, text, {"pod": pod})


@given(st.lists(st.tuples(st.floats(0, 3599.9), st.sampled_from(["a", "b"]), st.sampled_from(["panic: one", "fatal: two", "all is well"])), max_size=60))
def test_counters_end_at_the_number_of_lines_and_never_fall(lines: list[tuple[float, str, str]]) -> None:
    found = templates_of([line(time, text, pod) for time, pod, text in lines], 0.0, 3600.0, str)
    for pod in ("a", "b"):
        for text in ("panic: one", "fatal: two"):
            number = sum(who == pod and said == text for _, who, said in lines)
            samples = next((item.samples for item in found.get(pod, ()) if item.template == text), ())
            assert (samples[-1][1] if samples else 0) == number
            assert all(before <= after for (_, before), (_, after) in pairwise(samples))
    assert all(template.critical for templates in found.values() for template in templates)


def test_no_counter_spans_a_hole_between_two_busy_minutes() -> None:
    (template,) = templates_of([line(30), line(3000)], 0.0, 3600.0, str)["new-0"]
    assert template.samples == ((0.0, 0.0), (60.0, 1.0), (3000.0, 1.0), (3060.0, 2.0))


def test_secrets_are_not_kept() -> None:
    redact = Redactor(("s3cr3t-of-the-shop",)).redact
    found = templates_of([line(1, "fatal: login with s3cr3t-of-the-shop failed")], 0.0, 60.0, lambda text: redact(text).text)
    assert "s3cr3t" not in found["new-0"][0].template


def test_rare_kinds_are_left_out_where_so_many_are_asked_for() -> None:
    lines = [line(1, "cache warmed"), *(line(place, "retrying") for place in range(3))]
    found = templates_of(lines, 0.0, 60.0, str, critical=False, least=3)
    assert [(item.template, item.critical) for item in found["new-0"]] == [("retrying", False)]


def test_a_message_that_only_the_canary_writes_fails_it() -> None:
    logs = templates_of([line(START + 600 + 20 * place) for place in range(30)], START, START + 1800, str)
    seen = with_logs(observation([2.0] * 30), logs, {"old-0": (nothing(START, START + 1800),)})
    found = judge(seen, default_policy(), now=START + 1800, stage=1)
    assert found.status is Status.FAIL
    assert "panic: boom" in next(metric.reason for metric in found.metrics if metric.name == "critical_logs")


def test_logs_without_anything_critical_are_a_pass_and_not_unknown() -> None:
    quiet = {"all": (nothing(START, START + 1800),)}
    found = judge(with_logs(observation([2.0] * 30), quiet, quiet), default_policy(), now=START + 1800, stage=1)
    assert next(metric.status for metric in found.metrics if metric.name == "critical_logs") is Status.PASS


def test_logs_join_the_replica_of_their_pod() -> None:
    template = LogTemplate("x", ((START, 0.0), (START + 60, 1.0)))
    seen = with_logs(observation([2.0] * 30), {"new-0": (template,), "new-9": (template,)}, {})
    assert [(replica.name, len(replica.logs), bool(replica.requests)) for replica in seen.canary.replicas] == [("new-0", 1, True), ("new-9", 1, False)]


@pytest.mark.parametrize("piece", SLOW)
def test_a_line_that_was_made_to_be_slow_is_read_to_its_end(piece: str) -> None:
    message = message_of(piece * (20_000 // len(piece)))
    assert is_critical(message) in (True, False)
    assert template_of(message)
