"""`cicd-agents release apply` and `release rollback` on a person's machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.repositories import Repository, bare_remote, clone, git, new_repository

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "app")
    made.commit("feat: begin", {"package.json": '{\n  "name": "app",\n  "version": "1.2.0"\n}\n'})
    made.tag("v1.2.0", "first")
    bare_remote(tmp_path / "remote.git", made)
    made.commit("fix: round")
    made.git("push", "--quiet", "origin", "main")
    return made


def remote_tags(repository: Repository) -> list[str]:
    return git(repository.folder.parent / "remote.git", "tag").splitlines()


def test_it_commits_tags_and_pushes_and_the_branch_here_follows(cicd_agents: Run, repository: Repository) -> None:
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 0, out
    assert remote_tags(repository) == ["v1.2.0", "v1.2.1"]
    assert '"version": "1.2.1"' in (repository.folder / "package.json").read_text()
    assert repository.git("status", "--porcelain") == "", "the work tree is clean, and nothing new lies in it"
    assert repository.git("rev-parse", "HEAD") == repository.git("rev-parse", "v1.2.1^{}")


def test_again_it_says_that_all_is_there(cicd_agents: Run, repository: Repository) -> None:
    cicd_agents("release", "apply", "--repo", repository.folder)
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder, "--format", "json")
    report: dict[str, Any] = json.loads(out)
    assert code == 0
    assert [operation["status"] for operation in report["operations"]] == ["already-done"]
    assert remote_tags(repository) == ["v1.2.0", "v1.2.1"]


def test_a_dry_run_writes_nothing_and_needs_no_remote(cicd_agents: Run, repository: Repository) -> None:
    repository.git("remote", "remove", "origin")
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder, "--dry-run")
    assert code == 0
    assert "Push origin: planned" in out
    assert repository.git("tag") == "v1.2.0"


def test_without_a_remote_it_says_so(cicd_agents: Run, repository: Repository) -> None:
    repository.git("remote", "remove", "origin")
    code, _, error = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 2
    assert "no remote 'origin'" in error
    assert repository.git("tag") == "v1.2.0"


def test_changed_files_are_not_run_over(cicd_agents: Run, repository: Repository) -> None:
    repository.write("package.json", "{}")
    code, _, error = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 2
    assert "package.json" in error
    assert (repository.folder / "package.json").read_text() == "{}"
    assert remote_tags(repository) == ["v1.2.0"]


def test_a_detached_head_needs_the_name_of_the_branch(cicd_agents: Run, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach")
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 3
    assert "--branch" in out
    assert remote_tags(repository) == ["v1.2.0"]
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder, "--branch", "main")
    assert code == 0, out
    assert remote_tags(repository) == ["v1.2.0", "v1.2.1"]


def test_a_shallow_clone_is_refused_with_the_way_to_mend_it(cicd_agents: Run, repository: Repository, tmp_path: Path) -> None:
    shallow = clone(tmp_path / "remote.git", tmp_path / "shallow", "--depth=1")
    code, _, error = cicd_agents("release", "apply", "--repo", shallow.folder)
    assert code == 2
    assert "fetch-depth: 0" in error


def test_a_remote_that_is_gone_is_no_bug(cicd_agents: Run, repository: Repository) -> None:
    repository.git("remote", "set-url", "origin", "/nowhere/at-all.git")
    code, out, error = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 3, error
    assert "could not be decided" in out


def test_a_branch_that_went_on_elsewhere_stops_the_push(cicd_agents: Run, repository: Repository, tmp_path: Path) -> None:
    other = clone(tmp_path / "remote.git", tmp_path / "other")
    other.commit("feat: meanwhile")
    other.git("push", "--quiet", "origin", "main")
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder)
    assert code == 3
    assert "has gone on" in out
    assert remote_tags(repository) == ["v1.2.0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("release", "apply", "--repo", "/nowhere"), "no such folder"),
        (("release", "apply", "--flow", "sideways"), "--flow"),
        (("release", "rollback", "v1"), "--reason"),
        (("release", "rollback", "--reason", "x"), "TAG"),
    ],
)
def test_wrong_words_are_told_in_one_sentence(cicd_agents: Run, arguments: tuple[str, ...], words: str) -> None:
    code, out, error = cicd_agents(*arguments)
    assert (code, out) == (2, "")
    assert words in error
    assert error.count("\n") == 1


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server


@pytest.fixture
def forge(hub: GitHub, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """The repository is one of GitHub's, as a job of GitHub sees it."""
    hub.follow(repository.folder.parent / "remote.git")
    variables = {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REPOSITORY": hub.repository.full_name, "GITHUB_API_URL": hub.api_url,
        "GITHUB_SERVER_URL": hub.server.url, "GITHUB_TOKEN": WORKFLOW_TOKEN, "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": repository.git("rev-parse", "HEAD"),
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return hub


def test_a_rollback_deletes_nothing_and_makes_the_version_before_the_latest(cicd_agents: Run, forge: GitHub, repository: Repository) -> None:
    repository.tag("v1.2.1", "bad")
    repository.git("push", "--quiet", "origin", "v1.2.1")
    forge.add_release("v1.2.0", body="good")
    forge.add_release("v1.2.1", body="the notes")
    code, out, error = cicd_agents("release", "rollback", "v1.2.1", "--reason", "It loses data.", "--repo", repository.folder)
    assert code == 0, out + error
    bad = forge.release_of("v1.2.1")
    assert bad.prerelease
    assert "It loses data." in bad.body
    assert "v1.2.0" in bad.body
    assert bad.body.endswith("the notes")
    assert forge.latest is forge.release_of("v1.2.0")
    assert forge.deleted == []
    assert remote_tags(repository) == ["v1.2.0", "v1.2.1"]
    assert "Reissue" in out
    text = bad.body
    assert cicd_agents("release", "rollback", "v1.2.1", "--reason", "It loses data.", "--repo", repository.folder)[0] == 0
    assert forge.release_of("v1.2.1").body == text


def test_a_rollback_of_what_is_not_there_is_told(cicd_agents: Run, forge: GitHub, repository: Repository) -> None:
    code, _, error = cicd_agents("release", "rollback", "v9.9.9", "--reason", "x", "--repo", repository.folder)
    assert code == 2
    assert "no release of 'v9.9.9'" in error
    assert {request.method for request in forge.requests} == {"GET"}


def test_an_older_tag_gets_the_release_that_it_lacks(cicd_agents: Run, forge: GitHub, repository: Repository) -> None:
    repository.tag("v1.2.1", "by hand")
    repository.git("push", "--quiet", "origin", "v1.2.1")
    repository.commit("feat: later")
    repository.git("push", "--quiet", "origin", "main")
    code, out, error = cicd_agents("release", "apply", "--to", "v1.2.1", "--repo", repository.folder)
    assert code == 0, out + error
    assert "round" in forge.release_of("v1.2.1").body
    assert "later" not in forge.release_of("v1.2.1").body
    assert remote_tags(repository) == ["v1.2.0", "v1.2.1"]
