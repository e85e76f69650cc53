"""`cicd-agents release plan|changelog` on real repositories."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers.repositories import Repository, new_repository

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "app")
    made.commit("feat: begin", {"package.json": '{\n  "name": "app",\n  "version": "1.2.0"\n}\n', "README.md": "hello\n"})
    made.tag("v1.2.0")
    return made


@pytest.fixture
def plan(cicd_agents: Run, repository: Repository) -> Callable[..., dict[str, Any]]:
    def planned(*options: str) -> dict[str, Any]:
        code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--format", "json", *options)
        assert code == 0
        data: dict[str, Any] = json.loads(out)
        return data

    return planned


def test_a_feature_asks_for_a_minor_version_and_names_the_file_that_changes(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    sha = repository.commit("feat(cart): sum up (#7)\n\nCloses #3")
    report = plan()
    details = report["details"]
    assert (report["outcome"], details["current_version"], details["next_version"], details["bump"], details["tag"]) == (
        "pass",
        "1.2.0",
        "1.3.0",
        "minor",
        "v1.3.0",
    )
    assert [(item["sha"], item["type"], item["scope"], item["breaking"]) for item in details["commits"]] == [(sha, "feat", "cart", False)]
    assert details["files"] == [{"path": "package.json", "old": "1.2.0", "new": "1.3.0"}]
    assert "**cart:** sum up" in details["changelog"]
    assert repository.git("status", "--porcelain") == "", "planning writes nothing"


def test_without_a_reason_there_is_no_release_and_each_commit_says_why(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    repository.commit("docs: more words")
    repository.commit("feature: misspelt")
    report = plan()
    assert (report["outcome"], report["details"]["next_version"], report["details"]["bump"]) == ("skipped", "1.2.0", "none")
    decisions = report["details"]["decisions"]
    assert len(decisions) == 2
    assert [decision["hint"] != "" for decision in decisions] == [True, False]


def test_the_repositorys_own_configuration_decides(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    repository.commit(
        "docs: more words",
        {".releaserc.json": '{"plugins": [["@semantic-release/commit-analyzer", {"releaseRules": [{"type": "docs", "release": "patch"}]}]]}'},
    )
    details = plan()["details"]
    assert (details["next_version"], details["source"].partition(" ")[0]) == ("1.2.1", ".releaserc.json")


def test_an_older_state_is_planned_as_it_was(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    older = repository.commit("fix: round")
    repository.tag("v1.2.1")
    repository.commit("feat: more")
    repository.tag("v1.3.0")
    details = plan("--from", "v1.2.0", "--to", older)["details"]
    assert (details["current_version"], details["next_version"]) == ("1.2.0", "1.2.1")


@pytest.mark.parametrize(
    ("options", "version"),
    [(("--release-as", "5.0.0"), "5.0.0"), (("--prerelease", "rc"), "1.3.0-rc.1"), ((), "1.3.0")],
)
def test_one_off_wishes_are_followed(repository: Repository, plan: Callable[..., dict[str, Any]], options: tuple[str, ...], version: str) -> None:
    repository.commit("feat: more")
    assert plan(*options)["details"]["next_version"] == version


def test_a_component_has_its_own_tags_and_commits(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    repository.commit("feat: core", {"core/a.py": "1\n"})
    repository.tag("core/v0.4.0")
    repository.commit("fix: core", {"core/a.py": "2\n"})
    repository.commit("feat: elsewhere", {"web/b.js": "2\n"})
    details = plan("--path", "core")["details"]
    assert (details["current_version"], details["next_version"], details["tag"]) == ("0.4.0", "0.4.1", "core/v0.4.1")


def test_text_and_markdown_say_version_reason_and_commits(cicd_agents: Run, repository: Repository) -> None:
    repository.commit("feat!: drop the old door\n\nBREAKING CHANGE: use the new one")
    code, text, _ = cicd_agents("release", "plan", "--repo", repository.folder)
    assert code == 0
    assert text.splitlines()[0] == "PASS  1.2.0 → 2.0.0 (major)"
    assert "use the new one" in text
    _, markdown, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--format", "markdown")
    assert "1.2.0 → 2.0.0" in markdown


def test_the_changelog_holds_what_is_unreleased_or_all(cicd_agents: Run, repository: Repository) -> None:
    repository.commit("fix: round")
    repository.tag("v1.2.1")
    repository.commit("feat: more")
    _, unreleased, _ = cicd_agents("release", "changelog", "--repo", repository.folder)
    assert "more" in unreleased
    assert "round" not in unreleased
    _, everything, _ = cicd_agents("release", "changelog", "--repo", repository.folder, "--all")
    places = [everything.index(text) for text in ("more", "1.2.1", "round", "1.2.0", "begin")]
    assert places == sorted(places)


def test_a_hostile_subject_is_text(cicd_agents: Run, repository: Repository) -> None:
    repository.commit("feat: ::set-output name=x::y ##[error]z <img src=x> @octo/all")
    for form in ("text", "markdown", "json"):
        _, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--format", form)
        assert not [line for line in out.splitlines() if line.lstrip().startswith("::") or "##[" in line]
    assert "<img" not in cicd_agents("release", "changelog", "--repo", repository.folder)[1]


@pytest.mark.parametrize(
    ("options", "says"),
    [(("--repo", "nowhere"), "nowhere"), (("--from", "v9.9.9"), "'v9.9.9' is no commit, branch or tag"), (("--release-as", "one"), "is no semantic version")],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(cicd_agents: Run, repository: Repository, options: tuple[str, ...], says: str) -> None:
    repository.commit("feat: more")
    code, out, error = cicd_agents("release", "plan", "--repo", repository.folder, *options)
    assert (code, out) == (2, "")
    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_a_shallow_clone_says_how_to_fetch_the_rest(cicd_agents: Run, repository: Repository, tmp_path: Path) -> None:
    repository.commit("feat: more")
    clone = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.folder}", str(clone))
    code, _, error = cicd_agents("release", "plan", "--repo", clone)
    assert code == 2
    assert "fetch-depth: 0" in error


def test_a_revert_counts_only_where_it_takes_back_what_was_released(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    released = repository.git("rev-parse", "v1.2.0")
    repository.commit("revert: begin\n\nRefs: 0123abc")
    assert plan()["details"]["bump"] == "none", "nobody has released such a commit"
    repository.commit(f'Revert "feat: begin"\n\nThis reverts commit {released}.')
    assert plan()["details"]["bump"] == "patch"


def test_tags_with_something_behind_the_version_are_found_and_made(repository: Repository, plan: Callable[..., dict[str, Any]]) -> None:
    repository.commit("chore: settings", {".releaserc.json": '{"tagFormat": "app-${version}-final"}'})
    repository.tag("app-1.4.0-final")
    repository.commit("fix: round")
    details = plan()["details"]
    assert (details["previous_tag"], details["current_version"], details["tag"]) == ("app-1.4.0-final", "1.4.0", "app-1.4.1-final")


@pytest.fixture
def several(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "several")
    made.commit("chore: begin", {"release-please-config.json": '{"packages": {"core": {}, "web": {}}}'})
    for tag in ("core-v1.0.0", "web-v2.0.0"):
        made.tag(tag)
    made.commit("feat: ::set-output name=x::y <img src=x> | core", {"core/a.js": "1\n"})
    made.commit("fix: web", {"web/a.js": "1\n"})
    made.commit("docs: all", {"README.md": "1\n"})
    return made


def test_several_components_stand_in_one_plan(cicd_agents: Run, several: Repository) -> None:
    code, out, _ = cicd_agents("release", "plan", "--repo", several.folder, "--format", "json")
    details = json.loads(out)["details"]
    assert code == 0
    assert [(part["name"], part["current"], part["next"], part["tag"]) for part in details["components"]] == [
        ("core", "1.0.0", "1.1.0", "core-v1.1.0"),
        ("web", "2.0.0", "2.0.1", "web-v2.0.1"),
    ]
    assert (details["next_version"], details["tag"], details["bump"]) == (None, None, "minor")
    assert [(decision["text"], decision["rule"]) for decision in details["decisions"]] == [("docs: all", "no-component")]


def test_text_and_markdown_have_a_table_of_the_components_and_a_changelog_for_each(cicd_agents: Run, several: Repository) -> None:
    _, text, _ = cicd_agents("release", "plan", "--repo", several.folder)
    assert text.splitlines()[0] == "PASS  core 1.1.0, web 2.0.1"
    for line in ("\nComponents\n", "\nCommits of web\n", "\nCommits of no component\n", "\nChangelog of core\n"):
        assert line in text
    _, markdown, _ = cicd_agents("release", "plan", "--repo", several.folder, "--format", "markdown")
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [6] * 4, "a pipe in a title makes no cell"
    assert rows[3].startswith("| `web` | patch | `2.0.0` → `2.0.1` | `web-v2.0.1` |")
    assert "<img" not in re.sub("`[^`]*`", "", markdown), "in code it is only shown"
    assert not [line for line in (*text.splitlines(), *markdown.splitlines()) if line.lstrip().startswith("::")]


def test_a_component_of_several_can_be_planned_alone(cicd_agents: Run, several: Repository) -> None:
    code, out, _ = cicd_agents("release", "plan", "--repo", several.folder, "--path", "web", "--format", "json")
    assert code == 0
    assert (json.loads(out)["details"]["next_version"], json.loads(out)["details"]["components"]) == ("2.0.1", [])


def test_an_option_that_means_one_component_is_refused_for_several(cicd_agents: Run, several: Repository) -> None:
    code, out, error = cicd_agents("release", "plan", "--repo", several.folder, "--release-as", "3.0.0")
    assert (code, out) == (2, "")
    assert "say which with --path" in error


def test_the_settings_file_forms_the_changelog_and_names_further_version_files(
    repository: Repository, plan: Callable[..., dict[str, Any]], cicd_agents: Run
) -> None:
    settings = (
        "changelog-form: keep-a-changelog\nchangelog-sections:\n  - feat=Things, new\nchangelog-templates:\n  - entry=* ${subject}\n"
        "version-files:\n  - deploy.conf=^release = (.*)$\n"
    )
    repository.commit("feat: more", {"deploy.conf": "name = x\nrelease = 1.2.0\n", ".cicd-agents.yml": settings})
    details = plan()["details"]
    assert "### Things, new\n\n* more" in details["changelog"]
    assert {"path": "deploy.conf", "old": "1.2.0", "new": "1.3.0"} in details["files"]
    code, out, _ = cicd_agents("release", "changelog", "--repo", repository.folder)
    assert code == 0
    assert "* more" in out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("changelog-templates: ['entry=- ${nothing}']", "changelog-templates"),
        ("changelog-sections: [feat]", "changelog-sections: 'feat' is not of the form"),
        ("version-files: [nowhere.txt]", "version-files: there is no file 'nowhere.txt'"),
        ("version-files: ['package.json=(']", "package.json"),
        ("changelog-form: fancy", "changelog-form"),
    ],
)
def test_settings_that_make_no_sense_are_told_in_one_sentence(repository: Repository, cicd_agents: Run, line: str, words: str) -> None:
    repository.commit("feat: more", {".cicd-agents.yml": line})
    code, out, error = cicd_agents("release", "plan", "--repo", repository.folder)
    assert (code, out) == (2, "")
    assert words in error
    assert error.count("\n") == 1
