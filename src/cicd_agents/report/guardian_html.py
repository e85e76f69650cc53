"""The guardian's report as one HTML file that needs nothing else: no script, no other address, readable for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.domain.canary import Decision, Status
from cicd_agents.domain.guardian import GuardianDetails, MetricRow
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_curves import telling
from cicd_agents.report.guardian_html_elements import Html, code, element, escaped, folded, items, joined, phrase, section
from cicd_agents.report.guardian_html_style import STYLE, content_policy
from cicd_agents.report.guardian_numbers import delta_text, limit_text, number, utc, value_text
from cicd_agents.report.guardian_svg import svg
from cicd_agents.report.guardian_wording import (
    EMBLEM,
    FIX_KINDS,
    NAME,
    STATUS_WORDS,
    carried_out,
    could_see,
    deciding,
    decision_words,
    facts,
    indicators,
    judged_how,
    ranked,
    reasoning,
    risks,
    sides,
    status_marks,
    triggers,
    undo_text,
    unrecorded,
    untold,
    verdict_word,
)
from cicd_agents.report.links import Links
from cicd_agents.report.operations import operation_text
from cicd_agents.report.wording import sentence

_MOST, _MOST_ROWS, _MOST_CHARTS, _MOST_QUERIES = 50, 200, 12, 100


def to_guardian_html(report: GuardianReport, hosts: Sequence[str] = ()) -> str:
    """The page. Addresses become links only where they are https and of `hosts`; a reader who follows none loads nothing."""
    details = report.details
    title = f"{NAME}: {verdict_word(details)}, {details.service}" + (f" in {details.environment}" if details.environment else "")
    head = joined((
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{content_policy()}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        Html('<meta name="referrer" content="no-referrer">'),
        element("title", escaped(title, 200)),
        Html(f"<style>{STYLE}</style>"),
    ))  # fmt: skip
    body = element("main", joined((*_decision(report), *_parts(report), *_evidence(report, Links(hosts)))))
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _decision(report: GuardianReport) -> Iterator[Html]:
    details = report.details
    kind = "no-go" if verdict_word(details) == "NO-GO" else {Decision.PROMOTE: "go"}.get(details.decision, "hold")
    where = f" in {details.environment}" if details.environment else ""
    badge = element("span", escaped(verdict_word(details)), class_=f"verdict {kind}")
    shield = Html(f'<span aria-hidden="true">{EMBLEM}</span> ')
    yield element("header", badge, element("h1", shield, escaped(f"{NAME}: {details.service}{where}", 200)), class_="head")
    lines = [element("p", element("strong", escaped(f"Decision: {decision_words(details)}.")), Html(" "), phrase(reasoning(report)))]
    if numbers := deciding(details):
        lines.append(items([escaped(text) for text in numbers], _MOST))
    if acted := carried_out(report.operations):
        lines.append(element("p", element("strong", escaped(acted))))
    yield element("div", *lines, class_=f"decision {kind}")
    yield element("dl", *(element("div", element("dt", escaped(name)), element("dd", escaped(value, 300))) for name, value in facts(details)), class_="facts")


def _parts(report: GuardianReport) -> Iterator[Html]:
    """What people act on."""
    details = report.details
    if details.alarms:
        yield section("At-once alarms", items([_named(alarm.rule, sentence(alarm.reason)) for alarm in details.alarms], _MOST))
    if details.actions:
        yield section("Recommended actions", element("ul", *_actions(details)))
    if report.operations:
        yield section("Operations", items([phrase(f"{operation_text(item)}{undo_text(item)}") for item in report.operations], _MOST))
    if report.advice:
        from cicd_agents.report.guardian_html_advice import explanation  # only where a model was asked: most runs ask none

        yield from filter(None, (explanation(report.advice),))
    if details.metrics:
        yield section("Metrics", element("div", _table(details), class_="wide"))
    if drawn := list(_charts(details)):
        yield section("New version against the old one", element("div", *drawn, class_="charts"))
    told = indicators(details)
    columns = [
        section(heading, items([phrase(text) for text in texts], _MOST))
        for heading, texts in (("Speaks against it", told.bad), ("Speaks for it", told.good), ("Not known", told.unknown))
        if texts
    ]
    if columns:
        yield element("div", *columns, class_="columns")
    heading, numbers = triggers(details)
    if numbers:
        yield section(heading, items([escaped(text) for text in numbers], _MOST))


def _evidence(report: GuardianReport, links: Links) -> Iterator[Html]:
    """What the decision rests on."""
    details = report.details
    if lines := could_see(details):
        yield section("What could be seen", items([phrase(text) for text in lines], _MOST))
    if findings := untold(report):
        yield section(
            "Findings", items([_claim(item.title, [f"{proof.kind} {proof.where}: {proof.text}" for proof in item.evidence]) for item in findings], _MOST)
        )
    if details.links:
        yield section("See also", items([_link(item.title, item.url, links) for item in details.links], _MOST))
    if report.notes:
        yield section("Notes", items([phrase(note) for note in report.notes], _MOST))
    yield element("section", *_folded(details))
    yield element("footer", escaped(f"Judged by {details.judge}: {judged_how(report)}, in {report.duration_seconds:.2f} s. Exit code {report.exit_code}."))


def _folded(details: GuardianDetails) -> Iterator[Html]:
    if terms := risks(details):
        yield folded(f"Risk score {number(details.risk_score, 2)} and its terms", items([escaped(text) for text in terms], _MOST))
    if queries := list(_queries(details)):
        yield folded("Queries and values", *queries)
    if details.timeline:
        yield folded("Timeline", items([_named(utc(entry.time), entry.text) for entry in details.timeline], 2 * _MOST))


def _named(name: str, text: str) -> Html:
    return joined((element("strong", escaped(name, 100)), phrase(text)))


def _claim(title: str, proofs: Sequence[str]) -> Html:
    return joined((element("strong", escaped(title)), items([escaped(proof) for proof in proofs], 5)))


def _actions(details: GuardianDetails) -> Iterator[Html]:
    for fix in details.actions[:_MOST]:
        kind = element("strong", escaped(f"{FIX_KINDS.get(fix.kind, 'Then')}: {sentence(fix.title)}"))
        commands = [code("\n".join(fix.commands))] if fix.commands else []
        yield element("li", kind, Html(" "), phrase(fix.detail), *commands)


def _table(details: GuardianDetails) -> Html:
    old, new = sides(details)
    names = [
        ("Metric", ""),
        (old.capitalize(), "number"),
        (new.capitalize(), "number"),
        ("Delta", "number"),
        ("Limit", "number"),
        ("Evidence", ""),
        ("Status", ""),
    ]
    head = element("thead", element("tr", *(element("th", escaped(name), scope="col", class_=class_) for name, class_ in names)))
    rows = ranked(details.metrics)
    more = f" {len(rows) - _MOST_ROWS} more are in the JSON report." if len(rows) > _MOST_ROWS else ""
    caption = element("caption", escaped(f"Each metric of the new version ({new}) beside the old one ({old}).{more}"))
    return element("table", caption, head, element("tbody", *map(_row, rows[:_MOST_ROWS])))


def _row(row: MetricRow) -> Html:
    numbers = (value_text(row.baseline, row.unit), value_text(row.canary, row.unit), delta_text(row), limit_text(row))
    marks = status_marks(row)
    words = escaped(f"{_MARKS[row.status]} {STATUS_WORDS[row.status]}")
    return element(
        "tr",
        element("th", escaped(row.title, 100), scope="row"),
        *(element("td", escaped(text), class_="number") for text in numbers),
        element("td", escaped(row.evidence, 300), class_="evidence"),
        element("td", words, *([element("small", escaped(marks))] if marks else []), class_="status"),
        class_=_CLASSES[row.status],
    )  # fmt: skip


# Signs that every font has; words and colours say the same.
_MARKS = {Status.PASS: "✓", Status.FAIL: "✗", Status.INCONCLUSIVE: "?", Status.NO_DATA: "–"}
_CLASSES = {Status.PASS: "pass", Status.FAIL: "fail", Status.INCONCLUSIVE: "inconclusive", Status.NO_DATA: "no-data"}


def _charts(details: GuardianDetails) -> Iterator[Html]:
    old, new = sides(details)
    for index, chart in enumerate(telling(details, _MOST_CHARTS)):
        drawing = svg(chart, (old, new), f"chart-{index}")
        if drawing:
            keys = [element("span", escaped(new), class_="key new"), *([element("span", escaped(old), class_="key old")] if chart.baseline else [])]
            yield element("figure", element("figcaption", element("span", escaped(chart.title, 100)), *keys), drawing)


def _queries(details: GuardianDetails) -> Iterator[Html]:
    for record in details.queries[:_MOST_QUERIES]:
        value = f", newest value {number(record.value, 6)}" if record.value is not None else ""
        warning = f"; partial data: {record.warning}" if record.warning else ""
        told = f"{record.metric}, {record.side}: {record.series:,} series, {record.samples:,} samples{value}{warning}"
        yield joined((element("p", escaped(told)), code(record.query)))
    for row in unrecorded(details)[:_MOST_QUERIES]:
        yield joined((element("p", escaped(row.title, 100)), code(row.query)))


def _link(title: str, url: str, links: Links) -> Html:
    if links.allows(url):
        return element("a", escaped(title, 200), href=url, rel="noopener noreferrer")
    return escaped(f"{title}: {url}")
