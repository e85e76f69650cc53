"""Recorded samples: what a look at a real Prometheus saw is kept, judged again with no server, and replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.canary_simulator import FAMILIES, START, simulate
from tests.servers.argocd import ArgoCDServer
from tests.wiring.guardian_cli import guardian
from tests.wiring.guardian_rig import BROKEN, EMPTY, HEALTHY, Deployment, by_argocd, deployed, prometheus

from cicd_agents.analysis.canary.reading.samples import samples_document

Run = Callable[..., tuple[int, str, str]]
SELECTORS = {"canary_selector": 'pod=~"api-new-.*"', "baseline_selector": 'pod=~"api-old-.*"', "deployed_at": "20m"}
OF_SAMPLES = ("status", "decision", "stage", "strategy", "metrics", "charts", "risk_score", "positive", "warnings", "triggers_next_stage", "foresight")


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, prometheus(request.config).url)


def told(out: str) -> dict[str, Any]:
    """What follows from the samples alone; which query gave them is not known any more."""
    details = json.loads(out)["details"]
    found = {name: details[name] for name in OF_SAMPLES if name in details}
    found["metrics"] = [row | {"query": ""} for row in found["metrics"]]
    return found


@pytest.mark.parametrize(("service", "code"), [(HEALTHY, 0), (BROKEN, 1)])
def test_what_was_judged_is_judged_the_same_again_without_a_server(deployment: Deployment, service: str, code: int) -> None:
    settings = SELECTORS | {"metrics_selector": f'namespace="{service}"'}
    first = guardian(deployment, "check", **settings, record_samples="kept/samples.json", form="json")
    assert first.code == code, first.out
    again = guardian(deployment, "check", metrics_samples="kept/samples.json", prometheus_url="", form="json")
    assert again.code == code
    assert told(again.out) == told(first.out)
    assert told(again.out)["metrics"]
    assert told(again.out)["charts"]
    kept = (deployment.folder / "work/kept/samples.json").read_text()
    assert deployment.metrics not in kept
    assert "namespace=" not in kept


def test_where_nothing_is_seen_nothing_is_kept_and_the_gate_stays_as_it_is(deployment: Deployment) -> None:
    ran = guardian(deployment, "check", **SELECTORS, metrics_selector=f'namespace="{HEALTHY}"', prometheus_url="http://127.0.0.1:1", record_samples="s.json")
    assert ran.code == 3
    assert "record-samples: nothing was seen" in ran.out
    assert not (deployment.folder / "work/s.json").exists()
    (deployment.folder / "work/file").write_text("")
    ran = guardian(deployment, "check", **SELECTORS, metrics_selector=f'namespace="{HEALTHY}"', record_samples="file/s.json")
    assert ran.code == 0
    assert "record-samples: file/s.json cannot be written" in ran.out


def test_an_observation_without_samples_is_said_to_be_none(deployment: Deployment) -> None:
    guardian(deployment, "check", **SELECTORS, metrics_selector=f'namespace="{EMPTY}"', record_samples="empty.json")
    with pytest.raises(Exception, match=r"empty\.json: There are no samples"):
        guardian(deployment, "check", metrics_samples="empty.json")


def simulated(path: Path, name: str, minutes: int, **more: Any) -> Path:
    observation = simulate(next(family for family in FAMILIES if family.name == name), 11)
    path.write_text(json.dumps(samples_document(observation, START + 60 * minutes) | more))
    return path


def test_the_stage_and_the_judge_of_the_settings_hold(cicd_agents: Run, tmp_path: Path) -> None:
    file = simulated(tmp_path / "samples.json", "errors +5 pp", 14)
    code, out, _ = cicd_agents("guardian", "check", "--metrics-samples", file, "--format", "json")
    assert (code, json.loads(out)["details"]["stage"]) == (1, 2)
    code, out, _ = cicd_agents("guardian", "check", "--metrics-samples", file, "--judge", "kayenta", "--canary-stage", "5%", "--format", "json")
    assert (code, json.loads(out)["details"]["stage"]) == (1, 1)
    code, out, _ = cicd_agents("guardian", "check", "--metrics-samples", file, "--judge", "kayenta")
    assert "Judged by kayenta" in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ('{"canary":\n {]', "line 2: is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"canary": {"replicas": [{"requests": {"5xx": [[0, 1], [60]]}}]}}', "samples.json: canary.replicas[0].requests.5xx[1] is no [time, value]"),
        ('{"now": 1e999, "canary": {"values": {"cpu": [[0, 1]]}}}', "now is 'inf'"),
    ],
)
def test_a_file_that_is_none_is_refused(cicd_agents: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "samples.json").write_text(text)
    code, out, told = cicd_agents("guardian", "check", "--metrics-samples", tmp_path / "samples.json")
    assert (code, out) == (2, "")
    assert said in told
    code, _, told = cicd_agents("guardian", "check", "--metrics-samples", tmp_path / "none.json")
    assert code == 2
    assert "none.json: no such file" in told
    code, _, told = cicd_agents("guardian", "check", "--metrics-samples", tmp_path / "samples.json", "--metrics-table", "-")
    assert code == 2
    assert "metrics-table and metrics-samples exclude each other" in told


def test_recorded_releases_are_replayed_without_a_server(cicd_agents: Run, tmp_path: Path) -> None:
    for name, family in (("good", "steady"), ("bad", "errors +5 pp")):
        simulated(tmp_path / f"{name}.json", family, 25)
    (tmp_path / "releases.yml").write_text("- {samples: good.json, good: true}\n- {name: '2', samples: bad.json, good: false, minutes: 12}\n")
    code, out, said = cicd_agents("guardian", "backtest", "--releases", tmp_path / "releases.yml")
    assert code == 0, said
    assert "good.json (good, 25 looks)" in out
    assert "Good releases that would have been rolled back: 0 of 1" in out
    assert "Bad releases that would have been rolled back: 1 of 1" in out


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{samples: none.json}", "none.json: no such file"),
        ("{samples: good.json, at: 3d}", "release 1: `at` and `samples` exclude each other"),
        ("{samples: 5}", "release 1: `samples` must be a text"),
        ("{samples: begins.json}", "begins.json: `since` is missing"),
    ],
)
def test_a_recorded_release_that_cannot_be_replayed_is_refused(cicd_agents: Run, tmp_path: Path, entry: str, said: str) -> None:
    simulated(tmp_path / "good.json", "steady", 5)
    simulated(tmp_path / "begins.json", "steady", 5, since=None)
    (tmp_path / "releases.yml").write_text(f"- {entry}\n")
    code, _, told = cicd_agents("guardian", "backtest", "--releases", tmp_path / "releases.yml")
    assert code == 2
    assert said in told


def test_by_samples_of_now_it_acts_and_by_those_of_the_past_it_only_shows(deployment: Deployment, argocd: ArgoCDServer) -> None:
    deployed(argocd, auto_sync=True)
    deployment.environment |= by_argocd(argocd)
    guardian(deployment, "check", **SELECTORS, metrics_selector=f'namespace="{BROKEN}"', record_samples="samples.json")
    given = {"prometheus_url": "", "metrics_samples": "samples.json", "rollback": "auto", "history": "memory.sqlite"}
    deployment.clock.sleep(301)
    shown = deployment.run(BROKEN, **given)
    assert shown.code == 1, shown.out
    assert "These samples end 5 minutes ago, so this is a dry run: nothing is written." in shown.out
    assert {operation["status"] for operation in shown.report["operations"]} == {"planned"}
    assert (argocd.rollbacks, argocd.patches) == ([], [])
    assert not (deployment.folder / "work/memory.sqlite").exists()
    deployment.clock.sleep(-301)
    acted = deployment.run(BROKEN, **given)
    assert acted.code == 1, acted.out
    assert len(argocd.rollbacks) == 1
    assert "dry run" not in acted.out
