"""The flow by a release request: a pull request of our own branch, kept up to date, and the release when it is merged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.github import BOT, STRANGER, GitHub
from tests.servers.github_state import FakeIssue
from tests.servers.http_server import Reply
from tests.wiring.release_rig import Project, project

FLOW = {"INPUT_RELEASE-FLOW": "request"}
BRANCH = "cicd-agents/release"


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, hub: GitHub) -> Project:
    return project(tmp_path, hub)


def pulls(hub: GitHub) -> list[FakeIssue]:
    return [issue for issue in hub.issues.values() if issue.pull is not None]


def test_a_push_opens_a_request_with_version_files_changelog_and_notes(app: Project, hub: GitHub) -> None:
    ran = app.run(environment=FLOW)
    assert ran.code == 0, ran.out
    [pull] = pulls(hub)
    assert pull.title == "chore(release): v1.3.0"
    assert "sum up" in pull.body
    assert '"version": "1.3.0"' in app.show("package.json", BRANCH)
    assert '"version": "1.2.0"' in app.show("package.json"), "main is as it was"
    assert "v1.3.0" not in app.tags()
    assert hub.releases == []
    assert ran.outputs["released"] == "false"


def test_the_next_push_brings_the_request_up_to_date_without_forcing_the_branch(app: Project, hub: GitHub) -> None:
    app.run(environment=FLOW)
    before = hub.branches[BRANCH]
    app.commit("feat!: new shape\n\nBREAKING CHANGE: all is new")
    assert app.run(environment=FLOW).code == 0
    [pull] = pulls(hub)
    assert pull.title == "chore(release): v2.0.0"
    assert "all is new" in pull.body
    assert app.sources.git("ls-remote", "origin", BRANCH).split()[0] != before
    app.sources.git("fetch", "--quiet", "origin")
    assert app.sources.git("merge-base", "--is-ancestor", before, f"origin/{BRANCH}") == ""
    assert app.sources.git("diff", "--stat", "origin/main", f"origin/{BRANCH}").count("|") == 2, "it differs from main by changelog and version alone"


def test_a_second_run_of_the_same_state_changes_nothing(app: Project, hub: GitHub) -> None:
    app.run(environment=FLOW)
    before = (hub.branches[BRANCH], len(hub.requests))
    ran = app.run(environment=FLOW)
    assert {operation["status"] for operation in ran.report["operations"]} == {"already-done"}
    assert hub.branches[BRANCH] == before[0]
    assert {request.method for request in hub.requests[before[1] :]} == {"GET"}


@pytest.mark.parametrize("squash", [True, False])
def test_merging_it_tags_the_merge_commit_and_makes_the_release(app: Project, hub: GitHub, squash: bool) -> None:
    app.run(environment=FLOW)
    [pull] = pulls(hub)
    merged = hub.merge(pull.number, squash=squash)
    ran = app.run(environment=FLOW)
    assert ran.code == 0, ran.out
    assert app.tags()["v1.3.0"] == merged == hub.branches["main"]
    release = hub.release_of("v1.3.0")
    assert "sum up" in release.body
    assert hub.made_tags == []
    assert ran.outputs["released"] == "true"
    again = app.run(environment=FLOW)
    assert again.code == 0, again.out
    assert len(hub.releases) == 1
    assert len(pulls(hub)) == 1, "nothing is asked for twice"


def test_after_a_release_the_next_feature_opens_the_next_request(app: Project, hub: GitHub) -> None:
    app.run(environment=FLOW)
    hub.merge(pulls(hub)[0].number)
    app.run(environment=FLOW)
    app.sources.git("pull", "--quiet", "origin", "main")
    app.commit("fix: round")
    assert app.run(environment=FLOW).code == 0
    newest = pulls(hub)[-1]
    assert (newest.title, newest.state) == ("chore(release): v1.3.1", "open")
    assert len(pulls(hub)) == 2


def test_a_request_that_somebody_else_wrote_with_our_mark_releases_nothing(app: Project, hub: GitHub) -> None:
    app.run(environment={**FLOW, "INPUT_DRY-RUN": "true"})
    app.sources.branch("work")
    app.sources.commit("chore: nothing")
    app.sources.git("push", "--quiet", "origin", f"work:{BRANCH}")
    body = '<!-- cicd-agents:release {"tag": "v9.0.0", "version": "9.0.0"} -->'
    forged = hub.open_pull(BRANCH, "chore(release): v9.0.0", body, author=STRANGER)
    hub.merge(forged.number)
    app.run(environment=FLOW)
    assert "v9.0.0" not in app.tags()
    assert [pull.author for pull in pulls(hub)] == [STRANGER, BOT]


@pytest.mark.parametrize("effect", ["before it has an effect", "after it had its effect"])
def test_cut_off_at_any_call_the_next_run_leaves_one_request(tmp_path: Path, effect: str) -> None:
    with GitHub() as hub:
        (tmp_path / "whole").mkdir()
        app = project(tmp_path / "whole", hub)
        app.run(environment=FLOW)
        calls = len(hub.requests)
    assert calls >= 3
    for index in range(calls):
        with GitHub() as hub:
            (tmp_path / str(index)).mkdir()
            app = project(tmp_path / str(index), hub)
            if effect.startswith("after"):
                hub.lost[index] = Reply(reset=True)
            hub.faults.update(dict.fromkeys(range(index + effect.startswith("after"), calls + 100), Reply(reset=True)))
            app.run(environment=FLOW)
            hub.faults.clear()
            hub.lost.clear()
            ran = app.run(environment=FLOW)
            assert ran.code == 0, (index, ran.out)
            assert [(pull.title, pull.state) for pull in pulls(hub)] == [("chore(release): v1.3.0", "open")], index
