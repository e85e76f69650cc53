"""A log as blocks of whole lines, and any window of it again by byte offset. Memory does not grow with the log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cicd_agents.analysis.logs import clean

BLOCK = 1 << 20
# Of a longer line only the two ends are kept, as much as matching looks at: memory stays bounded on a file without line feeds.
MAX_RAW_LINE = 8 << 20
_END_OF_LINE = 64 << 10
_WINDOW, _WIDE_WINDOW = 12 << 10, 256 << 10


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of the log: `offset` in bytes and `line` (from 1) of its first one. `size` bytes of the log; `data` is them, but
    for a line that is too long, which stands alone in its block with its middle left out."""

    offset: int
    line: int
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Line:
    """One cleaned line with its exact place in the file given."""

    number: int
    offset: int
    marker: bytes
    text: bytes


class Log:
    """Reads a seekable binary stream. Raises ValueError for a stream that cannot seek."""

    def __init__(self, source: BinaryIO | bytes) -> None:
        self._stream: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
        if not self._stream.seekable():
            raise ValueError("the log must be bytes or a binary stream that can seek; spool a pipe to a file first")
        self._start = self._stream.tell()

    def size(self) -> int:
        """Bytes of the log."""
        return self._stream.seek(0, io.SEEK_END) - self._start

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from byte `offset` on, as they are."""
        self._stream.seek(self._start + offset)
        return self._stream.read(size)

    def ends(self, size: int = 64 << 10) -> tuple[bytes, bytes]:
        """The first and the last `size` bytes."""
        whole = self.size()
        self._stream.seek(self._start)
        head = self._stream.read(size)
        self._stream.seek(self._start + max(0, whole - size))
        return head, self._stream.read(size)

    def sample(self, pieces: int = 8, size: int = 64 << 10) -> bytes:
        """`pieces` parts of `size` bytes at equal distances, joined."""
        step = max(size, self.size() // pieces)
        parts = []
        for begin in range(0, step * pieces, step):
            self._stream.seek(self._start + begin)
            parts.append(self._stream.read(size))
        return b"".join(parts)

    def blocks(self) -> Iterator[Block]:
        """All blocks in order."""
        self._stream.seek(self._start)
        offset, line, rest = 0, 1, b""
        while chunk := self._stream.read(BLOCK):
            data = rest + chunk
            cut = data.rfind(b"\n") + 1
            if cut == 0 and len(data) < MAX_RAW_LINE:
                rest = data
                continue
            if cut == 0:
                whole, size = self._ends_of_line(data)
                rest = b""
            else:
                whole, rest, size = data[:cut], data[cut:], cut
            yield Block(offset, line, whole, size)
            offset += size
            line += whole.count(b"\n")
            self._stream.seek(self._start + offset + len(rest))
        if rest:
            yield Block(offset, line, rest, len(rest))

    def _ends_of_line(self, begun: bytes) -> tuple[bytes, int]:
        """(the two ends of the line that begins with `begun`, its length with its line feed); reads on to its end."""
        head, tail, size = begun[:_END_OF_LINE], begun[-_END_OF_LINE:], len(begun)
        while chunk := self._stream.read(BLOCK):
            end = chunk.find(b"\n") + 1
            piece = chunk[:end] if end else chunk
            size += len(piece)
            tail = (tail + piece)[-_END_OF_LINE:]
            if end:
                break
        return head + b" ... " + tail, size

    def window(self, number: int, offset: int, before: int, after: int) -> list[Line]:
        """Up to `before` and `after` cleaned lines around the line `number` that begins at byte `offset`, in order."""
        head, tail = self._around(offset, before, _WINDOW)
        if len(head) < before or len(tail) <= after:
            head, tail = self._around(offset, before, _WIDE_WINDOW)
        head, tail = head[-before:] if before else [], tail[: after + 1]
        lines: list[Line] = []
        position = offset - sum(len(raw) + 1 for raw in head)
        for index, raw in enumerate(head + tail):
            here = raw
            if index == len(head) and len(raw) >= _WIDE_WINDOW:  # the line itself may be longer than the window
                self._stream.seek(self._start + offset)
                here, _size = self._ends_of_line(self._stream.read(_END_OF_LINE))
            marker, text = clean.undecorated(clean.visible(here.rstrip(b"\n")))
            lines.append(Line(number - len(head) + index, position, marker, text))
            position += len(raw) + 1
        return lines

    def _around(self, offset: int, before: int, size: int) -> tuple[list[bytes], list[bytes]]:
        """Raw lines before `offset` and from it on, as far as `size` bytes each way reach."""
        begin = max(0, offset - size) if before else offset
        self._stream.seek(self._start + begin)
        data = self._stream.read(offset - begin + size)
        head = data[: offset - begin].split(b"\n")[:-1]
        tail = data[offset - begin :].split(b"\n")
        if not tail[-1]:
            tail.pop()
        return head[1:] if begin and head else head, tail
