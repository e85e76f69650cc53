"""Files are sent in pieces with their size, whole or not at all, and again only where nothing happened and the file can be read again."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.calling import TOKEN, calling
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.wire import Wire

from cicd_agents.clients.http_bodies import FileBody, Unsendable
from cicd_agents.domain.errors import NotAllowed, RateLimited, Refused, Rejected, Unavailable

CONTENT = bytes(range(256)) * 1000


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False


class Zeros(io.RawIOBase):
    """An endless file."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        buffer[:] = bytes(len(buffer))
        return len(buffer)


class Broken(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, *_: object) -> bytes:
        raise OSError(5, "Input/output error")


@given(data=st.binary(max_size=200), start=st.integers(0, 50), size=st.integers(0, 250))
def test_a_body_is_exactly_the_rest_of_the_stream_or_refused(data: bytes, start: int, size: int) -> None:
    stream = io.BytesIO(data)
    stream.seek(start)
    body = FileBody(stream, size)
    rest = data[start:]
    for _ in range(2):
        if size == len(rest):
            assert b"".join(body) == rest
        else:
            with pytest.raises(Unsendable):
                b"".join(body)


def test_the_last_piece_is_held_back_until_the_stream_has_ended() -> None:
    given_away: list[bytes] = []
    with pytest.raises(Unsendable, match="longer than the 100,000 bytes"):
        given_away.extend(FileBody(io.BytesIO(CONTENT), 100_000))
    assert sum(map(len, given_away)) < 100_000


def answered(_: Request) -> Reply:
    return json_reply({"id": 1}, 201)


def test_a_file_goes_with_its_type_size_and_the_credential() -> None:
    with Server(answered) as server, calling(server.url) as it:
        answer = it.http.upload("/files", io.BytesIO(CONTENT), len(CONTENT), "application/zip", params={"name": "a+b.zip"})
    [request] = server.requests
    assert answer.json() == {"id": 1}
    assert (request.method, request.path, request.query, request.body) == ("POST", "/files", {"name": "a+b.zip"}, CONTENT)
    sent = {name: request.headers.get(name) for name in ("content-type", "content-length", "authorization", "transfer-encoding")}
    assert sent == {
        "content-type": "application/zip", "content-length": str(len(CONTENT)), "authorization": f"Bearer {TOKEN}", "transfer-encoding": None,
    }  # fmt: skip


def test_an_empty_file_goes_too() -> None:
    with Server(answered) as server, calling(server.url) as it:
        it.http.upload("/files", io.BytesIO(), 0, "text/plain")
    assert (server.requests[0].headers["content-length"], server.requests[0].body) == ("0", b"")


def test_another_base_of_the_service_gets_the_credential_and_only_there() -> None:
    with Server(answered) as server, Server(answered) as uploads, calling(server.url) as it:
        it.http.upload("/files", io.BytesIO(b"x"), 1, "text/plain", base=f"{uploads.url}/up/")
        assert [(request.path, request.headers["authorization"]) for request in uploads.requests] == [("/up/files", f"Bearer {TOKEN}")]
        with pytest.raises(Refused, match="is another server"):
            it.http.upload(f"{uploads.url}/files", io.BytesIO(b"x"), 1, "text/plain")
        with pytest.raises(Refused, match="without TLS"):
            it.http.upload("/files", io.BytesIO(b"x"), 1, "text/plain", base="http://uploads.example.com")
    assert (len(server.requests), len(uploads.requests)) == (0, 1)


def test_an_upload_is_not_redirected_to_another_server() -> None:
    with Server(answered) as other, Server(lambda _: Reply(307, b"", {"location": f"{other.url}/files"})) as server, calling(server.url) as it:
        with pytest.raises(Refused, match="what we write is not sent on"):
            it.http.upload("/files", io.BytesIO(b"x"), 1, "text/plain")
        assert other.requests == []


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
@pytest.mark.parametrize("status", [307, 308])
def test_on_the_same_server_it_follows_where_the_file_can_be_read_again(kind: type[io.BytesIO], status: int) -> None:
    def moved(request: Request) -> Reply:
        return answered(request) if request.path == "/new" else Reply(status, b"", {"location": "/new"})

    with Server(moved) as server, calling(server.url) as it:
        if kind is Pipe:
            with pytest.raises(Refused, match="the file to send cannot be read a second time"):
                it.http.upload("/files", kind(CONTENT), len(CONTENT), "text/plain")
        else:
            it.http.upload("/files", kind(CONTENT), len(CONTENT), "text/plain")
            assert server.requests[1].body == CONTENT


