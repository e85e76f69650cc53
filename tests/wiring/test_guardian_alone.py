"""Where no baseline runs beside the new version: before a switch, after it with what earlier days show, and a server of metrics that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agents.guardian_earlier_data import earlier_data
from tests.agents.guardian_metrics_data import KINDS, OLD, Text, add, add_cluster
from tests.servers.prometheus import running, shared, stop
from tests.wiring.guardian_rig import HEALTHY, Deployment

BEFORE_IT, SWITCHED = "before", "switched"
PREVIEW = "stage 1 of 2, before the switch, no traffic of users"


@pytest.fixture
def green(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    """Old pods that serve everything and new ones that are up; in another service the new ones serve."""
    text = Text()
    add(text, KINDS["http"], BEFORE_IT, pods=OLD)
    add_cluster(text, BEFORE_IT)
    add(text, KINDS["http"], SWITCHED)
    add_cluster(text, SWITCHED)
    return Deployment(tmp_path, shared(request.config, text.openmetrics()).url, environment={"strategy": "blue-green"})


@pytest.mark.parametrize("stage", ["", "1"])
def test_before_the_switch_health_passes_whether_the_stage_is_named_or_not(green: Deployment, stage: str) -> None:
    ran = green.run(BEFORE_IT, canary_stage=stage)
    assert ran.code == 0, ran.out
    assert PREVIEW in ran.out
    assert "Health and restarts: up" in ran.out
    assert "No user reaches the new version in this stage" in ran.out


def test_when_users_come_it_is_no_preview_any_more(green: Deployment) -> None:
    # Two of six pods: the old ones serve more.
    assert PREVIEW in green.run(SWITCHED).out
    ran = green.run(SWITCHED, baseline_selector=f'pod="{OLD[0]}"')
    assert "stage 2 of 2, after the switch, 100 % of the traffic" in ran.out
    assert "No user reaches the new version" not in ran.out


def _after(request: pytest.FixtureRequest, folder: Path) -> Deployment:
    url = shared(request.config, earlier_data()).url
    return Deployment(folder, url, environment={"strategy": "blue-green", "canary_stage": "2", "baseline_selector": ""})


def test_after_a_switch_what_every_day_has_at_this_hour_is_no_reason_to_go_back(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    ran = _after(request, tmp_path).run("rush")
    assert ran.code == 3, ran.out
    assert "4 earlier days are looked at, as weaker evidence" in ran.out


def test_after_a_switch_what_no_other_day_has_rolls_back(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    deployment = _after(request, tmp_path)
    assert deployment.run("calm").code == 1
    (tmp_path / "work/policy.yml").write_text("strategy: blue-green\nearlier_days: 0\nobjective: 99%\n")
    ran = deployment.run("rush", canary_policy="policy.yml")
    assert ran.code == 1, ran.out
    assert "earlier days" not in ran.out


def test_while_the_old_version_serves_no_earlier_day_is_asked_for(green: Deployment) -> None:
    ran = green.run(SWITCHED, strategy="canary")
    assert "earlier days" not in ran.out
    assert "days ago" not in ran.out


def test_where_counts_show_that_the_old_version_is_gone_earlier_days_are_asked_for(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    ran = _after(request, tmp_path).run("rush", canary_stage="", baseline_selector='pod=~"api-[o1-9].*"')
    assert ran.code == 3, ran.out
    assert "4 earlier days are looked at, as weaker evidence" in ran.out


def test_a_server_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    with running() as server:
        url = server.url
        stop(server.process)
    ran = Deployment(tmp_path, url).run(HEALTHY)
    assert ran.code == 3, ran.out
    assert "prometheus-url" in ran.out
    again = [line for line in ran.said if "asked again" in line]
    assert len(again) == 3
    assert all("the check of the server" in line for line in again)


def test_a_server_without_samples_says_that_it_has_none(tmp_path: Path) -> None:
    with running() as server:
        ran = Deployment(tmp_path, server.url).run(HEALTHY)
    assert ran.code == 3, ran.out
    assert "There are no samples of `up` within a day" in ran.out
