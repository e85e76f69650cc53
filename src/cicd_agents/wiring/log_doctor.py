"""`cicd-agents doctor LOG --explain …`: the doctor on logs alone, with a model's advice beside its verdict."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.log_doctor import LogDoctor
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.kept_logs import KeptLog
from cicd_agents.context import local
from cicd_agents.domain.context import Platform
from cicd_agents.domain.verdict import Verdict
from cicd_agents.settings.model import Settings
from cicd_agents.settings.reading import read
from cicd_agents.wiring.explaining import explainer
from cicd_agents.wiring.memory import has_memory, open_memory
from cicd_agents.wiring.world import World

if TYPE_CHECKING:
    from cicd_agents.domain.ports import AdviceMemory


def with_advice(doctor: LogDoctor, explain: str, world: World) -> Callable[[str], Verdict]:
    """How a log is diagnosed; all settings but `explain` come from the environment. Raises UsageError for wrong settings.

    Of the logs nothing is remembered; the model's answers and costs are, where the settings name a memory.
    """
    settings = read({"explain": explain}, world.environment, None, str(Platform.LOCAL))
    context = replace(local.read(), workspace=str(Path.cwd()))
    budget = Budget(world.clock, settings.time_limit)
    opened = ExitStack()
    who = explainer(settings, context, world, budget.left, lambda: opened.enter_context(_memory(settings, world)) if has_memory(settings) else None)
    if who is None:
        return doctor.run
    from cicd_agents.wiring.doctor_asking import DoctorAsking

    def explained(log: str) -> Verdict:
        with opened, closing(DoctorAsking(who)) as asking:
            verdict = replace(doctor, logs=KeptLog(doctor.logs, asking.logs, log)).run(log)
            return replace(verdict, advice=asking.about_log(verdict, log))

    return explained


def _memory(settings: Settings, world: World) -> AbstractContextManager[AdviceMemory]:
    return open_memory(settings, Path.cwd(), world, writable=True)