@pytest.mark.parametrize(
    ("size", "said"), [(len(CONTENT) + 1, "ended 1 bytes before its size"), (len(CONTENT) - 1, "is longer than the 255,999 bytes that were announced")]
)
def test_a_file_of_another_size_never_arrives_whole(size: int, said: str) -> None:
    with Server(answered) as server, calling(server.url) as it:
        with pytest.raises(Refused, match=f"GitHub: POST /files was given up: the file to send {said}"):
            it.http.upload("/files", io.BytesIO(CONTENT), size, "text/plain")
        assert it.retries == []
    assert all(len(request.body) < size for request in server.requests)


def test_a_file_that_cannot_be_read_is_said() -> None:
    with Server(answered) as server, calling(server.url) as it, pytest.raises(Refused, match="the file to send cannot be read: Input/output error"):
        it.http.upload("/files", Broken(CONTENT), len(CONTENT), "text/plain")


@pytest.mark.parametrize("fault", [Reply(500), Reply(502), Reply(503), Reply(reset=True), Reply(201, b'{"id": 1}', cut=3)])
def test_an_upload_that_may_have_had_its_effect_is_not_sent_again(fault: Reply) -> None:
    with Server(answered) as server, calling(server.url) as it:
        server.faults[0] = fault
        with pytest.raises(Unavailable):
            it.http.upload("/files", io.BytesIO(CONTENT), len(CONTENT), "text/plain")
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Reply(429, headers={"retry-after": "7"}), Reply(503, headers={"retry-after": "7"})])
def test_after_a_limit_it_is_sent_again_from_where_it_began(fault: Reply) -> None:
    stream = io.BytesIO(b"head" + CONTENT)
    stream.seek(4)
    with Server(answered) as server, calling(server.url) as it:
        server.faults[0] = fault
        it.http.upload("/files", stream, len(CONTENT), "text/plain")
        assert it.clock.slept == [7.0]
    assert [request.body for request in server.requests] == [CONTENT, CONTENT]


def test_what_cannot_be_read_again_is_not_sent_again() -> None:
    with Server(answered) as server, calling(server.url) as it:
        server.faults[0] = Reply(429, headers={"retry-after": "7"})
        with pytest.raises(RateLimited):
            it.http.upload("/files", Pipe(CONTENT), len(CONTENT), "text/plain")
        assert len(server.requests) == 1


def test_what_was_not_begun_is_sent_again_even_from_a_pipe() -> None:
    with Server(answered) as server:
        url = server.url
    pipe = Pipe(CONTENT)
    with calling(url) as it, pytest.raises(Unavailable, match="tried 4 times"):
        it.http.upload("/files", pipe, len(CONTENT), "text/plain")
    assert pipe.tell() == 0


@pytest.mark.parametrize(("status", "error"), [(401, NotAllowed), (403, NotAllowed), (413, Rejected), (422, Rejected)])
def test_a_refusal_is_said_as_of_any_write(status: int, error: type[Exception]) -> None:
    with Server(lambda _: json_reply({"message": "no"}, status)) as server, calling(server.url) as it:
        with pytest.raises(error, match=rf"\({status}\): no"):
            it.http.upload("/files", io.BytesIO(CONTENT), len(CONTENT), "text/plain")
        assert len(server.requests) == 1


def test_uploads_keep_a_second_from_other_writes() -> None:
    with Server(answered) as server, calling(server.url) as it:
        it.http.send("POST", "/a", {})
        it.http.upload("/files", io.BytesIO(b"x"), 1, "text/plain")
        assert it.clock.slept == [1.0]


def test_a_large_file_is_not_held_in_memory() -> None:
    size = 512 << 20

    def refusing(head: bytes) -> Iterator[bytes]:
        assert head
        yield b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Wire(refusing) as wire, calling(wire.url) as it, pytest.raises((Rejected, Unavailable)):
        it.http.upload("/files", cast("BinaryIO", io.BufferedReader(Zeros())), size, "text/plain")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB
