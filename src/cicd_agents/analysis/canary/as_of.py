"""An observation as it was known at a moment (pure)."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from cicd_agents.domain.canary import Bucket, LogTemplate, Observation, Replica, Samples, Series, Version

_T = TypeVar("_T", Series, Bucket, LogTemplate)


def as_of(observation: Observation, now: float) -> Observation:
    """Without what was seen later: a count between two samples would else be known before its end, and a restart before it happened.

    Earlier days are past as a whole.
    """
    return replace(observation, baseline=_version(observation.baseline, now), canary=_version(observation.canary, now))


def _version(version: Version, now: float) -> Version:
    return replace(version, replicas=tuple(_replica(replica, now) for replica in version.replicas), values=_all(version.values, now))


def _replica(replica: Replica, now: float) -> Replica:
    return replace(
        replica, requests=_all(replica.requests, now), buckets=_all(replica.buckets, now), gauges=_all(replica.gauges, now),
        counters=_all(replica.counters, now), logs=_all(replica.logs, now), health=tuple(pair for pair in replica.health if pair[0] <= now),
    )  # fmt: skip


def _all(items: tuple[_T, ...], now: float) -> tuple[_T, ...]:
    return tuple(replace(item, samples=_samples(item.samples, now)) if _later(item.samples, now) else item for item in items)


def _later(samples: Samples, now: float) -> bool:
    return any(time > now for time, _ in samples)


def _samples(samples: Samples, now: float) -> Samples:
    return tuple(sample for sample in samples if sample[0] <= now)
