"""The guardian after a deployment: real Prometheus, Argo CD as its swagger describes it; verdicts, exit codes, rollback."""

from __future__ import annotations

import pytest
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.closed_port import closed_port
from tests.wiring.guardian_rig import BROKEN, EMPTY, GOOD, HEALTHY, Deployment, deployed

from cicd_agents.domain.errors import UsageError


@pytest.fixture
def app(argocd: ArgoCDServer) -> App:
    return deployed(argocd, auto_sync=True)


def kinds(operations: list[dict[str, str]]) -> dict[str, str]:
    return {operation["kind"]: operation["status"] for operation in operations}


def test_a_healthy_deployment_opens_the_gate_and_nothing_is_written(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    ran = deployment.run(HEALTHY, rollback="auto")
    assert ran.code == 0, ran.out
    assert ran.outputs["decision"] == "promote"
    assert "PROCEED" in ran.out
    assert argocd.rollbacks == []
    assert argocd.patches == []


def test_a_broken_deployment_closes_the_gate_and_is_rolled_back(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    ran = deployment.run(BROKEN, rollback="auto")
    assert ran.code == 1, ran.out
    assert kinds(ran.report["operations"]) == {"PauseAutoSync": "applied", "Rollback": "applied", "VerifyRecovery": "applied"}
    assert argocd.rollbacks == [app.history[0]["id"]]
    assert app.live == [GOOD]
    assert ran.outputs["rolled-back"] == "true"
    assert sum(deployment.clock.slept) < 60
    assert [line["phase"] for line in deployment.audit].count("intent") == 3


def test_charts_and_table_have_the_same_limits(deployment: Deployment, app: App) -> None:
    details = deployment.run(BROKEN).report["details"]
    limits = {metric["name"]: metric["limit"] for metric in details["metrics"]}
    assert {chart["name"] for chart in details["charts"]} >= {"error_rate", "latency_p95"}
    assert [chart["limit"] for chart in details["charts"]] == [limits[chart["name"]] for chart in details["charts"]]


def test_by_default_a_rollback_is_only_suggested(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    ran = deployment.run(BROKEN)
    assert ran.code == 1
    assert kinds(ran.report["operations"])["Rollback"] == "needs-approval"
    assert argocd.rollbacks == []
    assert "argocd app rollback api" in ran.out


def test_a_dry_run_says_what_would_be_done(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    ran = deployment.run(BROKEN, rollback="auto", dry_run="true")
    assert ran.code == 1
    assert kinds(ran.report["operations"])["Rollback"] == "planned"
    assert (argocd.rollbacks, argocd.patches) == ([], [])


def test_a_second_run_finds_the_rollback_done_and_keeps_the_gate_shut(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    first = deployment.run(BROKEN, rollback="auto", watch="5", guardian_state=".cicd-agents/state.json")
    again = deployment.run(BROKEN, rollback="auto", watch="5", guardian_state=".cicd-agents/state.json")
    assert (first.code, again.code) == (1, 1)
    assert len(argocd.rollbacks) == 1
    assert "failed" not in kinds(again.report["operations"]).values()
    assert "earlier try of this run" in again.out


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize("call", range(12))
def test_a_run_that_dies_at_any_call_to_argo_cd_is_finished_by_the_next(deployment: Deployment, argocd: ArgoCDServer, app: App, call: int, after: bool) -> None:
    argocd.dead_from, argocd.dead_after_work = argocd.calls + call, after
    first = deployment.run(BROKEN, rollback="auto", watch="1", guardian_state=".cicd-agents/state.json")
    argocd.dead_from = None
    again = deployment.run(BROKEN, rollback="auto", watch="1", guardian_state=".cicd-agents/state.json")
    assert (first.code, again.code) == (1, 1)
    assert len(argocd.rollbacks) == 1
    assert app.live == [GOOD]


def test_a_state_that_cannot_be_kept_is_told_and_does_not_stop_the_rollback(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    (deployment.folder / "work").mkdir()
    (deployment.folder / "work/file").write_text("no folder")
    ran = deployment.run(BROKEN, rollback="auto", watch="1", guardian_state="file/state.json")
    assert ran.code == 1
    assert len(argocd.rollbacks) == 1
    assert ran.out.count("cannot be written") == 1


def test_a_dead_prometheus_neither_rolls_back_nor_promotes(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    with closed_port() as port:
        ran = deployment.run(BROKEN, rollback="auto", promote="auto", prometheus_url=f"http://127.0.0.1:{port}")
    assert ran.code == 3, ran.out
    assert ran.outputs["status"] == "no-data"
    assert argocd.rollbacks == []
    assert "cannot see" in ran.out.lower()


def test_an_empty_prometheus_is_no_data(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    ran = deployment.run(EMPTY, rollback="auto")
    assert ran.code == 3
    assert ran.outputs["status"] == "no-data"
    assert argocd.rollbacks == []


def test_the_policy_of_the_gate_is_a_setting(deployment: Deployment, app: App) -> None:
    assert deployment.run(BROKEN, guardian_fail_on="never").code == 0
    assert deployment.run(EMPTY, guardian_fail_on="fail").code == 0
    assert deployment.run(BROKEN, guardian_fail_on="fail").code == 1


def test_reports_are_files_in_three_forms_and_a_summary(deployment: Deployment, app: App) -> None:
    ran = deployment.run(BROKEN)
    folder = deployment.folder / "work/cicd-agents-report"
    assert {path.name for path in folder.iterdir()} >= {"report.md", "report.json", "report.html", "audit.jsonl"}
    assert "ROLLBACK" in ran.summary
    assert "http_requests_total" in ran.summary
    assert ran.outputs["html-path"].endswith("report.html")


def test_a_rollback_that_cannot_be_planned_says_why_and_writes_nothing(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    del app.history[0]
    ran = deployment.run(BROKEN, rollback="auto")
    assert ran.code == 1
    assert argocd.rollbacks == []
    assert "no earlier revision" in ran.out


def test_another_version_than_was_judged_is_not_taken_back(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    looks = []

    def somebody_deploys(_app: App) -> None:
        looks.append(1)
        if len(looks) == 2:
            argocd.refs["main"] = "c" * 40
            argocd.images["c" * 40] = ["shop/api:3"]
            argocd.deployed(app, ["c" * 40])

    argocd.before = somebody_deploys
    ran = deployment.run(BROKEN, rollback="auto")
    assert ran.code == 1
    assert argocd.rollbacks == []


def test_how_long_a_good_version_must_have_stayed_is_a_setting(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    refused = deployment.run(BROKEN, rollback="auto", argocd_good_minutes="2000")
    assert (refused.code, argocd.rollbacks) == (1, [])
    assert "is known to be good; name one by rollback-to" in refused.out
    assert "it stayed for 1420 minutes" in refused.out
    assert deployment.run(BROKEN, rollback="auto", argocd_good_minutes="1400").code == 1
    assert app.live == [GOOD]


def test_what_an_application_set_makes_is_rolled_back_only_where_that_is_allowed(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    app.data["metadata"]["ownerReferences"] = [{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "shops", "uid": "1"}]
    refused = deployment.run(BROKEN, rollback="auto")
    assert (argocd.rollbacks, argocd.patches) == ([], [])
    assert "or allow it (argocd-owned)" in refused.out
    ran = deployment.run(BROKEN, rollback="auto", argocd_owned="true")
    assert app.live == [GOOD], ran.out
    assert "which may put automated sync back" in ran.out


def test_an_operation_in_the_way_is_ended_only_where_that_is_allowed(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    app.data["operation"] = {"sync": {"revision": "b" * 40}}
    app.sync_looks = 99
    refused = deployment.run(BROKEN, rollback="auto")
    assert argocd.rollbacks == []
    assert "or have it ended (argocd-terminate)" in refused.out
    app.sync_looks = 1
    ran = deployment.run(BROKEN, rollback="auto", argocd_terminate="true")
    assert next(iter(kinds(ran.report["operations"]).items())) == ("TerminateOperation", "applied"), ran.out
    assert app.live == [GOOD]


def test_a_rollback_by_hand_and_the_way_back(deployment: Deployment, argocd: ArgoCDServer, app: App) -> None:
    from tests.wiring.guardian_cli import guardian

    done = guardian(deployment, "rollback", reason="customers call")
    assert done.code == 0, done.out
    assert app.live == [GOOD]
    assert app.automated is None
    argocd.refs["main"] = GOOD
    back = guardian(deployment, "resume", reason="reverted in Git")
    assert back.code == 0, back.out
    assert app.automated is not None


@pytest.mark.parametrize(("more", "words"), [({}, "argocd:api has no share"), ({"delivery": "", "argocd_url": ""}, "set delivery or workload")])
def test_a_go_whose_promotion_is_not_possible_keeps_the_gate_shut_and_says_why_in_one_sentence(
    deployment: Deployment, app: App, more: dict[str, str], words: str
) -> None:
    ran = deployment.run(HEALTHY, promote="auto", **more)
    assert (ran.code, ran.outputs["exit-code"], ran.outputs["decision"]) == (3, "3", "promote"), ran.out
    assert ran.report["operations"] == []
    [told] = [note for note in ran.report["notes"] if "promote: auto" in note]
    assert "so the gate stays shut" in told
    assert words in told


@pytest.mark.parametrize("more", [{"promote": "off"}, {"promote": "suggest"}, {"promote": "auto", "dry_run": "true"}])
def test_a_go_that_must_not_be_promoted_opens_the_gate(deployment: Deployment, app: App, more: dict[str, str]) -> None:
    ran = deployment.run(HEALTHY, **more)
    assert ran.code == 0, ran.out
    assert "gate stays shut" not in ran.out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prometheus_url": ""}, "prometheus-url"),
        ({"canary_selector": "", "metrics_selector": "", "baseline_selector": ""}, "canary-selector"),
        ({"delivery": "helm:x"}, "delivery"),
        ({"argocd_url": ""}, "argocd-url"),
        ({"canary_stage": "9"}, "canary-stage"),
        ({"deployed_at": "yesterday"}, "deployed-at"),
        ({"metrics_pack": "nonsense"}, "metrics-pack"),
        ({"queries": "x"}, "queries"),
        ({"canary_policy": "missing.yml"}, "missing.yml"),
        ({"prometheus_key": "/nowhere.pem"}, "prometheus-cert"),
        ({"strategy": "big-bang"}, "STRATEGY"),
        ({"argocd_good_minutes": "0"}, "ARGOCD_GOOD_MINUTES"),
        ({"hold": "pause"}, "HOLD"),
    ],
)
def test_wrong_settings_are_one_sentence_with_the_setting(deployment: Deployment, app: App, settings: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        deployment.run(HEALTHY, **settings)
