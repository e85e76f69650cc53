"""Which part of a log belongs to the step that failed, from its structural events (pure)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.phases import words_phase
from cicd_agents.analysis.logs.structure import Event, Kind
from cicd_agents.analysis.logs.went_on import kept_its_cache, may_fail, released, went_on

# A script stops at the command that fails: what an earlier command of the step printed is seldom the cause.
_EARLIER_COMMAND = 0.85
# A command whose failure is let pass.
_MAY_FAIL = re.compile(r"\|\| *(?:true|:|echo\b)")


@dataclass(frozen=True, slots=True)
class Step:
    """Lines [first, last] of one step. `command` is the line at which its last echoed command begins (0: none); `offset` is the byte
    at which the step begins."""

    first: int
    last: int
    name: str
    failed: bool = False
    cleanup: bool = False
    command: int = 0
    command_text: str = ""
    offset: int = 0
    script_end: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """Steps in order, and what the platform says of the whole job (None: nothing); `verdicts`: the lines in which it says so;
    `went_on`: the work of the job went on after the step that failed."""

    steps: tuple[Step, ...]
    failed: bool | None
    verdicts: frozenset[int] = frozenset()
    went_on: bool = False

    def step_at(self, line: int) -> Step | None:
        """The step that holds the line."""
        at = bisect_right(self.steps, line, key=lambda step: step.first) - 1
        return self.steps[at] if at >= 0 else None

    def working_step(self, line: int) -> Step | None:
        """The step that holds the line; for a line in which the platform tells of the failure, the last step that failed before it."""
        step = self.step_at(line)
        if step is None or not (step.cleanup or line in self.verdicts):
            return step
        return next((item for item in reversed(self.steps) if item.failed and not item.cleanup and item.first <= line), step)

    def place(self, line: int, *, outlasts: bool = False) -> float:
        """How likely a line stands where the job failed, 0 to 1; `outlasts`: what it says still holds in the steps after it (what a
        test prints may be what it tries)."""
        return max(self._place(line, outlasts), 0.9 if line in self.verdicts else 0.0)

    def _place(self, line: int, outlasts: bool) -> float:
        step = self.step_at(line)
        failed = [item for item in self.steps if item.failed and not item.cleanup]
        if step is None:
            return 0.75 if failed else 1.0
        if step.first < line <= step.script_end:
            return 0.3  # the step's script as it is printed, not what it says
        if not failed:
            return 0.5 if step.cleanup else 1.0
        if step.cleanup:
            return 0.45
        if step.failed:
            within = _EARLIER_COMMAND if step.command and line < step.command else 1.0
            if step.command and line > step.command and _MAY_FAIL.search(step.command_text):
                within = _EARLIER_COMMAND
            return within if step.first == failed[0].first else 0.9 * within
        if step.first > failed[0].first:
            return 0.55
        return 0.97 if outlasts and words_phase(step.name) != "test" else 0.62


def shape(events: Sequence[Event], platform: str, lines: int) -> Shape:
    """Steps of the log and whether the job failed, from its events in order."""
    walk = _Walk(lines)
    for event in events:
        walk.take(event)
    steps = (*walk.steps, walk.current)
    if not any(step.failed for step in steps) and (walk.job is False or walk.errors):
        steps = _guess_failed(steps, events, only_errors=walk.job is not False)
    verdicts = frozenset(event.line for event in events if event.kind in (Kind.FAILED, Kind.ABORTED))
    failed = _job_failed(steps, walk.job, walk.errors, walk.ended, platform)
    if not failed or platform != "github" or walk.job is not None:
        return Shape(steps, failed, verdicts)
    on = went_on(steps, events)
    well = walk.ended and (kept_its_cache(steps, events) or released(steps, events) or (on and may_fail(steps)))
    return Shape(steps, not well, verdicts, on or well)


class _Walk:
    """The state while events are read in order."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.steps: list[Step] = []
        self.current = Step(1, lines, "")
        self.job: bool | None = None
        self.ended = False
        self.skipped = False
        self.errors = 0

    def take(self, event: Event) -> None:
        if event.kind in (Kind.STEP, Kind.CLEANUP) or (event.kind is Kind.COMMAND and self.current.cleanup and not self.current.name):
            self._begin(event)
        if event.kind is Kind.COMMAND:
            self.current = replace(self.current, command=event.line, command_text=event.name)
        elif event.kind is Kind.SCRIPT_END and not self.current.script_end and self.current.offset:
            self.current = replace(self.current, script_end=event.line)
        elif event.kind is Kind.FAILED:
            self._failed(event)
        elif event.kind is Kind.SKIPPED:
            self.steps = self.steps if self.skipped else _earlier_failed(self.steps)
            self.skipped = True
        elif event.kind is Kind.STEP_END:
            self._end(event)
        else:
            self._job(event.kind)

    def _begin(self, event: Event) -> None:
        self.steps.append(replace(self.current, last=event.line - 1))
        name = "" if event.kind is Kind.COMMAND else event.name
        self.current = Step(event.line, self.lines, name, cleanup=event.kind is Kind.CLEANUP, offset=event.offset)

    def _end(self, event: Event) -> None:
        """What follows a section that was closed by its name belongs to none; after clean-up or the failure it is clean-up until a command is echoed."""
        if event.name and event.name == self.current.name and event.line > self.current.first:
            self.steps.append(replace(self.current, last=event.line))
            self.current = Step(event.line + 1, self.lines, "", cleanup=self.current.cleanup or any(step.failed for step in self.steps))

    def _failed(self, event: Event) -> None:
        if self.ended:
            self.job = False
        elif not self.current.cleanup:
            self.steps.append(replace(self.current, last=event.line, failed=True))
            self.current = Step(event.line + 1, self.lines, "", cleanup=True)

    def _job(self, kind: Kind) -> None:
        self.errors += kind is Kind.ERROR
        self.ended = self.ended or kind is Kind.JOB_END
        if kind is Kind.SUCCEEDED:
            self.job = True
        elif kind is Kind.ABORTED:
            self.job = False


def _earlier_failed(steps: list[Step]) -> list[Step]:
    """Jenkins names no failed stage, but it says that the next one is skipped."""
    work = [step for step in steps if step.name and not step.cleanup] or [step for step in steps if step.command and not step.cleanup]
    if not work or any(step.failed for step in steps):
        return steps
    return [replace(step, failed=True) if step is work[-1] else step for step in steps]


def _guess_failed(steps: tuple[Step, ...], events: Sequence[Event], only_errors: bool) -> tuple[Step, ...]:
    """Mark the step that holds the last error annotation, else the last one before the clean-up."""
    errors = [event.line for event in events if event.kind is Kind.ERROR]
    chosen: Step | None = None
    work = [step for step in steps if not step.cleanup]
    for step in [step for step in work if step.name or step.command] or work:
        if (errors and any(step.first <= line <= step.last for line in errors)) or (not errors and not only_errors):
            chosen = step
    return tuple(replace(step, failed=True) if step is chosen else step for step in steps)


def _job_failed(steps: tuple[Step, ...], job: bool | None, errors: int, ended: bool, platform: str) -> bool | None:
    if job is not None:
        return not job
    if any(step.failed for step in steps) or errors:
        return True
    # A GitHub job log that is whole and has no error annotation is of a job that passed.
    return False if ended and platform == "github" else None
