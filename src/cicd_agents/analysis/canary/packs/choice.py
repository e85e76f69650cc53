"""Which packs the selected series have, and which one is judged by (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from cicd_agents.analysis.canary.packs.pack import Durations, Pack, Source
from cicd_agents.analysis.canary.packs.resources import SOURCES
from cicd_agents.analysis.canary.packs.traffic import TRAFFIC
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import MetricsAnswer

AUTO = "auto"
_VANTAGES = tuple(pack.vantage[0] for pack in TRAFFIC if pack.vantage)
_BY = ("__name__", *_VANTAGES)


@dataclass(frozen=True, slots=True)
class Found:
    """How many series of each metric name one side has; by vantage (label and value) where the pack has such."""

    series: Mapping[str, int] = field(default_factory=dict)
    vantages: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is any series of this name."""
        return self.series.get(name, 0) > 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The pack to judge by, None: there is none. `requests` and `durations` are its names that are used, empty or None: not there.

    `matchers` are the pack's own, with the vantage. `reason` says why, `missing` what one side lacks, in sentences.
    """

    pack: Pack | None
    requests: str = ""
    durations: Durations | None = None
    matchers: str = ""
    reason: str = ""
    missing: tuple[str, ...] = ()


def probe(matchers: str) -> str:
    """The query that counts the series of every name of every pack, at one moment."""
    return f"count by ({', '.join(_BY)}) ({_all_names(matchers)})"


def probe_past(matchers: str, seconds: int) -> str:
    """The same for series that may have ended within so many seconds: a canary that died is still judged. Dearer."""
    return f"count by ({', '.join(_BY)}) (last_over_time({_all_names(matchers)}[{seconds}s]))"


def _all_names(matchers: str) -> str:
    names = dict.fromkeys(name for pack in TRAFFIC for name in pack.names) | dict.fromkeys(name for source in SOURCES for name in source.names)
    chosen = f'__name__=~"{"|".join(names)}"'
    return "{" + (f"{matchers},{chosen}" if matchers else chosen) + "}"


def found_in(answer: MetricsAnswer) -> Found:
    """What a probe says."""
    series: dict[str, int] = {}
    vantages: dict[tuple[str, str, str], int] = {}
    for item in answer.series:
        name, number = item.labels.get("__name__", ""), int(max((value for _, value in item.samples if isfinite(value)), default=0))
        series[name] = series.get(name, 0) + number
        for label in _VANTAGES:
            if value := item.labels.get(label, ""):
                vantages[name, label, value] = vantages.get((name, label, value), 0) + number
    return Found(series, vantages)


def choose(canary: Found, baseline: Found, wanted: str = "") -> Choice:
    """The pack that both sides are judged by; one pack for both, never two. Raises UsageError for a `wanted` pack that does not exist.

    Preferred are packs whose counters both sides have, then those with buckets on both, then the order of TRAFFIC.
    """
    wanted = "" if wanted == AUTO else wanted
    if wanted and wanted not in [pack.name for pack in TRAFFIC]:
        raise UsageError(f"metrics-pack: there is no pack {wanted[:60]!r}; there are {', '.join(pack.name for pack in TRAFFIC)}.")
    ranked = sorted((_ranked(pack, canary, baseline), order) for order, pack in enumerate(TRAFFIC) if not wanted or pack.name == wanted)
    (both, buckets, mine, other), order = ranked[0]
    pack = TRAFFIC[order]
    if mine and other:
        sides = "neither side has" if not wanted else "neither side has any series of the metrics-pack that is asked for,"
        names = ", ".join(pack.requests) if wanted else "request counters of a known pack"
        return Choice(None, reason=f"no pack fits: {sides} {names}", missing=("canary", "baseline"))
    others = [TRAFFIC[place].title for (rank, *_), place in ranked[1:] if rank == 0]
    reason = f"{pack.title}: " + ("as asked for" if wanted else "both sides have its counters" if both == 0 else "only one side has its counters")
    reason += "" if buckets == 0 else ", without latency buckets on both sides"
    reason += f"; also there, not used: {', '.join(others)}" if others else ""
    return Choice(
        pack, _alternative(pack.requests, canary, baseline), _durations(pack, canary, baseline), _matchers(pack, canary, baseline), reason,
        tuple(side for side, lacking in (("canary", mine), ("baseline", other)) if lacking),
    )  # fmt: skip


def source_name(source: Source, sides: Iterable[Found]) -> str:
    """The name by which both sides tell a fact, or the first by which one does; empty: neither."""
    canary, baseline = sides
    return _alternative(source.names, canary, baseline)


def _ranked(pack: Pack, canary: Found, baseline: Found) -> tuple[int, int, int, int]:
    """0 is good: counters on both sides, buckets on both; then 1 for a side that has no counters."""
    mine, other = (int(not any(side.has(name) for name in pack.requests)) for side in (canary, baseline))
    buckets = int(not any(canary.has(family.buckets) and baseline.has(family.buckets) for family in pack.durations))
    return int(bool(mine or other)), buckets, mine, other


def _alternative(names: tuple[str, ...], canary: Found, baseline: Found) -> str:
    both = [name for name in names if canary.has(name) and baseline.has(name)]
    one = [name for name in names if canary.has(name)] + [name for name in names if baseline.has(name)]
    return next(iter([*both, *one]), "")


def _durations(pack: Pack, canary: Found, baseline: Found) -> Durations | None:
    name = _alternative(tuple(family.buckets for family in pack.durations), canary, baseline)
    return next((family for family in pack.durations if family.buckets == name), None)


def _matchers(pack: Pack, canary: Found, baseline: Found) -> str:
    """The pack's own matchers, with the best vantage that both sides have, or one."""
    if pack.vantage is None:
        return pack.matchers
    label, values = pack.vantage
    seen = [{value for value in values for name in pack.requests if (name, label, value) in side.vantages} for side in (canary, baseline)]
    value = next((item for item in values if item in seen[0] and item in seen[1]), next((item for item in values if item in seen[0] | seen[1]), ""))
    own = f'{label}="{value}"' if value else ""
    return ",".join(part for part in (pack.matchers, own) if part)
