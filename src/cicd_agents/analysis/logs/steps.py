"""Which part of a log belongs to the step that failed, from its structural events (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.logs.structure import Event, Kind


@dataclass(frozen=True, slots=True)
class Step:
    """Lines [first, last] of one step. `command` is the line at which its last echoed command begins (0: none)."""

    first: int
    last: int
    name: str
    failed: bool = False
    cleanup: bool = False
    command: int = 0
    command_text: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Steps in order, and what the platform says of the whole job (None: nothing)."""

    steps: tuple[Step, ...]
    failed: bool | None
    complete: bool
    aborted: bool = False

    def step_at(self, line: int) -> Step | None:
        """The step that holds the line."""
        at = bisect_right(self.steps, line, key=lambda step: step.first) - 1
        return self.steps[at] if at >= 0 else None

    def place(self, line: int) -> float:
        """How likely a line stands where the job failed, 0 to 1."""
        step = self.step_at(line)
        failed = [item for item in self.steps if item.failed and not item.cleanup]
        if step is None:
            return 0.75 if failed else 1.0
        if not failed:
            return 0.5 if step.cleanup else 1.0
        if step.cleanup:
            return 0.45
        if step.failed:
            within = 0.93 if step.command and line < step.command else 1.0
            return within if step.first == failed[0].first else 0.9 * within
        return 0.72 if step.first < failed[0].first else 0.55


def shape(events: Sequence[Event], platform: str, lines: int) -> Shape:
    """Steps of the log and whether the job failed, from its events in order."""
    steps: list[Step] = []
    current = Step(1, lines, "")
    job: bool | None = None
    aborted, ended, errors = False, False, 0
    for event in events:
        if event.kind in (Kind.STEP, Kind.CLEANUP) or (event.kind is Kind.COMMAND and current.cleanup and not current.name):
            steps.append(replace(current, last=event.line - 1))
            current = Step(event.line, lines, event.name, cleanup=event.kind is Kind.CLEANUP)
            if event.kind is Kind.COMMAND:
                current = replace(current, command=event.line, command_text=event.name)
        elif event.kind is Kind.COMMAND:
            current = replace(current, command=event.line, command_text=event.name)
        elif event.kind is Kind.ERROR:
            errors += 1
        elif event.kind is Kind.FAILED:
            if ended:
                job = False
            elif not current.cleanup:
                steps.append(replace(current, last=event.line, failed=True))
                current = Step(event.line + 1, lines, "", cleanup=True)
        elif event.kind is Kind.SKIPPED:
            steps = _earlier_failed(steps)
        elif event.kind is Kind.SUCCEEDED:
            job = True
        elif event.kind is Kind.ABORTED:
            job, aborted = False, True
        elif event.kind is Kind.JOB_END:
            ended = True
    steps.append(current)
    found = tuple(steps)
    if not any(step.failed for step in found) and (job is False or errors):
        found = _guess_failed(found, events, only_errors=job is not False)
    return Shape(found, _job_failed(found, job, errors, ended, platform), ended, aborted)


def _earlier_failed(steps: list[Step]) -> list[Step]:
    """Jenkins names no failed stage, but it says that the next one is skipped."""
    work = [step for step in steps if step.name and not step.cleanup]
    if not work or any(step.failed for step in steps):
        return steps
    return [replace(step, failed=True) if step is work[-1] else step for step in steps]


def _guess_failed(steps: tuple[Step, ...], events: Sequence[Event], only_errors: bool) -> tuple[Step, ...]:
    """Mark the step that holds the last error annotation, else the last one before the clean-up."""
    errors = [event.line for event in events if event.kind is Kind.ERROR]
    chosen: Step | None = None
    for step in steps:
        if step.cleanup:
            continue
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
