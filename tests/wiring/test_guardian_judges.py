"""The setting `judge`: classical tests on a real Prometheus, by the command line and in CI, and the result of an A/B test."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from tests.wiring.guardian_cli import guardian
from tests.wiring.guardian_rig import BROKEN, EMPTY, HEALTHY, Deployment, prometheus
from tests.wiring.rig import Ran

CLASSICAL = ["welch", "fisher", "chi-square", "proportions"]
SHOP = 'orders.count=http_requests_total{code="200",{matchers}}\nsessions.count=http_requests_total{selector}'


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, prometheus(request.config).url)


def check(deployment: Deployment, service: str, **more: str) -> Ran:
    given = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"', "metrics_selector": f'namespace="{service}"'}
    return guardian(deployment, "check", **{**given, "deployed_at": "20m", "canary_stage": "25%", **more})


@pytest.mark.parametrize("judge", CLASSICAL)
def test_a_classical_test_lets_a_healthy_version_go_on_and_stops_a_broken_one(deployment: Deployment, judge: str) -> None:
    good = check(deployment, HEALTHY, judge=judge)
    assert good.code == 0, good.out
    bad = check(deployment, BROKEN, judge=judge)
    assert bad.code == 1, bad.out
    assert "Error rate spike" in bad.out
    assert f"Judged by {judge} in" in bad.out


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_every_form_of_the_report_says_that_it_is_valid_for_one_look(deployment: Deployment, form: str) -> None:
    given = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"', "metrics_selector": f'namespace="{HEALTHY}"'}
    ran = guardian(deployment, "check", form=form, **given, deployed_at="20m", canary_stage="25%", judge="fisher")
    shown = html.unescape(re.sub(r"<[^>]+>", " ", ran.out)) if form == "html" else ran.out
    assert "valid for one look only" in shown
    assert "by Fisher's exact test" in shown.replace("\\", "")
    assert "over all looks together" not in shown, "that is a promise of another judge"


@pytest.mark.parametrize("judge", CLASSICAL)
def test_a_test_is_not_made_before_the_stage_is_over(deployment: Deployment, judge: str) -> None:
    ran = check(deployment, BROKEN, judge=judge, deployed_at="8m")
    assert ran.code == 3, ran.out
    assert "made once, when the stage has had its minutes" in ran.out


@pytest.mark.parametrize("judge", CLASSICAL)
def test_what_cannot_be_seen_holds(deployment: Deployment, judge: str) -> None:
    assert check(deployment, EMPTY, judge=judge).code == 3
    assert check(deployment, BROKEN, judge=judge, prometheus_url="http://127.0.0.1:9").code == 3


def test_the_setting_holds_in_ci_too(deployment: Deployment) -> None:
    ran = deployment.run(BROKEN, judge="chi-square", canary_stage="25%", watch="5")
    assert ran.code == 1, ran.out
    assert ran.report["details"]["judge"] == "chi-square"
    row = next(row for row in ran.report["details"]["metrics"] if row["name"] == "error_rate")
    assert row["p_value"] < 0.01


# A/B


@pytest.mark.parametrize(("service", "words"), [(HEALTHY, "no difference is proven so far"), (BROKEN, "B is worse")])
@pytest.mark.parametrize("judge", ["always-valid", "proportions", "kayenta"])
def test_an_ab_test_tells_its_result_on_the_business_counters(deployment: Deployment, judge: str, service: str, words: str) -> None:
    ran = check(deployment, service, strategy="a-b", canary_stage="", queries=SHOP, judge=judge)
    [told] = re.findall(r"A/B test of Conversion \(sequential two-proportion\): B [\d.]+ % .*", ran.out)
    assert words in told
    assert ran.code == (3 if service == HEALTHY else 1), "the stage of an A/B test takes an hour, and a NO-GO does not wait"


def test_proportions_of_an_ab_test_may_be_looked_at_at_any_time(deployment: Deployment) -> None:
    ran = check(deployment, BROKEN, strategy="a-b", canary_stage="", queries=SHOP, judge="proportions")
    assert ran.code == 1
    assert "by the sequential two-proportion test" in ran.out
    assert "which is valid at every look" in ran.out
