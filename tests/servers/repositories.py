"""Real git repositories in temporary folders: commits with authors, dates and files, branches, merges, tags, remotes that refuse, clones of all kinds.

Git's own configuration of the machine is not read, and every commit has a fixed time, so ids are the same in each run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# git as on a machine where nobody has set anything.
ENVIRONMENT: Mapping[str, str] = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
START = 1_700_000_000
AUTHOR = "Ada <ada@example.com>"


def git(folder: Path, *arguments: str, given: bytes = b"", variables: Mapping[str, str] | None = None) -> str:
    """What git prints, without the line break at the end. Fails the test where git fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, env={**ENVIRONMENT, **(variables or {})}, input=given, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode("utf-8", "replace").rstrip("\n")


def signed(author: str, time: int) -> dict[str, str]:
    """The variables that make somebody (`Name <mail>`) author and committer at a time."""
    name, _, email = author.rstrip(">").partition(" <")
    parts = {"NAME": name, "EMAIL": email, "DATE": f"@{time} +0000"}
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in parts.items()}


@dataclass
class Repository:
    """A repository with a work tree. `clock` is the time of the next commit or tag; each moves it on by a minute."""

    folder: Path
    clock: int = START

    def git(self, *arguments: str, given: bytes = b"", variables: Mapping[str, str] | None = None) -> str:
        """Run git in it."""
        return git(self.folder, *arguments, given=given, variables=variables)

    def commit(self, message: str | bytes, files: Mapping[str, str | bytes] | None = None, *, author: str = AUTHOR, time: int | None = None) -> str:
        """A commit on the checked out branch, empty without files; its id."""
        for path, content in (files or {}).items():
            self.write(path, content)
            self.git("add", "--force", "--", path)
        given = message.encode() if isinstance(message, str) else message
        self.git(
            "commit", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "--quiet", "--file=-", given=given, variables=self._signed(author, time)
        )
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file of the work tree, without committing it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def branch(self, name: str) -> None:
        """Make a branch here and check it out."""
        self.git("checkout", "--quiet", "-b", name)

    def checkout(self, revision: str) -> None:
        """Check out a branch, or a commit with a detached HEAD."""
        self.git("checkout", "--quiet", revision)

    def merge(self, branch: str, message: str, *, author: str = AUTHOR) -> str:
        """Merge a branch with a merge commit; its id."""
        self.git("merge", "--no-ff", "--quiet", "-m", message, branch, variables=self._signed(author, None))
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, message: str = "", *, at: str = "HEAD", time: int | None = None) -> None:
        """A tag: annotated where there is a message, else light."""
        kind = ["--annotate", "--message", message] if message else []
        self.git("tag", *kind, name, at, variables=self._signed(AUTHOR, time))

    def _signed(self, author: str, time: int | None) -> dict[str, str]:
        self.clock += 60
        return signed(author, self.clock if time is None else time)


def new_repository(folder: Path, *, branch: str = "main") -> Repository:
    """An empty repository."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", f"--initial-branch={branch}")
    return Repository(folder)


def released(folder: Path) -> Repository:
    """A small project: v1.0.0 (annotated), then a feature, a merged fix and a light tag v1.1.0, then one more fix."""
    template = _template()
    shutil.copytree(template.folder, folder)
    return Repository(folder, template.clock)


@cache
def _template() -> Repository:
    # Made once and copied: it takes some twenty processes.
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home)
    repository = new_repository(Path(home) / "template")
    repository.commit("feat: first", {"app.py": "one\n", "docs/index.md": "hello\n"})
    repository.tag("v1.0.0", "first release")
    repository.commit("feat(api): second\n\nWith a body.\n\nRefs: #2", {"app.py": "two\n"})
    repository.branch("fix")
    repository.commit("fix: on a branch", {"docs/index.md": "hello!\n"}, author="Bo <bo@example.com>")
    repository.checkout("main")
    repository.commit("chore: meanwhile", {"lib/a.txt": "a\n"})
    repository.merge("fix", "Merge branch 'fix'")
    repository.tag("v1.1.0")
    repository.commit("fix: last", {"lib/a.txt": "b\n"})
    return repository


def bare_remote(folder: Path, of: Repository, *, name: str = "origin") -> Path:
    """A bare repository with all branches and tags of the other, which gets it as a remote."""
    git(folder.parent, "clone", "--quiet", "--bare", "--no-hardlinks", str(of.folder), str(folder))
    git(folder, "remote", "remove", "origin")
    of.git("remote", "add", name, str(folder))
    return folder


def refuse(remote: Path, words: str, *, hook: str = "pre-receive") -> None:
    """From now on the remote's hook refuses every push with these words."""
    write_hook(remote / "hooks" / hook, f"echo '{words}' >&2; exit 1")


def write_hook(file: Path, script: str) -> None:
    """A hook that runs the shell script."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def clone(source: Path, folder: Path, *options: str) -> Repository:
    """A clone with options such as `--bare`, `--shared` or `--depth=1` (by file://, as git heeds depth only there)."""
    address = f"file://{source}" if any(option.startswith("--depth") for option in options) else str(source)
    git(folder.parent, "clone", "--quiet", *options, address, str(folder))
    return Repository(folder)
