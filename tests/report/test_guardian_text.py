"""The guardian's report on a terminal: golden texts that a paged engineer understands, and nothing that a terminal or a runner obeys."""

from __future__ import annotations

from dataclasses import fields, replace
from math import inf, nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.guardian_checks import HOSTILE, commands, nothing
from tests.report.guardian_samples import (
    BAD_TABLE,
    BLIND,
    CHARTS,
    CONNECTIONS,
    DETAILS,
    ERRORS,
    FULL,
    GOOD_TABLE,
    LATENCY,
    OPERATIONS,
    PASSED,
    PAYMENTS,
    ROLLBACK,
    UNDECIDED,
    of_table,
    of_text,
    report_of_details,
)

from cicd_agents.domain.canary import Decision, Point, Status, Strategy
from cicd_agents.domain.operation import OperationStatus
from cicd_agents.report.guardian import to_guardian_text
from cicd_agents.report.guardian_mermaid import mermaid
from cicd_agents.report.guardian_outputs import to_guardian_outputs
from cicd_agents.report.guardian_wording import carried_out, indicators, rolled_back, verdict_word


def test_a_no_go_says_what_to_do_and_why_before_all_else() -> None:
    assert to_guardian_text(FULL).startswith(
        """\
🛡️ Deployment-guardian: NO-GO · api in production
  Decision: ROLLBACK. Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it. \
A rollback is safe: no migration ran.
  Decided by: Error rate 5.2 % (baseline 0.1 %, limit ≤ 0.2 %, +5.1 points, 52 ×)
  Carried out: 2 of 3 operations (1 waiting for an approval).

  Deployment   api
  Environment  production
  Version      canary 1.4.2 against baseline 1.4.1
  Strategy     canary
  Stage        stage 2 of 4, 25 % of the traffic
  Duration     21 min (the stage takes 10 min)
  Risk         score 0.92 (0 to 1)

At-once alarms
  oom_kills: the canary was killed for want of memory 2 times.

Metrics
  metric           baseline  canary   delta                  limit     status                           evidence
  Error rate       0.1 %     5.2 %    +5.1 points, 52 ×      ≤ 0.2 %   ❌ worse                          312 of 6,000 requests against 18 of 18,000
  Payment success  99.97 %   99.91 %  -0.06 points, -0.06 %  ≥ 95 %    ⏳ cannot tell yet                40 payments
  Memory           –         –        –                      ≤ 85 %    🔇 cannot see (weaker)
  P95 latency      150 ms    165 ms   +15 ms, +10 %          ≤ 180 ms  ✅ within limit                   280 of 6,000 slower than 100 ms, against 830 of 18,000
  CPU              45 %      48 %     +3 points, +6.7 %      ≤ 80 %    ✅ within limit                   30 minutes
  Connections      1,200     2,500    +1,300, +108 %         ≤ 1,810   ❌ worse (dry run, not critical)

Speaks against it
  ❌ Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it
  ❌ Connections spike: 2500 (dry run: not counted)
  ❌ A new exception: NullPointerException
"""
    )


def test_what_the_decision_rests_on_follows() -> None:
    assert (
        to_guardian_text(FULL).partition("Operations\n")[2]
        == """\
  PauseAutoSync argocd:api: done. A rollback is refused while it is on. To undo: Switch auto-sync on again.
  Rollback argocd:api: done. The error rate is 52 times that of 1.4.1. Revision 41 runs since 10:21:40. To undo: Sync to 1.4.2.
  OpenRevertRequest git.example/shop/deploy: needs approval. Git still names 1.4.2.

What could be seen
  Payment success: about 1,200 more requests, or 9 min more would tell.
  At this traffic (10 requests a second, error rate 0.1 %) a doubling of the error rate shows after about 22 minutes.
  False alarms: at most 1 % of healthy deployments, over all looks together (error_rate 0.5 %, latency_p95 0.2 %).
  Left out: api-7d9-x: 3 minutes of warm-up.

Findings
  error: A new exception
    log-template api-7d9-x: NullPointerException: at <*>
    query sum(rate(http_requests_total{code=~"5.."}[1m])): 312 of 6,000

Curves, from left to right in time
  Error rate, limit 0.2 %
    baseline ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.095 to 0.105 %
    canary   ▁▁▁▁▁▁▁▁▁▁▁▁██████████████████  0.0952 to 5.46 %
  P95 latency, limit 180 ms
    baseline ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇  143 to 157 ms
    canary   ███▇██▇▇██▇███▇██████▇███▇████  152 to 173 ms
  CPU, limit 80 %
    baseline ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅  42.8 to 47.2 %
    canary   ▅▅▅▅▅▅▅▅▅▅▅▅▆▅▅▅▆▅▅▅▅▅▅▆▅▅▅▆▅▅  44.7 to 50.4 %
  Connections
    baseline ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  1,140 to 1,260
    canary   ▄▄▄▄▄▄▄▄▄▄▄▄██████████████████  1,142 to 2,625

Risk
  error_rate: 1, weight 5
  latency_p95: 0.05, weight 2

Queries
  error_rate, canary: 4 series, 480 samples, newest value 0.052
    http_requests_total{pod=~"api-7d9-.*"}[30m]
  error_rate, baseline: 12 series, 1,440 samples (partial data: one of two stores did not answer)
    http_requests_total{pod=~"api-5c4-.*"}[30m]

Timeline
  2026-01-02 10:00:00 UTC The canary began with 5 %.
  2026-01-02 10:05:00 UTC Stage 2: 25 %.
  2026-01-02 10:21:00 UTC Errors: rolled back.

Links
  Dashboard: https://grafana.example/d/api
Note: The old version is of the same time.
Judged by always-valid in 0.42 s, exit code 1
"""
    )


