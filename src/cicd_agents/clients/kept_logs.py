"""Logs that were read for a diagnosis stay open to the end of the run, so that more of their lines can be read without a second download."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from cicd_agents.analysis.logs import clean
from cicd_agents.domain.ci import Job
from cicd_agents.domain.ports import LogStore, OpenLog
from cicd_agents.domain.redaction import Redactor

MOST_LINES = 500  # of one answer
# Beside the lines that are wanted so much of the log is looked at for secrets of several lines. A private key has at most 64 KiB; stamps and colours of
# its lines come on top.
_BEFORE, _AFTER = 192 << 10, 128 << 10
_BLOCK = 64 << 10
_TEXT = 600  # characters of a line, as in the report's excerpts
_MOST_AFTER = 2000  # lines; a key has no more


class KeptLogs:
    """Keeps logs of at most `most` bytes together; one that does not fit is closed when the diagnosis closes it."""

    def __init__(self, most: int, redactor: Redactor) -> None:
        self._left = most
        self._redactor = redactor
        self._logs: dict[str, _Numbered] = {}
        self._stack = ExitStack()

    @contextmanager
    def keeping(self, name: str, log: AbstractContextManager[OpenLog]) -> Iterator[OpenLog]:
        """The log, opened; when it has been read without a fault it is kept under the name."""
        with ExitStack() as own:
            opened = own.enter_context(log)
            start = opened.stream.tell()
            yield opened
            size = opened.stream.seek(0, 2) - start
            if name not in self._logs and size <= self._left:
                self._left -= size
                self._logs[name] = _Numbered(opened.stream, start)
                self._stack.enter_context(own.pop_all())

    def of_jobs(self, open_log: Callable[[Job], AbstractContextManager[OpenLog]]) -> Callable[[Job], AbstractContextManager[OpenLog]]:
        """The same logs of jobs; those of failed jobs are kept by the job's id."""
        return lambda job: self.keeping(job.id, open_log(job)) if job.status.failed else open_log(job)

    def lines(self, name: str, first: int, last: int) -> tuple[str, ...] | None:
        """The lines of a kept log from `first` to `last` as far as there are any, as a person reads them, redacted; None where it is not kept.

        Numbers are those of the report: from 1, and lines end at line feeds.
        """
        log = self._logs.get(name)
        if log is None:
            return None
        count = min(last, first + MOST_LINES - 1) - first + 1
        if first < 1 or count < 1:
            return ()
        try:
            before, wanted, after = log.around(first, count)
        except OSError:  # an explanation is a help: what cannot be read any more is as if it were not kept
            return None
        texts = [_text(raw) for raw in (*before, *wanted, *after)]
        return self._redactor.redact_lines(texts)[len(before) : len(before) + len(wanted)]

    def count(self, name: str) -> int | None:
        """How many lines a kept log has."""
        log = self._logs.get(name)
        try:
            return None if log is None else log.count()
        except OSError:
            return None

    def close(self) -> None:
        """Give the logs back."""
        self._logs.clear()
        self._stack.close()


@dataclass(frozen=True, slots=True)
class KeptLog:
    """A store (port LogStore) that keeps one log of those that it opens."""

    store: LogStore
    kept: KeptLogs
    name: str

    def open(self, name: str) -> AbstractContextManager[OpenLog]:
        """The log. Raises UsageError when there is no such log or it cannot be read."""
        log = self.store.open(name)
        return self.kept.keeping(name, log) if name == self.name else log


class _Numbered:
    """The lines of a stream by number. The whole is read once, when the first line is asked for, to count line feeds."""

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self._stream, self._start = stream, start
        self._marks: list[int] = []  # line feeds before each block
        self._total = 0

    def count(self) -> int:
        """All lines."""
        self._look()
        return self._total

    def around(self, first: int, count: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """(lines before, `count` lines from `first` on, lines after), as they are, without their line feeds."""
        offset = self._offset(first)
        if offset is None:
            return [], [], []
        begin = max(0, offset - _BEFORE)
        before = self._read(begin, offset - begin).split(b"\n")[1 if begin else 0 : -1]
        self._stream.seek(self._start + offset)
        wanted = list(self._lines(count))
        after = list(self._lines(_MOST_AFTER, _AFTER)) if len(wanted) == count else []
        return before, wanted, after

    def _offset(self, line: int) -> int | None:
        """Where a line begins; None where there are not so many."""
        self._look()
        if line == 1:
            return 0
        block = bisect_left(self._marks, line - 1) - 1  # the last one with fewer line feeds before it than stand before the line
        data, at = self._read(block * _BLOCK, _BLOCK), 0
        for _ in range(line - 1 - self._marks[block]):
            at = data.find(b"\n", at) + 1
            if not at:
                return None
        return block * _BLOCK + at

    def _look(self) -> None:
        if self._marks:
            return
        self._marks, feeds, last = [0], 0, b"\n"
        while data := self._read((len(self._marks) - 1) * _BLOCK, _BLOCK):
            feeds, last = feeds + data.count(b"\n"), data[-1:]
            self._marks.append(feeds)
        self._total = feeds + (last != b"\n")

    def _read(self, offset: int, size: int) -> bytes:
        self._stream.seek(self._start + offset)
        return self._stream.read(size)

    def _lines(self, most: int, most_bytes: int | None = None) -> Iterator[bytes]:
        """The next lines; of a very long one the two ends."""
        size = 0
        for _ in range(most):
            line = self._stream.readline(_BLOCK)
            if not line or (most_bytes is not None and size > most_bytes):
                return
            size += len(line)
            if len(line) == _BLOCK and not line.endswith(b"\n"):
                line = line + b" ... " + self._end_of_line()
            yield line.removesuffix(b"\n")

    def _end_of_line(self) -> bytes:
        tail = b""
        while piece := self._stream.readline(_BLOCK):
            tail = (tail + piece)[-_BLOCK:]
            if piece.endswith(b"\n"):
                break
        return tail


def _text(raw: bytes) -> str:
    return clean.shortened(clean.text_of(raw).decode(errors="replace"), _TEXT)
