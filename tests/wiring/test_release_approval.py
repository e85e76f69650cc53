"""Approvals of a release and its promotion through environments, as a job of GitHub Actions against GitHub and Argo CD as they are described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.argocd import TOKEN, ArgoCDServer
from tests.servers.github import PERSON, STRANGER, GitHub
from tests.servers.github_state import Account
from tests.wiring.release_rig import NOW, Project, project

from cicd_agents.domain.errors import UsageError

APPROVED = {"INPUT_APPROVAL-REQUIRED": "Push", "INPUT_APPROVERS": f"id:{PERSON.id}", "GITHUB_ACTOR": "somebody"}


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as server:
        server.now = NOW
        server.people["somebody"] = Account(4711, "somebody")
        yield server


@pytest.fixture
def app(tmp_path: Path, hub: GitHub) -> Project:
    return project(tmp_path, hub)


def later(app: Project) -> float:
    """A minute later."""
    app.clock.advance(60)
    return app.clock.now()


def the_hash(hub: GitHub) -> tuple[int, str]:
    """The request for the approval, and the hash that it asks for."""
    [issue] = [issue for issue in hub.issues.values() if "cicd-agents-approval" in issue.labels]
    found = re.search(r"/approve ([0-9a-f]{12,64})", issue.body)
    assert found, issue.body
    return issue.number, found[1]


def test_a_release_that_needs_an_approval_waits_with_its_own_exit_code_and_writes_nothing_to_git(app: Project, hub: GitHub) -> None:
    ran = app.run(environment=APPROVED)
    assert ran.code == 4, ran.out
    statuses = {operation["kind"]: operation["status"] for operation in ran.report["operations"]}
    assert statuses["Push"] == "needs-approval"
    assert statuses["CreateRelease"] == "needs-approval"
    assert "v1.3.0" not in app.tags()
    number, _ = the_hash(hub)
    assert "Push" in hub.issues[number].body
    assert "v1.3.0" in hub.issues[number].body


def test_after_the_approval_the_same_job_run_again_releases(app: Project, hub: GitHub) -> None:
    app.run(environment=APPROVED)
    number, digest = the_hash(hub)
    hub.now = later(app)
    hub.add_comment(number, f"/approve {digest}", STRANGER)
    assert app.run(environment=APPROVED).code == 4, "a stranger's word does not count"
    hub.add_comment(number, f"/approve {digest}", PERSON)
    ran = app.run(environment=APPROVED)
    assert ran.code == 0, ran.out
    assert app.tags()["v1.3.0"] == hub.branches["main"]
    assert hub.release_of("v1.3.0").body
    assert hub.issues[number].state == "closed"
    push = next(operation for operation in ran.report["operations"] if operation["kind"] == "Push")
    assert any(evidence["kind"] == "approval" for evidence in push["evidence"])


def test_a_changed_plan_needs_a_new_approval(app: Project, hub: GitHub) -> None:
    app.run(environment=APPROVED)
    number, digest = the_hash(hub)
    hub.now = later(app)
    hub.add_comment(number, f"/approve {digest}", PERSON)
    app.commit("feat!: other\n\nBREAKING CHANGE: all")
    ran = app.run(environment=APPROVED)
    assert ran.code == 4, ran.out
    assert "v2.0.0" not in app.tags()


def test_a_refusal_stops_with_exit_code_one(app: Project, hub: GitHub) -> None:
    app.run(environment=APPROVED)
    number, digest = the_hash(hub)
    hub.now = later(app)
    hub.add_comment(number, f"/refuse {digest}", PERSON)
    ran = app.run(environment=APPROVED)
    assert ran.code == 1, ran.out
    assert "v1.3.0" not in app.tags()


def test_a_misspelt_kind_opens_no_gate(app: Project, hub: GitHub) -> None:
    with pytest.raises(UsageError, match="approval-required"):
        app.run(environment={**APPROVED, "INPUT_APPROVAL-REQUIRED": "Pusch"})
    assert "v1.3.0" not in app.tags()
    assert hub.issues == {}


def test_an_environment_counts_only_when_somebody_approved_it(app: Project, hub: GitHub) -> None:
    by_environment = {
        "INPUT_APPROVAL-REQUIRED": "Push",
        "INPUT_APPROVAL-BY": "environment",
        "INPUT_APPROVAL-ENVIRONMENT": "release",
        "GITHUB_ACTOR": "somebody",
    }
    run = hub.add_run("Release", None)
    job = {**by_environment, "GITHUB_RUN_ID": str(run.id)}
    first = app.run(environment=job)
    assert first.code in (1, 3, 4), first.out
    assert "v1.3.0" not in app.tags()
    hub.review(run, "release")
    ran = app.run(environment=job)
    assert ran.code == 0, ran.out


PROMOTED = {"INPUT_ENVIRONMENTS": "dev=argocd:shop-dev,prod=argocd:shop-prod", "INPUT_ARGOCD-TOKEN": TOKEN}


@pytest.fixture
def argo(app: Project) -> Iterator[ArgoCDServer]:
    server = ArgoCDServer()
    with server:
        server.refs.update({"v1.2.0": "1" * 40, "v1.3.0": "2" * 40})
        for name in ("shop-dev", "shop-prod"):
            server.add(name, "v1.2.0")
        yield server


def target(argo: ArgoCDServer, name: str) -> str:
    return next(str(app.sources[0]["targetRevision"]) for app in argo.apps if app.data["metadata"]["name"] == name)


def test_a_release_is_promoted_to_each_environment_in_order(app: Project, hub: GitHub, argo: ArgoCDServer) -> None:
    ran = app.run(environment={**PROMOTED, "INPUT_ARGOCD-URL": argo.url})
    assert ran.code == 0, ran.out
    kinds = [operation["kind"] for operation in ran.report["operations"]]
    assert kinds == ["UpdateFiles", "CreateTag", "Push", "CreateRelease", "Promote:dev", "Promote:prod"]
    assert [target(argo, name) for name in ("shop-dev", "shop-prod")] == ["v1.3.0", "v1.3.0"]
    checkpoints = {item["name"]: [line["done"] for line in item["lines"]] for item in ran.report["details"]["checkpoints"]}
    assert list(checkpoints) == ["version and changelog", "dev", "prod"]
    assert all(done is not False for done in checkpoints["prod"])
    assert "Checkpoint" in ran.summary
    assert TOKEN not in ran.out + ran.summary


def test_prod_waits_for_its_approval_and_dev_does_not(app: Project, hub: GitHub, argo: ArgoCDServer) -> None:
    wanted = {**PROMOTED, **APPROVED, "INPUT_APPROVAL-REQUIRED": "Promote:prod", "INPUT_ARGOCD-URL": argo.url}
    ran = app.run(environment=wanted)
    assert ran.code == 4, ran.out
    assert target(argo, "shop-dev") == "v1.3.0"
    assert target(argo, "shop-prod") == "v1.2.0"
    number, digest = the_hash(hub)
    hub.now = later(app)
    hub.add_comment(number, f"/approve {digest}", PERSON)
    again = app.run(environment=wanted)
    assert again.code == 0, again.out
    assert target(argo, "shop-prod") == "v1.3.0"
