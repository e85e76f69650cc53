"""The guardian's page: whole and valid, readable for all, and nothing of others in it that a browser would obey; looked at by a real one where there is one."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf, isfinite, nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.guardian_checks import HOSTILE, UNSEEN, Page, commands, nothing, numbers_of
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
    of_table,
    of_text,
    report_of_details,
)

from cicd_agents.domain.guardian import Chart
from cicd_agents.report.document import GuardianReport
from cicd_agents.report.guardian_html import to_guardian_html
from cicd_agents.report.guardian_html_elements import escaped
from cicd_agents.report.guardian_html_style import STYLE
from cicd_agents.report.guardian_svg import HEIGHT, WIDTH, svg

HARMLESS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "span", "div", "p", "strong", "ul", "li", "dl", "dt", "dd", "section",
    "pre", "code", "table", "caption", "thead", "tbody", "tr", "th", "td", "small", "figure", "figcaption", "svg", "desc", "line", "text", "polyline",
    "details", "summary", "footer", "a",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "aria-hidden", "scope", "viewbox", "role", "aria-labelledby", "id", "x", "y", "x1", "x2", "y1",
    "y2", "points", "href", "rel",
}  # fmt: skip


@pytest.mark.parametrize("report", [*STATUSES.values(), of_text(HOSTILE)], ids=[*STATUSES, "hostile"])
def test_the_page_is_well_formed_and_made_of_harmless_elements(report: GuardianReport) -> None:
    made = to_guardian_html(report, (HOST,))
    page = Page(made)
    assert page.wrong == []
    assert page.open == []
    assert {tag for tag, _ in page.elements} <= HARMLESS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    assert made.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_a_browser_is_told_to_load_nothing_but_the_style_that_is_in_the_page() -> None:
    made = to_guardian_html(FULL)
    policy = next(item["content"] for item in Page(made).of("meta") if item.get("http-equiv") == "Content-Security-Policy")
    style = made.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert made.index("Content-Security-Policy") < made.index("<style>")
    assert not re.search(r"url\(|@import|style=|\bon\w+=|<script|src=", made)


def test_only_addresses_of_our_hosts_are_links_and_they_tell_nobody() -> None:
    assert Page(to_guardian_html(FULL, (HOST,))).of("a") == [{"href": DASHBOARD, "rel": "noopener noreferrer"}]
    elsewhere = Page(to_guardian_html(FULL, ("other.example",)))
    assert elsewhere.of("a") == []
    assert f"Dashboard: {DASHBOARD}" in elsewhere.text


def test_the_page_says_the_decision_first_and_all_that_the_text_says() -> None:
    text = Page(to_guardian_html(FULL)).text
    assert text.index("Decision: ROLLBACK.") < text.index("argocd app rollback api 41 --project shop") < text.index("Each metric of the new version")
    for words in (
        "NO-GO", "Error rate 5.2 % (baseline 0.1 %, limit ≤ 0.2 %, +5.1 points, 52 ×)", "Carried out: 2 of 3 operations (1 waiting for an approval).",
        "the canary was killed for want of memory 2 times.", "99.97 %", "To undo: Sync to 1.4.2.", "Left out: api-7d9-x: 3 minutes of warm-up.",
        'http_requests_total{pod=~"api-7d9-.*"}[30m]', "partial data: one of two stores did not answer", "2026-01-02 10:21:00 UTC", "Exit code 1.",
        "NullPointerException: at <*>", "The old version is of the same time.", "dry run, not critical",
    ):  # fmt: skip
        assert words in text, words


def test_the_plain_tables_hold_word_for_word() -> None:
    good, bad = (Page(to_guardian_html(of_table(*table, actions=actions))).text for table, actions in ((GOOD_TABLE, ()), (BAD_TABLE, (ROLLBACK,))))
    assert "PROCEED" in good
    assert "Error rate within threshold" in good
    assert "ROLLBACK" not in good
    assert "ROLLBACK" in bad
    assert "Error rate spike" in bad
    assert "argocd app rollback" in bad


def test_what_cannot_be_seen_is_not_told_as_bad() -> None:
    page = Page(to_guardian_html(BLIND))
    assert "HOLD (cannot see)" in page.text
    assert "Speaks against it" not in page.text
    assert [item["class"] for item in page.of("span") if item.get("class", "").startswith("verdict")] == ["verdict hold"]
    assert [item.get("class") for item in page.of("tr")][1:] == ["no-data"]


def test_a_table_has_headers_that_a_screen_reader_finds() -> None:
    page = Page(to_guardian_html(FULL))
    scopes = [item.get("scope") for item in page.of("th")]
    assert scopes == ["col"] * 7 + ["row"] * len(DETAILS.metrics)
    assert len(page.of("caption")) == 1


def test_every_chart_is_told_in_words_and_named_by_its_own_ids() -> None:
    page = Page(to_guardian_html(FULL))
    drawings = page.of("svg")
    assert [item["aria-labelledby"] for item in drawings] == [f"chart-{n}-title chart-{n}-desc" for n in range(4)]
    assert {item["role"] for item in drawings} == {"img"}
    assert "baseline from 143 to 157 ms, canary from 152 to 173 ms, the limit is 180 ms; 2026-01-02 10:00:00 UTC to 2026-01-02 10:29:00 UTC." in page.text
    assert "2026-01-02, UTC" in page.text
    assert {"10:00", "10:05", "10:25"} <= set(page.text.split())


def drawn(chart: Chart) -> Page:
    made = svg(chart, ("baseline", "canary"), "c")
    assert made
    return Page(made)


def test_a_curve_breaks_where_samples_are_missing_and_a_single_one_is_a_dot() -> None:
    canary = tuple(sample for at, sample in enumerate(CHARTS[0].canary) if not 8 <= at < 16)
    curves = [item["points"] for item in drawn(replace(CHARTS[0], canary=canary)).of("polyline") if item["class"] == "new"]
    assert [len(points.split()) for points in curves] == [8, 14]
    alone = [item["points"] for item in drawn(replace(CHARTS[0], canary=canary[:1], baseline=())).of("polyline")]
    assert len(alone) == 1
    assert len(alone[0].split()) == 2, "a line of no length has round ends"
    assert svg(nothing(), ("a", "b"), "c") is None


def test_higher_values_are_drawn_higher_and_later_ones_further_right() -> None:
    curve = next(item["points"] for item in drawn(CHARTS[1]).of("polyline") if item["class"] == "new")
    numbers = numbers_of(curve)
    assert numbers[0::2] == sorted(numbers[0::2])
    assert numbers[-1] < numbers[1], "SVG counts from above"
    limit = next(item for item in drawn(CHARTS[1]).of("line") if item["class"] == "limit")
    assert numbers[-1] < float(limit["y1"]) < numbers[1]


NUMBERS = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-300, 5e-324, 1e12, -1.0]))
TIMES = st.one_of(st.floats(0, 1e5), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([START, 2.5e11, 0.0]))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(TIMES, NUMBERS), max_size=150), st.lists(st.tuples(TIMES, NUMBERS), max_size=9), NUMBERS, st.sampled_from(["%", "s", "percent", "", "x"])
)
def test_any_chart_has_finite_coordinates_inside_of_its_frame(
    canary: list[tuple[float, float]], baseline: list[tuple[float, float]], limit: float, unit: str
) -> None:  # fmt: skip
    made = svg(Chart("m", "M", unit, tuple(baseline), tuple(canary), limit), ("a", "b"), "c")
    if made is None:
        return
    page = Page(made)
    assert page.of("polyline")
    for item in page.of("polyline"):
        numbers = numbers_of(item["points"])
        assert all(isfinite(number) for number in numbers)
        assert all(0 <= x <= WIDTH for x in numbers[0::2])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2])
    for item in [*page.of("line"), *page.of("text")]:
        assert all(isfinite(float(value)) for name, value in item.items() if name in {"x", "y", "x1", "x2", "y1", "y2"})
    assert len(page.of("text")) < 40
    assert not re.search(r"\bnan\b|\binf\b", page.text)


def test_hostile_text_changes_no_element() -> None:
    hostile, harmless = (Page(to_guardian_html(of_text(text))) for text in (HOSTILE, "x"))
    named = [[tag for tag, _ in page.elements if tag != "code"] for page in (hostile, harmless)]
    assert named[0] == named[1]
    assert "<script>alert(1)</script>" in hostile.text
    assert not UNSEEN.search(hostile.text)
    assert commands(to_guardian_html(of_text(HOSTILE))) == []


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(st.sampled_from(["<", ">", '"', "'", "&", "&lt;", "`", "]]>", "<!--", "-->", "</svg>", "=", "\n", "::", "\u202e"]), st.text(max_size=3))
    ).map("".join)
)
def test_no_mixture_of_pieces_becomes_an_element(text: str) -> None:
    page = Page(to_guardian_html(of_text(text)))
    assert page.wrong == page.open == []
    assert {tag for tag, _ in page.elements} <= HARMLESS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES


def test_escaped_text_is_text_in_content_and_in_attributes() -> None:
    assert escaped("""<a b="c" d='e'>&\x1b[31m\u202e""") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
    assert escaped("abc", 2) == "a…"


def test_no_number_is_called_nan_and_lists_are_bounded() -> None:
    values = {"baseline": nan, "canary": inf, "delta": nan, "limit": nan, "effect": nan}
    broken = replace(DETAILS, metrics=(replace(ERRORS, **values),) * 900, share=nan, minutes=inf, risk_score=nan, queries=DETAILS.queries * 500)  # type: ignore[arg-type]
    made = to_guardian_html(report_of_details(broken, OPERATIONS * 300))
    assert not re.search(r"\bnan\b|\binf\b", Page(made).text)
    assert len(made) < 400_000
    assert len(to_guardian_html(of_text("z" * 100_000))) < 400_000


def channel(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_can_be_read_on_its_ground_in_light_and_in_dark() -> None:
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part)) for part in STYLE.split("@media (prefers-color-scheme: dark)"))
    for colours in (light, {**light, **{name: dark[name] for name in light}}):
        for ground in ("ground", "card"):
            for name in ("text", "quiet", "good", "bad", "unknown", "new", "limit"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    badges = re.findall(r"\.verdict\.[\w-]+ \{ background: (#[0-9a-f]{6})", STYLE)
    assert len(badges) == 3
    assert min(contrast("#ffffff", colour) for colour in badges) >= 4.5


# In a browser

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Site:
    """One page on this machine, and what was asked for."""

    page: str
    asked: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def serving(page: str) -> Iterator[Site]:
    site = Site(page)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            found = self.path == "/report.html"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(site.page.encode() if found else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def browsed(address: str, folder: Path) -> tuple[str, str]:
    """The DOM after the browser has loaded the page, and its log; it has a profile of its own, and other addresses than this machine's lead nowhere."""
    assert BROWSER
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--disable-background-networking", "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=3000", "--enable-logging=stderr", "--dump-dom", address,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return done.stdout, done.stderr


@pytest.mark.skipif(BROWSER is None, reason=f"needs a browser: {', '.join(BROWSERS)}")
def test_a_browser_loads_nothing_runs_nothing_and_draws_the_curves(tmp_path: Path) -> None:
    with serving("") as site:
        trap = (
            f'<script>document.title="taken"</script>"><img src="{site.address}/beacon" onerror="document.title=1">\' onload=\'x <link rel=stylesheet '
            f"href={site.address}/style> <svg onload=x> </title></style> ]]> <iframe src={site.address}/frame> \u202e<base href={site.address}/base/>"
        )
        report = of_text(trap)
        report = replace(report, details=replace(report.details, charts=(*CHARTS, replace(CHARTS[0], title=trap))))
        site.page = to_guardian_html(report, (HOST,))
        found, log = browsed(f"{site.address}/report.html", tmp_path)
    page = Page(found)
    assert [path for path in site.asked if path != "/favicon.ico"] == ["/report.html"]
    assert {tag for tag, _ in page.elements} <= HARMLESS
    assert found.partition("<title>")[2].startswith("Deployment-guardian: NO-GO, &lt;script&gt;document.title="), "no script changed it"
    assert f'<img src="{site.address}/beacon"' in page.text
    curves = page.of("polyline")
    assert len(curves) == 10
    assert all(isfinite(number) for item in curves for number in numbers_of(item["points"]))
    assert "Content Security Policy" not in log, "the page's own style passes its policy, and nothing else is tried"


@pytest.mark.skipif(BROWSER is None, reason=f"needs a browser: {', '.join(BROWSERS)}")
def test_the_policy_stops_what_a_stranger_puts_into_the_page(tmp_path: Path) -> None:
    with serving("") as site:
        stranger = f'<script>document.title="ran"</script><img src="{site.address}/image"><p style="color: red">x</p>'
        site.page = to_guardian_html(PASSED).replace("</body>", f"{stranger}</body>")
        found, log = browsed(f"{site.address}/report.html", tmp_path)
    assert "<title>Deployment-guardian: GO, api in production</title>" in found
    assert "/image" not in site.asked
    assert log.count("Content Security Policy") >= 3
