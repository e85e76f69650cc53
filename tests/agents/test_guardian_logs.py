"""Critical messages of both versions are counted from Loki; a query that matches nothing is not taken for a quiet service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.analysis.canary.making import START, observation
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply
from tests.servers.loki import LokiServer

from cicd_agents.agents.guardian_logs import LogsAsk, LogsSeen, gather_logs, message_counts
from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.loki_counts import LokiCounts
from cicd_agents.domain.canary import Judgement, MetricJudgement, Status
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.redaction import Redactor

NOW = START + 1800
CANARY, BASELINE = '{app="api",pod=~"new-.*"}', '{app="api",pod=~"old-.*"}'
SECOND = 1_000_000_000


@pytest.fixture
def server() -> Iterator[LokiServer]:
    with LokiServer() as loki:
        for pod in ("old-0", "old-1", "new-0"):
            write(loki, pod, [f"INFO order {number} done" for number in range(180)])
        yield loki


def write(server: LokiServer, pod: str, lines: list[str], begin: float = START, apart: float = 10.0) -> None:
    server.add({"app": "api", "pod": pod}, *(((round((begin + apart * place) * 1000) * 1_000_000), line) for place, line in enumerate(lines)))


def gathered(server: LokiServer, **others: object) -> LogsSeen:
    clock = FakeClock(NOW)
    loki = LokiCounts(server.http.url, "", clock, Budget(clock, 300))
    values = {"canary": CANARY, "baseline": BASELINE, "start": START, "now": NOW, **others}
    try:
        return gather_logs(loki, LogsAsk(**values), lambda text: Redactor(("s3cr3t-of-the-shop",)).redact(text).text)  # type: ignore[arg-type]
    finally:
        loki.close()


def judged(seen: LogsSeen) -> tuple[Judgement, MetricJudgement]:
    found = judge(seen.on(observation([2.0] * 30)), default_policy(), now=NOW, stage=1)
    return found, next(metric for metric in found.metrics if metric.name == "critical_logs")


def test_a_service_that_logs_nothing_critical_passes(server: LokiServer) -> None:
    seen = gathered(server)
    found, logs = judged(seen)
    assert (found.status, logs.status, seen.warnings) == (Status.PASS, Status.PASS, ())


def test_exceptions_of_the_canary_alone_fail_it(server: LokiServer) -> None:
    write(server, "new-0", [f"ERROR java.lang.NullPointerException: order {number}" for number in range(30)], START + 900, 20)
    found, logs = judged(gathered(server))
    assert found.status is Status.FAIL
    assert "java.lang.NullPointerException: order <n>" in logs.reason


def test_exceptions_that_both_versions_log_do_not(server: LokiServer) -> None:
    for pod in ("old-0", "old-1", "new-0"):
        write(server, pod, ["ERROR java.net.SocketTimeoutException: slow"] * 40, START + 600, 25)
    found, logs = judged(gathered(server))
    assert found.status is not Status.FAIL
    assert logs.status is not Status.FAIL


def test_a_query_that_matches_nothing_is_said_and_nothing_is_counted(server: LokiServer) -> None:
    seen = gathered(server, canary='{app="api",pod=~"newer-.*"}')
    assert seen.warnings == ("canary: no line of its log query was found, so critical messages cannot be seen",)
    assert (seen.canary, seen.baseline) == ({}, {})


def test_what_is_no_log_query_is_refused(server: LokiServer) -> None:
    with pytest.raises(UsageError, match="canary-logs"):
        gathered(server, canary="app=api")


def test_a_store_that_does_not_answer_is_a_warning(server: LokiServer) -> None:
    for call in range(20):
        server.http.faults[call] = Reply(401, b"no org id\n", {"content-type": "text/plain"})
    assert "Logs were not read: Loki" in gathered(server).warnings[0]


def test_too_many_lines_of_one_side_shorten_the_time_of_both(server: LokiServer) -> None:
    write(server, "old-0", ["FATAL: disk"] * 180, START, 10)
    write(server, "new-0", ["FATAL: disk"] * 30, START, 60)
    seen = gathered(server, most_lines=60)
    firsts = {template.samples[0][0] for side in (seen.canary, seen.baseline) for templates in side.values() for template in templates if template.critical}
    assert len(firsts) == 1
    assert START + 1100 < firsts.pop() < START + 1300
    assert "only those of the last 10 minutes" in seen.notes[0]


def test_new_kinds_of_messages_are_noted_but_do_not_fail(server: LokiServer) -> None:
    write(server, "new-0", ["WARN cache miss, asking the database"] * 10, START + 1200, 30)
    found, _ = judged(gathered(server))
    assert any("WARN cache miss, asking the database" in note for note in found.notes)
    assert not any("order" in note for note in found.notes)
    assert found.status is Status.PASS


def test_secrets_in_messages_are_hidden(server: LokiServer) -> None:
    write(server, "new-0", ["FATAL: login with s3cr3t-of-the-shop failed"] * 10, START + 900)
    assert "s3cr3t" not in str(gathered(server))


def test_a_baseline_of_earlier_is_on_the_canarys_time(server: LokiServer) -> None:
    write(server, "old-0", ["FATAL: disk"] * 3, START - 3000, 10)
    write(server, "old-0", ["INFO order 1 done"] * 60, START - 3600, 60)
    seen = gathered(server, shift=3600.0)
    (template,) = seen.baseline["old-0"]
    assert template.samples[0] == (START, 0.0)
    assert template.samples[-1] == (START + 660.0, 3.0)


def test_lines_of_before_the_canary_served_are_not_its_own(server: LokiServer) -> None:
    write(server, "new-0", ["FATAL: smoke test"] * 9, START + 60)
    write(server, "new-0", ["FATAL: disk"] * 2, START + 1200)
    seen = gathered(server, since=START + 900)
    assert [(item.template, item.samples[0][0]) for item in seen.canary["new-0"] if item.critical] == [("FATAL: disk", START + 900)]
    assert seen.notes == ()


def test_kinds_of_messages_are_counted_for_both_versions_critical_and_new_ones_first(server: LokiServer) -> None:
    write(server, "new-0", ["ERROR panic: price is nil"] * 6)
    write(server, "old-0", ["ERROR unhandled exception in the bank"] * 4)
    counts = message_counts(gathered(server).on(observation([2.0] * 30)))
    assert [(one.message, one.canary, one.baseline, one.critical) for one in counts] == [
        ("ERROR panic: price is nil", 6, 0, True),
        ("ERROR unhandled exception in the bank", 0, 4, True),
    ]
