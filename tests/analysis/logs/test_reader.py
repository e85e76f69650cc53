"""Blocks and windows keep an exact map to the lines and bytes of the file given."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.logs.reader import BLOCK, Log


@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")), max_size=60), st.booleans())
def test_a_window_says_where_each_line_begins(lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    log = Log(data)
    offset = 0
    for number, raw in enumerate(data.split(b"\n")[: len(lines)], 1):
        if offset < len(data):
            window = log.window(number, offset, 3, 3)
            for line in window:
                assert data[: line.offset].count(b"\n") == line.number - 1
                assert line.offset == 0 or data[line.offset - 1 : line.offset] == b"\n"
            assert [line.number for line in window if line.offset == offset] == [number]
        offset += len(raw) + 1


@given(st.binary(max_size=4000))
def test_blocks_hold_the_log_exactly(data: bytes) -> None:
    blocks = list(Log(data).blocks())
    assert b"".join(block.data for block in blocks) == data
    assert all(block.line == data[: block.offset].count(b"\n") + 1 for block in blocks)


def test_large_logs_come_in_whole_lines() -> None:
    data = b"".join(b"line %d\n" % number for number in range(400_000))
    blocks = list(Log(data).blocks())
    assert len(blocks) > 3
    assert all(block.data.endswith(b"\n") for block in blocks)
    assert max(len(block.data) for block in blocks) < 2 * BLOCK
    assert sum(block.data.count(b"\n") for block in blocks) == 400_000


def test_a_file_without_line_feeds_stays_bounded() -> None:
    blocks = list(Log(b"x" * (40 << 20)).blocks())
    assert max(len(block.data) for block in blocks) <= 9 << 20
    assert {block.line for block in blocks} == {1}


def test_a_stream_may_begin_anywhere() -> None:
    stream = io.BytesIO(b"skipped\nfirst\nsecond\n")
    stream.seek(8)
    log = Log(stream)
    assert log.size() == 13
    assert [line.text for line in log.window(1, 0, 5, 5)] == [b"first", b"second"]
    assert log.ends(5) == (b"first", b"cond\n")


def test_a_pipe_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(ValueError, match="can seek"):
        Log(Pipe(b""))
