"""Reports of the guardian that its tests share: of all four statuses, of a judged table, and one whose every free text is the given one."""

from __future__ import annotations

from dataclasses import replace
from math import sin

from cicd_agents.analysis.canary import default_policy, judge
from cicd_agents.domain.canary import Alarm, Decision, Judgement, NextTrigger, Observation, Point, RiskTerm, Status, Strategy
from cicd_agents.domain.finding import Evidence, Finding, Fix
from cicd_agents.domain.guardian import Chart, GuardianDetails, Link, MetricRow, QueryRecord, TimelineEntry
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import GuardianReport

HOST = "grafana.example"
DASHBOARD = f"https://{HOST}/d/api"
SCHEMA = "cicd-agents/report/v1"
AGENT = "deployment-guardian"
START = 1_767_348_000.0  # 2026-01-02 10:00:00 UTC
OUTCOMES = {Status.PASS: Outcome.PASS, Status.FAIL: Outcome.FAIL, Status.INCONCLUSIVE: Outcome.INCONCLUSIVE, Status.NO_DATA: Outcome.INCONCLUSIVE}
CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.INCONCLUSIVE: 3}


def series(level: float, after: float, minutes: int = 30, onset: int = 12) -> tuple[tuple[float, float], ...]:
    """A value a minute that wanders a little, and goes to `after` from minute `onset` on."""
    levels = [level if at < onset else after for at in range(minutes)]
    return tuple((START + 60 * at, value * (1 + 0.05 * sin(1.7 * at))) for at, value in enumerate(levels))


ERRORS = MetricRow(
    "error_rate", "Error rate", "count-ratio", "%", 0.001, 0.052, 0.051, 0.002, 52.0, 0.00002, Status.FAIL,
    "Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it",
    "312 of 6,000 requests against 18 of 18,000", 'sum(rate(http_requests_total{code=~"5.."}[1m]))', required=True,
)  # fmt: skip
LATENCY = MetricRow(
    "latency_p95", "P95 latency", "quantile", "s", 0.150, 0.165, 0.015, 0.180, 1.1, 0.4, Status.PASS,
    "P95 latency within threshold: 280 of 6000 against 830 of 18000", "280 of 6,000 slower than 100 ms, against 830 of 18,000", required=True,
)  # fmt: skip
CPU = MetricRow("cpu", "CPU", "gauge", "percent", 45.0, 48.0, 3.0, 80.0, 48 / 45, None, Status.PASS, "CPU within threshold", "30 minutes")
PAYMENTS = MetricRow(
    "payment_success", "Payment success", "business", "%", 0.9997, 0.9991, -0.0006, 0.95, 0.9994, None, Status.INCONCLUSIVE,
    "Payment success: too little to tell, 40 of 40 against 130 of 130; about 1200 more requests would tell", "40 payments",
    needed_requests=1200, needed_minutes=9.0,
)  # fmt: skip
MEMORY = MetricRow("memory", "Memory", "gauge", "percent", None, None, None, 85.0, None, None, Status.NO_DATA, "Memory: no samples", weaker=True)
CONNECTIONS = MetricRow(
    "connections", "Connections", "gauge", "", 1200.0, 2500.0, 1300.0, 1810.0, 2500 / 1200, None, Status.FAIL, "Connections spike: 2500", critical=False,
    dry_run=True,
)  # fmt: skip
ROWS = (ERRORS, LATENCY, CPU, PAYMENTS, MEMORY, CONNECTIONS)
CHARTS = (
    Chart("latency_p95", "P95 latency", "s", series(0.150, 0.150), series(0.160, 0.165), 0.180),
    Chart("error_rate", "Error rate", "%", series(0.001, 0.001), series(0.001, 0.052), 0.002),
    Chart("cpu", "CPU", "percent", series(45, 45), series(47, 48), 80.0),
    Chart("connections", "Connections", "", series(1200, 1200), series(1200, 2500), None),
)
PROOF = Evidence("query", 'sum(rate(http_requests_total{code=~"5.."}[1m]))', "312 of 6,000")
ROLLBACK = Fix("quick", "Roll back to 1.4.1", "It was healthy for 6 days.", ("argocd app rollback api 41 --project shop",), 0.9)
FIND = Fix("lasting", "Look at the new exception", "`NullPointerException` is new in 1.4.2.", (), 0.6)
OPERATIONS = (
    Operation("PauseAutoSync", "argocd:api", "A rollback is refused while it is on.", "Switch auto-sync on again", "k1", status=OperationStatus.APPLIED),
    Operation(
        "Rollback", "argocd:api", "The error rate is 52 times that of 1.4.1.", "Sync to 1.4.2", "k2", parameters=(("id", "41"),),
        status=OperationStatus.APPLIED, result="Revision 41 runs since 10:21:40.",
    ),
    Operation("OpenRevertRequest", "git.example/shop/deploy", "Git still names 1.4.2.", "Close it", "k3", status=OperationStatus.NEEDS_APPROVAL),
)  # fmt: skip
DETAILS = GuardianDetails(
    "api", "production", "canary", 2, 4, 0.25, 21.0, 10.0, Status.FAIL, Decision.ROLLBACK, f"{ERRORS.reason}.", ROWS,
    (Alarm("oom_kills", "the canary was killed for want of memory 2 times"),), ("Health checks are good",), ("A new exception: NullPointerException",),
    (ROLLBACK, FIND), 0.92, (RiskTerm("error_rate", 1.0, 5.0), RiskTerm("latency_p95", 0.05, 2.0)),
    (NextTrigger("error_rate", "Error rate", "%", 0.002, "Error rate > 0.2 %"), NextTrigger("latency_p95", "P95 latency", "s", 0.225, "P95 latency > 225 ms")),
    ("At this traffic (10 requests a second, error rate 0.1 %) a doubling of the error rate shows after about 22 minutes.",),
    ("api-7d9-x: 3 minutes of warm-up",),
    (
        QueryRecord("error_rate", "canary", 'http_requests_total{pod=~"api-7d9-.*"}[30m]', 4, 480, 0.052),
        QueryRecord("error_rate", "baseline", 'http_requests_total{pod=~"api-5c4-.*"}[30m]', 12, 1440, None, "one of two stores did not answer"),
    ),
    CHARTS,
    (TimelineEntry(START, "The canary began with 5 %."), TimelineEntry(START + 300, "Stage 2: 25 %."), TimelineEntry(START + 1260, "Errors: rolled back.")),
    (Link("Dashboard", DASHBOARD),), (("error_rate", 0.005), ("latency_p95", 0.002)), 0.01, canary_version="1.4.2", baseline_version="1.4.1",
)  # fmt: skip


