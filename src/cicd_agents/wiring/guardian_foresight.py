"""`cicd-agents guardian policy --foresight`: what the stages of a policy can show at the traffic that a service has now, before anything is deployed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from cicd_agents.agents.guardian_metrics import MetricsAsk, gather
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.analysis.canary.outlook import WINDOW, outlook
from cicd_agents.clients.clock import Budget
from cicd_agents.domain.canary import Version
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.guardian import Sides
from cicd_agents.domain.verdict import EXIT_PASS, EXIT_UNDECIDED
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import Rules
from cicd_agents.wiring.guardian_sources import Sources

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World


def foreseen(settings: Settings, rules: Rules, world: World) -> tuple[tuple[str, ...], int]:
    """The sentences and the exit code: 3 where the traffic cannot be seen, since it was asked for. Raises UsageError where nothing says what to look at."""
    try:
        with ExitStack() as stack:
            told = _outlook(settings, rules, Sources(settings, world, Budget(world.clock, settings.time_limit), stack), world.clock.now())
    except ServiceError as problem:
        return (f"What this traffic can show is not known: {world.redactor.redact(str(problem)).text}",), EXIT_UNDECIDED
    if told:
        return told, EXIT_PASS
    if not any(0 < stage.share < 1 for stage in rules.policy.stages):
        return ("No stage of this policy has both versions beside each other, so nothing can be foreseen.",), EXIT_PASS
    return ("What this traffic can show is not known: too few requests were seen in the last half hour.",), EXIT_UNDECIDED


def _outlook(settings: Settings, rules: Rules, sources: Sources, now: float) -> tuple[str, ...]:
    """All that serves now is what a canary would be set beside."""
    begin = now - WINDOW
    pack = "" if settings.metrics_pack == "auto" else settings.metrics_pack
    sides = Sides("", "", _matchers(settings, sources))
    # What is asked for as the canary is what serves; the time before it is of no interest here.
    ask = MetricsAsk(sides, now, begin, rules.policy, pack=pack, own=rules.own, calibration=0.0, shift=shift_before(begin, now))
    seen = gather(sources.metrics(), ask).observation
    return outlook(replace(seen, baseline=seen.canary, canary=Version("canary"), concurrent=True), rules.policy, now)


def _matchers(settings: Settings, sources: Sources) -> str:
    """PromQL matchers of all that serves."""
    pods = sources.in_cluster().every if sources.target_of_pods else ""
    found = ",".join(part for part in (pods, settings.metrics_selector, "" if pods else settings.baseline_selector) if part)
    if not found:
        raise UsageError("--foresight: nothing says which series are the service's: set metrics-selector, or workload (deployment:NAMESPACE/NAME).")
    return found
