"""How Flagger reads a Prometheus answer and checks it against a range (pure).

Rules: pkg/metrics/providers/prometheus.go and pkg/controller/scheduler_metrics.go of fluxcd/flagger. No value, NaN and a failed query all halt the advancement
there, and enough halts roll back: a dead Prometheus rolls back good code. Callers take `no_values`, `multiple` and `error` for NO-DATA, and keep the note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

NOTE = (
    "This is an imitation of Flagger: one value for each check, without a baseline. What it could not see counts as a failed check there, and as NO-DATA here."
)


class Outcome(StrEnum):
    """What an answer comes to."""

    VALUE = "value"
    NO_VALUES = "no_values"
    MULTIPLE = "multiple"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, with the value where there is one."""

    outcome: Outcome
    value: float | None = None


def prometheus_value(payload: object) -> Answer:
    """The one value of a Prometheus answer: the last series wins, NaN is none, and a series with many values is refused."""
    data = payload.get("data") if isinstance(payload, Mapping) else None
    series = data.get("result") if isinstance(data, Mapping) else None
    value: float | None = None
    for item in series if isinstance(series, Sequence) and not isinstance(series, str) else ():
        pair = item.get("value") if isinstance(item, Mapping) else None
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) < 2:
            return Answer(Outcome.MULTIPLE)
        if isinstance(pair[1], str):
            try:
                value = float(pair[1])
            except ValueError:
                return Answer(Outcome.ERROR)
    return Answer(Outcome.NO_VALUES) if value is None or isnan(value) else Answer(Outcome.VALUE, value)


def advances(
    value: float, *, least: float | None = None, most: float | None = None, ranged: bool = False, threshold: float | None = None, success_rate: bool = False
) -> bool:
    """Whether a check lets the canary advance. `ranged`: a thresholdRange is given, of which `least` and `most` may be missing; otherwise the old `threshold`
    is a minimum of the built-in success rate and a maximum of everything else, and 0 where it is not given.
    """
    if ranged or least is not None or most is not None:
        return not ((least is not None and value < least) or (most is not None and value > most))
    limit = threshold or 0.0
    return not limit > value if success_rate else not value > limit
