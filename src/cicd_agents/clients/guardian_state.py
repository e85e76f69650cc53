"""The state of a watch as a JSON file, which CI keeps between jobs. It is no secret and no credential: it only says how far a watch has come."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, UsageError
from cicd_agents.domain.guardian import TimelineEntry, WatchState

SCHEMA = "cicd-agents/guardian-state/v1"
MAX_BYTES = 1 << 20


def read_state(path: Path) -> WatchState | None:
    """The state; None where there is no file. Raises UsageError for a file that is none of ours."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UsageError(f"guardian-state: {path} cannot be read: {problem.strerror or problem}.") from None
    try:
        return _state(json.loads(data) if len(data) <= MAX_BYTES else None)
    except (ValueError, RecursionError, BadAnswer):
        raise UsageError(f"guardian-state: {path} is no state of a watch (a damaged cache?). Delete it; the watch begins anew.") from None


def write_state(path: Path, state: WatchState) -> None:
    """Write the state so that a reader sees the old or the new one, whole. Raises UsageError where that is not possible."""
    data = {
        "schema": SCHEMA, "service": state.service, "environment": state.environment, "version": state.version, "since": state.since, "stage": state.stage,
        "stages": [list(item) for item in state.stages], "timeline": [[entry.time, entry.text] for entry in state.timeline], "ended": state.ended,
        "judged": list(state.judged), "run": state.run, "told": state.told,
    }  # fmt: skip
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as problem:
        raise UsageError(f"guardian-state: {path} cannot be written: {problem.strerror or problem}.") from None


def _state(data: Any) -> WatchState:
    shape = Shape.of(data, "the state")
    if shape.text("schema", "") != SCHEMA:
        raise BadAnswer("another schema")
    return WatchState(
        shape.text("service"), shape.text("environment"), shape.text("version"), _number(shape.data.get("since")), shape.number("stage"),
        tuple((_number(time), _number(share)) for time, share in _pairs(shape, "stages")),
        tuple(TimelineEntry(_number(time), _text(text)) for time, text in _pairs(shape, "timeline")), shape.text("ended", ""),
        shape.texts("judged", missing_ok=True), shape.text("run", ""), shape.text("told", ""),
    )  # fmt: skip


def _pairs(shape: Shape, key: str) -> list[tuple[Any, Any]]:
    items = shape.data.get(key)
    if not isinstance(items, list) or not all(isinstance(item, list) and len(item) == 2 for item in items):
        raise BadAnswer(key)
    return [(item[0], item[1]) for item in items]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadAnswer("a number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadAnswer("a text")
    return value
