"""Bodies within bounds: answers unpacked in small steps, counted after unpacking, and kept in part where they are too long; files sent in pieces."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

_CHUNK = 64 << 10
_IN_MEMORY = 8 << 20
# What zlib calls gzip and deflate.
_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ACCEPTED = "gzip, deflate"


class WrongEncoding(Exception):
    """A body that is packed in another way than we asked for, damaged or cut."""


class TooLarge(Exception):
    """A body beyond its bound."""


class Unsendable(Exception):
    """A file that cannot be sent as it was announced; the text says why, after "the file to send"."""


class FileBody:
    """A body of `size` bytes, read in pieces from where the stream stands now, and from there again for another try.

    Iterating raises Unsendable where the stream holds less or more, cannot be read, or cannot go back. The last piece is given only when the stream
    has ended with it, so a file that grows meanwhile is never whole for the other side.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.size = size
        self._stream = stream
        self._start = stream.tell() if stream.seekable() else None
        self._begun = False

    @property
    def rewindable(self) -> bool:
        """Whether it can be sent (once more)."""
        return self._start is not None or not self._begun

    def __iter__(self) -> Iterator[bytes]:
        self._rewind()
        left = self.size
        self._check_end(left)
        while left:
            piece = self._read(min(_CHUNK, left))
            if not piece:
                raise Unsendable(f"ended {left:,} bytes before its size")
            left -= len(piece)
            self._check_end(left)
            yield piece

    def _rewind(self) -> None:
        if self._begun:
            if self._start is None:
                raise Unsendable("cannot be read a second time")
            self._stream.seek(self._start)
        self._begun = True

    def _check_end(self, left: int) -> None:
        if left == 0 and self._read(1):
            raise Unsendable(f"is longer than the {self.size:,} bytes that were announced")

    def _read(self, most: int) -> bytes:
        try:
            return self._stream.read(most)
        except OSError as problem:
            raise Unsendable(f"cannot be read: {problem.strerror}") from None


def unpacked(raw: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body as it was before Content-Encoding, in pieces of at most 64 KiB however well it was packed.

    Raises WrongEncoding for damaged data and for encodings that were not asked for (also several at once, which could unpack without bound).
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from raw
    elif encoding in _WINDOW:
        yield from _inflated(raw, _WINDOW[encoding])
    else:
        raise WrongEncoding


def _inflated(raw: Iterable[bytes], window: int) -> Iterator[bytes]:
    inflater, begun = zlib.decompressobj(window), False
    try:
        for piece in raw:
            rest = piece
            while rest:
                if inflater.eof:  # gzip allows several members
                    inflater = zlib.decompressobj(window)
                begun = True
                yield inflater.decompress(rest, _CHUNK)
                rest = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error:
        raise WrongEncoding from None
    if begun and not inflater.eof:
        raise WrongEncoding


def collected(chunks: Iterable[bytes], most: int) -> bytes:
    """All of a body. Raises TooLarge over `most` bytes."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise TooLarge
    return bytes(body)


def beginning(chunks: Iterable[bytes], most: int) -> bytes:
    """The first `most` bytes of a body."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])


class TailSpool:
    """Holds the last `most` bytes of what is written, in memory while small, else in a temporary file without a name; `dropped` counts the others."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.written = 0
        self._ring = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 closed by close()

    @property
    def dropped(self) -> int:
        """Bytes that were written and are not kept."""
        return max(0, self.written - self.most)

    def write(self, chunk: bytes) -> None:
        """Add to the end."""
        self.written += len(chunk)
        chunk = chunk[-self.most :]
        while chunk:
            room = self.most - self._ring.tell()
            self._ring.write(chunk[:room])
            chunk = chunk[room:]
            if self._ring.tell() == self.most:
                self._ring.seek(0)

    def stream(self) -> BinaryIO:
        """What is kept, from its beginning; nothing may be written any more."""
        if self.dropped and self._ring.tell():
            self._turn()
        self._ring.seek(0)
        return cast("BinaryIO", self._ring)

    def _turn(self) -> None:
        """Put the older part of the ring before the newer."""
        newest = self._ring.tell()
        turned = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 closed by close()
        for start, end in ((newest, self.most), (0, newest)):
            self._ring.seek(start)
            while start < end and (chunk := self._ring.read(min(_CHUNK, end - start))):
                turned.write(chunk)
                start += len(chunk)  # noqa: PLW2901 the next piece
        self._ring.close()
        self._ring = turned

    def close(self) -> None:
        """Give the memory or the file back."""
        self._ring.close()