def test_that_nothing_can_be_seen_is_told_as_neither_good_nor_bad() -> None:
    assert (
        to_guardian_text(BLIND)
        == """\
🛡️ Deployment-guardian: HOLD (cannot see) · api in production
  Decision: HOLD. Cannot see: the newest sample is 12 minutes old. That says nothing of the new version, good or bad: look at where its metrics come from.
  Decided by: Error rate: no value

  Deployment   api
  Environment  production
  Version      canary 1.4.2 against baseline 1.4.1
  Strategy     canary
  Stage        stage 2 of 4, 25 % of the traffic
  Duration     21 min (the stage takes 10 min)
  Risk         score 0.04 (0 to 1)

Metrics
  metric      baseline  canary  delta  limit    status        evidence
  Error rate  0.1 %     –       –      ≤ 0.2 %  🔇 cannot see

Not known
  ⏳ Error rate: no samples

Rollback triggers of the next stage
  Error rate > 0.2 %
  P95 latency > 225 ms

What could be seen
  To be able to tell: about 5 min more of the new version.

Queries
  Error rate: sum(rate(http_requests_total{code=~"5.."}[1m]))
Judged by always-valid in 0.42 s, exit code 3
"""
    )


def test_that_nothing_can_be_told_yet_says_how_much_more_would_tell() -> None:
    shown = to_guardian_text(UNDECIDED)
    assert shown.startswith(
        "🛡️ Deployment-guardian: HOLD (cannot tell yet) · api in production\n"
        "  Decision: HOLD. Payment success: too little to tell, 40 of 40 against 130 of 130; about 1200 more requests would tell. "
        "Neither good nor bad is proven yet.\n"
    )
    assert "  To be able to tell: about 1,200 more requests, or 9 min more of the new version.\n" in shown
    assert "Speaks against it" not in shown


def test_something_that_is_worse_and_not_critical_is_no_open_question() -> None:
    row = replace(CONNECTIONS, dry_run=False)
    report = report_of_details(replace(UNDECIDED.details, metrics=(LATENCY, row), reason="Connections spike: 2500; not critical, so it holds."))
    shown = to_guardian_text(report)
    assert "Neither good nor bad" not in shown
    assert "  ❌ Connections spike: 2500 (not critical)\n" in shown
    assert "  Decided by: Connections 2,500 (baseline 1,200, limit ≤ 1,810, +1,300, +108 %)\n" in shown


def test_a_good_plain_table_proceeds_and_never_says_the_other_word() -> None:
    shown = to_guardian_text(of_table(*GOOD_TABLE))
    assert "PROCEED" in shown
    assert "Error rate within threshold" in shown
    assert "ROLLBACK" not in shown
    assert "Rollback triggers of the next stage\n  Error rate > 0.2 %\n  P95 latency > 225 ms\n" in shown


def test_a_bad_plain_table_rolls_back_with_the_command() -> None:
    shown = to_guardian_text(of_table(*BAD_TABLE, actions=(ROLLBACK,)))
    assert "ROLLBACK" in shown
    assert "Error rate spike" in shown
    assert "     $ argocd app rollback api 41 --project shop\n" in shown
    assert "PROCEED" not in shown
    assert "Rollback triggers" not in shown, "no stage comes next"


