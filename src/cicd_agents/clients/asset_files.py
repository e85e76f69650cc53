"""The files that a release attaches: found by paths and patterns below a folder, measured and digested; none by a link that leads out of it."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release_content import AssetFile

CHECKSUMS = "SHA256SUMS"
_MOST_FILES = 200
# A file of a GitHub release is below 2 GiB (docs.github.com, about releases).
MOST_BYTES = (2 << 30) - 1
_UNKNOWN = "application/octet-stream"


def asset_files(patterns: Sequence[str], folder: Path) -> tuple[AssetFile, ...]:
    """The files in the order of the patterns, each once, and a file SHA256SUMS of them (as of sha256sum(1)). Raises UsageError where one cannot be used."""
    root = folder.resolve()
    paths = list(dict.fromkeys(path for pattern in patterns for path in _found(pattern, root)))
    if len(paths) > _MOST_FILES:
        raise UsageError(f"release-assets: {len(paths)} files are more than the {_MOST_FILES} that are possible.")
    files = [_asset(path) for path in paths]
    names = [file.name for file in files]
    if twice := next((name for name in names if names.count(name) > 1 or name == CHECKSUMS), None):
        raise UsageError(f"release-assets: two files would have the name {twice}; a release has each name once.")
    return (*files, _checksums(files)) if files else ()


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """An asset to read. Raises UsageError where it is gone."""
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror or problem}.") from None


def _found(pattern: str, root: Path) -> list[Path]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise UsageError(f"release-assets: {pattern!r} leads out of the workspace.")
    found = sorted(path for path in root.glob(pattern) if path.is_file())
    if not found:
        raise UsageError(f"release-assets: there is no file {pattern!r} below {root}; build it before, or correct the pattern.")
    if outside := next((path for path in found if not path.resolve().is_relative_to(root)), None):
        raise UsageError(f"release-assets: {outside.name} is a link that leads out of the workspace.")
    return found


def _asset(path: Path) -> AssetFile:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(f"release-assets: {path.name} has {size:,} bytes; a release takes files below 2 GiB.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return AssetFile(path.name, str(path), mimetypes.guess_type(path.name)[0] or _UNKNOWN, size, digest)


def _checksums(files: Sequence[AssetFile]) -> AssetFile:
    content = "".join(f"{file.digest}  {file.name}\n" for file in files).encode()
    return AssetFile(CHECKSUMS, "", "text/plain", len(content), hashlib.sha256(content).hexdigest(), content)
