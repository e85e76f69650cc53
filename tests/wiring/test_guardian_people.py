"""The guardian among people: comments, approvals, incidents, Slack, dashboards, and a revert in Git; on GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.github import FORK, PERSON, STRANGER, GitHub
from tests.servers.grafana import TOKEN as GRAFANA_TOKEN
from tests.servers.grafana import GrafanaServer
from tests.servers.kubernetes_custom import CustomServer
from tests.servers.kubernetes_custom_flagger import virtual_service
from tests.servers.kubernetes_objects import NAMESPACE
from tests.servers.repositories import clone
from tests.servers.slack import SlackServer
from tests.wiring.guardian_people_rig import OnGitHub, approval, incidents, merged, writes
from tests.wiring.guardian_rig import BAD, BROKEN, EMPTY, HEALTHY, by_argocd, deployed, prometheus
from tests.wiring.release_rig import project

from cicd_agents.domain.errors import UsageError

APPROVERS = {"approvers": f"id:{PERSON.id}"}


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path, argocd: ArgoCDServer, hub: GitHub) -> OnGitHub:
    found = OnGitHub(tmp_path, prometheus(request.config).url, hub, environment=by_argocd(argocd))
    argocd.now = found.clock.now
    return found


def later(deployment: OnGitHub, hub: GitHub) -> None:
    """A minute later, for all."""
    deployment.clock.advance(60)
    hub.now = deployment.clock.now()


# Comments


def test_the_merged_request_that_brought_the_commit_gets_one_comment_for_each_service_and_environment(
    deployment: OnGitHub, hub: GitHub, app: App
) -> None:  # fmt: skip
    pull = merged(hub)
    first = deployment.run(BROKEN, deploy_environment="prod")
    [comment] = hub.comments_on(pull.number)
    assert "ROLLBACK" in comment.body
    assert first.outputs["comment-url"].endswith(f"#issuecomment-{comment.id}")
    deployment.run(HEALTHY, deploy_environment="prod")
    [again] = hub.comments_on(pull.number)
    assert again.id == comment.id
    assert "PROCEED" in again.body
    assert "ROLLBACK" not in again.body
    deployment.run(BROKEN, deploy_environment="staging")
    deployment.run(BROKEN, deploy_environment="prod", service="web")
    assert len(hub.comments_on(pull.number)) == 3


def test_a_commit_that_no_request_brought_gets_no_comment_and_says_so(deployment: OnGitHub, hub: GitHub, app: App) -> None:
    ran = deployment.run(BROKEN)
    assert hub.comments == {}
    assert any("no request that brought" in said for said in ran.said)


def test_the_comment_of_a_pull_request_is_on_that_request(deployment: OnGitHub, hub: GitHub, app: App) -> None:
    deployment.pull = hub.add_pull(BAD, "feature").number
    deployment.run(BROKEN)
    [comment] = hub.comments_on(deployment.pull)
    assert "NO-GO" in comment.body


def test_of_a_fork_nothing_but_files_is_written(
    request: pytest.FixtureRequest, deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App, slack: SlackServer
) -> None:
    deployment.pull, deployment.fork = hub.add_pull(BAD, "feature", head=FORK).number, True
    grafana = GrafanaServer(prometheus(request.config).url)
    with grafana:
        grafana.add_source("prom", "Prometheus")
        wanted = {
            "rollback": "auto", "slack_webhook": slack.webhook_url, "history": "memory.sqlite", "grafana_url": grafana.url, "grafana_token": GRAFANA_TOKEN,
            "grafana_annotate": "true",
        }  # fmt: skip
        ran = deployment.run(BROKEN, **wanted)
        assert ran.code == 1, ran.out
        assert grafana.annotations == []
    assert writes(hub) == []
    assert (argocd.rollbacks, argocd.patches, slack.messages) == ([], [], [])
    folder = deployment.folder / "work"
    assert not (folder / "memory.sqlite").exists()
    assert {path.name for path in (folder / "cicd-agents-report").iterdir()} >= {"report.md", "report.json", "report.html"}
    assert {one["status"] for one in ran.report["operations"]} == {"planned"}
    assert sum("of a fork" in said for said in ran.said) == 3


# Approvals


def test_a_rollback_that_needs_an_approval_waits_and_the_request_lists_its_operations(
    deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App
) -> None:
    ran = deployment.run(BROKEN, rollback="auto", approval_required="Rollback", **APPROVERS)
    assert ran.code == 1, ran.out
    assert (argocd.rollbacks, ran.outputs["rolled-back"]) == ([], "false")
    assert {one["kind"]: one["status"] for one in ran.report["operations"]}["Rollback"] == "needs-approval"
    issue, _ = approval(hub)
    assert "argocd:api" in issue.body
    assert "Rollback" in issue.body
    assert "argocd app rollback" in ran.out


def test_after_the_approval_the_same_job_run_again_rolls_back(deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App) -> None:
    wanted = {"rollback": "auto", "approval_required": "Rollback", **APPROVERS}
    deployment.run(BROKEN, **wanted)
    issue, digest = approval(hub)
    later(deployment, hub)
    hub.add_comment(issue.number, f"/approve {digest}", STRANGER)
    assert deployment.run(BROKEN, **wanted).outputs["rolled-back"] == "false", "a stranger's word does not count"
    hub.add_comment(issue.number, f"/approve {digest}", PERSON)
    ran = deployment.run(BROKEN, **wanted)
    assert (ran.code, ran.outputs["rolled-back"]) == (1, "true"), ran.out
    assert argocd.rollbacks == [app.history[0]["id"]]
    assert issue.state == "closed"
    rollback = next(one for one in ran.report["operations"] if one["kind"] == "Rollback")
    assert any(evidence["kind"] == "approval" for evidence in rollback["evidence"])


def test_a_rollback_is_not_done_where_nobody_can_be_asked(deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App) -> None:
    hub.permissions -= {"issues: read", "issues: write"}
    ran = deployment.run(BROKEN, rollback="auto", approval_required="Rollback", **APPROVERS)
    assert ran.code == 1, ran.out
    assert argocd.rollbacks == []
    assert "could not be found out whether this is approved" in ran.out


@pytest.mark.parametrize("service", [BROKEN, HEALTHY])
@pytest.mark.parametrize(("rules", "words"), [({"approval_required": "Rolback"}, "Rolback"), ({"approval_required": "Rollback"}, "approvers: nobody is named")])
def test_rules_that_make_no_sense_are_refused_before_anything_is_judged(
    deployment: OnGitHub, app: App, service: str, rules: dict[str, str], words: str
) -> None:  # fmt: skip
    with pytest.raises(UsageError, match=words):
        deployment.run(service, rollback="auto", **rules)


def test_an_approver_who_is_not_there_does_not_hide_the_judgement(
    deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App, slack: SlackServer
) -> None:
    pull = merged(hub)
    wanted = {"rollback": "auto", "approval_required": "Rollback", "approvers": "nobody-we-know", "slack_webhook": slack.webhook_url}
    ran = deployment.run(BROKEN, **wanted)
    assert (ran.code, ran.outputs["decision"]) == (1, "rollback")
    assert "there is no account nobody-we-know" in ran.out
    assert argocd.rollbacks == []
    assert len(slack.messages) == len(hub.comments_on(pull.number)) == 1


def test_a_promotion_that_nobody_can_approve_keeps_the_gate_shut(deployment: OnGitHub, hub: GitHub, traffic: dict[str, str]) -> None:
    ran = deployment.run(HEALTHY, **traffic, promote="auto", approval_required="SetTrafficWeight", approvers="nobody-we-know")
    assert (ran.code, ran.outputs["decision"], ran.outputs["exit-code"]) == (2, "promote", "2")
    assert "there is no account nobody-we-know" in ran.out


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A cluster whose traffic is split as the metrics say, as settings."""
    server = CustomServer()
    server.add(virtual_service(33))
    (tmp_path / "work").mkdir()
    (tmp_path / "work/policy.yml").write_text("stages: [{share: 33%, minutes: 5}, {share: 100%, minutes: 10}]\n")
    with server:
        yield {"delivery": f"istio:{NAMESPACE}/api#primary", "canary_policy": "policy.yml", "kubeconfig": kubeconfig(tmp_path, server)}
        assert server.problems == []


