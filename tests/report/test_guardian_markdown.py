"""The guardian's report as a comment: golden texts, Mermaid that both forges draw, and a CommonMark parser that finds nothing live of others in it."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.guardian_checks import HOSTILE, commands, live, nothing, outline
from tests.report.guardian_samples import (
    BAD_TABLE,
    BLIND,
    CHARTS,
    DASHBOARD,
    DETAILS,
    ERRORS,
    FULL,
    GOOD_TABLE,
    HOST,
    OPERATIONS,
    PASSED,
    ROLLBACK,
    START,
    STATUSES,
    UNDECIDED,
    of_table,
    of_text,
    report_of_details,
    series,
)

from cicd_agents.domain.guardian import Chart, QueryRecord
from cicd_agents.publish.marker import marked, scope_key
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_markdown import to_guardian_markdown, to_guardian_summary
from cicd_agents.report.guardian_mermaid import label, legend, mermaid
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES

NAMES = ("baseline", "canary")


def test_a_no_go_has_decision_numbers_and_what_to_do_in_order() -> None:
    made = to_guardian_markdown(FULL, (HOST,))
    assert live(made, (DASHBOARD,)) == []
    assert (
        made.partition("### Error rate\n")[0]
        == """\
## 🛡️ Deployment-guardian: NO-GO · `api` in `production`

**Decision: ROLLBACK.** Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it. \
A rollback is safe: no migration ran.

- Error rate 5.2 % (baseline 0.1 %, limit ≤ 0.2 %, +5.1 points, 52 ×)

**Carried out: 2 of 3 operations (1 waiting for an approval).**

| Version | Strategy | Stage | Duration | Risk |
| --- | --- | --- | --- | --- |
| canary 1.4.2 against baseline 1.4.1 | canary | stage 2 of 4, 25 % of the traffic | 21 min (the stage takes 10 min) | score 0.92 (0 to 1) |

### 🚨 At-once alarms

- `oom_kills`: the canary was killed for want of memory 2 times.

### Metrics

| metric | baseline | canary | delta | limit | evidence | status |
|---|--:|--:|--:|--:|---|---|
| **Error rate** | 0.1 % | 5.2 % | +5.1 points, 52 × | ≤ 0.2 % | 312 of 6,000 requests against 18 of 18,000 | ❌ worse |
| Payment success | 99.97 % | 99.91 % | -0.06 points, -0.06 % | ≥ 95 % | 40 payments | ⏳ cannot tell yet |
| Memory | – | – | – | ≤ 85 % |  | 🔇 cannot see (weaker) |
| **P95 latency** | 150 ms | 165 ms | +15 ms, +10 % | ≤ 180 ms | 280 of 6,000 slower than 100 ms, against 830 of 18,000 | ✅ within limit |
| CPU | 45 % | 48 % | +3 points, +6.7 % | ≤ 80 % | 30 minutes | ✅ within limit |
| Connections | 1,200 | 2,500 | +1,300, +108 % | ≤ 1,810 |  | ❌ worse (dry run, not critical) |

### ⚠️ Speaks against it

- Error rate spike: 312 of 6000 against 18 of 18000; beyond the tolerance, and chance and the usual noise do not explain it
- Connections spike: 2500 (dry run: not counted)
- A new exception: NullPointerException

### ✅ Speaks for it

- P95 latency within threshold: 280 of 6000 against 830 of 18000
- CPU within threshold
- Health checks are good

### ⏳ Not known

- Payment success: too little to tell, 40 of 40 against 130 of 130; about 1200 more requests would tell
- Memory: no samples

### Recommended actions

- **Now:** Roll back to 1.4.1 — It was healthy for 6 days.

  ```sh
  argocd app rollback api 41 --project shop
  ```

- **Lasting fix:** Look at the new exception — `NullPointerException` is new in 1.4.2.

### Operations

- ✅ **PauseAutoSync** `argocd:api`: done. A rollback is refused while it is on. To undo: Switch auto-sync on again.
- ✅ **Rollback** `argocd:api`: done. The error rate is 52 times that of 1.4.1. Revision 41 runs since 10:21:40. To undo: Sync to 1.4.2.
- ✋ **OpenRevertRequest** `git.example/shop/deploy`: needs approval. Git still names 1.4.2.

"""
    )


def test_what_the_decision_rests_on_is_folded_at_the_end() -> None:
    assert (
        to_guardian_markdown(FULL, (HOST,)).partition("### What could be seen\n")[2]
        == """\