def report_of_details(details: GuardianDetails, operations: tuple[Operation, ...] = (), notes: tuple[str, ...] = (), summary: str = "") -> GuardianReport:
    outcome = OUTCOMES[details.status]
    return GuardianReport(SCHEMA, AGENT, outcome, CODES[outcome], f"{details.service}: {details.reason}", summary, (), operations, details, notes, 0.42)


FULL = replace(
    report_of_details(DETAILS, OPERATIONS, ("The old version is of the same time.",), "A rollback is safe: no migration ran."),
    findings=(Finding("new-exception", "A new exception", "error", 0.9, (Evidence("log-template", "api-7d9-x", "NullPointerException: at <*>"), PROOF)),),
)
FEW_ERRORS = replace(
    ERRORS, canary=0.0012, delta=0.0002, effect=1.2, p_value=0.6, status=Status.PASS, reason="Error rate within threshold: 7 of 6000 against 18 of 18000",
    evidence="7 of 6,000 requests against 18 of 18,000",
)  # fmt: skip
PASSED = report_of_details(
    replace(
        DETAILS, status=Status.PASS, decision=Decision.PROMOTE, reason="Every metric that is required is within its tolerance, and nothing else is against it.",
        metrics=(FEW_ERRORS, LATENCY, CPU), alarms=(), negatives=(), actions=(), risk_score=0.04, charts=(), exclusions=(), queries=(), timeline=(), links=(),
        risk_terms=(), foresight=(), budget=(),
    )
)  # fmt: skip
UNDECIDED = report_of_details(
    replace(
        PASSED.details,
        status=Status.INCONCLUSIVE,
        decision=Decision.HOLD,
        reason=f"{PAYMENTS.reason}.",
        metrics=(LATENCY, replace(PAYMENTS, required=True)),
        needed_requests=1200,
        needed_minutes=9.0,
        positives=(),
    )
)
BLIND = report_of_details(
    replace(
        PASSED.details,
        status=Status.NO_DATA,
        decision=Decision.HOLD,
        reason="Cannot see: the newest sample is 12 minutes old.",
        needed_minutes=5.0,
        positives=(),
        metrics=(replace(ERRORS, canary=None, delta=None, effect=None, p_value=None, evidence="", status=Status.NO_DATA, reason="Error rate: no samples"),),
    )
)
STATUSES = {Status.FAIL: FULL, Status.PASS: PASSED, Status.INCONCLUSIVE: UNDECIDED, Status.NO_DATA: BLIND}


