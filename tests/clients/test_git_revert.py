"""Reverts of what was deployed, against real repositories and bare remotes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, clone, git, new_repository, refuse

from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_release import GitWriter
from cicd_agents.clients.git_revert import GitReverts
from cicd_agents.domain.errors import Rejected, UsageError
from cicd_agents.operations.apply import AlreadyDone
from cicd_agents.operations.guardian_revert import Revert, Reverts, revert_of

TEN = "".join(f"line {number}\n" for number in range(10))


@pytest.fixture
def sources(tmp_path: Path) -> Repository:
    """A deployment's repository: a good commit, two bad ones; its remote lies beside it."""
    made = new_repository(tmp_path / "sources")
    made.commit("feat: first", {"api/values.yaml": TEN, "api/gone.yaml": "x\n", "web/values.yaml": "one\n"})
    made.git("tag", "good")
    made.commit("feat: second", {"api/values.yaml": TEN.replace("line 2", "line two"), "web/values.yaml": "two\n"})
    made.git("rm", "--quiet", "api/gone.yaml")
    made.commit("feat: third", {"api/new.yaml": "new\n"})
    made.git("tag", "bad")
    bare_remote(tmp_path / "remote.git", made)
    return made


def reverts(sources: Repository, *options: str) -> GitReverts:
    work = clone(sources.folder.parent / "remote.git", sources.folder.parent / "work", *options)
    return GitReverts(GitWriter(open_repository(work.folder, ENVIRONMENT), "origin", "cicd-agents", "bot@example.com"))


def wish(sources: Repository, *paths: str, branch: str = "main") -> Revert:
    return revert_of(sources.git("rev-parse", "bad"), sources.git("rev-parse", "good"), branch, "It is slow.", paths)


def pushed(sources: Repository, *paths: str) -> str:
    """The revert as a branch of the remote."""
    port: Reverts = reverts(sources)
    revert = wish(sources, *paths)
    port.push(revert.head, port.commit(revert))
    assert port.pushed(revert.head)
    return revert.head


def files(sources: Repository, ref: str) -> dict[str, str]:
    remote = sources.folder.parent / "remote.git"
    return {path: git(remote, "show", f"{ref}:{path}") for path in git(remote, "ls-tree", "-r", "--name-only", ref).split()}


def later(sources: Repository, path: str, content: str) -> None:
    sources.commit("fix: later", {path: content})
    sources.git("push", "--quiet", "origin", "main")


def test_all_that_came_since_the_good_commit_is_undone_in_one_commit(sources: Repository) -> None:
    head = pushed(sources)
    assert files(sources, head) == files(sources, "good")
    remote = sources.folder.parent / "remote.git"
    assert git(remote, "rev-parse", f"{head}^") == git(remote, "rev-parse", "main")
    message = git(remote, "log", "-1", "--format=%B", head)
    bad = [sources.git("rev-parse", name) for name in ("bad", "bad~1")]
    assert (
        message
        == f"revert: go back from {bad[0][:12]} to {sources.git('rev-parse', 'good')[:12]}\n\nThis reverts commit {bad[0]}.\nThis reverts commit {bad[1]}."
    )


def test_below_a_path_only_what_lies_there_is_undone(sources: Repository) -> None:
    assert files(sources, pushed(sources, "api")) == {**files(sources, "good"), "web/values.yaml": "two"}


def test_what_others_changed_since_elsewhere_in_a_file_is_kept(sources: Repository) -> None:
    later(sources, "api/values.yaml", TEN.replace("line 2", "line two").replace("line 9", "line nine"))
    assert files(sources, pushed(sources))["api/values.yaml"] == TEN.replace("line 9", "line nine").rstrip("\n")


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("api/values.yaml", TEN.replace("line 2", "line zwei"), "api/values.yaml was changed on main since, in the same place"),
        ("api/new.yaml", "changed\n", "api/new.yaml was changed on main since"),
        ("api/gone.yaml", "back, but different\n", "api/gone.yaml was changed on main since"),
    ],
)
def test_a_conflict_is_left_to_a_person_with_the_commands(sources: Repository, path: str, content: str, words: str) -> None:
    later(sources, path, content)
    port = reverts(sources)
    with pytest.raises(Rejected) as caught:
        port.commit(wish(sources))
    assert words in str(caught.value)
    assert f"`git revert --no-edit {sources.git('rev-parse', 'good')[:12]}..{sources.git('rev-parse', 'bad')[:12]}`" in str(caught.value)


