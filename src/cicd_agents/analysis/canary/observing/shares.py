"""The canary's share of the traffic over time: from counts, and as a delivery tool tells it at each look (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from cicd_agents.analysis.canary.counters import spread
from cicd_agents.analysis.canary.history import shifted
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.domain.canary import CanaryPolicy, Samples, Version

# A minute with fewer requests says nothing of the share; the median of so many minutes is taken, and small changes are noise.
LEAST, SMOOTH, MOVED = 30, 5, 0.03
# From this part on it is the users that come, and not those who test.
MOST_OF_IT = 0.5
# Tools set whole percents.
_SAME = 0.005


def share_of(canary: Version, baseline: Version, since: float, now: float, policy: CanaryPolicy) -> Samples:
    """(time, share) wherever the share changes; near the share of a stage it is that. Empty where too little was counted."""
    bins = int(min(1440, (now - since) // policy.step))
    if bins < 1:
        return ()
    mine, other = (_requests(version, since, policy.step, bins) for version in (canary, baseline))
    seen = [(since + place * policy.step, a / (a + b)) for place, (a, b) in enumerate(zip(mine, other, strict=True)) if a + b >= LEAST]
    result: list[tuple[float, float]] = []
    for place, (time, _) in enumerate(seen):
        # Minutes from this one on, at the end the last ones.
        begin = max(0, min(place, len(seen) - SMOOTH))
        around = seen[begin : begin + SMOOTH]
        share = _near(median(value for _, value in around), policy)
        if not result or abs(share - result[-1][1]) > MOVED:
            result.append((time, share))
    return tuple(result)


def before_the_switch(canary: Version, baseline: Version, ask: MetricsAsk) -> Samples:
    """(time, share) where a stage without users is first: nothing until the canary serves most of the requests, for smoke tests are no users.

    Of a baseline of another time both are as many when all has come, so it is half as many.
    """
    since = ask.start if ask.since is None else ask.since
    beside = shifted(baseline, ask.shift) if ask.shift > 0 else baseline
    most = MOST_OF_IT / (1 + MOST_OF_IT) if ask.shift > 0 else MOST_OF_IT
    switched = [time for time, share in share_of(canary, beside, since, ask.now, ask.policy) if share >= most]
    return ((since, 0.0), (switched[0], 1.0)) if switched else ((since, 0.0),)


def told_share(believed: Samples, looks: Samples) -> Samples:
    """(time, share) by the newest of the `looks` at what a tool tells. `believed` is what counts say, or what was set: when the share began, if it is that one.

    Where it is another one, or a look since then told another one, it began when it was seen first, so that no stage is taken for longer than it was.
    """
    if not looks:
        return believed
    share = looks[-1][1]
    began = next((after for (_, before), (after, _) in reversed(list(pairwise(looks))) if abs(before - share) > _SAME), looks[0][0])
    if believed and _close(believed[-1][1], share) and not any(time > believed[-1][0] and abs(other - share) > _SAME for time, other in looks):
        began = believed[-1][0]
    return (*(item for item in believed if item[0] < began), (began, share))


def arriving(set_to: Samples, looks: Samples, now: float) -> Samples:
    """The same where we set the shares: one that the traffic has not reached yet begins with the look at which it is seen."""
    if looks and set_to and looks[-1][1] < set_to[-1][1] and not _close(looks[-1][1], set_to[-1][1]):
        return (*set_to[:-1], (now, looks[-1][1]))
    return told_share(set_to, looks)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= max(MOVED, 0.2 * other)


def _near(share: float, policy: CanaryPolicy) -> float:
    """The share of a stage where it is as good as that: within a fifth, or three points."""
    nearest = min((stage.share for stage in policy.stages), key=lambda item: abs(item - share))
    return nearest if _close(share, nearest) else round(share, 2)


def _requests(version: Version, start: float, step: float, bins: int) -> Sequence[float]:
    total = [0.0] * bins
    for replica in version.replicas:
        rows: Iterable[Samples] = [series.samples for series in replica.requests]
        if not replica.requests and replica.buckets:
            rows = [max(replica.buckets, key=lambda bucket: bucket.bound).samples]
        for samples in rows:
            counted = [(a, b, max(0.0, after - before if after >= before else after)) for (a, before), (b, after) in pairwise(samples)]
            total = [x + y for x, y in zip(total, spread(counted, start, step, bins), strict=True)]
    return total