- Payment success: about 1,200 more requests, or 9 min more would tell.
- At this traffic (10 requests a second, error rate 0.1 %) a doubling of the error rate shows after about 22 minutes.
- False alarms: at most 1 % of healthy deployments, over all looks together (error\\_rate 0.5 %, latency\\_p95 0.2 %).
- Left out: api-7d9-x: 3 minutes of warm-up.

### Findings

- **A new exception** (error)
  - log template `api-7d9-x`: `NullPointerException: at <*>`
  - query `sum(rate(http_requests_total{code=~"5.."}[1m]))`: `312 of 6,000`

<details><summary>Risk score 0.92 and its terms</summary>

- error\\_rate: 1, weight 5
- latency\\_p95: 0.05, weight 2

</details>

<details><summary>Queries and values</summary>

**error\\_rate**, canary: 4 series, 480 samples, newest value 0.052

```promql
http_requests_total{pod=~"api-7d9-.*"}[30m]
```

**error\\_rate**, baseline: 12 series, 1,440 samples; partial data: one of two stores did not answer

```promql
http_requests_total{pod=~"api-5c4-.*"}[30m]
```

</details>

<details><summary>Timeline</summary>

- 2026-01-02 10:00:00 UTC: The canary began with 5 %.
- 2026-01-02 10:05:00 UTC: Stage 2: 25 %.
- 2026-01-02 10:21:00 UTC: Errors: rolled back.

</details>