def details_of(judgement: Judgement, **changes: object) -> GuardianDetails:
    """A judgement as details, as the agent makes them."""
    rows = tuple(
        MetricRow(
            item.name, item.title, item.kind.value, item.unit, item.baseline, item.canary, item.delta, item.limit, item.effect, item.strength.p_value,
            item.status, item.reason, critical=item.critical, required=item.required, dry_run=item.dry_run, weaker=item.weaker,
            needed_requests=item.needed_requests, needed_minutes=item.needed_minutes,
        )
        for item in judgement.metrics
    )  # fmt: skip
    made = GuardianDetails(
        "api", "production", judgement.strategy.value, judgement.stage + 1, 4, judgement.share, judgement.minutes, 0.0, judgement.status, judgement.decision,
        judgement.reason, rows, judgement.alarms, risk_score=judgement.risk, risk_terms=judgement.risk_terms, triggers_next_stage=judgement.triggers,
        exclusions=judgement.exclusions, budget=judgement.budget, alpha=judgement.alpha, weaker=judgement.weaker, needed_requests=judgement.needed_requests,
        needed_minutes=judgement.needed_minutes,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def of_table(*points: Point, actions: tuple[Fix, ...] = (), strategy: Strategy = Strategy.CANARY) -> GuardianReport:
    """The report of a plain table, judged."""
    judgement = judge(Observation(points=points), default_policy(strategy), now=START)
    return report_of_details(details_of(judgement, actions=actions), notes=judgement.notes)


GOOD_TABLE = (Point("error_rate", 0.0012, 0.0010), Point("latency_p95", 0.165, 0.150), Point("cpu", 48, 45))
BAD_TABLE = (Point("error_rate", 0.052, 0.0010), Point("latency_p95", 0.450, 0.150))


def of_text(text: str) -> GuardianReport:
    """A report whose every text that can come from outside is the given one."""
    row = replace(ERRORS, name=text, title=text, kind=text, reason=text, evidence=text, query=text)
    rows = (row, replace(row, status=Status.PASS), replace(row, status=Status.NO_DATA, dry_run=True), replace(row, status=Status.INCONCLUSIVE, query="other"))
    chart = Chart(text, text, text, series(1, 1), series(1, 2), 1.5)
    fix = Fix("quick", text, text, (text, text), 0.5)
    details = GuardianDetails(
        text, text, text, 2, 4, 0.25, 21.0, 10.0, Status.FAIL, Decision.ROLLBACK, text, rows, (Alarm(text, text),), (f"good {text}",), (f"bad {text}",),
        (fix,), 0.9, (RiskTerm(text, 1.0, 5.0),), (NextTrigger(text, text, text, 0.2, text),), (text,), (text,),
        (QueryRecord(text, text, text, 1, 2, 0.5, text), QueryRecord("q", "canary", text, 1, 2)), (chart, replace(chart, canary=series(1, 2)[:2])),
        (TimelineEntry(START, text),), (Link(text, text), Link(text, f"https://{HOST}/{text}")), ((text, 0.01),), 0.01, True, text, text, text, 10, 5.0,
    )  # fmt: skip
    operation = Operation(text, text, text, text, text, text, (Evidence(text, text, text),), ((text, text),), OperationStatus.APPLIED, text)
    finding = Finding(text, text, text, 0.9, (Evidence(text, text, text),), None, (fix,))
    failed = replace(operation, status=OperationStatus.FAILED)
    return GuardianReport(SCHEMA, AGENT, Outcome.FAIL, 1, text, f"summary {text}", (finding,), (operation, failed), details, (text, text), 0.42)
