"""Metrics of pods with the names that a cluster gives them: 100 requests a second in all, split as the traffic is, scraped every 30 seconds.

The data reach beyond the first look: a real Prometheus answers for the time that it is asked for, so a watch on a clock that jumps sees them grow.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.agents.guardian_metrics_data import BOUNDS, KINDS, SCRAPE, Text, filled
from tests.servers.clock import START
from tests.servers.kubernetes_objects import hashed, template

PER_SCRAPE = 3000.0
USUAL, BAD = 0.004, 0.04
OLD_IMAGE, NEW_IMAGE = "shop/api:1", "shop/api:2"
# What the canary gets, stage by stage, and after how many minutes.
SHARES, MINUTES = (0.05, 0.25, 0.5, 1.0), (0, 6, 17, 33)
# How a pod's part of the traffic goes, by time.
Part = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Life:
    """A pod: scraped from its first to its last time, with its part of the traffic, and the fraction of its requests that end in an error."""

    name: str
    first: float
    last: float
    part: Part
    errors: float = USUAL
    orders: float = 0.05


def replica_set(image: str, name: str = "api", app: str = "") -> str:
    """The name of the ReplicaSet that a controller makes for an image."""
    made = template(name, image)
    made["metadata"]["labels"] = {"app": app or name}
    return f"{app or name}-{hashed(made)}"


def pods(image: str, count: int, name: str = "api", app: str = "") -> list[str]:
    """The names of its pods."""
    owner = replica_set(image, name, app)
    return [f"{owner}-{hashed([owner, place])[:5]}" for place in range(count)]


def even(share: float, count: int) -> Part:
    """So much of the traffic, in equal parts."""
    return lambda _time: share / count


def service(text: Text, namespace: str, lives: list[Life]) -> None:
    """One service in a namespace, with counters of business events."""
    kind = KINDS["http"]
    text.bounds[kind.durations] = BOUNDS
    for life in lives:
        for code, samples in _counted(life, namespace).items():
            text.counters[kind.requests].append(({"namespace": namespace, **kind.labels(life.name, code)}, samples))
        whole = _whole(life, namespace)
        text.histograms[kind.durations].append(({"namespace": namespace, "pod": life.name, "instance": f"{life.name}:8080", "job": "api"}, filled(whole)))
        labels = {"namespace": namespace, "pod": life.name, "instance": f"{life.name}:8080", "job": "api"}
        text.counters["shop_sessions_total"].append((labels, whole))
        orders = random.Random(f"orders of {namespace}/{life.name}")  # noqa: S311 a simulation
        bought, before, rows = 0, 0.0, []
        for time, value in whole:
            bought += _some(orders, value - before, life.orders)
            before = value
            rows.append((time, float(bought)))
        text.counters["shop_orders_total"].append((labels, rows))


def rolled_out(text: Text, namespace: str, *, errors: float = USUAL, orders: float = 0.05, beside: bool = True) -> None:
    """Four old pods, and two new ones for the last 20 minutes; without `beside` the old ones were gone when four new ones had come."""
    since, later = START - 1200, START + 1200
    old, new = pods(OLD_IMAGE, 4), pods(NEW_IMAGE, 2 if beside else 4)
    lives = [Life(name, START - 6000, later if beside else since, even(2 / 3 if beside else 1.0, len(old))) for name in old]
    # After a rollback the pods of a bad version are gone.
    last = later if errors == USUAL else START
    lives += [Life(name, since + SCRAPE, last, even(1 / 3 if beside else 1.0, len(new)), errors, orders) for name in new]
    service(text, namespace, lives)


def progressive(
    text: Text, namespace: str, old: list[str], new: list[str], *, errors: float = USUAL, until: float = 80.0
) -> None:  # fmt: skip
    """A canary that began just now, whose part of the traffic and pods grow, and whose pods are gone after so many minutes.

    The old pods go five minutes after it has everything, but those of a bad one.
    """

    def stage(time: float) -> int:
        return max(place for place, begin in enumerate(MINUTES) if place == 0 or time > START + 60 * begin)

    def share(time: float) -> float:
        return SHARES[stage(time)]

    def serving(time: float) -> int:
        return max(1, round(len(new) * share(time)))

    end = START + 60 * 80
    gone = START + 60 * (MINUTES[-1] + 5) if errors == USUAL else end
    lives = [Life(name, START - 6000, gone, lambda time: (1 - share(time)) / len(old)) for name in old]
    for place, name in enumerate(new):
        begin = next(START + 60 * minute for minute, part in zip(MINUTES, SHARES, strict=True) if max(1, round(len(new) * part)) > place)
        lives.append(Life(name, begin + SCRAPE, START + 60 * until, lambda time: share(time) / serving(time), errors))
    service(text, namespace, lives)


def _times(life: Life) -> list[float]:
    return [life.first + SCRAPE * place for place in range(int((life.last - life.first) // SCRAPE) + 1)]


def _counted(life: Life, seed: str) -> dict[str, list[tuple[float, float]]]:
    draw = random.Random(f"{seed}/{life.name}")  # noqa: S311 a simulation
    totals = {"200": 0, "404": 0, "500": 0}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for time in _times(life):
        mean = PER_SCRAPE * life.part(time)
        number = max(0, round(draw.gauss(mean, mean**0.5)))
        bad, missing = _some(draw, number, life.errors), _some(draw, number, 0.02)
        for code, gain in (("200", max(0, number - bad - missing)), ("404", missing), ("500", bad)):
            totals[code] += gain
            if totals[code] or code == "200":
                found[code].append((time, float(totals[code])))
    return found


def _whole(life: Life, seed: str) -> list[tuple[float, float]]:
    rows = [dict(samples) for samples in _counted(life, seed).values()]
    return [(time, sum(row.get(time, 0.0) for row in rows)) for time in _times(life)]


def _some(draw: random.Random, number: float, part: float) -> int:
    """How many of so many, each with this chance; few are drawn one by one."""
    if number < 50:
        return sum(draw.random() < part for _ in range(int(number)))
    return max(0, min(int(number), round(draw.gauss(number * part, (number * part * (1 - part)) ** 0.5))))