See also: [Dashboard](https://grafana.example/d/api)

> The old version is of the same time.

<sub>Judged by `always-valid`: by statistics, without a model. Exit code 1.</sub>
"""
    )


def test_a_good_plain_table_proceeds_and_never_says_the_other_word() -> None:
    made = to_guardian_markdown(of_table(*GOOD_TABLE))
    assert "**Decision: PROCEED TO NEXT STAGE.**" in made
    assert "- Error rate within threshold\n" in made
    assert "ROLLBACK" not in made


def test_a_bad_plain_table_rolls_back_with_the_command_in_a_block() -> None:
    made = to_guardian_markdown(of_table(*BAD_TABLE, actions=(ROLLBACK,)))
    assert "**Decision: ROLLBACK.** Error rate spike" in made
    assert "\n  ```sh\n  argocd app rollback api 41 --project shop\n  ```\n" in made
    assert "PROCEED" not in made


@pytest.mark.parametrize("report", STATUSES.values(), ids=STATUSES.keys())
def test_every_status_has_one_headline_and_nothing_live(report: GuardianReport) -> None:
    made = to_guardian_markdown(report, (HOST,))
    assert len(re.findall("^## ", made, re.MULTILINE)) == 1
    assert made.startswith("## 🛡️ Deployment-guardian: ")
    assert live(made, (DASHBOARD,)) == []


def test_what_cannot_be_seen_or_told_has_no_section_of_what_is_bad() -> None:
    for report, words in ((BLIND, "HOLD (cannot see)"), (UNDECIDED, "HOLD (cannot tell yet)")):
        made = to_guardian_markdown(report)
        assert f"## 🛡️ Deployment-guardian: {words} · `api` in `production`\n" in made
        assert "Speaks against it" not in made
        assert "### ⏳ Not known\n" in made


def test_an_address_elsewhere_is_code() -> None:
    assert f"See also: Dashboard (`{DASHBOARD}`)\n" in to_guardian_markdown(FULL, ("other.example",))


@pytest.mark.parametrize("text", [HOSTILE, "\n```\n</details>", "````\n`````\n", "~~~\n", "</details>\n<img src=x>", "`\n# x", "|||", "@a ", "$x$"])
def test_hostile_text_brings_nothing_to_life_and_changes_no_block(text: str) -> None:
    made = to_guardian_markdown(of_text(text))
    assert live(made) == []
    assert commands(made) == []
    assert outline(made) == outline(to_guardian_markdown(of_text("x")))


PIECES = st.one_of(
    st.sampled_from("`*_~[]()<>!#@&|\\/:.-+=$%^{}\"'\n\r\t \u2028\x0b\u200b\u202e\x1b\x00\ud800"),
    st.sampled_from(["```", "~~~", "<!--", "-->", "</details>", "</sub>", "<img src=x>", "![a](b)", "[a](b)", "[a]: b", "<https://x.example>", "%%{"]),
    st.sampled_from(["@octocat", "@org/team", "#12", "owner/repo#3", "GH-4", "https://x.example", "www.x.example", "/approve", "&#64;", "`@x`", "`a`"]),
    st.sampled_from(["1. ", "    ", "- ", "> ", "|---|", "***", "a", "b c"]),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_mixture_of_pieces_brings_anything_to_life(text: str) -> None:
    assert live(to_guardian_markdown(of_text(text))) == []


def test_a_report_that_is_too_long_loses_whole_sections_the_least_important_first() -> None:
    whole = to_guardian_markdown(FULL, (HOST,))
    size = len(whole.encode())
    seen = []
    for most in (size - 1, size - 1000, size - 3000, 3500, 2600):
        made = to_guardian_markdown(FULL, (HOST,), most)
        assert len(made.encode()) <= most
        assert live(made, (DASHBOARD,)) == []
        assert "**Decision: ROLLBACK.**" in made
        assert "### Recommended actions" in made
        seen.append(made.partition("> Left out because the text would be too long here: ")[2].partition(".")[0])
    assert seen[0] == "risk score, queries and values, timeline"
    assert seen[-1] == "indicators, operations, chart (3 times), what could be seen, findings, risk score, queries and values, timeline, links, notes"
    assert "> Left out" not in to_guardian_markdown(FULL, (HOST,), size)


@pytest.mark.parametrize("text", ["z", "é", "🩺", "&", "`", "@a ", "a\n"])
def test_texts_of_any_width_fit_a_comment_with_its_marker(text: str) -> None:
    many = of_text(text * 2000)
    details = many.details
    more = replace(
        details, metrics=details.metrics * 100, alarms=details.alarms * 100, positives=details.positives * 100,
        negatives=tuple(f"{n} {text}" for n in range(900)), actions=details.actions * 100, queries=details.queries * 100,
        charts=details.charts * 20, timeline=details.timeline * 500,
        links=details.links * 100,
        exclusions=details.exclusions * 500, foresight=details.foresight * 500, risk_terms=details.risk_terms * 100,
    )  # fmt: skip
    made = to_guardian_markdown(replace(many, details=more, notes=many.notes * 500, operations=many.operations * 50, findings=many.findings * 50))
    assert len(marked("deployment-guardian", scope_key("x"), made).encode()) < 65_536
    assert len(made.encode()) <= GITHUB_COMMENT_BYTES
    assert made.startswith("## 🛡️ Deployment-guardian: NO-GO · ")


def test_the_summary_holds_the_reports_of_all_services_in_its_own_limit() -> None:
    made = to_guardian_summary([FULL, PASSED], (HOST,))
    assert re.findall("^## .*", made, re.MULTILINE) == [
        "## 🛡️ Deployment-guardian: NO-GO · `api` in `production`", "## 🛡️ Deployment-guardian: GO · `api` in `production`",
    ]  # fmt: skip
    assert len(to_guardian_summary([FULL] * 500, (HOST,)).encode()) <= 900_000


# What Mermaid's grammar of xychart takes: one number form without exponents, texts in double quotes (packages/mermaid/src/diagrams/xychart).
_NUMBER = r"-?\d+(?:\.\d+)?"
_TEXT = r'"[^"`#;<>]+"'
_DIAGRAM = re.compile(
    r'%%\{init: \{"xyChart": \{"height": 320\}, "themeVariables": \{"xyChart": \{"plotColorPalette": "#[0-9a-f]{6}(?:, #[0-9a-f]{6}){0,2}"\}\}\}\}%%\n'
    rf"xychart-beta\n    title {_TEXT}\n    x-axis {_TEXT} 0 --> {_NUMBER}\n    y-axis {_TEXT} {_NUMBER} --> {_NUMBER}"
    rf"(?:\n    line {_TEXT} \[{_NUMBER}(?:, {_NUMBER}){{2,29}}\]){{1,3}}"
)


def lines_of(diagram: str) -> dict[str, list[float]]:
    found = re.findall(r'line "([^"]+)" \[([^\]]+)\]', diagram)
    return {name: [float(number) for number in numbers.split(", ")] for name, numbers in found}


def test_a_chart_is_a_diagram_with_both_versions_the_limit_and_units() -> None:
    diagram = mermaid(CHARTS[0], NAMES)
    assert diagram
    assert _DIAGRAM.fullmatch(diagram)
    assert 'x-axis "minutes since 10:00 UTC" 0 --> 29\n    y-axis "ms" ' in diagram
    lines = lines_of(diagram)
    assert list(lines) == ["baseline", "canary", "limit"]
    assert {len(row) for row in lines.values()} == {30}
    assert lines["limit"] == [180.0] * 30
    assert min(lines["canary"]) == pytest.approx(152.3, abs=0.1)
    assert legend(CHARTS[0], NAMES, "180 ms") == "🟦 canary · 🟧 baseline · 🟥 limit 180 ms"
    assert legend(CHARTS[3], NAMES, "–") == "🟦 canary · 🟧 baseline"


def test_where_a_side_has_gaps_points_are_longer_means_and_none_is_made_up() -> None:
    holed = replace(CHARTS[1], baseline=tuple(sample for at, sample in enumerate(CHARTS[1].baseline) if at % 3 == 0))
    diagram = mermaid(holed, NAMES)
    assert diagram
    lines = lines_of(diagram)
    assert len(lines["canary"]) == len(lines["baseline"]) == 10
    assert lines["canary"][-1] == pytest.approx(100 * sum(value for _, value in CHARTS[1].canary[-3:]) / 3, rel=1e-3)


@pytest.mark.parametrize(
    "chart",
    [
        nothing(),
        replace(CHARTS[0], canary=CHARTS[0].canary[:2], baseline=()),
        replace(CHARTS[0], baseline=CHARTS[0].baseline[:4]),
        replace(CHARTS[0], canary=((START, nan), (START + 60, inf), (nan, 1.0))),
    ],
    ids=["empty", "two points", "one side ends", "no numbers"],
)
def test_what_cannot_be_compared_is_no_diagram(chart: Chart) -> None:
    assert mermaid(chart, NAMES) is None


def test_a_chart_with_gaps_is_drawn_as_text_instead() -> None:
    chart = replace(CHARTS[0], baseline=CHARTS[0].baseline[:4])
    made = to_guardian_markdown(report_of_details(replace(PASSED.details, charts=(chart, nothing()))))
    assert "### P95 latency\n\n```text\nP95 latency, limit 180 ms\n  baseline ▇▇▇▇" in made
    assert "mermaid" not in made
    assert "### X" not in made


NUMBERS = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1e-9, 1e12, 5e11, -1.0]))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.floats(0, 1e5), NUMBERS), max_size=200), NUMBERS, st.text(max_size=80), st.sampled_from(["%", "s", "percent", "", "x"]))
def test_any_chart_is_bounded_and_holds_to_the_grammar(samples: list[tuple[float, float]], limit: float, title: str, unit: str) -> None:
    for baseline in (tuple(samples), series(1, 1), ()):
        diagram = mermaid(Chart("m", title, unit, baseline, tuple(samples), limit), NAMES)
        if diagram is not None:
            assert _DIAGRAM.fullmatch(diagram), diagram
            low, high = map(float, re.findall(rf"y-axis .* ({_NUMBER}) --> ({_NUMBER})\n", diagram)[0])
            assert low < high


def test_a_label_has_nothing_that_mermaid_understands() -> None:
    assert label('a "b" `c` %%{init: {}}%% #quot; <b> größe/日本 (x)') == "a b c init: quot b größe/日本 (x)"
    assert label("") == label('"#;"') == "metric"
    assert len(label("x" * 500)) == 60


def test_at_most_three_charts_are_drawn_those_of_failed_metrics_first() -> None:
    made = to_guardian_markdown(FULL)
    assert re.findall(r'title "([^"]+)"', made) == ["Error rate", "P95 latency", "CPU"], "a dry run comes last"


def test_no_number_is_called_nan() -> None:
    values = {"baseline": nan, "canary": inf, "delta": nan, "limit": nan, "effect": nan, "needed_minutes": nan}
    broken = replace(DETAILS, metrics=(replace(ERRORS, **values),), share=nan, minutes=inf, risk_score=nan, alpha=nan)  # type: ignore[arg-type]
    made = to_guardian_markdown(report_of_details(broken, OPERATIONS))
    assert not re.search(r"\bnan\b|\binf\b", made)
    assert "| **Error rate** | – | ∞ | – | – |" in made


def test_the_past_of_the_old_version_does_not_stand_in_the_way_of_a_diagram() -> None:
    first = CHARTS[0].canary[0][0]
    past = tuple((first - 60 * (30 - number), 0.15) for number in range(30))
    diagram = mermaid(replace(CHARTS[0], baseline=(*past, *CHARTS[0].baseline)), NAMES)
    assert diagram
    assert diagram == mermaid(CHARTS[0], NAMES)


def test_a_query_that_stands_in_a_record_is_not_repeated_for_its_metric() -> None:
    row = replace(PASSED.details.metrics[0], query="http_requests_total{a}")
    record = QueryRecord("http_requests_total", "canary", row.query, 2, 30)
    made = to_guardian_markdown(report_of_details(replace(PASSED.details, metrics=(row,), queries=(record,))))
    assert made.count(row.query) == 1
