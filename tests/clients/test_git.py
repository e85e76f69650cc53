"""Opening real repositories of every kind, and what is said where something is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, clone, new_repository, released

from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.domain.errors import Refused, UsageError
from cicd_agents.domain.ports import ReleaseRepository


def opened(folder: Path) -> GitRepository:
    return open_repository(folder, ENVIRONMENT)


def subjects(repository: GitRepository, until: str = "HEAD", *since: str) -> list[str]:
    return [commit.message.splitlines()[0] for commit in repository.history(until, since)]


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    return released(tmp_path / "project")


def test_a_repository_knows_its_head_and_branch(project: Repository) -> None:
    head = opened(project.folder).head()
    assert (head.commit, head.branch) == (project.git("rev-parse", "HEAD"), "main")


def test_the_release_manager_can_work_with_it(project: Repository) -> None:
    # The type checker holds the client to the port.
    repository: ReleaseRepository = opened(project.folder)
    assert repository.head().branch == "main"


def test_a_detached_head_has_no_branch(project: Repository) -> None:
    project.checkout("v1.0.0")
    head = opened(project.folder).head()
    assert (head.commit, head.branch) == (project.git("rev-parse", "v1.0.0^{commit}"), None)


def test_a_folder_inside_the_work_tree_opens_the_whole_repository(project: Repository) -> None:
    repository = opened(project.folder / "docs")
    assert repository.top == project.folder.resolve()
    assert "lib/a.txt" in repository.files()
    assert repository.read_file("app.py", "HEAD", 100) == b"two\n"
    assert [commit.message for commit in repository.history(paths=["lib"])] == ["fix: last", "chore: meanwhile"]


@pytest.mark.parametrize("options", [(), ("--bare",), ("--shared",), ("--shared", "--bare")], ids=" ".join)
def test_clones_of_every_kind_tell_the_same_history_and_tags(project: Repository, tmp_path: Path, options: tuple[str, ...]) -> None:
    repository = opened(clone(project.folder, tmp_path / "clone", *options).folder)
    assert subjects(repository) == subjects(opened(project.folder))
    assert repository.tags() == opened(project.folder).tags()
    assert repository.bare is ("--bare" in options)
    assert not repository.shallow


def test_a_linked_work_tree_has_its_own_head(project: Repository, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), "v1.0.0")
    repository = opened(tmp_path / "side")
    assert repository.head().branch == "side"
    assert subjects(repository) == ["feat: first"]


def test_the_git_folder_itself_is_read_like_a_bare_repository(project: Repository) -> None:
    assert opened(project.folder / ".git").bare


def test_changed_files_are_the_tracked_ones_staged_or_not(project: Repository) -> None:
    project.write("app.py", "changed\n")
    project.write("lib/a.txt", "staged ö\n")
    project.git("add", "lib/a.txt")
    project.write("new.txt", "git does not know it\n")
    assert opened(project.folder).changed_files() == ("app.py", "lib/a.txt")


def test_a_clean_tree_and_a_bare_repository_have_no_changed_files(project: Repository, tmp_path: Path) -> None:
    assert opened(project.folder).changed_files() == ()
    assert opened(bare_remote(tmp_path / "bare.git", project)).changed_files() == ()


def test_a_shallow_clone_says_how_to_get_the_whole_history(project: Repository, tmp_path: Path) -> None:
    repository = opened(clone(project.folder, tmp_path / "clone", "--depth=1").folder)
    assert repository.shallow
    with pytest.raises(UsageError, match=r"shallow.*fetch-depth: 0.*GIT_DEPTH: 0"):
        repository.require_whole()


def test_a_range_that_a_shallow_clone_cuts_is_refused(project: Repository, tmp_path: Path) -> None:
    repository = opened(clone(project.folder, tmp_path / "clone", "--depth=2").folder)
    with pytest.raises(UsageError, match=r"shallow and ends at [0-9a-f]{12}, before the range does; fetch"):
        list(repository.history())


def test_a_range_inside_a_shallow_clone_is_read(project: Repository, tmp_path: Path) -> None:
    repository = opened(clone(project.folder, tmp_path / "clone", "--depth=2").folder)
    assert subjects(repository, "HEAD", "v1.1.0") == ["fix: last"]


def test_a_whole_clone_needs_nothing(project: Repository) -> None:
    opened(project.folder).require_whole()


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    repository = opened(new_repository(tmp_path / "empty").folder)
    assert repository.tags() == ()
    for ask in (repository.head, repository.history):
        with pytest.raises(UsageError, match="HEAD is at no commit"):
            ask()


def test_a_folder_without_repository_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    environment = {**ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    with pytest.raises(UsageError, match=r"plain: no git repository; run it inside one, or give its folder with --repo\.") as told:
        open_repository(tmp_path / "plain", environment)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["missing", "file.txt"])
def test_a_path_that_is_no_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()
    with pytest.raises(UsageError, match=f"{name}: no such folder"):
        opened(tmp_path / name)


def test_an_unknown_revision_is_told_with_the_fetch_that_may_bring_it(project: Repository) -> None:
    with pytest.raises(UsageError, match=r"'v9' is no commit, branch or tag of .*git fetch --tags"):
        opened(project.folder).history("HEAD", ["v9"])


@pytest.mark.parametrize(
    "revision", ["--output=/tmp/x", "-n1", "HEAD..main", "HEAD:app.py", "@{-1}", "HEAD^{/fix}", "a b", "", "x\ny", "main^{tree}", "\udcff"]
)
def test_what_is_no_revision_never_reaches_git(project: Repository, revision: str) -> None:
    with pytest.raises(UsageError, match=r"is no (name|commit)"):
        opened(project.folder).commit(revision)


def test_revisions_may_be_names_short_ids_and_steps_back(project: Repository) -> None:
    repository = opened(project.folder)
    sha = project.git("rev-parse", "v1.0.0^{commit}")
    for revision in ("v1.0.0", "refs/tags/v1.0.0", sha, sha[:10], "HEAD~4", "main^^2^~1"):
        assert repository.commit(revision) == sha, revision


def test_many_revisions_are_resolved_in_one_call_and_missing_ones_are_none(project: Repository) -> None:
    blob = project.git("rev-parse", "HEAD:app.py")
    assert opened(project.folder).commits(["main", "nothing", blob]) == {"main": project.git("rev-parse", "main"), "nothing": None, blob: None}


def test_the_remote_origin_tells_forge_owner_and_name(project: Repository) -> None:
    project.git("remote", "add", "backup", "/somewhere/else")
    project.git("remote", "add", "origin", "https://user:secret@github.com/org/app.git")
    remote = opened(project.folder).remote()
    assert remote is not None
    assert (remote.forge, remote.path, remote.url) == ("github", "org/app", "https://github.com/org/app")


def test_without_origin_the_first_remote_counts_and_without_any_there_is_none(project: Repository) -> None:
    assert opened(project.folder).remote() is None
    project.git("remote", "add", "upstream", "git@gitlab.com:group/sub/app.git")
    remote = opened(project.folder).remote()
    assert remote is not None
    assert remote.path == "group/sub/app"


def test_a_remote_that_is_not_there_is_told_with_those_that_are(project: Repository) -> None:
    project.git("remote", "add", "upstream", "git@gitlab.com:group/app.git")
    with pytest.raises(UsageError, match=r"no remote 'fork'; it has upstream"):
        opened(project.folder).remote("fork")


def test_reading_runs_no_program_of_the_repository(project: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "gpg.program", "core.editor", "sequence.editor"):
        project.git("config", key, str(trap))
    project.git("config", "log.showSignature", "true")
    project.git("config", "core.hooksPath", str(tmp_path))
    (tmp_path / "post-index-change").symlink_to(trap)
    repository = opened(project.folder)
    repository.head()
    repository.changed_files()
    repository.tags("HEAD")
    assert len(list(repository.history(files=True))) == 6
    assert repository.read_file("app.py", "HEAD", 100) == b"two\n"
    assert not (tmp_path / "sprung").exists()


def test_files_at_a_revision_are_listed_without_links_and_submodules(project: Repository) -> None:
    (project.folder / "link").symlink_to("app.py")
    project.git("add", "link")
    project.git("update-index", "--add", "--cacheinfo", f"160000,{project.git('rev-parse', 'HEAD')},module")
    project.commit("chore: odd files", {"ümläut \n.txt": "x"})
    assert opened(project.folder).files() == ("app.py", "docs/index.md", "lib/a.txt", "ümläut \n.txt")
    assert opened(project.folder).files("v1.0.0") == ("app.py", "docs/index.md")


def test_files_are_read_as_they_were_at_a_revision(project: Repository) -> None:
    project.write("app.py", "not committed\n")
    repository = opened(project.folder)
    assert repository.read_file("app.py", "v1.0.0", 100) == b"one\n"
    assert repository.read_files(["app.py", "docs/index.md", "lib/a.txt"], "v1.0.0", 100) == {"app.py": b"one\n", "docs/index.md": b"hello\n"}


def test_bytes_of_a_file_are_not_touched(project: Repository) -> None:
    content = b"\r\n\0\xff blob 3\nx\n" * 3
    project.git("config", "core.autocrlf", "false")
    project.commit("feat: binary", {"data.bin": content, "empty": b""})
    assert opened(project.folder).read_files(["data.bin", "empty", "app.py"], "HEAD", 100) == {"data.bin": content, "empty": b"", "app.py": b"two\n"}


def test_a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read(project: Repository) -> None:
    repository = opened(project.folder)
    assert repository.read_file("app.py", "HEAD", 4) == b"two\n"
    with pytest.raises(Refused, match=r"app\.py at [0-9a-f]{12} is larger than 3 bytes"):
        repository.read_file("app.py", "HEAD", 3)


@pytest.mark.parametrize("path", ["missing", "docs", "", "a\nb", "../app.py", "/app.py", "app.py/x"])
def test_a_path_that_is_no_file_there_reads_as_missing(project: Repository, path: str) -> None:
    assert opened(project.folder).read_file(path, "HEAD", 100) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_told_with_the_command_that_mends_it(project: Repository) -> None:
    for place in (project.folder, project.folder / ".git"):
        os.chown(place, 12345, 12345)
    with pytest.raises(UsageError, match=f"another user owns it.*git config --global --add safe.directory {project.folder}"):
        opened(project.folder / "docs")
    trusting = {**ENVIRONMENT, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(project.folder)}
    assert open_repository(project.folder, trusting).head().branch == "main"
