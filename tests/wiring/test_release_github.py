"""The release-manager as a job of GitHub Actions: a real repository and remote, GitHub's API as it is described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.servers.repositories import refuse, write_hook
from tests.servers.slack import SlackServer
from tests.wiring.release_rig import Project, project

from cicd_agents.domain.errors import UsageError


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server


@pytest.fixture
def app(tmp_path: Path, hub: GitHub) -> Project:
    return project(tmp_path, hub)


def test_a_push_to_main_becomes_commit_tag_and_release_with_notes(app: Project, hub: GitHub) -> None:
    ran = app.run()
    assert ran.code == 0, ran.out
    assert '"version": "1.3.0"' in app.show("package.json")
    assert "**cart:** sum up" in app.show("CHANGELOG.md")
    assert app.tags()["v1.3.0"] == app.hub.branches["main"]
    release = hub.release_of("v1.3.0")
    assert (release.draft, release.prerelease, release.target) == (False, False, app.tags()["v1.3.0"])
    assert "sum up" in release.body
    assert hub.made_tags == [], "the forge was never left to make the tag"
    outputs = ran.outputs
    assert (outputs["version"], outputs["bump"], outputs["tag"], outputs["released"]) == ("1.3.0", "minor", "v1.3.0", "true")
    assert outputs["changelog-path"] == "CHANGELOG.md"
    assert outputs["release-url"].endswith("/releases/tag/v1.3.0")


def test_the_second_run_of_the_same_commit_changes_nothing_and_is_green(app: Project, hub: GitHub) -> None:
    sha = app.sources.git("rev-parse", "HEAD")
    assert app.run().code == 0
    before = (app.tags(), hub.release_of("v1.3.0").body, hub.branches["main"])
    again = app.checkout()
    again.checkout(sha)
    ran = app.run(at=again)
    assert ran.code == 0, ran.out
    assert (app.tags(), hub.release_of("v1.3.0").body, hub.branches["main"]) == before
    assert {operation["status"] for operation in ran.report["operations"]} == {"already-done"}
    assert ran.outputs["released"] == "true"


def test_nothing_to_release_is_skipped_and_writes_nothing(app: Project, hub: GitHub) -> None:
    app.run()
    app.sources.git("pull", "--quiet", "origin", "main")
    app.commit("docs: more words")
    before = app.tags()
    ran = app.run()
    assert (ran.code, ran.outputs["outcome"], ran.outputs["released"]) == (0, "skipped", "false")
    assert app.tags() == before
    assert len(hub.releases) == 1


def test_files_are_attached_with_checksums_before_the_release_is_published(app: Project, hub: GitHub) -> None:
    work = app.checkout()
    work.write("dist/app.tgz", b"\x00\x01")
    work.write("dist/app.whl", b"wheel")
    ran = app.run(at=work, environment={"INPUT_RELEASE-ASSETS": "dist/*"})
    assert ran.code == 0, ran.out
    release = hub.release_of("v1.3.0")
    assert {asset.name: asset.content for asset in release.assets if asset.name != "SHA256SUMS"} == {"app.tgz": b"\x00\x01", "app.whl": b"wheel"}
    sums = next(asset.content for asset in release.assets if asset.name == "SHA256SUMS").decode()
    assert sums.splitlines()[1].endswith("  app.whl")
    kinds = [operation["kind"] for operation in ran.report["operations"]]
    assert kinds == ["UpdateFiles", "CreateTag", "Push", "CreateRelease", "UploadAsset", "UploadAsset", "UploadAsset", "PublishRelease"]
    assert not release.draft


def test_a_dry_run_shows_all_and_writes_nothing(app: Project, hub: GitHub) -> None:
    before = app.tags()
    ran = app.run(environment={"INPUT_DRY-RUN": "true", "INPUT_RELEASE-COMMENTS": "true"})
    assert ran.code == 0
    assert {operation["status"] for operation in ran.report["operations"]} == {"planned"}
    assert [operation["kind"] for operation in ran.report["operations"]][-2:] == ["CommentReleased", "CommentReleased"]
    assert app.tags() == before
    assert [request.method for request in hub.requests if request.method != "GET"] == []


def test_a_pushed_tag_gets_notes_and_release_and_no_commit(app: Project, hub: GitHub) -> None:
    app.sources.tag("v1.3.0", "Release v1.3.0")
    app.sources.git("push", "--quiet", "origin", "v1.3.0")
    main = hub.branches["main"]
    ran = app.run(ref="refs/tags/v1.3.0", environment={"INPUT_AGENT": "auto"})
    assert ran.code == 0, ran.out
    assert "sum up" in hub.release_of("v1.3.0").body
    assert hub.branches["main"] == main
    assert ran.outputs["version"] == "1.3.0"


def test_a_pushed_tag_that_is_too_low_closes_the_gate(app: Project, hub: GitHub) -> None:
    app.sources.tag("v1.2.1", "wrong")
    app.sources.git("push", "--quiet", "origin", "v1.2.1")
    ran = app.run(ref="refs/tags/v1.2.1")
    assert (ran.code, ran.outputs["outcome"]) == (1, "fail")
    assert "below 1.3.0" in ran.out
    assert hub.releases == []
    allowed = app.run(ref="refs/tags/v1.2.1", environment={"INPUT_VERIFY-TAG": "warn"})
    assert allowed.code == 0, allowed.out
    assert hub.release_of("v1.2.1").body


def test_a_tag_at_another_commit_stops_the_release_with_the_reason(app: Project, hub: GitHub) -> None:
    work = app.checkout()
    app.sources.git("tag", "v1.3.0", "v1.2.0^{}")
    app.sources.git("push", "--quiet", "origin", "v1.3.0")
    at = app.tags()["v1.3.0"]
    with pytest.raises(UsageError, match="exists already"):
        app.run(at=work, environment={"INPUT_RELEASE-AS": "1.3.0"})
    assert app.tags()["v1.3.0"] == at
    assert hub.releases == []


def test_released_issues_and_requests_are_told_once(app: Project, hub: GitHub) -> None:
    while len(hub.issues) < 7:
        hub.add_issue("An issue")
    numbers = sorted(hub.issues)
    app.commit(f"fix: round (#{numbers[1]})\n\nFixes #{numbers[0]}")
    environment = {"INPUT_RELEASE-COMMENTS": "true", "INPUT_RELEASE-LABELS": "released"}
    first = app.run(environment=environment)
    assert first.code == 0, first.out
    told = {comment.number: comment.body for comment in hub.comments.values()}
    assert {numbers[0], numbers[1]} <= set(told)
    assert "v1.3.0" in told[numbers[0]]
    assert "released" in hub.issues[numbers[0]].labels
    count = len(hub.comments)
    assert app.run(environment=environment).code == 0
    assert len(hub.comments) == count


def test_a_refused_push_says_why_and_leaves_nothing_on_the_forge(app: Project, hub: GitHub) -> None:
    refuse(app.remote, "GH006: Protected branch update failed")
    ran = app.run(environment={"INPUT_CHECKS-WAIT": "1"})
    assert ran.code == 3
    assert "Protected branch" in ran.out
    assert "v1.3.0" not in app.tags()
    assert hub.releases == []


def test_a_branch_that_wants_checks_gets_the_commit_beside_first(app: Project, hub: GitHub) -> None:
    """The hook refuses main until the very commit was pushed to another branch and has a green check."""
    write_hook(
        app.remote / "hooks" / "update",
        'case "$1" in refs/heads/main) for ref in $(git for-each-ref --format="%(objectname)" refs/heads/cicd-agents/); do [ "$ref" = "$3" ] && exit 0; done; '
        'echo "GH006: Protected branch update failed: required checks" >&2; exit 1;; esac; exit 0',
    )
    work = app.checkout()
    dry = app.run(at=work, environment={"INPUT_DRY-RUN": "true"})
    assert dry.code == 0
    waiting = app.run(at=work, environment={"INPUT_CHECKS-WAIT": "1"})
    assert waiting.code == 3, "no check ever started"
    [side] = [name for name in hub.branches if name.startswith("cicd-agents/")]
    hub.add_check(hub.branches[side], "build")
    ran = app.run()
    assert ran.code == 0, ran.out
    assert hub.branches["main"] == hub.branches[side] == app.tags()["v1.3.0"]


def test_without_a_token_it_says_which_one_and_nothing_is_written(app: Project, hub: GitHub) -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN"):
        app.run(environment={"GITHUB_TOKEN": "", "INPUT_TOKEN": ""})
    assert "v1.3.0" not in app.tags()
    assert hub.requests == []


def test_people_who_came_with_this_release_are_named_as_new(app: Project, hub: GitHub) -> None:
    app.sources.commit("fix: round", author="Grace <grace@example.com>")
    app.sources.git("push", "--quiet", "origin", "main")
    app.run()
    [line] = [line for line in hub.release_of("v1.3.0").body.splitlines() if "Grace" in line]
    assert "first" in line
    assert not [line for line in hub.release_of("v1.3.0").body.splitlines() if "Ada" in line and "first" in line]


def test_a_release_is_announced_once_with_escaped_text(app: Project, hub: GitHub) -> None:
    app.commit("feat: <!channel> & more")
    with SlackServer() as slack:
        environment = {"INPUT_ANNOUNCE": "true", "CICD_AGENTS_SLACK_WEBHOOK": slack.webhook_url}
        assert app.run(environment=environment).code == 0
        [message] = slack.messages
        text = json.dumps(message)
        assert "v1.3.0" in text or "1.3.0" in text
        assert "<!channel>" not in text
        assert "sum up" in text
        ran = app.run(environment=environment)
        assert ran.code == 0, ran.out
        assert len(slack.messages) == 1
    assert slack.webhook_url not in ran.out + ran.summary


def test_a_token_that_may_not_write_is_told_with_the_permission_and_the_next_run_finishes(app: Project, hub: GitHub) -> None:
    hub.permissions.discard("contents: write")
    ran = app.run()
    assert ran.code == 3
    assert "contents: write" in ran.out
    assert hub.releases == []
    hub.permissions.add("contents: write")
    assert app.run().code == 0
    assert hub.release_of("v1.3.0").body


def test_a_pull_request_only_shows_the_plan(app: Project, hub: GitHub) -> None:
    work = app.checkout()
    sha = work.git("rev-parse", "HEAD")
    event = {
        "action": "opened", "number": 1, "repository": {"id": hub.repository.id, "full_name": hub.repository.full_name, "default_branch": "main"},
        "pull_request": {
            "number": 1, "html_url": f"{hub.url}/pull/1",
            "head": {"sha": sha, "ref": "topic", "repo": {"id": hub.repository.id, "full_name": hub.repository.full_name}},
            "base": {"sha": sha, "ref": "main", "repo": {"id": hub.repository.id, "full_name": hub.repository.full_name}},
        },
    }  # fmt: skip
    (work.folder.parent / "pull.json").write_text(json.dumps(event))
    ran = app.run(at=work, event="pull_request", ref="refs/pull/1/merge", environment={"GITHUB_EVENT_PATH": str(work.folder.parent / "pull.json")})
    assert ran.code == 0, ran.out
    assert {operation["status"] for operation in ran.report["operations"]} == {"planned"}
    assert "only shown" in ran.out
    assert "v1.3.0" not in app.tags()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"INPUT_RELEASE-ASSETS": "dist/*"}, "no file 'dist/\\*'"),
        ({"INPUT_RELEASE-ASSETS": "../x"}, "out of the workspace"),
        ({"INPUT_ANNOUNCE": "true"}, "slack-webhook"),
        ({"INPUT_GIT-AUTHOR": "nobody"}, "git-author"),
        ({"INPUT_RELEASE-AS": "soon"}, "no semantic version"),
        ({"INPUT_ENVIRONMENTS": "prod"}, "environments"),
        ({"INPUT_APPROVAL-REQUIRED": "Push"}, "approvers"),
    ],
)
def test_settings_that_make_no_sense_stop_before_anything_is_written(app: Project, hub: GitHub, environment: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        app.run(environment=environment)
    assert "v1.3.0" not in app.tags()
    assert [request.method for request in hub.requests if request.method != "GET"] == []


def test_a_release_that_was_never_finished_is_told_and_can_be(app: Project, hub: GitHub) -> None:
    ran = app.run()
    assert "release apply --to v1.2.0" in ran.out, "v1.2.0 has a tag only"
    hub.add_release("v1.2.0", body="as it was")
    app.sources.git("pull", "--quiet", "origin", "main")
    app.commit("docs: more")
    assert "release apply --to" not in app.run().out


def test_a_branch_that_is_in_no_table_releases_nothing_unless_it_is_named(app: Project, hub: GitHub) -> None:
    app.sources.branch("topic")
    app.sources.commit("feat: on the side")
    app.sources.git("push", "--quiet", "origin", "topic")
    work = app.checkout()
    work.checkout("topic")
    ran = app.run(at=work, ref="refs/heads/topic")
    assert (ran.code, ran.outputs["outcome"]) == (0, "skipped")
    assert "topic makes no releases" in ran.out
    assert set(app.tags()) == {"v1.2.0"}
    named = app.run(at=work, ref="refs/heads/topic", environment={"INPUT_RELEASE-BRANCH": "topic"})
    assert named.code == 0, named.out
    assert app.tags()["v1.3.0"] == hub.branches["topic"]


def test_a_secret_in_a_commit_message_reaches_neither_notes_nor_changelog(app: Project, hub: GitHub) -> None:
    secret = "ghp_" + "Ab1" * 12
    app.commit(f"fix: log in with {secret}\n\nBREAKING CHANGE: use {secret} now")
    ran = app.run()
    assert ran.code == 0, ran.out
    release = hub.release_of(ran.outputs["tag"])
    assert "log in with" in release.body
    for text in (
        release.body,
        release.name,
        app.show("CHANGELOG.md"),
        ran.out,
        ran.summary,
        *(request.body.decode("utf-8", "replace") for request in hub.requests),
    ):
        assert secret not in text
