"""The guardian among people on GitLab: notes, approvals, incidents, and a revert in Git."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.gitlab import GitLab
from tests.servers.repositories import bare_remote, clone, git, new_repository
from tests.servers.slack import SlackServer
from tests.wiring.guardian_people_rig import GITLAB_TOKEN, OnGitLab
from tests.wiring.guardian_rig import BAD, BROKEN, HEALTHY, by_argocd, deployed, prometheus


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    running = GitLab()
    running.access_token("maintainer", GITLAB_TOKEN)
    with running:
        yield running
    assert running.problems == []


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path, argocd: ArgoCDServer, gitlab: GitLab) -> OnGitLab:
    found = OnGitLab(tmp_path, prometheus(request.config).url, environment=by_argocd(argocd), server=gitlab)
    argocd.now = found.clock.now
    gitlab.now = found.clock.now()
    return found


def writes(gitlab: GitLab) -> list[str]:
    return [f"{request.method} {request.path}" for request in gitlab.requests if request.method != "GET"]


def test_the_merged_request_gets_one_note_that_is_kept_up_to_date(deployment: OnGitLab, gitlab: GitLab, app: App) -> None:
    gitlab.add_commit(BAD)
    gitlab.add_merge_request(3, BAD, state="merged")
    deployment.run(BROKEN)
    [note] = gitlab.notes(3)
    assert "ROLLBACK" in note
    deployment.run(HEALTHY)
    [note] = gitlab.notes(3)
    assert "PROCEED" in note
    outputs = (deployment.folder / "work/cicd-agents-report/cicd-agents.env").read_text()
    assert "CICD_AGENTS_RESULT_DECISION=promote" in outputs


def test_the_open_request_gets_the_note(deployment: OnGitLab, gitlab: GitLab, app: App) -> None:
    gitlab.add_merge_request(4, BAD)
    deployment.request = 4
    deployment.run(BROKEN)
    assert len(gitlab.notes(4)) == 1


def test_of_a_fork_nothing_but_files_is_written(deployment: OnGitLab, gitlab: GitLab, argocd: ArgoCDServer, app: App) -> None:
    gitlab.add_merge_request(4, BAD, source_project_id=99)
    deployment.request, deployment.foreign = 4, True
    with SlackServer() as slack:
        ran = deployment.run(BROKEN, rollback="auto", slack_webhook=slack.webhook_url, history="memory.sqlite")
        assert slack.messages == []
    assert ran.code == 1, ran.out
    assert writes(gitlab) == []
    assert (argocd.rollbacks, argocd.patches) == ([], [])
    assert not (deployment.folder / "work/memory.sqlite").exists()


def test_a_rollback_waits_for_its_approval_and_is_then_done(deployment: OnGitLab, gitlab: GitLab, argocd: ArgoCDServer, app: App) -> None:
    person = gitlab.forge.add_account("octocat", 30)
    gitlab.forge.add_account("ada")
    wanted = {"rollback": "auto", "approval_required": "Rollback", "approvers": f"id:{person['id']}"}
    ran = deployment.run(BROKEN, **wanted)
    assert ran.code == 1, ran.out
    assert argocd.rollbacks == []
    [issue] = gitlab.issues.values()
    found = re.search(r"^approve ([0-9a-f]{12,64})$", issue.data["description"], re.MULTILINE)
    assert found, issue.data["description"]
    deployment.clock.advance(60)
    gitlab.now = deployment.clock.now()
    gitlab.add_note(issue, f"approve {found[1]}", person)
    again = deployment.run(BROKEN, **wanted)
    assert again.code == 1, again.out
    assert argocd.rollbacks == [app.history[0]["id"]]
    assert issue.data["state"] == "closed"


def test_a_rollback_that_fails_opens_one_incident(deployment: OnGitLab, gitlab: GitLab, argocd: ArgoCDServer, app: App) -> None:
    argocd.failing.add("a" * 40)
    with SlackServer() as slack:
        wanted = {"rollback": "auto", "slack_webhook": slack.webhook_url, "watch": "1", "guardian_state": "state.json", "issue_labels": "incident"}
        ran = deployment.run(BROKEN, **wanted)
        assert ran.code == 1, ran.out
        [issue] = gitlab.issues.values()
        assert issue.data["title"] == "Rollback of api in prod failed"
        before = issue.data["description"]
        deployment.run(BROKEN, **wanted)
        assert [one.data["description"] for one in gitlab.issues.values()] == [before]
        assert len(slack.messages) == 1


def test_after_a_rollback_a_merge_request_reverts_in_git(deployment: OnGitLab, gitlab: GitLab, argocd: ArgoCDServer) -> None:
    sources = new_repository(deployment.folder / "sources")
    good = sources.commit("feat: the good one", {"cart.js": "good\n"})
    bad = sources.commit("feat: the bad one", {"cart.js": "bad\n"})
    remote = bare_remote(deployment.folder / "remote.git", sources)
    app = deployed(argocd, good=good, bad=bad)
    clone(remote, deployment.folder / "work").checkout("--detach")  # as GitLab's runner leaves it
    ran = deployment.run(BROKEN, rollback="auto", revert="request")
    assert ran.code == 1, ran.out
    assert app.live == [good]
    assert {one["kind"]: one["status"] for one in ran.report["operations"]}["RevertInGit"] == "applied", ran.out
    [request] = gitlab.merge_requests.values()
    assert git(remote, "show", f"{request.data['source_branch']}:cart.js") == "good"
    assert git(remote, "rev-parse", "main") == bad