def kubeconfig(folder: Path, server: CustomServer) -> str:
    path = folder / "kubeconfig"
    path.write_text(
        f"apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: '{server.url}'}}}}]\n"
        f"users: [{{name: u, user: {{token: '{server.token}'}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    )
    return str(path)


def test_a_promotion_that_needs_an_approval_ends_with_its_own_exit_code(deployment: OnGitHub, hub: GitHub, traffic: dict[str, str]) -> None:
    wanted = {**traffic, "promote": "auto", "approval_required": "SetTrafficWeight", **APPROVERS}
    ran = deployment.run(HEALTHY, **wanted)
    assert ran.code == 4, ran.out
    issue, digest = approval(hub)
    assert "SetTrafficWeight" in issue.body
    later(deployment, hub)
    hub.add_comment(issue.number, f"/approve {digest}", PERSON)
    again = deployment.run(HEALTHY, **wanted)
    assert again.code == 0, again.out
    assert {one["kind"]: one["status"] for one in again.report["operations"]}["SetTrafficWeight"] == "applied"


def test_a_promotion_that_nobody_can_be_asked_about_is_not_taken_for_done(deployment: OnGitHub, hub: GitHub, traffic: dict[str, str]) -> None:
    hub.permissions -= {"issues: read", "issues: write"}
    ran = deployment.run(HEALTHY, **traffic, promote="auto", approval_required="SetTrafficWeight", **APPROVERS)
    assert (ran.code, ran.outputs["decision"], ran.outputs["stage"]) == (4, "promote", "1"), ran.out
    assert "could not be found out whether this is approved" in ran.out
    assert not [entry for entry in ran.report["details"]["timeline"] if entry["text"].startswith("Promoted")]


# Git


def test_after_a_rollback_a_request_reverts_in_git(deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer) -> None:
    made = project(deployment.folder, hub)
    good = made.commit("feat: the good one", {"cart.js": "good\n"})
    bad = made.commit("feat: the bad one", {"cart.js": "bad\n"})
    later_one = made.commit("docs: more", {"README.md": "more\n"})
    app = deployed(argocd, good=good, bad=bad)
    clone(made.remote, deployment.folder / "work")
    deployment.sha = bad
    ran = deployment.run(BROKEN, rollback="auto", revert="request")
    assert ran.code == 1, ran.out
    assert app.live == [good]
    assert {one["kind"]: one["status"] for one in ran.report["operations"]}["RevertInGit"] == "applied", ran.out
    [pull] = [issue for issue in hub.issues.values() if issue.pull]
    assert pull.pull is not None
    assert made.show("cart.js", pull.pull.branch) == "good"
    assert made.show("README.md", pull.pull.branch) == "more", "what came later stays"
    assert hub.branches["main"] == later_one, "a person merges it"
    again = deployment.run(BROKEN, rollback="auto", revert="request")
    assert len([issue for issue in hub.issues.values() if issue.pull]) == 1, again.out


# Incidents and Slack


def test_a_rollback_that_fails_opens_one_incident_and_tells_slack_once(
    deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App, slack: SlackServer
) -> None:
    argocd.failing.add("a" * 40)
    wanted = {
        "rollback": "auto",
        "slack_webhook": slack.webhook_url,
        "watch": "1",
        "guardian_state": "state.json",
        "deploy_environment": "prod",
        "issue_labels": "incident",
    }
    ran = deployment.run(BROKEN, **wanted)
    assert ran.code == 1, ran.out
    assert ran.outputs["rolled-back"] == "false"
    [issue] = incidents(hub)
    assert issue.title == "Rollback of api in prod failed"
    assert "argocd app rollback" in issue.body
    assert ran.outputs["issue-url"].endswith(f"/issues/{issue.number}")
    [message] = slack.messages
    assert "rollback of api in prod failed" in message["text"]
    assert f"/issues/{issue.number}" in message["text"]
    before = issue.body
    deployment.run(BROKEN, **wanted)
    assert incidents(hub) == [issue]
    assert issue.body == before
    assert len(slack.messages) == 1


def test_slack_is_told_of_a_no_go_with_numbers_and_command_and_not_of_a_go(deployment: OnGitHub, hub: GitHub, app: App, slack: SlackServer) -> None:
    pull = merged(hub)
    deployment.run(HEALTHY, slack_webhook=slack.webhook_url)
    assert slack.messages == []
    deployment.run(BROKEN, slack_webhook=slack.webhook_url)
    [message] = slack.messages
    text = str(message["blocks"])
    assert "NO-GO" in message["text"]
    assert "ROLLBACK" in text
    assert "Error rate" in text
    assert "argocd app rollback api" in text
    assert hub.comments_on(pull.number)


@pytest.mark.parametrize("kept", [{"guardian_state": "state.json"}, {"history": "memory.sqlite"}], ids=["state", "history"])
def test_that_it_still_holds_is_posted_once_and_a_new_reason_again(deployment: OnGitHub, app: App, slack: SlackServer, kept: dict[str, str]) -> None:
    wanted = {"slack_webhook": slack.webhook_url, **kept}
    for number in (77, 78, 79):
        deployment.number = number
        ran = deployment.run(EMPTY, **wanted)
        assert (ran.code, ran.outputs["status"]) == (3, "no-data"), ran.out
    assert len(slack.messages) == 1
    assert any("last message about this version said the same" in said for said in ran.said)
    ran = deployment.run(HEALTHY, **wanted, canary_stage="25%", deployed_at="8m")
    assert (ran.code, ran.outputs["status"]) == (3, "inconclusive"), ran.out
    assert len(slack.messages) == 2
    deployment.sha = "c" * 40
    assert deployment.run(EMPTY, **wanted, delivery="", argocd_url="").code == 3
    assert len(slack.messages) == 3, "another version is another matter"


def test_a_no_go_is_posted_at_each_run(deployment: OnGitHub, app: App, slack: SlackServer) -> None:
    for number in (77, 78):
        deployment.number = number
        assert deployment.run(BROKEN, slack_webhook=slack.webhook_url, history="memory.sqlite").code == 1
    assert len(slack.messages) == 2


@pytest.mark.parametrize("kept", [{"guardian_state": "state.json"}, {"history": "memory.sqlite"}], ids=["state", "history"])
def test_a_hold_that_slack_did_not_take_is_posted_by_the_next_run(deployment: OnGitHub, app: App, slack: SlackServer, kept: dict[str, str]) -> None:
    wanted = {"watch": "1", **kept}
    assert deployment.run(EMPTY, **wanted, slack_webhook=slack.webhook_url + "x").code == 3
    assert slack.messages == []
    for _ in range(2):
        deployment.number += 1
        assert deployment.run(EMPTY, **wanted, slack_webhook=slack.webhook_url).code == 3
        assert len(slack.messages) == 1


def test_a_dry_run_writes_to_nobody(deployment: OnGitHub, hub: GitHub, argocd: ArgoCDServer, app: App, slack: SlackServer) -> None:
    merged(hub)
    argocd.failing.add("a" * 40)
    ran = deployment.run(BROKEN, rollback="auto", dry_run="true", slack_webhook=slack.webhook_url, approval_required="Rollback", **APPROVERS)
    assert writes(hub) == []
    assert slack.messages == []
    assert "It would be asked" in ran.out


# Grafana


def test_grafana_serves_the_metrics_and_gets_one_mark(request: pytest.FixtureRequest, deployment: OnGitHub, app: App) -> None:
    grafana = GrafanaServer(prometheus(request.config).url)
    with grafana:
        grafana.add_source("prom", "Prometheus")
        wanted = {
            "prometheus_url": "", "grafana_url": grafana.url, "grafana_token": GRAFANA_TOKEN, "grafana_datasource": "prom", "grafana_annotate": "true",
            "grafana_dashboard": "board", "deploy_environment": "prod",
        }  # fmt: skip
        ran = deployment.run(BROKEN, **wanted)
        assert ran.code == 1, ran.out
        [mark] = grafana.annotations
        assert mark["text"].startswith("NO-GO: api")
        assert {"cicd-agents", "api", "prod", "rollback"} <= set(mark["tags"])
        assert mark["dashboardUID"] == "board"
        assert f"{grafana.url}/d/board?" in ran.out
        assert {link["title"] for link in ran.report["details"]["links"]} == {"Grafana dashboard"}
        deployment.clock.advance(60)
        deployment.run(BROKEN, **wanted)
        assert len(grafana.annotations) == 1
        assert grafana.problems == []


@pytest.mark.parametrize(("token", "words"), [("wrong", "grafana-token"), ("", "grafana-token")])
def test_a_grafana_that_refuses_is_no_data_and_names_the_setting(
    request: pytest.FixtureRequest, deployment: OnGitHub, app: App, token: str, words: str
) -> None:
    grafana = GrafanaServer(prometheus(request.config).url)
    with grafana:
        grafana.add_source("prom", "Prometheus")
        ran = deployment.run(BROKEN, prometheus_url="", grafana_url=grafana.url, grafana_token=token, grafana_datasource="prom")
        assert ran.code == 3, ran.out
        assert words in ran.out


# The memory


def test_the_report_says_how_the_last_deployments_went(deployment: OnGitHub, app: App, argocd: ArgoCDServer, hub: GitHub) -> None:
    first = deployment.run(BROKEN, history="memory.sqlite")
    assert "The deployment before" not in first.out
    again = deployment.run(BROKEN, history="memory.sqlite")
    assert "The deployment before" not in again.out, "it is still the same one"
    argocd.refs["main"] = "c" * 40
    argocd.images["c" * 40] = ["shop/api:3"]
    argocd.deployed(app, ["c" * 40], deployment.clock.now() - 1200)
    deployment.number = 78
    third = deployment.run(HEALTHY, history="memory.sqlite")
    assert "The deployment before" in third.out
    assert "shop/api:2" in third.out.partition("The deployment before")[2]
    assert "rolled back" in third.out.partition("The deployment before")[2]
    assert "The deployment before" in third.summary


def test_a_version_of_many_images_is_known_again(deployment: OnGitHub, app: App, argocd: ArgoCDServer) -> None:
    app.status["summary"] = {"images": [f"registry.example/shop/part-{number}:2" for number in range(40)]}
    deployment.run(BROKEN, history="memory.sqlite")
    deployment.number = 78
    assert "The deployment before" not in deployment.run(BROKEN, history="memory.sqlite").out


def test_without_a_version_that_anybody_names_nothing_is_taken_for_an_earlier_deployment(deployment: OnGitHub) -> None:
    nobody = {"history": "memory.sqlite", "delivery": "", "argocd_url": ""}
    deployment.run(EMPTY, **nobody)
    assert "The deployment before" not in deployment.run(EMPTY, **nobody).out
    deployment.sha, deployment.number = "c" * 40, 78
    assert f"The deployment before: {BAD} held" in deployment.run(EMPTY, **nobody).out


def test_a_broken_memory_is_a_note_and_no_verdict(deployment: OnGitHub, app: App) -> None:
    (deployment.folder / "work").mkdir()
    (deployment.folder / "work/memory.sqlite").write_bytes(b"no database at all" * 100)
    ran = deployment.run(BROKEN, history="memory.sqlite")
    assert ran.code == 1
    assert "The decision was not remembered" in ran.out