@pytest.mark.parametrize(
    ("status", "decision", "word"),
    [
        (Status.PASS, Decision.PROMOTE, "GO"), (Status.PASS, Decision.HOLD, "HOLD"), (Status.FAIL, Decision.ROLLBACK, "NO-GO"),
        (Status.FAIL, Decision.HOLD, "NO-GO"), (Status.INCONCLUSIVE, Decision.HOLD, "HOLD (cannot tell yet)"),
        (Status.INCONCLUSIVE, Decision.PROMOTE, "GO (cannot tell yet)"), (Status.INCONCLUSIVE, Decision.ROLLBACK, "NO-GO"),
        (Status.NO_DATA, Decision.HOLD, "HOLD (cannot see)"),
    ],
)  # fmt: skip
def test_the_headline_follows_from_status_and_decision(status: Status, decision: Decision, word: str) -> None:
    assert verdict_word(replace(DETAILS, status=status, decision=decision)) == word


@pytest.mark.parametrize(
    ("strategy", "share", "stage", "columns"),
    [
        ("canary", 0.25, "canary\n  Stage        stage 2 of 4, 25 % of the traffic\n", ["baseline", "canary"]),
        ("blue-green", 0.0, "blue/green\n  Stage        stage 2 of 4, before the switch, no traffic of users\n", ["blue", "green"]),
        ("blue-green", 1.0, "blue/green\n  Stage        stage 2 of 4, after the switch, 100 % of the traffic\n", ["blue", "green"]),
        ("rolling", 0.5, "rolling update\n  Stage        batch 2 of 4, 50 % of the traffic\n", ["old", "new"]),
        ("a-b", 0.5, "A/B test\n  Stage        stage 2 of 4, 50 % of the traffic to B\n", ["A", "B"]),
        ("of tomorrow", 0.5, "of tomorrow\n  Stage        stage 2 of 4, 50 % of the traffic\n", ["baseline", "canary"]),
    ],
)  # fmt: skip
def test_each_strategy_has_its_own_words(strategy: str, share: float, stage: str, columns: list[str]) -> None:
    shown = to_guardian_text(report_of_details(replace(PASSED.details, strategy=strategy, share=share)))
    assert f"  Strategy     {stage}" in shown
    assert next(line.split()[1:3] for line in shown.splitlines() if line.startswith("  metric ")) == columns


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_judged_table_of_every_strategy_is_reported(strategy: Strategy) -> None:
    shown = to_guardian_text(of_table(*GOOD_TABLE, strategy=strategy))
    assert "Decision: PROCEED" in shown
    assert "ROLLBACK" not in shown


def test_after_the_last_stage_the_new_version_is_kept() -> None:
    shown = to_guardian_text(report_of_details(replace(PASSED.details, stage=4)))
    assert "Decision: PROCEED: KEEP THE NEW VERSION." in shown
    assert "Rollback triggers from now on\n" in shown


def test_what_is_not_known_is_left_out() -> None:
    shown = to_guardian_text(report_of_details(replace(PASSED.details, stages=0, minutes=0.0, stage_minutes=0.0, environment="", canary_version="")))
    assert shown.startswith("🛡️ Deployment-guardian: GO · api\n")
    assert "  Stage        25 % of the traffic\n" in shown
    assert "Duration" not in shown
    assert "Version" not in shown


def test_a_sentence_is_said_once_and_where_it_belongs() -> None:
    details = replace(
        DETAILS, positives=(LATENCY.reason, f"{LATENCY.reason}."), alarms=(),
        negatives=(f"{ERRORS.reason}.", f"{CONNECTIONS.reason} (dry run: not counted)", PAYMENTS.reason, "Something else"),
    )  # fmt: skip
    told = indicators(details)
    assert told.good == (LATENCY.reason, "CPU within threshold")
    assert told.bad == (ERRORS.reason, f"{CONNECTIONS.reason} (dry run: not counted)", "Something else")
    assert told.unknown == (PAYMENTS.reason, "Memory: no samples"), "what cannot be told does not speak against the new version"


def test_a_failed_operation_asks_for_a_person_and_says_why() -> None:
    first, second, third = OPERATIONS
    failed = replace(second, status=OperationStatus.FAILED, result="403: permission denied")
    said = carried_out((first, failed, replace(third, status=OperationStatus.PLANNED)))
    assert said == "Carried out: 1 of 3 operations (1 failed, 1 planned). A person must act: Rollback failed. 403: permission denied."
    assert carried_out((first, second)) == "Carried out: all of 2 operations."
    assert carried_out(()) == ""


