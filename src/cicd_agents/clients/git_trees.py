"""Files as they were at a commit, read from git's objects: the work tree is not looked at."""

from __future__ import annotations

from collections.abc import Collection

from cicd_agents.clients.git_command import Git
from cicd_agents.domain.errors import Refused

_REGULAR = ("100644", "100755", "100664")


def files(git: Git, commit: str) -> tuple[str, ...]:
    """The paths of all regular files at the commit (its whole id); no symbolic links and no submodules."""
    entries = git.output("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "replace").split("\0")
    return tuple(path for about, _, path in (entry.partition("\t") for entry in entries) if about.startswith(_REGULAR))


def read_files(git: Git, commit: str, paths: Collection[str], most: int) -> dict[str, bytes]:
    """The files that exist at the commit. Raises Refused where one is larger than `most` bytes, before it is read.

    A symbolic link reads as the path that it names. A path with a line break cannot be asked for, and counts as missing.
    """
    # Git would read ./x and ../x from where it runs.
    asked = [path for path in paths if path and "\n" not in path and not path.startswith(("./", "../"))]
    ids: dict[str, str] = {}
    for path, answer in zip(asked, _ask(git, "--batch-check", [f"{commit}:{path}" for path in asked]).split(b"\n")):
        words = answer.decode("utf-8", "replace").split(" ")
        if len(words) != 3 or words[1] != "blob":  # "<id> blob <size>", or "… missing"
            continue
        if int(words[2]) > most:
            raise Refused(f"{path} at {commit[:12]} is larger than {most} bytes; it is not read.")
        ids[path] = words[0]
    return dict(zip(ids, _contents(_ask(git, "--batch", list(ids.values()))), strict=True))


def _ask(git: Git, form: str, objects: list[str]) -> bytes:
    if not objects:
        return b""
    return git.output("cat-file", form, given="".join(f"{name}\n" for name in objects).encode("utf-8", "surrogateescape"))


def _contents(answers: bytes) -> list[bytes]:
    # "<id> blob <size>" LF, the bytes, LF, and again.
    found, at = [], 0
    while at < len(answers):
        start = answers.index(b"\n", at) + 1
        size = int(answers[at:start].rsplit(b" ", 1)[1])
        found.append(answers[start : start + size])
        at = start + size + 1
    return found
