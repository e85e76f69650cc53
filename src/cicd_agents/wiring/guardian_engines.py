"""Which engine judges, as the setting `judge` names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cicd_agents.analysis.canary import judge
from cicd_agents.domain.canary import CanaryPolicy, Judgement, Observation

Engine = Callable[[Observation, CanaryPolicy, float, int | None], Judgement]
ALWAYS_VALID, KAYENTA = "always-valid", "kayenta"


def engine_of(name: str) -> Engine:
    """The engine of this name."""
    if name == ALWAYS_VALID:
        return always_valid
    if name == KAYENTA:
        return imitating_kayenta
    from cicd_agents.analysis.canary.classical.judging import ClassicalTest, judge_classical

    return lambda observation, policy, now, stage: judge_classical(observation, policy, now, ClassicalTest(name), stage=stage)


def always_valid(observation: Observation, policy: CanaryPolicy, now: float, stage: int | None) -> Judgement:
    """The usual engine."""
    return judge(observation, policy, now=now, stage=stage)


def imitating_kayenta(observation: Observation, policy: CanaryPolicy, now: float, stage: int | None) -> Judgement:
    """Kayenta's rules; a stage's least minutes hold for them too."""
    from cicd_agents.analysis.canary.imitation.kayenta import judge_kayenta

    found = judge_kayenta(observation, policy, now)
    return found if stage is None else replace(found, stage=stage, share=policy.stages[stage].share)
