"""Commits, tags and pushes against real repositories, and bare remotes that refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers.repositories import ENVIRONMENT, START, Repository, bare_remote, clone, git, refuse, released, write_hook

from cicd_agents.clients.git import GitRepository, open_repository
from cicd_agents.clients.git_writes import advance, commit_files, create_tag, push, remote_commits
from cicd_agents.domain.errors import NotFound, UsageError
from cicd_agents.domain.git import Identity, PushedRef, RefUpdate, Standing, TagResult

BOT = Identity("release-bot", "bot@example.com", START + 10_000)
MAIN = "refs/heads/main"


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    return released(tmp_path / "project")


@pytest.fixture
def repository(project: Repository) -> GitRepository:
    return open_repository(project.folder, ENVIRONMENT)


@pytest.fixture
def remote(project: Repository, tmp_path: Path) -> Path:
    return bare_remote(tmp_path / "remote.git", project)


def refs(folder: Path) -> str:
    return git(folder, "for-each-ref")


def test_a_tag_is_annotated_and_keeps_every_line_of_its_message(project: Repository, repository: GitRepository) -> None:
    message = "v1.2.0\n\n# Features\n\n- one\n"
    assert create_tag(repository, "v1.2.0", "HEAD", message, BOT) == TagResult(Standing.DONE, project.git("rev-parse", "HEAD"))
    assert (
        project.git("for-each-ref", "--format=%(objecttype) %(taggername) %(taggeremail) %(taggerdate:unix)", "refs/tags/v1.2.0")
        == f"tag release-bot <bot@example.com> {BOT.time}"
    )
    assert project.git("tag", "--list", "--format=%(contents)", "v1.2.0") == message.rstrip("\n")


def test_a_tag_that_is_there_is_left_as_it_is(project: Repository, repository: GitRepository) -> None:
    before = refs(project.folder)
    first = project.git("rev-parse", "v1.0.0^{commit}")
    assert create_tag(repository, "v1.0.0", first, "again", BOT) == TagResult(Standing.ALREADY, first)
    assert create_tag(repository, "v1.0.0", "HEAD", "moved", BOT) == TagResult(Standing.ELSEWHERE, first)
    assert refs(project.folder) == before


@pytest.mark.parametrize("name", ["-d", "--delete", "a b", "a..b", "", "HEAD", "v1\n"])
def test_a_name_that_git_does_not_allow_makes_no_tag(project: Repository, repository: GitRepository, name: str) -> None:
    before = refs(project.folder)
    with pytest.raises(UsageError, match="is no name for a tag"):
        create_tag(repository, name, "HEAD", "x", BOT)
    assert refs(project.folder) == before


def test_a_tag_that_cannot_be_signed_as_configured_is_not_made(project: Repository, repository: GitRepository) -> None:
    project.git("config", "tag.gpgSign", "true")
    project.git("config", "gpg.program", "/bin/false")
    with pytest.raises(UsageError, match="git is set to sign"):
        create_tag(repository, "v1.2.0", "HEAD", "x", BOT)
    assert "v1.2.0" not in refs(project.folder)


def test_a_commit_that_cannot_be_signed_as_configured_is_not_made(project: Repository, repository: GitRepository) -> None:
    project.git("config", "commit.gpgSign", "true")
    project.git("config", "gpg.program", "/bin/false")
    with pytest.raises(UsageError, match="git is set to sign"):
        commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)


def test_a_tag_that_collides_with_a_folder_of_tags_is_told(project: Repository, repository: GitRepository) -> None:
    project.tag("core/v1")
    with pytest.raises(UsageError, match="git tag failed"):
        create_tag(repository, "core", "HEAD", "x", BOT)


def test_a_commit_changes_its_files_and_nothing_else(project: Repository, repository: GitRepository) -> None:
    project.write("script.sh", "#!/bin/sh\n")
    (project.folder / "script.sh").chmod(0o755)
    project.git("add", "script.sh")
    base = project.commit("feat: a script")
    project.write("app.py", "work in progress\n")
    project.write("staged.txt", "staged\n")
    project.git("add", "staged.txt")
    before, status = refs(project.folder), project.git("status", "--porcelain")
    content = b"\r\n\0\xff\n"
    sha = commit_files(repository, "HEAD", {"script.sh": b"#!/bin/sh\nexit 1\n", "new/ü.bin": content, "docs/index.md": None}, "chore: release\n\n# body", BOT)
    assert project.git("diff-tree", "-r", "-z", "--name-status", base, sha).strip("\0") == "D\0docs/index.md\0A\0new/ü.bin\0M\0script.sh"
    assert project.git("ls-tree", sha, "script.sh").startswith("100755 ")
    assert repository.read_file("new/ü.bin", sha, 100) == content
    shown = project.git("show", "--no-patch", "--format=%P|%an|%ae|%at|%cn|%ct|%B", sha)
    assert shown == f"{base}|release-bot|bot@example.com|{BOT.time}|release-bot|{BOT.time}|chore: release\n\n# body"
    assert (refs(project.folder), project.git("status", "--porcelain")) == (before, status)


def test_the_same_input_makes_the_same_commit_so_two_runs_agree(project: Repository, tmp_path: Path) -> None:
    other = clone(project.folder, tmp_path / "other", "--bare")
    made = {
        commit_files(open_repository(folder, ENVIRONMENT), "HEAD", {"version.txt": b"2"}, "chore: release", BOT) for folder in (project.folder, other.folder)
    }
    assert len(made) == 1


def test_files_that_are_as_they_should_be_make_no_commit(project: Repository, repository: GitRepository) -> None:
    head = project.git("rev-parse", "HEAD")
    assert commit_files(repository, "HEAD", {"app.py": b"two\n", "missing": None}, "chore: nothing", BOT) == head
    assert commit_files(repository, "HEAD", {}, "chore: nothing", BOT) == head


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../b", ".git/config", "a/.GIT/x", "", "a//b", "a\0b", "docs", "link"])
def test_a_path_that_is_no_file_of_the_repository_is_refused(project: Repository, repository: GitRepository, path: str) -> None:
    (project.folder / "link").symlink_to("app.py")
    project.git("add", "link")
    project.commit("chore: a link")
    with pytest.raises(UsageError, match=r"no path of a file|only a file can be changed"):
        commit_files(repository, "HEAD", {path: b"x"}, "chore: x", BOT)


def test_a_branch_moves_forward_with_its_files_where_it_is_checked_out(project: Repository, repository: GitRepository) -> None:
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    assert advance(repository, "main", sha) is Standing.DONE
    assert advance(repository, "main", sha) is Standing.ALREADY
    assert (repository.head().commit, repository.changed_files(), (project.folder / "app.py").read_bytes()) == (sha, (), b"three\n")


def test_a_new_side_branch_is_made_and_moves_without_touching_files(project: Repository, repository: GitRepository) -> None:
    first = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    second = commit_files(repository, first, {"app.py": b"four\n"}, "chore: release", BOT)
    assert [advance(repository, "release/next", sha) for sha in (first, second)] == [Standing.DONE, Standing.DONE]
    assert project.git("rev-parse", "release/next") == second
    assert (project.folder / "app.py").read_bytes() == b"two\n"


def test_a_branch_with_commits_of_its_own_is_not_moved(project: Repository, repository: GitRepository) -> None:
    sha = commit_files(repository, "v1.0.0", {"app.py": b"three\n"}, "chore: release", BOT)
    before = refs(project.folder)
    assert advance(repository, "main", sha) is Standing.BEHIND
    assert refs(project.folder) == before


@pytest.mark.parametrize("name", ["-f", "HEAD", "a b", ""])
def test_a_name_that_git_does_not_allow_makes_no_branch(repository: GitRepository, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a branch"):
        advance(repository, name, "HEAD")


def test_changed_files_in_the_way_of_a_branch_are_kept(project: Repository, repository: GitRepository) -> None:
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    project.write("app.py", "precious\n")
    with pytest.raises(UsageError, match="git merge failed"):
        advance(repository, "main", sha)
    assert (project.folder / "app.py").read_text() == "precious\n"


def test_a_branch_that_another_work_tree_has_checked_out_is_left_alone(project: Repository, repository: GitRepository, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    sha = commit_files(repository, "side", {"app.py": b"three\n"}, "chore: release", BOT)
    with pytest.raises(UsageError, match="side is checked out in"):
        advance(repository, "side", sha)


def test_commit_and_tag_are_pushed_together(project: Repository, repository: GitRepository, remote: Path) -> None:
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    create_tag(repository, "v1.2.0", sha, "v1.2.0", BOT)
    updates = [RefUpdate(sha, MAIN), RefUpdate("refs/tags/v1.2.0", "refs/tags/v1.2.0")]
    assert push(repository, "origin", updates) == (PushedRef(MAIN, Standing.DONE), PushedRef("refs/tags/v1.2.0", Standing.DONE))
    assert remote_commits(repository, "origin", [MAIN, "refs/tags/v1.2.0", "refs/heads/none"]) == {MAIN: sha, "refs/tags/v1.2.0": sha}
    assert push(repository, "origin", updates) == (PushedRef(MAIN, Standing.ALREADY), PushedRef("refs/tags/v1.2.0", Standing.ALREADY))
    assert git(remote, "cat-file", "-t", "v1.2.0") == "tag"


def test_a_tag_that_another_run_made_at_the_same_commit_is_already_there(project: Repository, repository: GitRepository, remote: Path, tmp_path: Path) -> None:
    other = open_repository(clone(remote, tmp_path / "other").folder, ENVIRONMENT)
    create_tag(other, "v1.2.0", "HEAD", "by another run", replace(BOT, time=BOT.time + 5))
    push(other, "origin", [RefUpdate("refs/tags/v1.2.0", "refs/tags/v1.2.0")])
    create_tag(repository, "v1.2.0", "HEAD", "by us", BOT)
    before = refs(remote)
    assert push(repository, "origin", [RefUpdate("refs/tags/v1.2.0", "refs/tags/v1.2.0")]) == (PushedRef("refs/tags/v1.2.0", Standing.ALREADY),)
    assert refs(remote) == before


def test_a_tag_at_another_commit_is_never_moved_and_nothing_else_is_pushed(project: Repository, repository: GitRepository, remote: Path) -> None:
    git(remote, "tag", "v1.2.0", "v1.0.0^{commit}")
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    create_tag(repository, "v1.2.0", sha, "v1.2.0", BOT)
    before = refs(remote)
    branch, tag = push(repository, "origin", [RefUpdate(sha, MAIN), RefUpdate("refs/tags/v1.2.0", "refs/tags/v1.2.0")])
    assert tag == PushedRef(
        "refs/tags/v1.2.0", Standing.ELSEWHERE, f"the remote has it at {git(remote, 'rev-parse', 'v1.0.0^{commit}')[:12]}, not at {sha[:12]}"
    )
    assert (branch.standing, branch.reason) == (Standing.REFUSED, "atomic push failed")
    assert refs(remote) == before


def test_a_branch_that_moved_meanwhile_is_not_overwritten(repository: GitRepository, remote: Path, tmp_path: Path) -> None:
    other = clone(remote, tmp_path / "other")
    theirs = other.commit("feat: meanwhile")
    other.git("push", "--quiet", "origin", "HEAD:main")
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    assert push(repository, "origin", [RefUpdate(sha, MAIN)]) == (PushedRef(MAIN, Standing.BEHIND, "fetch first"),)
    assert git(remote, "rev-parse", "main") == theirs


def test_a_remote_configured_to_be_forced_is_not(project: Repository, repository: GitRepository, remote: Path) -> None:
    project.git("config", "remote.origin.push", "+refs/heads/*:refs/heads/*")
    sha = commit_files(repository, "v1.0.0", {"app.py": b"three\n"}, "chore: release", BOT)
    before = refs(remote)
    assert push(repository, "origin", [RefUpdate(sha, MAIN)])[0].standing is Standing.BEHIND
    assert refs(remote) == before


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_push_that_a_hook_refuses_gives_the_words_of_the_hook(repository: GitRepository, remote: Path, hook: str) -> None:
    refuse(remote, "error: GH006: Protected branch update failed for refs/heads/main.", hook=hook)
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    before = refs(remote)
    (result,) = push(repository, "origin", [RefUpdate(sha, MAIN)])
    assert result.standing is Standing.REFUSED
    assert "GH006: Protected branch update failed for refs/heads/main." in result.reason
    assert "declined" in result.reason
    assert refs(remote) == before


def test_secrets_in_the_words_of_a_hook_are_hidden(repository: GitRepository, remote: Path) -> None:
    refuse(remote, "see https://user:hunter2hunter2@example.com/")
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    assert "hunter2" not in push(repository, "origin", [RefUpdate(sha, MAIN)])[0].reason


def test_local_hooks_do_not_run(project: Repository, repository: GitRepository, remote: Path) -> None:
    for hook in ("pre-push", "pre-commit", "commit-msg", "post-merge", "reference-transaction", "prepare-commit-msg"):
        write_hook(project.folder / ".git" / "hooks" / hook, f"touch {project.folder}/sprung; exit 1")
    sha = commit_files(repository, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    assert advance(repository, "main", sha) is Standing.DONE
    assert create_tag(repository, "v1.2.0", sha, "x", BOT).standing is Standing.DONE
    assert push(repository, "origin", [RefUpdate(sha, MAIN)])[0].standing is Standing.DONE
    assert not (project.folder / "sprung").exists()
    assert git(remote, "rev-parse", "main") == sha


@pytest.mark.parametrize(("source", "target"), [
    ("", MAIN), ("+refs/heads/main", MAIN), ("main", MAIN), ("--all", MAIN), ("a" * 39, MAIN), ("refs/heads/main", "main"), ("refs/heads/main", "refs/heads/"),
    ("refs/heads/main", "refs/heads/x:y"), ("refs/heads/main", "refs/pull/1/head"), ("refs/heads/*", "refs/heads/*"), ("refs/heads/main", "--force"),
])  # fmt: skip
def test_only_whole_ids_and_full_names_are_pushed(repository: GitRepository, remote: Path, source: str, target: str) -> None:
    before = refs(remote)
    with pytest.raises(UsageError, match="cannot be pushed"):
        push(repository, "origin", [RefUpdate(source, target)])
    assert refs(remote) == before


@pytest.mark.parametrize("name", ["fork", "--receive-pack=touch x", "ext::touch x", "/tmp"])
def test_a_remote_that_the_repository_does_not_name_is_refused(repository: GitRepository, remote: Path, name: str) -> None:
    assert remote.exists()
    with pytest.raises(UsageError, match="there is no remote"):
        push(repository, name, [RefUpdate(MAIN, MAIN)])


def test_a_remote_that_is_gone_is_not_found(project: Repository, repository: GitRepository) -> None:
    project.git("remote", "add", "origin", str(project.folder / "gone.git"))
    with pytest.raises(NotFound, match="git push: the remote is not there"):
        push(repository, "origin", [RefUpdate(MAIN, MAIN)])


def test_a_bare_repository_can_be_released_from(project: Repository, remote: Path, tmp_path: Path) -> None:
    bare = open_repository(clone(remote, tmp_path / "clone.git", "--bare").folder, ENVIRONMENT)
    sha = commit_files(bare, "HEAD", {"app.py": b"three\n"}, "chore: release", BOT)
    assert advance(bare, "main", sha) is Standing.DONE
    assert push(bare, "origin", [RefUpdate(MAIN, MAIN)]) == (PushedRef(MAIN, Standing.DONE),)
    assert git(remote, "rev-parse", "main") == sha
