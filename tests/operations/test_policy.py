"""The mode of operations and the limits that the settings state."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.verdict import FailOn
from cicd_agents.operations.policy import Mode, RerunPolicy, mode_of, rerun_policy, unwritten
from cicd_agents.settings.model import Settings

OPERATION = Operation("RerunJobs", "org/app run 7", "Job build: a lost connection.", "Cancel it.", "RerunJobs:org/app:7:1")


@pytest.mark.parametrize(
    ("setting", "dry_run", "mode"),
    [
        ("off", False, Mode.OFF), ("suggest", False, Mode.SUGGEST), ("auto", False, Mode.AUTO),
        ("off", True, Mode.OFF), ("suggest", True, Mode.DRY_RUN), ("auto", True, Mode.DRY_RUN),
    ],
)  # fmt: skip
def test_a_dry_run_writes_nothing_and_what_is_off_stays_off(setting: str, dry_run: bool, mode: Mode) -> None:
    assert mode_of(setting, dry_run) is mode


@pytest.mark.parametrize(
    ("mode", "status", "result"),
    [
        (Mode.OFF, OperationStatus.REFUSED, "switched off"),
        (Mode.SUGGEST, OperationStatus.NEEDS_APPROVAL, "a person decides"),
        (Mode.DRY_RUN, OperationStatus.PLANNED, "nothing was written"),
    ],
)
def test_modes_that_write_nothing_say_so(mode: Mode, status: OperationStatus, result: str) -> None:
    left = unwritten(OPERATION, mode)
    assert left is not None
    assert left.status is status
    assert result in left.result


def test_only_auto_writes() -> None:
    assert [mode for mode in Mode if unwritten(OPERATION, mode) is None] == [Mode.AUTO]


def test_the_limits_are_those_of_the_settings() -> None:
    told: dict[str, Any] = {
        "fail_on": FailOn.NEVER, "dry_run": False, "rerun": "auto", "rerun_categories": ("dependency_network",), "rerun_min_confidence": 0.9,
        "rerun_max_attempt": 2, "rerun_per_day": 7, "rerun_per_pull_request": 4, "rerun_deploys": True, "rerun_forks": False,
    }  # fmt: skip
    settings = Settings(**{item.name: told.get(item.name, ()) for item in dataclasses.fields(Settings)})
    assert rerun_policy(settings) == RerunPolicy(Mode.AUTO, ("dependency_network",), 0.9, 2, 7, 4, True, False)
