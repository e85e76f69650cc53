"""Diffs from real repositories: bounded, the same on each machine, and nothing that the repository configures is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers.clock import FakeClock
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, git, new_repository

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_diffs import GitDiffs


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return new_repository(tmp_path / "app")


def diffs(folder: Path, seconds: float = 60.0, **variables: str) -> GitDiffs:
    return GitDiffs(open_repository(folder, {**ENVIRONMENT, **variables}).git, Budget(FakeClock(), seconds))


def text(repository: Repository, sha: str, path: str) -> str:
    found = diffs(repository.folder).diff(sha, path)
    assert found is not None
    return found.text


def test_a_commit_tells_its_paths_and_the_diff_of_each(repository: Repository) -> None:
    repository.commit("feat: one", {"a.py": "one\n", "b.py": "b\n"})
    sha = repository.commit("feat!: two", {"a.py": "two\n", "new/c.py": "c\n"})
    assert diffs(repository.folder).paths(sha) == ("a.py", "new/c.py")
    assert text(repository, sha, "a.py").endswith("@@ -1 +1 @@\n-one\n+two\n")
    assert "new file mode" in text(repository, sha, "new/c.py")


def test_the_first_commit_is_compared_with_nothing(repository: Repository) -> None:
    sha = repository.commit("feat: one", {"a.py": "one\n"})
    assert diffs(repository.folder).paths(sha) == ("a.py",)
    assert "+one" in text(repository, sha, "a.py")


def test_a_merge_is_compared_with_its_first_parent(repository: Repository) -> None:
    repository.commit("feat: one", {"a.py": "one\n"})
    repository.branch("side")
    repository.commit("fix: side", {"side.py": "side\n"})
    repository.checkout("main")
    repository.commit("fix: main", {"main.py": "main\n"})
    merge = repository.merge("side", "feat!: merge")
    assert diffs(repository.folder).paths(merge) == ("side.py",)
    assert "+side" in text(repository, merge, "side.py")


def test_paths_that_look_like_options_patterns_or_magic_are_names(repository: Repository) -> None:
    names = ("--output=x", ":(exclude)a", "*.py", "ä b\nc", ":!x")
    repository.commit("feat: one", {"a.py": "one\n"})
    tree = "".join(f"100644 blob {repository.git('hash-object', '-w', '--stdin', given=b'x' + name.encode())}\t{name}\0" for name in names)
    made = repository.git("mktree", "-z", given=tree.encode())
    sha = repository.git(
        "commit-tree", made, "-p", "HEAD", "-m", "odd", variables={f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    )
    assert set(diffs(repository.folder).paths(sha) or ()) == {*names, "a.py"}
    for name in names:
        assert text(repository, sha, name).endswith(f"+x{name}\n\\ No newline at end of file\n".replace("ä b\nc", "ä b\n+c")), name
    assert not (repository.folder / "x").exists()


def test_nothing_that_the_repository_or_the_environment_configures_is_run(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\ntouch "{ran}"\ncat "$1"\n')
    script.chmod(0o755)
    repository.commit("feat: one", {"a.py": "one\n", ".gitattributes": "*.py diff=evil\n"})
    sha = repository.commit("feat!: two", {"a.py": "two\n"})
    for name in ("diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager", "core.fsmonitor", "pager.diff-tree", "interactive.diffFilter"):
        repository.git("config", name, str(script))
    found = diffs(repository.folder, GIT_EXTERNAL_DIFF=str(script), GIT_PAGER=str(script)).diff(sha, "a.py")
    assert found is not None
    assert found.text.endswith("-one\n+two\n")
    assert not ran.exists()


def test_settings_of_a_machine_do_not_change_the_text(repository: Repository) -> None:
    repository.commit("feat: one", {"a.py": "".join(f"{number}\n" for number in range(40))})
    sha = repository.commit("feat!: two", {"a.py": "".join(f"{number if number % 9 else 'new'}\n" for number in range(40)), "b.py": "b\n"})
    before = text(repository, sha, "a.py")
    for name, value in (
        ("diff.noprefix", "true"), ("diff.context", "0"), ("diff.interHunkContext", "9"), ("diff.algorithm", "histogram"), ("color.ui", "always"),
        ("diff.mnemonicPrefix", "true"), ("diff.renames", "copies"), ("core.quotePath", "false"), ("diff.wsErrorHighlight", "all"),
    ):  # fmt: skip
        repository.git("config", name, value)
    assert text(repository, sha, "a.py") == before


def test_what_is_missing_in_a_partial_clone_is_not_fetched(repository: Repository, tmp_path: Path) -> None:
    repository.commit("feat: one", {"a.py": "one\n"})
    sha = repository.commit("feat!: two", {"a.py": "two\n"})
    remote = bare_remote(tmp_path / "remote.git", repository)
    git(remote, "config", "uploadpack.allowFilter", "true")
    git(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{remote}", str(tmp_path / "partial"))
    partial = tmp_path / "partial"
    missing = git(partial, "rev-list", "--objects", "--missing=print", "--all").count("?")
    assert missing
    assert diffs(partial).paths(sha) == ("a.py",)
    assert diffs(partial).diff(sha, "a.py") is None
    assert git(partial, "rev-list", "--objects", "--missing=print", "--all").count("?") == missing


def test_a_long_diff_is_cut_and_says_so(repository: Repository) -> None:
    sha = repository.commit("feat!: long", {"a.txt": "x" * 99 + "\n" + "line of text\n" * 100_000})
    found = diffs(repository.folder).diff(sha, "a.txt")
    assert found is not None
    assert not found.whole
    assert len(found.text) == 1 << 16


def test_of_very_many_paths_the_first_are_told_and_all_of_them_are_whole(repository: Repository) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", given=b"x")
    names = [f"{number:05}-{'n' * 90}" for number in range(4000)]
    tree = repository.git("mktree", "-z", given="".join(f"100644 blob {blob}\t{name}\0" for name in names).encode())
    sha = repository.git(
        "commit-tree", tree, "-m", "many", variables={f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    )
    found = diffs(repository.folder).paths(sha)
    assert found is not None
    assert 2000 < len(found) < 4000
    assert list(found) == names[: len(found)]


def test_without_time_left_and_for_what_is_no_commit_there_is_no_diff(repository: Repository) -> None:
    sha = repository.commit("feat: one", {"a.py": "one\n"})
    assert diffs(repository.folder, 0.0).paths(sha) is None
    assert diffs(repository.folder, 0.0).diff(sha, "a.py") is None
    for wrong in ("HEAD", "--output=x", "0" * 40):
        assert diffs(repository.folder).paths(wrong) is None
        assert diffs(repository.folder).diff(wrong, "a.py") is None
    assert diffs(repository.folder).diff(sha, "") is None
    assert not (repository.folder / "x").exists()
