"""Logs as files: plain, gzip, a GitHub run-log zip, or standard input. Archives are streamed, never extracted by name."""

from __future__ import annotations

import gzip
import lzma
import re
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.ports import OpenLog

# Limits for what unpacks: a log larger than this is refused, so that a decompression bomb cannot fill the disk.
MAX_UNPACKED = 4 << 30
MAX_RATIO = 2000
_RATIO_FROM = 64 << 20
MAX_MEMBERS = 10_000
_IN_MEMORY = 32 << 20
_CHUNK = 1 << 20
# Top level of a GitHub run-log zip: "3_build (ubuntu).txt" is the whole log of a job (see docs/logs.md).
# The annotation that GitHub writes for a failed step.
_ERROR = b"##[error]"
_JOB_FILE = re.compile(r"^-?\d+_[^/]+\.txt$")


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Opens logs by path; `-` is standard input."""

    max_unpacked: int = MAX_UNPACKED

    @contextmanager
    def open(self, name: str) -> Iterator[OpenLog]:
        """The log, and what is to be said of it. Raises UsageError when the file is missing, unreadable, empty, or unpacks to too much."""
        if name == "-":
            with self._spooled(sys.stdin.buffer, "standard input", 0) as log:
                yield log
            return
        try:
            with Path(name).open("rb") as file:
                if not file.seekable():
                    with self._spooled(file, name, 0) as log:
                        yield log
                    return
                with self._unpacked(file, name) as log:
                    yield log
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"{name}: no such file; give the path of a log, or - for standard input.") from None
        except IsADirectoryError:
            raise UsageError(f"{name}: is a folder; give the log files in it.") from None
        except PermissionError:
            raise UsageError(f"{name}: may not be read; check its permissions.") from None
        except OSError as problem:
            raise UsageError(f"{name}: cannot be read: {problem.strerror or problem}.") from None

    @contextmanager
    def _unpacked(self, file: BinaryIO, name: str) -> Iterator[OpenLog]:
        magic = file.read(4)
        if not magic:
            raise UsageError(f"{name}: the log is empty.")
        size = file.seek(0, 2)
        file.seek(0)
        try:
            if magic[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=file) as packed, self._spooled(packed, name, size) as log:
                    yield log
            elif magic == b"PK\x03\x04":
                with self._job_of_zip(file, name, size) as log:
                    yield log
            else:
                yield OpenLog(file)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise UsageError(f"{name}: the gzip file is damaged or cut short.") from None
        except (zipfile.BadZipFile, lzma.LZMAError, NotImplementedError, RuntimeError, UnicodeDecodeError):
            raise UsageError(f"{name}: the zip file is damaged, encrypted, or packed in an unknown way.") from None

    @contextmanager
    def _job_of_zip(self, file: BinaryIO, name: str, size: int) -> Iterator[OpenLog]:
        """The log of the job that failed in a run-log zip; step files, one after the other, where the job files are missing."""
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise UsageError(f"{name}: the zip file holds more than {MAX_MEMBERS} files.")
            texts = [item for item in members if item.filename.endswith((".txt", ".log")) and not item.is_dir()]
            jobs = [item for item in texts if _JOB_FILE.match(item.filename)] or [item for item in texts if "system.txt" not in item.filename]
            if not jobs:
                raise UsageError(f"{name}: the zip file holds no log; a GitHub run-log zip has files such as 0_build.txt.")
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
                chosen, note = self._failed_jobs(archive, sorted(jobs, key=_member_order), name, size)
                for item in chosen:
                    with archive.open(item) as member:
                        _copy(member, spool, name, size, self.max_unpacked)
                    _end_line(spool)
                yield OpenLog(_rewound(spool, name), (note,) if note else ())

    def _failed_jobs(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str, size: int) -> tuple[list[zipfile.ZipInfo], str]:
        """The first job that failed and a note on the others; all members where the archive has no job files or none of several failed."""
        if len(members) == 1 or not all(_JOB_FILE.match(item.filename) for item in members):
            return members, ""
        failed, read = [], 0
        for item in members:
            annotated, read = self._annotated(archive, item, name, size, read)
            failed += [item] if annotated else []
        if not failed:
            return members, ""
        others = ", ".join(_job_name(item) for item in failed[1:])
        note = f"Of {len(members)} jobs in the archive {len(failed)} failed; this is {_job_name(failed[0])}, and lines count in its file."
        return failed[:1], f"{note} Also failed: {others}." if others else note

    def _annotated(self, archive: zipfile.ZipFile, item: zipfile.ZipInfo, name: str, size: int, read: int) -> tuple[bool, int]:
        """Whether the log of the job has an error annotation, and the bytes unpacked so far: the limits hold for all members together."""
        with archive.open(item) as member:
            rest = b""
            while chunk := member.read(_CHUNK):
                read += len(chunk)
                _check_size(read, name, size, self.max_unpacked)
                if _ERROR in rest + chunk:
                    return True, read
                rest = chunk[1 - len(_ERROR) :]
        return False, read

    @contextmanager
    def _spooled(self, source: IO[bytes] | gzip.GzipFile, name: str, packed: int) -> Iterator[OpenLog]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            _copy(source, spool, name, packed, self.max_unpacked)
            yield OpenLog(_rewound(spool, name))


def _job_name(item: zipfile.ZipInfo) -> str:
    return item.filename.removesuffix(".txt").partition("_")[2]


def _member_order(item: zipfile.ZipInfo) -> tuple[str, int, str]:
    folder, _, file = item.filename.rpartition("/")
    number = re.match(r"-?\d+", file)
    return folder, int(number[0]) if number else 0, file


def _copy(source: IO[bytes] | gzip.GzipFile, spool: IO[bytes], name: str, packed: int, most: int) -> None:
    while chunk := source.read(_CHUNK):
        spool.write(chunk)
        _check_size(spool.tell(), name, packed, most)


def _check_size(unpacked: int, name: str, packed: int, most: int) -> None:
    if unpacked > most or (packed and unpacked > _RATIO_FROM and unpacked > packed * MAX_RATIO):
        raise UsageError(f"{name}: unpacks to more than {min(most, max(packed * MAX_RATIO, _RATIO_FROM)) >> 20} MiB; refused as a decompression bomb.")


def _end_line(spool: IO[bytes]) -> None:
    """The next log begins on a line of its own."""
    if spool.tell():
        spool.seek(-1, 2)
        if spool.read(1) != b"\n":
            spool.write(b"\n")


def _rewound(spool: tempfile.SpooledTemporaryFile[bytes], name: str) -> BinaryIO:
    if not spool.tell():
        raise UsageError(f"{name}: the log is empty.")
    spool.seek(0)
    return spool  # type: ignore[return-value]