def test_it_is_rolled_back_when_all_that_does_it_is_in_the_world() -> None:
    first, second, third = OPERATIONS
    undone = replace(second, kind="UndoRollout", status=OperationStatus.NEEDS_APPROVAL)
    again = replace(second, status=OperationStatus.ALREADY_DONE)
    cases = [(FULL.operations, True), ((again, third), True), ((first, second, undone), False), ((first,), False), ((), False)]
    assert [rolled_back(replace(FULL, operations=operations)) for operations, _ in cases] == [wanted for _, wanted in cases]
    assert not rolled_back(replace(PASSED, operations=(replace(second, kind="SetTrafficWeight"),))), "a promotion sets weights too"


def test_curves_are_lines_with_their_range_and_gaps_stay_gaps() -> None:
    hole = replace(CHARTS[0], title="Hole", canary=tuple(item for at, item in enumerate(CHARTS[0].canary) if not 8 <= at < 16))
    shown = to_guardian_text(report_of_details(replace(PASSED.details, charts=(hole, nothing()))))
    line = next(line for line in shown.splitlines() if line.startswith("    canary") and "ms" in line)
    assert "   " in line.partition("canary   ")[2].partition("  15")[0]
    assert "\n  X" not in shown, "a chart without samples is left out"


def test_no_number_is_called_nan() -> None:
    values = {"baseline": nan, "canary": inf, "delta": nan, "limit": -inf, "effect": nan, "p_value": nan, "needed_minutes": nan}
    chart = replace(CHARTS[0], baseline=((nan, 1.0), (1.0, nan)), canary=((1e300, 1.0), (1.0, 1e300), (2.0, inf), (3.0, 0.1)), limit=nan)
    broken = replace(DETAILS, metrics=(replace(ERRORS, **values),), charts=(chart,), share=nan, minutes=nan, risk_score=nan)  # type: ignore[arg-type]
    shown = to_guardian_text(report_of_details(broken))
    assert "nan" not in shown.replace("tenant", "")
    assert "  Error rate  –         ∞       –      –" in shown


def test_hostile_text_is_neither_obeyed_nor_adds_a_line() -> None:
    hostile, harmless = to_guardian_text(of_text(HOSTILE)), to_guardian_text(of_text("x"))
    assert commands(HOSTILE)
    assert commands(hostile) == []
    several = sum(HOSTILE.count("\n") for fix in of_text(HOSTILE).details.actions for _ in fix.commands)
    assert hostile.count("\n") <= harmless.count("\n") + several
    assert "@team" in hostile, "words are shown as they are"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["::", ":", "##", "[", "#", "vso[", "\n", "\r", "\x1b[", "\x9b", "\u202e", "\u2028", " ", "a", "\ud800"]), max_size=12).map(
        "".join
    )
)
def test_no_mixture_of_pieces_becomes_a_command(text: str) -> None:
    assert commands(to_guardian_text(of_text(text))) == []


def test_a_text_of_100_kb_and_thousands_of_lines_are_bounded() -> None:
    long = of_text("z" * 100_000)
    assert len(to_guardian_text(long)) < 40_000
    many = replace(
        DETAILS, metrics=DETAILS.metrics * 500, queries=DETAILS.queries * 500, timeline=DETAILS.timeline * 500, positives=tuple(map(str, range(5000)))
    )
    shown = to_guardian_text(report_of_details(many, OPERATIONS * 500))
    assert shown.count("\n") < 400
    assert "… and 2940 more metrics; --format json has all\n" in shown
    assert "… and 1470 more\n" in shown


def test_points_without_a_baseline_are_reported_as_they_are() -> None:
    assert "  Error rate  –         0.3 %   –      –      ⏳ cannot tell yet" in to_guardian_text(of_table(Point("error_rate", 0.003)))


def test_the_example_in_the_documentation_is_what_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guardian-report.md").read_text()
    assert f"```text\n{to_guardian_text(FULL)}```\n" in page
    assert f"```mermaid\n{mermaid(CHARTS[1], ('baseline', 'canary'))}\n```\n" in page
    for name in to_guardian_outputs(FULL):
        assert f"`{name}`" in page
    for field in fields(DETAILS):
        assert f"`{field.name}`" in page or f"`{field.name}[]`" in page, field.name


def test_a_page_of_queries_tells_how_many_more_there_are() -> None:
    shown = to_guardian_text(report_of_details(replace(DETAILS, queries=DETAILS.queries * 40)))
    assert "… and 50 more; --format json has all\n" in shown
