"""Whether a patch applies: what git says and what we read ourselves is the same, and nothing of the repository is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cicd_agents.advisor.patches import changes_of
from cicd_agents.clients.patch_check import applies, git_accepts, stands

WITH_GIT = dict(os.environ)
WITHOUT_GIT = {**os.environ, "PATH": "/nowhere"}
SEVEN = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
FILES: dict[str, str | bytes] = {
    "a.txt": SEVEN,
    "twice.txt": "x\ny\nz\n-\nx\ny\nz\n-\nx\ny\nz\n",
    "src/deep/b.py": "def f():\n    return 1\n",
    "no_end.txt": "one\ntwo",
    "empty.txt": "",
    "dos.txt": "one\r\ntwo\r\n",
    "latin.txt": b"caf\xe9\nbar\n",
}


def edit(path: str, *hunks: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n" + "".join(hunks)


def made(path: str, text: str = "+new\n") -> str:
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{text.count(chr(10))} @@\n{text}"


TWO = "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
SIX = "@@ -5,3 +5,3 @@\n five\n-six\n+6\n seven\n"
APPLY = {
    "in its place": edit("a.txt", TWO),
    "two hunks": edit("a.txt", TWO, SIX),
    "two hunks, the later one first": edit("a.txt", SIX, TWO),
    "two files": edit("a.txt", TWO) + edit("src/deep/b.py", "@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"),
    "some lines off": edit("a.txt", "@@ -2,3 +2,3 @@\n three\n-four\n+4\n five\n"),
    "far behind the end": edit("a.txt", "@@ -300,3 +300,3 @@\n three\n-four\n+4\n five\n"),
    "a stripped blank": edit("src/deep/b.py", "@@ -1,2 +1,3 @@\n def f():\n+\n     return 1\n"),
    "at the end": edit("a.txt", "@@ -6,2 +6,3 @@\n six\n seven\n+eight\n"),
    "before the beginning": edit("a.txt", "@@ -1,2 +1,3 @@\n+zero\n one\n two\n"),
    "no end before and after": edit("no_end.txt", "@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n"),
    "an end is added": edit("no_end.txt", "@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+two\n"),
    "into an empty file": edit("empty.txt", "@@ -0,0 +1,1 @@\n+new\n"),
    "a new file": made("src/new.py"),
    "a new file in a new folder": made("more/src/new.py"),
    "git's own header": f"diff --git a/a.txt b/a.txt\nindex 1234567..89abcde 100644\n{edit('a.txt', TWO)}",
    "the nearest of three": edit("twice.txt", "@@ -5,3 +5,3 @@\n x\n-y\n+Y\n z\n", "@@ -9,3 +9,3 @@\n x\n-y\n+Y\n z\n"),
}
DO_NOT_APPLY = {
    "another context": edit("a.txt", "@@ -1,3 +1,3 @@\n ONE\n-two\n+2\n three\n"),
    "another line is taken away": edit("a.txt", "@@ -1,3 +1,3 @@\n one\n-zwei\n+2\n three\n"),
    "other blanks": edit("src/deep/b.py", "@@ -1,2 +1,2 @@\n def f():\n-  return 1\n+  return 2\n"),
    "no such file": edit("none.txt", TWO),
    "no such folder": edit("none/a.txt", TWO),
    "the same hunk twice": edit("a.txt", TWO, TWO),
    "over lines that are changed already": edit("a.txt", TWO, "@@ -3,2 +3,2 @@\n three\n-four\n+4\n"),
    "not at the beginning": edit("a.txt", "@@ -1,3 +1,3 @@\n three\n-four\n+4\n five\n"),
    "not at the end": edit("a.txt", "@@ -3,2 +3,3 @@\n three\n four\n+4\n"),
    "a line feed too many": edit("no_end.txt", "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"),
    "a line feed too few": edit("a.txt", "@@ -6,2 +6,2 @@\n six\n-seven\n\\ No newline at end of file\n+7\n"),
    "ends of another system": edit("dos.txt", "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"),
    "another encoding": edit("latin.txt", "@@ -1,2 +1,2 @@\n café\n-bar\n+baz\n"),
    "a new file that is there": made("a.txt"),
    "a new file of two parts": made("src/new.py") + "@@ -1,1 +2,2 @@\n new\n+newer\n",
    "one of two files": edit("a.txt", TWO) + edit("none.txt", TWO),
    "longer than the file": edit("empty.txt", TWO),
}
TABLE = [(name, patch, True) for name, patch in APPLY.items()] + [(name, patch, False) for name, patch in DO_NOT_APPLY.items()]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


@pytest.mark.parametrize(("patch", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_git_and_we_say_the_same(tree: Path, patch: str, wanted: bool) -> None:
    changes = changes_of(patch)
    assert changes is not None
    assert git_accepts(patch, tree, WITH_GIT) is wanted
    assert applies(patch, tree, WITH_GIT) is wanted
    assert applies(patch, tree, WITHOUT_GIT) is wanted


@pytest.mark.parametrize("environment", [WITH_GIT, WITHOUT_GIT], ids=["git", "no git"])
@pytest.mark.parametrize("patch", [edit("src", TWO), made("a.txt/new.py"), made("src"), made("x" * 300), edit("a.txt/", TWO)])
def test_only_files_are_changed_and_only_in_folders(tree: Path, patch: str, environment: dict[str, str]) -> None:
    assert not applies(patch, tree, environment)


def test_the_tree_is_as_it_was(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    assert all(applies(patch, tree, environment) for patch in APPLY.values() for environment in (WITH_GIT, WITHOUT_GIT))
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("environment", [WITH_GIT, WITHOUT_GIT], ids=["git", "no git"])
def test_a_folder_without_a_repository_is_no_work_tree(tree: Path, environment: dict[str, str]) -> None:
    (tree / ".git").rename(tree.parent / "elsewhere")
    assert not applies(edit("a.txt", TWO), tree, environment)
    assert not applies(edit("a.txt", TWO), tree / "none", environment)


@pytest.mark.parametrize("environment", [WITH_GIT, WITHOUT_GIT], ids=["git", "no git"])
def test_no_link_is_followed(tree: Path, environment: dict[str, str]) -> None:
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text(SEVEN)
    (tree / "link.txt").symlink_to("a.txt")
    (tree / "folder").symlink_to(outside)
    for patch in (edit("link.txt", TWO), edit("folder/a.txt", TWO), made("folder/new.txt"), edit("../outside/a.txt", TWO)):
        assert not applies(patch, tree, environment)


@pytest.mark.parametrize("environment", [WITH_GIT, WITHOUT_GIT], ids=["git", "no git"])
def test_another_repository_within_is_left_alone(tree: Path, environment: dict[str, str]) -> None:
    subprocess.run(["git", "init", "--quiet", str(tree / "module")], check=True)
    (tree / "module/b.txt").write_text(SEVEN)
    (tree / "linked").mkdir()
    (tree / "linked/.git").write_text("gitdir: ../.git/modules/linked\n")  # as a submodule has it
    (tree / "linked/b.txt").write_text(SEVEN)
    for patch in (edit("module/b.txt", TWO), made("module/new.txt"), edit("linked/b.txt", TWO), made("linked/sub/new.txt")):
        assert not applies(patch, tree, environment)


def test_a_program_that_the_repository_names_for_its_files_is_not_run(tree: Path) -> None:
    ran = tree.parent / "ran"
    for name, value in (("filter.own.clean", f"touch {ran}; cat"), ("filter.own.smudge", f"touch {ran}; cat"), ("core.fsmonitor", f"touch {ran}")):
        subprocess.run(["git", "-C", str(tree), "config", name, value], check=True)
    (tree / ".gitattributes").write_text("* filter=own\n")
    assert applies(edit("a.txt", TWO), tree, {**WITH_GIT, "GIT_DIR": str(tree / ".git"), "GIT_TRACE": str(tree.parent / "trace")})
    assert not ran.exists()
    assert not (tree.parent / "trace").exists()
    subprocess.run(["git", "-C", str(tree), "apply", "--check", "-"], input=edit("a.txt", TWO).encode(), check=True)
    assert ran.exists(), "the trap works where it is not kept away"


def test_what_is_no_diff_does_not_apply(tree: Path) -> None:
    assert not any(applies(patch, tree, environment) for patch in ("", "words\n", edit("a.txt")) for environment in (WITH_GIT, WITHOUT_GIT))


def test_a_file_that_is_too_large_is_not_read_by_us(tree: Path) -> None:
    (tree / "a.txt").write_bytes(SEVEN.encode() + b"x" * (5 << 20))
    changes = changes_of(edit("a.txt", TWO))
    assert changes is not None
    assert not stands(changes, tree)
