"""Bodies are bounded in bytes, also unpacked, and in time, also when they come drop by drop; of long files the end is kept."""

from __future__ import annotations

import gzip
import resource
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.servers.calling import calling
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, Server
from tests.servers.wire import Wire

from cicd_agents.clients.http_bodies import TailSpool, WrongEncoding, beginning, unpacked
from cicd_agents.domain.errors import NotFound, Refused, Unavailable

LOG = b"".join(b"line %d\n" % number for number in range(1000))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


# Unpacking


@given(data=st.binary(max_size=3000), size=st.integers(1, 200), encoding=st.sampled_from(["gzip", "GZIP ", "x-gzip", "deflate", "", "identity"]))
def test_what_was_packed_comes_out_whole(data: bytes, size: int, encoding: str) -> None:
    packed = gzip.compress(data) if "gzip" in encoding.lower() else zlib.compress(data) if encoding == "deflate" else data
    assert b"".join(unpacked(pieces(packed, size), encoding)) == data


def test_several_gzip_members_are_one_body() -> None:
    assert b"".join(unpacked(pieces(gzip.compress(b"one ") + gzip.compress(b"two"), 7), "gzip")) == b"one two"


@given(size=st.integers(1, 500), cut=st.integers(1, 60))
def test_a_packed_body_that_is_cut_is_damaged(size: int, cut: int) -> None:
    packed = gzip.compress(LOG)
    with pytest.raises(WrongEncoding):
        b"".join(unpacked(pieces(packed[:-cut], size), "gzip"))


@given(data=st.binary(min_size=1), encoding=st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, gzip", "deflate,gzip", "x"]))
def test_other_bytes_and_encodings_are_damaged_or_data_but_no_crash(data: bytes, encoding: str) -> None:
    try:
        b"".join(unpacked([data], encoding))
    except WrongEncoding:
        return
    assert encoding in ("gzip", "deflate")


def test_a_bomb_comes_in_small_pieces() -> None:
    bomb = gzip.compress(b"\0" * (32 << 20))
    assert max(len(piece) for piece in unpacked([bomb], "gzip")) <= 64 << 10


# The end of a file


@example(data=b"abcdefghijk", size=3, most=5)
@given(data=st.binary(max_size=400), size=st.integers(1, 50), most=st.integers(1, 120))
def test_the_last_bytes_are_kept_in_order(data: bytes, size: int, most: int) -> None:
    spool = TailSpool(most)
    for piece in pieces(data, size):
        spool.write(piece)
    kept = spool.stream().read()
    dropped = spool.dropped
    spool.close()
    assert kept == data[-most:]
    assert dropped == max(0, len(data) - most)


def test_the_beginning_is_as_long_as_asked() -> None:
    assert beginning(pieces(b"abcdefgh", 3), 4) == b"abcd"
    assert beginning(pieces(b"abc", 2), 4) == b"abc"


# Over the wire


def test_a_download_can_be_read_and_sought() -> None:
    with Server(lambda _: Reply(200, LOG)) as server, calling(server.url) as it, it.http.download("/log", most=1 << 20) as stream:
        assert stream.read() == LOG
        stream.seek(-9, 2)
        assert stream.read() == b"line 999\n"


def test_a_packed_download_comes_out_unpacked() -> None:
    packed = Reply(200, gzip.compress(LOG), {"content-encoding": "gzip"})
    with Server(lambda _: packed) as server, calling(server.url) as it, it.http.download("/log", most=1 << 20) as stream:
        assert stream.read() == LOG
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_of_a_longer_file_the_end_is_kept_and_the_caller_told() -> None:
    cuts: list[int] = []
    with Server(lambda _: Reply(200, LOG)) as server, calling(server.url) as it, it.http.download("/log", most=18, on_cut=cuts.append) as stream:
        assert stream.read() == b"line 998\nline 999\n"
    assert cuts == [len(LOG) - 18]


def test_without_the_tail_a_longer_file_is_refused() -> None:
    with Server(lambda _: Reply(200, LOG)) as server, calling(server.url) as it:
        with it.http.download("/log", most=len(LOG), tail=False) as stream:
            assert stream.read() == LOG
        with pytest.raises(Refused, match="more than may be read"), it.http.download("/log", most=len(LOG) - 1, tail=False):
            pass


def test_a_download_that_breaks_off_begins_anew() -> None:
    with Server(lambda _: Reply(200, LOG)) as server, calling(server.url) as it:
        server.faults[0] = Reply(200, LOG, cut=5000)
        with it.http.download("/log", most=1 << 20) as stream:
            assert stream.read() == LOG
        assert it.clock.slept == [1.0]


def test_a_download_that_is_not_there_is_said() -> None:
    with Server(lambda _: Reply(404)) as server, calling(server.url) as it, pytest.raises(NotFound), it.http.download("/log", most=10):
        pass


def test_a_full_disk_is_said() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Server(lambda _: Reply(200, b"x" * (9 << 20))) as server, calling(server.url) as it:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        try:
            with pytest.raises(Unavailable, match="cannot be kept: File too large"), it.http.download("/log", most=1 << 30):
                pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_error_in_the_callers_block_is_the_callers() -> None:
    with Server(lambda _: Reply(200, LOG)) as server, calling(server.url) as it:
        with pytest.raises(KeyError), it.http.download("/log", most=10):
            raise KeyError
        assert len(server.requests) == 1


def test_a_bomb_is_counted_unpacked() -> None:
    bomb = Reply(200, gzip.compress(b"\0" * (8 << 20)), {"content-encoding": "gzip"})
    with Server(lambda _: bomb) as server, calling(server.url) as it, pytest.raises(Refused, match="more than may be read"):
        it.http.get("/x", most=1 << 20)


def test_an_endless_body_of_an_error_is_not_read_to_its_end() -> None:
    def script(_head: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\n\r\n"
        while True:
            yield b"x" * 65536

    with Wire(script) as wire, calling(wire.url) as it, pytest.raises(NotFound):
        it.http.get("/x")


class Dripping:
    """Sends one drop a second of the client's clock, without end; the clock moves when one is sent."""

    def __init__(self, start: bytes, drop: bytes) -> None:
        self.clock = FakeClock()
        self.sent = 0
        self._start = start
        self._drop = drop

    def __call__(self, _head: bytes) -> Iterator[bytes]:
        yield self._start
        while True:
            self.sent += 1
            self.clock.advance(1)
            yield self._drop


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        (b"HTTP/1.1 500 no\r\ncontent-length: 1000000000\r\n\r\n", b"x"),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    ],
    ids=["body", "body without length", "chunks", "head", "error", "status line", "flood"],
)
def test_a_server_that_drips_holds_nobody_longer_than_the_budget(start: bytes, drop: bytes) -> None:
    dripping = Dripping(start, drop)
    with Wire(dripping) as wire, calling(wire.url, seconds=30, clock=dripping.clock) as it:
        with pytest.raises(Unavailable, match=r"the 30 s for all calls are used up|failed \(500\)"):
            it.http.get("/x")
        assert len(wire.heads) == 1