def test_a_branch_that_was_reverted_by_somebody_is_left_alone(sources: Repository) -> None:
    sources.git("-c", "user.name=A", "-c", "user.email=a@example.com", "revert", "--no-edit", "good..bad")
    sources.git("push", "--quiet", "origin", "main")
    with pytest.raises(AlreadyDone, match="main states it as at"):
        reverts(sources).commit(wish(sources))


def test_the_same_revert_is_the_same_commit(sources: Repository) -> None:
    port = reverts(sources)
    assert port.commit(wish(sources)) == port.commit(wish(sources))


def test_the_work_tree_and_the_branches_here_stay_as_they_are(sources: Repository) -> None:
    port = reverts(sources)
    folder = port.writer.repository.git.folder
    (folder / "api/values.yaml").write_text("half done")
    before = git(folder, "for-each-ref"), git(folder, "status", "--porcelain")
    port.commit(wish(sources))
    assert (git(folder, "for-each-ref"), git(folder, "status", "--porcelain")) == before


def test_what_is_no_commit_of_this_repository_is_said(sources: Repository) -> None:
    port = reverts(sources)
    good = sources.git("rev-parse", "good")
    with pytest.raises(UsageError, match=r"'1\.4\.0' is no commit: what is deployed is no Git revision"):
        port.commit(revert_of("1.4.0", good, "main", "Bad."))
    with pytest.raises(UsageError, match=r"c{12} is no commit of this repository; revert in the one that the deployment follows"):
        port.commit(revert_of("c" * 40, good, "main", "Bad."))


def test_a_commit_that_is_not_on_the_branch_is_not_reverted_there(sources: Repository) -> None:
    sources.checkout("good")
    sources.branch("other")
    sources.git("push", "--quiet", "origin", "other")
    port = reverts(sources)
    with pytest.raises(Rejected, match="is not on other, so a revert there would undo nothing"):
        port.commit(wish(sources, branch="other"))
    with pytest.raises(UsageError, match="The remote has no branch nowhere"):
        port.commit(wish(sources, branch="nowhere"))


def test_a_shallow_clone_says_how_to_be_made_whole(sources: Repository) -> None:
    with pytest.raises(UsageError, match=r"the clone is shallow.*`fetch-depth: 0`"):
        reverts(sources, "--depth=1").commit(wish(sources))


def test_a_commit_that_came_after_the_clone_was_made_is_fetched(sources: Repository) -> None:
    port = reverts(sources)
    later(sources, "api/later.yaml", "later\n")
    revert = revert_of(sources.git("rev-parse", "main"), sources.git("rev-parse", "good"), "main", "Bad.")
    port.push(revert.head, port.commit(revert))
    assert files(sources, revert.head) == files(sources, "good")


def test_a_link_or_a_mode_that_changed_is_left_to_a_person(sources: Repository) -> None:
    sources.git("tag", "--force", "good", "bad")
    sources.write("api/run.sh", "true\n")
    (sources.folder / "api/run.sh").chmod(0o755)
    sources.git("add", "api/run.sh")
    sources.commit("feat: a script")
    sources.git("update-index", "--chmod=-x", "api/run.sh")
    (sources.folder / "api/run.sh").chmod(0o644)
    sources.commit("fix: no script")
    sources.git("tag", "--force", "bad")
    sources.git("push", "--quiet", "origin", "main")
    port = reverts(sources)
    with pytest.raises(Rejected, match=r"the mode of api/run\.sh changed"):
        port.commit(revert_of(sources.git("rev-parse", "bad"), sources.git("rev-parse", "bad~1"), "main", "Bad."))
    (sources.folder / "api/link").symlink_to("run.sh")
    sources.git("add", "api/link")
    linked = sources.commit("feat: a link")
    sources.git("push", "--quiet", "origin", "main")
    with pytest.raises(Rejected, match="api/link is a symbolic link or submodule"):
        port.commit(revert_of(linked, sources.git("rev-parse", "bad"), "main", "Bad."))


def test_a_push_that_is_refused_is_said_in_the_remotes_words(sources: Repository) -> None:
    refuse(sources.folder.parent / "remote.git", "no bots here")
    port = reverts(sources)
    revert = wish(sources)
    commit = port.commit(revert)
    with pytest.raises(Rejected, match="was not pushed: pre-receive hook declined: no bots here"):
        port.push(revert.head, commit)


def test_a_path_is_no_pattern(sources: Repository) -> None:
    with pytest.raises(AlreadyDone):
        reverts(sources).commit(wish(sources, "*"))
