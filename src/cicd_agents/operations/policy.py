"""What may be written at all: the mode of an operation, and the limits of re-runs as the settings state them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.settings.model import Settings


class Mode(StrEnum):
    """What is done with an operation that was proposed: nothing, a person is asked, it is applied, or it is only said what would be done."""

    OFF = "off"
    SUGGEST = "suggest"
    AUTO = "auto"
    DRY_RUN = "dry-run"


def mode_of(setting: str, dry_run: bool) -> Mode:
    """The mode that a setting `off | suggest | auto` asks for; a dry run writes nothing, and what is off stays off."""
    mode = Mode(setting)
    return Mode.DRY_RUN if dry_run and mode is not Mode.OFF else mode


# What becomes of a planned operation in the modes that write nothing, and how that is said.
_UNWRITTEN = {
    Mode.OFF: (OperationStatus.REFUSED, "Such operations are switched off."),
    Mode.SUGGEST: (OperationStatus.NEEDS_APPROVAL, "Suggested only: a person decides."),
    Mode.DRY_RUN: (OperationStatus.PLANNED, "Dry run: nothing was written."),
}


def unwritten(operation: Operation, mode: Mode) -> Operation | None:
    """The operation as it stands in a mode that writes nothing; None where it is to be applied."""
    if mode not in _UNWRITTEN:
        return None
    status, result = _UNWRITTEN[mode]
    return replace(operation, status=status, result=result)


@dataclass(frozen=True, slots=True)
class RerunPolicy:
    """The limits of re-runs. `max_attempt` is the last attempt that may be started again, `per_day` counts 24 hours back for the whole repository."""

    mode: Mode
    categories: tuple[str, ...]
    min_confidence: float
    max_attempt: int
    per_day: int
    per_pull_request: int
    deploys: bool
    forks: bool


def rerun_policy(settings: Settings) -> RerunPolicy:
    """The limits that the settings state."""
    return RerunPolicy(
        mode_of(settings.rerun, settings.dry_run), settings.rerun_categories, settings.rerun_min_confidence, settings.rerun_max_attempt,
        settings.rerun_per_day, settings.rerun_per_pull_request, settings.rerun_deploys, settings.rerun_forks,
    )  # fmt: skip
