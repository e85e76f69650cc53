"""What the guardian says where its metrics cannot be asked, and of events that are not for it: the setting to mend, never a traceback, never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agents.guardian_metrics_data import KINDS, Text, add
from tests.servers.argocd import ArgoCDServer
from tests.servers.prometheus import PASSWORD, USER, Prometheus, running
from tests.wiring.guardian_rig import BROKEN, HEALTHY, Deployment, by_argocd, deployed, prometheus
from tests.wiring.rig import Ran

from cicd_agents.domain.errors import UsageError


@pytest.fixture(scope="module")
def locked() -> Iterator[Prometheus]:
    """A server that asks for a password and speaks TLS by an authority of its own."""
    text = Text()
    add(text, KINDS["http"], BROKEN, broken=True)
    with running(text.openmetrics(), basic_auth=True, tls=True) as server:
        yield server


@pytest.fixture
def deployment(tmp_path: Path, argocd: ArgoCDServer) -> Deployment:
    """Everything may be acted on: what cannot be seen must not lead to that."""
    deployed(argocd)
    found = Deployment(tmp_path, "", environment=by_argocd(argocd, rollback="auto", promote="auto"))
    argocd.now = found.clock.now
    return found


def access(locked: Prometheus, **more: str) -> dict[str, str]:
    assert locked.certificates is not None
    given = {"prometheus_url": locked.url, "prometheus_user": USER, "prometheus_password": PASSWORD, "prometheus_ca": str(locked.certificates.authority)}
    return given | more


def everything(ran: Ran) -> str:
    """All that a run left."""
    files = (path.read_text(errors="replace") for path in ran.folder.rglob("*") if path.is_file() and path.name != "event.json")
    return "\n".join([ran.out, *ran.said, *files])


def test_a_locked_server_is_asked_with_password_and_authority(deployment: Deployment, locked: Prometheus, argocd: ArgoCDServer) -> None:
    ran = deployment.run(BROKEN, **access(locked))
    assert ran.code == 1, ran.out
    assert argocd.rollbacks == [0]
    assert PASSWORD not in everything(ran)


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"prometheus_password": "not-the-password"}, "prometheus-password"),
        ({"prometheus_user": "", "prometheus_password": ""}, "prometheus-user"),
        ({"prometheus_user": "", "prometheus_password": "", "prometheus_token": "t0ken-of-somebody"}, "prometheus-token"),
        ({"prometheus_ca": ""}, "prometheus-ca"),
    ],
)
def test_a_server_that_refuses_is_no_data_and_the_setting_is_named(
    deployment: Deployment, locked: Prometheus, argocd: ArgoCDServer, wrong: dict[str, str], setting: str
) -> None:
    ran = deployment.run(BROKEN, **access(locked, **wrong))
    assert ran.code == 3, ran.out
    assert ran.outputs["status"] == "no-data"
    assert setting in ran.out
    assert argocd.rollbacks == []
    told = everything(ran)
    assert "Traceback" not in told
    assert [secret for secret in ("not-the-password", "t0ken-of-somebody", PASSWORD) if secret in told] == []


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"prometheus_ca": "/nowhere/ca.pem"}, "prometheus-ca"),
        ({"prometheus_cert": "/nowhere/client.pem"}, "prometheus-cert"),
        ({"prometheus_password": ""}, "prometheus-password"),
        ({"prometheus_token": "a"}, "prometheus-token"),
        ({"prometheus_url": "prometheus.example"}, "prometheus-url"),
        ({"prometheus_url": "https://user:word@prometheus.example"}, "prometheus-url"),
        ({"prometheus_url": "http://prometheus.example", "prometheus_ca": ""}, "allow-http"),
        ({"prometheus_url": "http://127.0.0.1:9"}, "prometheus-ca is of no use without TLS"),
        ({"prometheus_url": "http://169.254.169.254", "prometheus_ca": "", "allow_http": "169.254.169.254"}, "is never called"),
        ({"prometheus_url": "", "grafana_url": "grafana.example"}, "grafana-url"),
        ({"loki_url": "loki.example", "canary_logs": '{a="b"}', "baseline_logs": '{a="c"}'}, "loki-url"),
        ({"loki_url": "https://loki.example", "baseline_logs": '{a="c"}'}, "canary-logs is empty"),
        ({"delivery": "", "workload": "api"}, "workload: 'api' is nothing that can be acted by"),
        ({"template_args": "a=b"}, "template-args are those of an analysis-template"),
    ],
)
def test_settings_that_can_never_work_are_refused_before_anything_is_asked(
    deployment: Deployment, locked: Prometheus, argocd: ArgoCDServer, wrong: dict[str, str], setting: str
) -> None:
    code, told = outcome(deployment, access(locked, **wrong))
    assert code == 2
    assert setting in told
    assert argocd.rollbacks == []


def outcome(deployment: Deployment, settings: dict[str, str]) -> tuple[int, str]:
    """The exit code and what is said, as the command line has them."""
    try:
        ran = deployment.run(BROKEN, **settings)
    except UsageError as problem:
        return 2, str(problem)
    return ran.code, ran.out


@pytest.mark.parametrize("path", ["/graph", "/nowhere"])
def test_a_page_that_is_no_prometheus_names_the_address(request: pytest.FixtureRequest, deployment: Deployment, path: str) -> None:
    ran = deployment.run(BROKEN, prometheus_url=prometheus(request.config).url + path)
    assert ran.code == 3, ran.out
    assert "prometheus-url" in ran.out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"canary_selector": 'pod="a'}, "canary-selector"),
        ({"baseline_selector": "pod=~"}, "baseline-selector"),
        ({"metrics_selector": 'namespace="x"}) or vector(1) #'}, "metrics-selector"),
        ({"queries": "queue=max(queue{selector}"}, "queries"),
        ({"deployed_at": "soon"}, "deployed-at"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_setting(
    request: pytest.FixtureRequest, deployment: Deployment, argocd: ArgoCDServer, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        deployment.run(BROKEN, prometheus_url=prometheus(request.config).url, **settings)
    assert argocd.rollbacks == []


@pytest.mark.parametrize(("service", "code"), [(HEALTHY, 3), (BROKEN, 1)])
def test_a_query_that_prometheus_cannot_read_keeps_the_gate_shut_and_saves_no_bad_version(
    request: pytest.FixtureRequest, deployment: Deployment, service: str, code: int
) -> None:
    settings = {"prometheus_url": prometheus(request.config).url, "queries": "queue=nonsense(queue{selector})", "promote": "off", "rollback": "off"}
    ran = deployment.run(service, watch="30", **settings)
    assert ran.code == code, ran.out
    assert "queries: queue: Prometheus: a query was rejected (400)" in ran.out or code == 1
    assert 'unknown function with name "nonsense"' in ran.out
    assert sum(deployment.clock.slept) <= 60


def test_matchers_that_prometheus_cannot_read_are_a_wrong_setting(request: pytest.FixtureRequest, deployment: Deployment) -> None:
    url = prometheus(request.config).url
    with pytest.raises(UsageError, match=r"^canary-selector: Prometheus: a query was rejected \(400\): .*missing closing \)"):
        deployment.run(HEALTHY, prometheus_url=url, canary_selector='pod=~"api-new-("')
    with pytest.raises(UsageError, match=r"^metrics-selector: "):
        deployment.run(HEALTHY, prometheus_url=url, metrics_selector='namespace=~"("')


def test_a_watch_ends_early_where_looking_again_would_show_no_more(deployment: Deployment, locked: Prometheus) -> None:
    ran = deployment.run(BROKEN, watch="30", **access(locked, prometheus_password="not-the-password"))
    assert ran.code == 3, ran.out
    assert sum(deployment.clock.slept) <= 60
    assert "looking again would show no more" in ran.out


# Events


def test_a_deployment_without_settings_of_metrics_is_skipped(deployment: Deployment, argocd: ArgoCDServer) -> None:
    ran = deployment.run(BROKEN, agent="auto", prometheus_url="")
    assert ran.code == 0
    assert ran.out.startswith("SKIPPED")
    assert "prometheus-url" in ran.out
    assert ran.outputs["outcome"] == "skipped"
    assert argocd.calls == 0


def test_a_deployment_with_metrics_is_judged_without_being_named(request: pytest.FixtureRequest, deployment: Deployment) -> None:
    ran = deployment.run(BROKEN, agent="auto", prometheus_url=prometheus(request.config).url, rollback="off")
    assert ran.code == 1, ran.out
    assert ran.outputs["agent"] == "deployment-guardian"


@pytest.mark.parametrize("state", ["failure", "error", "in_progress", "queued", "inactive"])
def test_a_deployment_that_did_not_end_well_is_not_for_the_guardian(
    request: pytest.FixtureRequest, deployment: Deployment, argocd: ArgoCDServer, state: str
) -> None:
    deployment.state = state
    ran = deployment.run(BROKEN, agent="auto", prometheus_url=prometheus(request.config).url)
    assert ran.code == 0
    assert ran.out.startswith("SKIPPED")
    assert argocd.calls == 0


def test_settings_come_from_the_file_of_the_repository(request: pytest.FixtureRequest, deployment: Deployment, argocd: ArgoCDServer) -> None:
    work = deployment.folder / "work"
    work.mkdir()
    (work / ".cicd-agents.yml").write_text("rollback: 'off'\nguardian-fail-on: never\ndeploy-environment: blue-house\n")
    deployment.environment.pop("rollback")
    ran = deployment.run(BROKEN, prometheus_url=prometheus(request.config).url)
    assert ran.code == 0, ran.out
    assert "blue-house" in ran.out
    assert argocd.rollbacks == []
    (work / ".cicd-agents.yml").write_text("rolback: auto\n")
    with pytest.raises(UsageError, match=r"\.cicd-agents\.yml.*rolback"):
        deployment.run(BROKEN, prometheus_url=prometheus(request.config).url)
