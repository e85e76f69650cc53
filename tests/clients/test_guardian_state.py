"""The state of a watch survives on a disk, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cicd_agents.clients.guardian_state import MAX_BYTES, read_state, write_state
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import TimelineEntry, WatchState

STATE = WatchState(
    "api", "prod", "v2", 1000.5, 1, ((1000.5, 0.05), (1400.0, 0.25)), (TimelineEntry(1200.0, "hold: “too early”"),), "", ("api:2",), "17", "hold, no-data: …"
)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    write_state(path, STATE)
    write_state(path, STATE)
    assert read_state(path) == STATE
    assert [item.name for item in path.parent.iterdir()] == ["state.json"]


def test_a_state_of_an_earlier_release_that_does_not_know_what_was_told_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_state(path, STATE)
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "told"}))
    assert read_state(path) == replace(STATE, told="")


def test_a_missing_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") is None


@pytest.mark.parametrize("change", [
    {"schema": "other"}, {"since": "1"}, {"since": True}, {"since": float("nan")}, {"stage": "1"}, {"stages": [[1]]}, {"stages": 5}, {"timeline": [[1, 2]]},
    {"version": None},
])  # fmt: skip
def test_what_is_damaged_is_told_with_the_setting(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "state.json"
    write_state(path, STATE)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UsageError, match="guardian-state"):
        read_state(path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'"' + b"x" * MAX_BYTES + b'"', b"\xff"])
def test_junk_is_no_state(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="Delete it"):
        read_state(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_state(tmp_path / "file" / "state.json", STATE)
    with pytest.raises(UsageError, match="cannot be read"):
        read_state(tmp_path)
