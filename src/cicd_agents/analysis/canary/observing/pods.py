"""What the cluster says of pods, added to what metrics say (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cicd_agents.domain.canary import AtOnce, CanaryPolicy, Observation, Replica, Samples, Series, Version
from cicd_agents.domain.guardian import PodState

_RULES, _POLICY = AtOnce(), CanaryPolicy((), ())
# A condition that lasted from then to now was the same at each of these moments between.
CHECKS, MOST_CHECKS = 15.0, 40
# A container that waits for one of these will not start by itself.
STUCK = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError",
    "RunContainerError", "PostStartHookError",
})  # fmt: skip


def with_pods(
    observation: Observation, canary: Sequence[PodState], baseline: Sequence[PodState], now: float,
    *, warm_up: float = _POLICY.warm_up, step: float = _POLICY.step,
) -> Observation:  # fmt: skip
    """The observation with the starts, restarts, kills, readiness and limits that the cluster tells, where metrics did not tell them.

    A snapshot has no history. So restarts count only for pods that are too young to have had them long ago, or that crash at present, and kills only for pods
    that began with the canary.
    """
    sides = [_with(version, pods, observation.since, now, warm_up, step) for version, pods in ((observation.canary, canary), (observation.baseline, baseline))]
    return replace(observation, canary=sides[0], baseline=sides[1])


def waiting(pods: Sequence[PodState]) -> tuple[str, ...]:
    """Why pods do not run, in sentences; pods that wait for the same reason together."""
    reasons: dict[str, list[str]] = {}
    for pod in pods:
        if pod.waiting:
            reasons.setdefault(pod.waiting, []).append(pod.name)
    return tuple(f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {reason}" for reason, names in sorted(reasons.items()))


def _with(version: Version, pods: Sequence[PodState], since: float | None, now: float, warm_up: float, step: float) -> Version:
    known = {replica.name: replica for replica in version.replicas}
    added = {pod.name: _joined(known.get(pod.name, Replica(pod.name)), pod, since, now, warm_up, step) for pod in pods}
    return replace(version, replicas=tuple((known | added).values()))


def _joined(replica: Replica, pod: PodState, since: float | None, now: float, warm_up: float, step: float) -> Replica:
    counters = {series.name: series for series in replica.counters}
    crashing = pod.waiting == "CrashLoopBackOff"
    young = pod.started is not None and now - pod.started <= 60 * _RULES.restart_minutes
    if "restarts" not in counters and pod.restarts and (young or crashing):
        counters["restarts"] = Series("restarts", _lately(pod.restarts, now, step))
    new = pod.started is not None and since is not None and pod.started >= since - warm_up
    if "oom_kills" not in counters and pod.oom_kills and new:
        counters["oom_kills"] = Series("oom_kills", _lately(pod.oom_kills, now, step))
    return replace(
        replica, started=pod.started if replica.started is None else replica.started, counters=tuple(counters.values()),
        gauges=_gauges(replica, pod), health=replica.health or _health(pod, now, warm_up),
    )  # fmt: skip


def _lately(number: int, now: float, step: float) -> Samples:
    """A counter that grew by so much in the last step that is whole at `now`."""
    return ((now - 2 * step, 0.0), (now - step, float(number)))


def _health(pod: PodState, now: float, warm_up: float) -> tuple[tuple[float, bool], ...]:
    """The present condition at every moment since it began. Starting is not failing, unless the pod is stuck."""
    if pod.ready:
        return ((now, True),)
    stuck = pod.waiting in STUCK
    begin = pod.ready_since if pod.ready_since is not None else pod.started if stuck else now
    if begin is None:
        begin = now
    if pod.started is not None and not stuck:
        begin = max(begin, pod.started + warm_up)
    if begin > now:
        return ()
    number = int(min(MOST_CHECKS - 1, (now - begin) // CHECKS))
    return tuple((now - place * CHECKS, False) for place in range(number, -1, -1))


def _gauges(replica: Replica, pod: PodState) -> tuple[Series, ...]:
    """Percent of the limit, where metrics told only the usage. The whole pod against all of its limits: weaker than container by container."""
    gauges = {series.name: series for series in replica.gauges}
    for name, used, limit in (("cpu", "cpu_cores", pod.cpu_limit), ("memory", "memory_bytes", pod.memory_limit)):
        if name not in gauges and used in gauges and limit:
            gauges[name] = Series(name, tuple((time, 100 * value / limit) for time, value in gauges[used].samples))
    return tuple(gauges.values())
