"""Short ways to read a message and to plan a range in tests."""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.analysis.commits.message import changes_of
from cicd_agents.analysis.commits.plan import World, plan_release
from cicd_agents.analysis.commits.presets import DEFAULT, Preset
from cicd_agents.domain.release import Change, HistoryCommit, ReleasePlan

NOTHING_KNOWN = World()


def sha(number: int) -> str:
    return f"{number:08x}{'0' * 32}"


def commit(message: str, number: int = 1, parents: Sequence[int] = (0,), author: str = "Ada", files: tuple[str, ...] | None = None) -> HistoryCommit:
    return HistoryCommit(sha(number), tuple(map(sha, parents)), author, "ada@example.org", number, message, files)


def read(message: str, author: str = "Ada", parents: Sequence[int] = (0,), preset: Preset = DEFAULT) -> tuple[Change, ...]:
    return changes_of(commit(message, author=author, parents=parents), preset.reading)


def types(message: str, author: str = "Ada", parents: Sequence[int] = (0,)) -> list[str]:
    """The changes of a message as `type(scope)!`; what cannot be read is left out."""
    return [f"{c.type}{f'({c.scope})' if c.scope else ''}{'!' if c.breaking else ''}" for c in read(message, author, parents) if c.type]


def plan(*messages: str, current: str | None = "1.2.3", preset: Preset = DEFAULT, world: World = NOTHING_KNOWN) -> ReleasePlan:
    """The plan for messages given oldest first; the first one has SHA 1."""
    history = [commit(message, number, (number - 1,)) for number, message in enumerate(messages, start=1)]
    return plan_release(history[::-1], current, preset.rules, preset.reading, world)
