"""Places: is a path that a log prints this file of the repository, and is that line among those that changed? (pure)"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import IntEnum

# Names that nearly every folder has: without a folder they say nothing.
_COMMON_NAMES = frozenset({
    "__init__.py", "__main__.py", "main.py", "app.py", "conftest.py", "setup.py", "settings.py", "models.py", "views.py", "urls.py", "utils.py",
    "types.py", "index.js", "index.ts", "index.tsx", "index.jsx", "index.html", "index.php", "main.js", "main.ts", "app.js", "app.ts", "types.ts",
    "package.json", "tsconfig.json", "main.go", "mod.rs", "lib.rs", "main.rs", "makefile", "cmakelists.txt", "dockerfile", "main.c", "main.cpp",
    "main.java", "program.cs", "readme.md",
})  # fmt: skip
# Where the runners of GitHub put the checkout: what follows is the path in the repository.
_CHECKOUT = re.compile(r"^(?:/home/runner/work|/Users/runner/work|/__w|[A-Za-z]:/a)/[^/]{1,100}/[^/]{1,100}/|^/github/workspace/")
_HUNK = re.compile(r"^@@ -\d{1,9}(?:,\d{1,9})? \+(\d{1,9})(?:,\d{1,9})? @@")
# Longer patches are cut by the platforms; we read no more of one than this.
MAX_PATCH = 1 << 20


class Sameness(IntEnum):
    """How sure it is that a printed path means a file of the repository."""

    NO = 0
    NAME = 1  # a bare file name that is the same, and that no other changed file has
    TAIL = 2  # file name and folder are the same, but the roots differ, or another changed file is as like
    SAME = 3  # the same path, or one ends with the other


def like(printed: str, paths: Collection[str]) -> dict[str, Sameness]:
    """The files of the repository that a path in a log may mean; it may be relative, absolute on the runner or in a container, or of Windows.

    `paths` are the changed files: only the likest of them count, and a likeness that is not complete has to stand out among them.
    """
    left = parts_of(printed)
    shared = {path: _shared(left, parts_of(path)) for path in paths}
    most = max(shared.values(), default=0)
    likest = [path for path, count in shared.items() if count == most > 0]
    return {path: found for path in likest if (found := _sameness(_is_absolute(printed), left, parts_of(path), most, len(likest) == 1)) is not Sameness.NO}


def _sameness(rooted: bool, left: list[str], right: list[str], shared: int, alone: bool) -> Sameness:
    if left == right:
        return Sameness.SAME
    if shared == 1:
        bare = len(left) == 1 or (len(right) == 1 and rooted)
        return Sameness.NAME if bare and alone and left[-1].lower() not in _COMMON_NAMES else Sameness.NO
    if shared == len(left) or (shared == len(right) and rooted):
        return Sameness.SAME if alone else Sameness.TAIL
    return Sameness.TAIL if alone and (rooted or shared == len(right)) else Sameness.NO


def parts_of(path: str) -> list[str]:
    """Folders and file name from the root of the checkout, where that is known; without `.`, `..` and drive letters."""
    cut = _CHECKOUT.sub("", _plain(path)[-1000:])
    return [part for part in cut.split("/") if part not in {"", ".", ".."} and not (len(part) == 2 and part[1] == ":")]


def changed_lines(patch: str) -> Iterator[int]:
    """The numbers, in the new file, of the lines that a unified diff adds; where lines are only removed, the line that follows them."""
    number, removed = 0, False
    for line in patch[:MAX_PATCH].split("\n"):
        if hunk := _HUNK.match(line):
            number, removed = int(hunk[1]), False
        elif not number or line.startswith("\\"):
            continue
        elif line.startswith("-"):
            removed = True
        else:
            if line.startswith("+") or removed:
                yield number
            removed = False
            number += 1


def edited_text(patch: str) -> Iterator[str]:
    """The lines of a unified diff that were added or removed, and the headings of its hunks, which name the function around them."""
    for line in patch[:MAX_PATCH].split("\n"):
        if line.startswith("@@ "):
            yield line.rpartition("@@")[2]
        elif line.startswith(("+", "-")) and not line.startswith(("+++ ", "--- ")):
            yield line[1:]


def _shared(left: list[str], right: list[str]) -> int:
    """How many parts are the same from the end."""
    count = 0
    while count < min(len(left), len(right)) and left[-1 - count] == right[-1 - count]:
        count += 1
    return count


def _plain(path: str) -> str:
    return path.replace("\\", "/").removeprefix("file://")


def _is_absolute(path: str) -> bool:
    """Whether a path begins outside of the repository; one below a known checkout folder counts as relative to it."""
    plain = _plain(path)
    return (plain.startswith("/") or plain[1:2] == ":") and not _CHECKOUT.match(plain)
