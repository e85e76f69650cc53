"""What the report and `guardian policy --foresight` say of the traffic: on a real Prometheus."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import yaml
from tests.wiring.guardian_cli import guardian
from tests.wiring.guardian_rig import BROKEN, EMPTY, HEALTHY, Deployment, prometheus

from cicd_agents.domain.errors import UsageError

DOUBLING = re.compile(r"At this traffic \(\d+ requests a second, error rate 0\.\d+ %\) a doubling of the error rate shows after about \d+ minutes\.")
STAGE = re.compile(r"At 50 % of the traffic, until minute 30: error rate [\d.]+ times 0\.\d+ % shows after about \d+ minutes\.")


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, prometheus(request.config).url)


def of(service: str, **more: str) -> dict[str, str]:
    sides = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"'}
    return {"metrics_selector": f'namespace="{service}"', **sides, "deployed_at": "20m", **more}


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
@pytest.mark.parametrize("what", ["check", "watch"])
def test_the_report_says_when_a_doubling_of_the_errors_would_show(deployment: Deployment, what: str, form: str) -> None:
    ran = guardian(deployment, what, form=form, **of(HEALTHY, watch="0"))
    shown = html.unescape(re.sub(r"<[^>]+>", " ", ran.out)) if form == "html" else ran.out.replace("\\", "")
    assert DOUBLING.search(shown), ran.out
    assert STAGE.search(shown), ran.out
    assert "At 5 % of the traffic" not in shown, "that stage is over"


def test_the_traffic_that_is_told_is_the_one_that_was_counted(deployment: Deployment) -> None:
    ran = guardian(deployment, "check", form="json", **of(HEALTHY))
    found = re.search(r"At this traffic \((\d+) requests a second, error rate ([\d.]+) %\)", ran.out)
    assert found
    # Four old pods with 15 to 45 requests every 30 seconds, and for a part of the time two new ones.
    assert 2 <= float(found[1]) <= 200
    assert 0.2 <= float(found[2]) <= 0.8


@pytest.mark.parametrize("more", [{"judge": "kayenta"}, {"baseline_selector": ""}], ids=["another judge", "no old version"])
def test_nothing_is_foreseen_where_the_tests_are_others(deployment: Deployment, more: dict[str, str]) -> None:
    assert "At this traffic" not in guardian(deployment, "check", **of(HEALTHY, **more)).out


def test_of_unknown_traffic_the_report_says_nothing(deployment: Deployment) -> None:
    ran = guardian(deployment, "check", **of(EMPTY))
    assert ran.code == 3
    assert "this traffic" not in ran.out


def test_a_version_that_must_go_back_is_not_foreseen(deployment: Deployment) -> None:
    ran = guardian(deployment, "check", **of(BROKEN))
    assert ran.code == 1
    assert "this traffic" not in ran.out


# Before anything is deployed


def test_a_policy_says_what_its_stages_can_show_and_still_reads_back(deployment: Deployment) -> None:
    ran = guardian(deployment, "policy", foresight="yes", metrics_selector=f'namespace="{HEALTHY}"')
    assert ran.code == 0
    said = [line for line in ran.out.splitlines() if line.startswith("# At")]
    assert DOUBLING.search(said[0])
    assert [line.split(" % ")[0] for line in said[1:]] == ["# At 5", "# At 25", "# At 50"]
    assert yaml.safe_load(ran.out)["strategy"] == "canary"


@pytest.mark.parametrize("more", [{"metrics_selector": f'namespace="{EMPTY}"'}, {"metrics_selector": 'namespace="x"', "prometheus_url": "http://127.0.0.1:9"}])
def test_a_policy_says_that_the_traffic_is_not_known_since_it_was_asked_for(deployment: Deployment, more: dict[str, str]) -> None:
    ran = guardian(deployment, "policy", foresight="yes", **more)
    assert ran.code == 3
    assert ran.out.startswith("# What this traffic can show is not known: ")
    assert yaml.safe_load(ran.out)["strategy"] == "canary"


def test_a_policy_without_two_versions_beside_each_other_says_so(deployment: Deployment) -> None:
    ran = guardian(deployment, "policy", foresight="yes", strategy="blue-green", metrics_selector=f'namespace="{HEALTHY}"')
    assert ran.code == 0
    assert "nothing can be foreseen" in ran.out


@pytest.mark.parametrize(("settings", "words"), [({}, "metrics-selector"), ({"metrics_selector": 'a="b"', "prometheus_url": ""}, "prometheus-url")])
def test_foresight_without_a_service_or_a_server_names_the_setting(deployment: Deployment, settings: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        guardian(deployment, "policy", foresight="yes", **settings)


def test_the_policy_alone_asks_nobody(deployment: Deployment) -> None:
    ran = guardian(deployment, "policy", metrics_selector='a="b"', prometheus_url="http://127.0.0.1:9")
    assert ran.code == 0
    assert "traffic" not in ran.out.partition("stages:")[0]
