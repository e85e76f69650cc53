"""Which packages a changed lock file updates: "package a 1.2.0 → 1.3.0" (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cicd_agents.analysis.changes.ecosystems import apple, beam, dart, dotnet, golang, jvm, node, php, python, ruby, rust
from cicd_agents.analysis.changes.packages import Pairs, Unreadable, collected, differing
from cicd_agents.domain.doctor import PackageChange

Reader = Callable[[str], Pairs]

# A monorepo's package-lock.json has some 5 MB; what is larger is not read.
MAX_BYTES = 16 << 20
MAX_CHANGES = 200

_BY_NAME: Mapping[str, Reader] = {
    "package-lock.json": node.npm, "npm-shrinkwrap.json": node.npm, "yarn.lock": node.yarn, "pnpm-lock.yaml": node.pnpm, "bun.lock": node.bun,
    "poetry.lock": python.toml, "uv.lock": python.toml, "pdm.lock": python.toml, "pylock.toml": python.toml, "Pipfile.lock": python.pipfile,
    "Cargo.lock": rust.cargo, "go.sum": golang.go_sum, "go.mod": golang.go_mod,
    "Gemfile.lock": ruby.bundler, "gems.locked": ruby.bundler, "composer.lock": php.composer,
    "gradle.lockfile": jvm.gradle, "buildscript-gradle.lockfile": jvm.gradle, "settings-gradle.lockfile": jvm.gradle,
    "packages.lock.json": dotnet.nuget, "mix.lock": beam.mix, "pubspec.lock": dart.pub,
    "Podfile.lock": apple.cocoapods, "Package.resolved": apple.swift,
}  # fmt: skip

_BY_SHAPE: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile(r"(?:^|/)[\w.-]{0,60}(?:requirements|constraints)[\w.-]{0,60}\.txt$"), python.requirements),
    (re.compile(r"(?:^|/)(?:requirements|constraints)/(?:[\w.-]{1,60}/)?[\w.-]{1,60}\.txt$"), python.requirements),
    (re.compile(r"(?:^|/)pylock\.[\w-]{1,60}\.toml$"), python.toml),
    (re.compile(r"(?:^|/)dependency-locks/[\w.-]{1,120}\.lockfile$"), jvm.gradle),
    (re.compile(r"(?:^|/)packages\.[\w.-]{1,120}\.lock\.json$"), dotnet.nuget),
)

_CONFLICT = re.compile(r"^(?:<{7} |>{7} |={7}\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LockComparison:
    """What two states of a lock file say: the changes by name, and a note where they are not the whole truth (empty: they are)."""

    changes: tuple[PackageChange, ...] = ()
    note: str = ""


def is_lock_file(path: str) -> bool:
    """Whether this is a lock file that can be read."""
    return _reader(path) is not None


def compared(path: str, old: bytes | None, new: bytes | None) -> LockComparison:
    """What changed between two states of a lock file, None being no file. Never raises: a file that cannot be read gives no change, and a note."""
    reader = _reader(path)
    if reader is None:
        return LockComparison(note=f"{path} is no lock file that can be read.")
    try:
        before, after = _read(reader, old), _read(reader, new)
    except Unreadable as problem:
        return LockComparison(note=f"{path} could not be compared: {problem}.")
    for state, data, found, other in (("old", old, before, after), ("new", new, after, before)):
        if other and not found and not _blank(data):  # more likely damaged than emptied
            return LockComparison(note=f"{path} could not be compared: no package was found in its {state} state.")
    return _bounded(path, differing(path, before, after))


def _bounded(path: str, changes: tuple[PackageChange, ...]) -> LockComparison:
    note = f"Of {len(changes)} packages that changed in {path}, {MAX_CHANGES} are listed." if len(changes) > MAX_CHANGES else ""
    return LockComparison(changes[:MAX_CHANGES], note)


def _reader(path: str) -> Reader | None:
    named = _BY_NAME.get(path.rsplit("/", 1)[-1])
    return named or next((reader for shape, reader in _BY_SHAPE if shape.search(path[-400:])), None)


def _blank(data: bytes | None) -> bool:
    return data is None or not data.strip()


def _read(reader: Reader, data: bytes | None) -> dict[str, set[str]]:
    if data is None or _blank(data):
        return {}
    if len(data) > MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES >> 20} MiB")
    text = _text(data)
    if _CONFLICT.search(text):
        raise Unreadable("it holds the marks of an unsolved merge conflict")
    return collected(reader(text))


def _text(data: bytes) -> str:
    """The text without a byte-order mark; PowerShell writes requirements.txt in UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")
