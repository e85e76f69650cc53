"""Names that git allows, tags of every kind, and which of them a commit reaches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.servers.repositories import ENVIRONMENT, Repository, released

from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.clients.git_refs import Tag, is_ref_name, is_revision
from cicd_agents.domain.errors import UsageError


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    return released(tmp_path / "project")


def opened(repository: Repository) -> GitRepository:
    return open_repository(repository.folder, ENVIRONMENT)


@settings(max_examples=150)
@given(st.text("ab1./~^:?*[\\@{} -+\x7f\tlock\u00e9", min_size=1, max_size=12))
@example("a.lock/b")
@example(".a")
@example("a/.b")
@example("@")
@example("a@")
@example("a@{b")
@example("a..b")
@example("a.")
@example("a./b")
@example("a//b")
@example("/a")
@example("a/")
@example("a.lock")
@example("lock")
@example("+a")
def test_the_rules_for_names_are_those_of_git_check_ref_format(name: str) -> None:
    asked = subprocess.run(["git", "check-ref-format", f"refs/tags/{name}"], env=dict(ENVIRONMENT), check=False)
    # The two that git takes under refs/tags/ but not, or not as such, on its own: a name that reads as an option, and `@`, which means HEAD.
    assert is_ref_name(name) is (asked.returncode == 0 and not name.startswith("-") and name != "@")


@pytest.mark.parametrize("name", ["", "-d", "a\nb", "a\0b", "x" * 1001])
def test_empty_long_and_dangerous_names_are_refused(name: str) -> None:
    assert not is_ref_name(name)


@pytest.mark.parametrize("text", ["HEAD", "v1.2.3", "HEAD~2", "main^", "v1^2~3^", "refs/tags/v1", "pkg@1.2.3", "a" * 40])
def test_names_ids_and_steps_back_are_revisions(text: str) -> None:
    assert is_revision(text)


@pytest.mark.parametrize("text", ["", "~1", "a..b", "a:b", "^a", "HEAD^{tree}", "@{u}", ":/fix", "a b", "HEAD~" + "9" * 7, "HEAD" + "^" * 21, "-n"])
def test_ranges_paths_and_searches_are_no_revisions(text: str) -> None:
    assert not is_revision(text)


def test_tags_tell_their_commit_and_times(project: Repository) -> None:
    project.tag("late", "made long after", at="v1.0.0^{commit}", time=1_800_000_000)
    first, released_at = project.git("rev-parse", "v1.0.0^{commit}"), int(project.git("log", "-1", "--format=%ct", "v1.0.0"))
    light_at = int(project.git("log", "-1", "--format=%ct", "v1.1.0"))
    assert opened(project).tags() == (
        Tag("late", first, 1_800_000_000, annotated=True),
        Tag("v1.0.0", first, released_at + 60, annotated=True),
        Tag("v1.1.0", project.git("rev-parse", "v1.1.0"), light_at),
    )


def test_a_tag_that_does_not_tell_when_it_was_made_has_the_time_of_its_commit(project: Repository) -> None:
    commit = project.git("rev-parse", "v1.0.0^{commit}")
    # As git wrote tags before 0.99.
    made = project.git("hash-object", "-t", "tag", "-w", "--stdin", "--literally", given=f"object {commit}\ntype commit\ntag old\n\nno tagger\n".encode())
    project.git("update-ref", "refs/tags/old", made)
    old = next(tag for tag in opened(project).tags() if tag.name == "old")
    assert old == Tag("old", commit, int(project.git("log", "-1", "--format=%ct", commit)), annotated=True)


def test_a_tag_of_a_tag_leads_to_the_commit(project: Repository) -> None:
    project.tag("signed", "tag of a tag", at="v1.0.0")
    project.tag("again", "and once more", at="signed")
    found = {tag.name: tag.commit for tag in opened(project).tags()}
    assert found["signed"] == found["again"] == project.git("rev-parse", "v1.0.0^{commit}")


def test_tags_of_trees_and_blobs_are_left_out(project: Repository) -> None:
    before = opened(project).tags()
    project.tag("tree", at="HEAD^{tree}")
    project.tag("blob", "the key", at="HEAD:app.py")
    project.tag("blob-again", "tag of that tag", at="blob")
    assert opened(project).tags() == before


def test_odd_names_of_tags_stop_nothing(project: Repository) -> None:
    names = ["v7.0.0-oc-test.4", "ünï/cödé", "release/2024-01-01", "pkg@1.0.0", "a'b\"c$(d)`e`", "100%", "%00"]
    for name in names:
        project.tag(name)
    assert set(names) <= {tag.name for tag in opened(project).tags()}


def test_merged_tags_are_those_that_the_revision_reaches(project: Repository) -> None:
    project.checkout("v1.0.0")
    project.commit("fix: for the old line")
    project.tag("v1.0.1", "hotfix")
    assert [tag.name for tag in opened(project).tags("HEAD")] == ["v1.0.0", "v1.0.1"]
    assert [tag.name for tag in opened(project).tags("main")] == ["v1.0.0", "v1.1.0"]


def test_an_id_that_was_found_once_is_no_answer_for_another(project: Repository) -> None:
    repository = opened(project)
    commit, tag = repository.commit("HEAD"), project.git("rev-parse", "v1.0.0")
    assert repository.commits([commit, "0" * 40, tag, commit[:12]]) == {
        commit: commit, "0" * 40: None, tag: project.git("rev-parse", "v1.0.0^{commit}"), commit[:12]: commit,
    }  # fmt: skip


def test_a_commit_reaches_itself_and_its_ancestors_only(project: Repository) -> None:
    repository = opened(project)
    assert repository.is_ancestor("HEAD", "HEAD")
    assert repository.is_ancestor("fix", "main")
    assert not repository.is_ancestor("main", "fix")
    with pytest.raises(UsageError, match="git merge-base failed"):
        repository.is_ancestor("0" * 40, "main")


def test_a_branch_of_the_same_name_does_not_hide_a_tag(project: Repository) -> None:
    project.git("branch", "v1.0.0", "main")
    repository = opened(project)
    assert repository.commit("v1.0.0") == project.git("rev-parse", "refs/tags/v1.0.0^{commit}")


def test_repositories_with_long_ids_are_read_alike(tmp_path: Path) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    project = Repository(folder)
    project.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    sha = project.commit("feat: x", {"a": "1"})
    project.tag("v1.0.0", "first")
    repository = opened(project)
    assert len(sha) == 64
    assert [tag.commit for tag in repository.tags(sha)] == [sha]
    assert [commit.sha for commit in repository.history()] == [sha]
    assert repository.read_file("a", "v1.0.0", 10) == b"1"
