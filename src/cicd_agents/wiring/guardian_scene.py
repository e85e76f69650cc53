"""What is judged: which series and pods are of the new version and which of the old one, since when, and under what name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cicd_agents.domain.canary import CanaryPolicy
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import Sides
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_cluster import BothPods, InCluster
from cicd_agents.wiring.guardian_sources import Sources

_AGO = re.compile(r"([0-9]{1,6})\s*([smhd])(?:\s+ago)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SHORT = 100


@dataclass(frozen=True, slots=True)
class Scene:
    """What is judged. `concurrent` is False where no old version runs beside the new one: then the time before `since` is the baseline.

    `pods` gives the pods of both versions, None: the cluster is not asked. `whole` are the matchers of both versions together, empty: not known.
    `pod_sides` select the pods where `sides` select series of something else, such as a mesh. `share` asks a tool for the canary's part of the traffic, None:
    none tells. `again` finds the scene anew, where only that shows which pods are of which version; None: it stays as it is.
    """

    service: str
    environment: str
    sides: Sides
    since: float | None
    canary_version: str = ""
    baseline_version: str = ""
    concurrent: bool = True
    pods: Callable[[], BothPods] | None = None
    whole: str = ""
    pod_sides: Sides | None = None
    notes: tuple[str, ...] = ()
    share: Callable[[], float | None] | None = None
    again: Callable[[], Scene] | None = None


def named(settings: Settings, context: RunContext) -> tuple[str, str]:
    """Service and environment, for people."""
    target = (settings.workload or settings.delivery).partition(":")[2].rpartition("/")[2].partition("#")[0].partition("=")[0]
    service = settings.service or target or context.repository.rpartition("/")[2] or "the service"
    return service, settings.deploy_environment or context.environment


def scene(settings: Settings, context: RunContext, sources: Sources, now: float) -> Scene:
    """Find it out. Raises UsageError where nothing says which series are the new version's, and ServiceError."""
    service, environment = named(settings, context)
    begun = Scene(
        service, environment, Sides(settings.canary_selector, settings.baseline_selector, settings.metrics_selector),
        moment_of(settings.deployed_at, now), whole=settings.metrics_selector, share=sources.share(),
    )  # fmt: skip
    if sources.target_of_pods:
        return _of_cluster(begun, sources, now)
    if not settings.canary_selector and not settings.metrics_selector:
        raise UsageError("Nothing says which series are the new version's: set workload (deployment:NAMESPACE/NAME), or canary-selector and baseline-selector.")
    canary, baseline = (_short(text, sources) for text in (settings.canary_selector, settings.baseline_selector))
    if baseline:
        return replace(begun, canary_version=canary, baseline_version=baseline)
    if begun.since is None:
        raise UsageError("Without baseline-selector the time before the deployment is the baseline: say when it was by deployed-at (`15m`, or ISO 8601).")
    # Before it the new version had no series of its own, so the old one is what `metrics-selector` selects.
    return replace(begun, canary_version=canary, concurrent=False)


def _short(text: str, sources: Sources) -> str:
    """The beginning of a text, for people. Secrets are hidden first: one that was cut is not known as one any more."""
    return sources.world.redactor.redact(text).text[:_SHORT]


def _of_cluster(begun: Scene, sources: Sources, now: float) -> Scene:
    found = sources.in_cluster()
    made = _merged(begun, found, now)
    if found.lasting:
        return made

    def again() -> Scene:
        """Of another new version than is judged nothing is taken. What is judged began when its first pod did, also where that is gone by now."""
        there = sources.in_cluster()
        return replace(_merged(begun, there, now), since=made.since, again=again) if there.version == found.version else made

    return replace(made, again=again)


def _merged(begun: Scene, found: InCluster, now: float) -> Scene:
    """New and old pods as the cluster tells; explicit selectors and times of the settings win."""
    given = begun.sides
    concurrent = found.concurrent or bool(given.baseline)
    since = begun.since if begun.since is not None else found.since
    if not concurrent and since is None:
        since = now
    # Where another workload serves the old version, these pods are not all that serve.
    whole = found.every if found.concurrent or not given.baseline else given.common
    pod_sides = Sides(found.sides.canary, found.sides.baseline if found.concurrent else given.baseline or found.sides.baseline, found.sides.common)
    return replace(
        begun, sides=_joined(found.sides, given), since=since, canary_version=found.canary, concurrent=concurrent, baseline_version=found.baseline,
        pods=found.pods, pod_sides=pod_sides if given.canary or given.baseline else None, whole=whole, notes=found.notes,
    )  # fmt: skip


def _joined(found: Sides, given: Sides) -> Sides:
    common = ",".join(part for part in (found.common, given.common) if part)
    return Sides(given.canary or found.canary, given.baseline or found.baseline, common)


def moment_of(text: str, now: float) -> float | None:
    """A time: ISO 8601 (without a zone UTC), seconds since 1970, or so long ago (`15m`); None for nothing. Raises UsageError."""
    text = text.strip()
    if not text:
        return None
    if ago := _AGO.fullmatch(text):
        return now - float(ago[1]) * _SECONDS[ago[2]]
    if re.fullmatch(r"[0-9]{9,11}(\.[0-9]+)?", text):
        found = float(text)
    else:
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"deployed-at: {text[:40]!r} is no time; write 2026-01-31T12:00:00Z, or how long ago, as 15m.") from None
        found = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    if found > now + 60:
        raise UsageError(f"deployed-at: {text} lies in the future.")
    return found


def stage_of(text: str, policy: CanaryPolicy) -> int | None:
    """The index of a stage named by its share (`25%`) or its number (`2`); None for nothing. Raises UsageError."""
    text = text.strip()
    if not text:
        return None
    shares = ", ".join(f"{100 * stage.share:g}%" for stage in policy.stages)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(policy.stages):
        return int(text) - 1
    if text.endswith("%"):
        try:
            share = float(text[:-1]) / 100
        except ValueError:
            share = -1.0
        for index, stage in enumerate(policy.stages):
            if abs(stage.share - share) < 0.0005:
                return index
    raise UsageError(f"canary-stage: {text[:20]!r} is no stage of the policy; write its number, 1 to {len(policy.stages)}, or its share: {shares}.")
