"""How often the canary judge stops healthy canaries, and when it catches bad ones: `python -m benchmarks.canary_rates [--runs N] [--held] [--write FILE]`

Simulated canaries of benchmarks/canary_simulator.py, one look at the end of every minute from minute 4 to 30. Held-back families were not used for tuning.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from statistics import median

from benchmarks.canary_simulator import AFTER, FAMILIES, MINUTE, START, Family, simulate, strategy_of

from cicd_agents.analysis.canary.defaults import default_policy
from cicd_agents.analysis.canary.judgement import judge_tables
from cicd_agents.analysis.canary.tables import tabulate
from cicd_agents.domain.canary import Decision, Judgement, Status

FIRST_LOOK = 4
# The one that is nearest to what counts can show, and the healthy ones that are noisiest.
OFTEN = frozenset({
    "errors x2", "shared bursts", "pod noise", "own bursts", "warm-up", "slow start", "walking noise", "diurnal drift", "two endpoints", "clusters of errors",
    "uneven replicas", "slower node", "changing shares",
})  # fmt: skip
MARK_BEGIN, MARK_END = "<!-- measured -->", "<!-- /measured -->"


@dataclass(slots=True)
class Tally:
    """The runs of one family: the minute that each was stopped in, None where it was not, and which metric did it."""

    family: Family
    minutes: list[int | None] = field(default_factory=list)
    blamed: Counter[str] = field(default_factory=Counter)
    last: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        return sum(minute is not None for minute in self.minutes) / len(self.minutes)

    @property
    def median(self) -> float:
        caught = [AFTER + 1 if minute is None else minute for minute in self.minutes]
        return median(caught)

    def by(self, minute: int) -> float:
        return sum(at is not None and at <= minute for at in self.minutes) / len(self.minutes)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="runs per family")
    parser.add_argument("--more", type=int, default=0, help="runs of the families that need more of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held", action="store_true", help="the held-back families too")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="a regular expression: the families whose name it is found in")
    parser.add_argument("--write", type=Path, help="put the table into this Markdown file, between its marks")
    options = parser.parse_args()
    chosen = [number for number, family in enumerate(FAMILIES) if (options.held or not family.held) and re.search(options.only, family.name)]
    runs = [max(options.runs, options.more) if FAMILIES[number].name in OFTEN else options.runs for number in chosen]
    tallies, spent = [], 0.0
    with ProcessPoolExecutor(options.jobs) as pool:
        for number, (minutes, blamed, last, seconds) in zip(chosen, pool.map(_measured, chosen, runs, [options.seed] * len(runs)), strict=True):
            tallies.append(Tally(FAMILIES[number], minutes, blamed, last))
            spent += seconds
            print(line(tallies[-1]), dict(blamed.most_common(4)), dict(last), flush=True)
    text = "\n".join([f"Seed {options.seed}.", "", *table(tallies)])
    print(f"\n{text}\n\n{spent:.0f} s CPU, seed {options.seed}")
    if options.write:
        head, _, rest = options.write.read_text().partition(MARK_BEGIN)
        options.write.write_text(f"{head}{MARK_BEGIN}\n{text}\n{MARK_END}{rest.partition(MARK_END)[2]}")
    return 0


def _measured(number: int, runs: int, seed: int) -> tuple[list[int | None], Counter[str], Counter[str], float]:
    """What a process sends back of a family, which cannot be sent itself, and the seconds of CPU."""
    began = time.process_time()
    tally = measure(FAMILIES[number], range(seed * 100_000, seed * 100_000 + runs))
    return tally.minutes, tally.blamed, tally.last, time.process_time() - began


def measure(family: Family, seeds: Iterable[int]) -> Tally:
    tally = Tally(family)
    for seed in seeds:
        minute, judgement = watch(family, seed)
        tally.minutes.append(minute)
        tally.last[judgement.status] += 1
        if minute is not None:
            failed = [alarm.rule for alarm in judgement.alarms] or [metric.name for metric in judgement.metrics if metric.status is Status.FAIL]
            tally.blamed["+".join(failed)] += 1
    return tally


def watch(family: Family, seed: int) -> tuple[int | None, Judgement]:
    """The minute of the first rollback, and the last judgement."""
    observation, policy = simulate(family, seed), default_policy(strategy_of(family))
    tables = tabulate(observation, policy)
    for minute in range(FIRST_LOOK, AFTER + 1):
        judgement = judge_tables(tables, observation, policy, now=START + minute * MINUTE)
        if judgement.decision is Decision.ROLLBACK:
            return minute, judgement
    return None, judgement


def line(tally: Tally) -> str:
    number = len(tally.minutes)
    share = tally.share
    error = 100 * sqrt(max(share * (1 - share), 1 / (number + 2) * (1 - 1 / (number + 2))) / number)
    kind = "healthy" if tally.family.healthy else "regression" if tally.family.counted else "border"
    minute = "" if tally.family.healthy or tally.median > AFTER else f"{tally.median:g}"
    return f"| {tally.family.name} | {kind}{', held back' if tally.family.held else ''} | {number} | {100 * share:.1f} % ± {error:.1f} | {minute} |"


def table(tallies: Sequence[Tally]) -> list[str]:
    lines = ["| family | kind | runs | stopped (± standard error) | median minute |", "|---|---|---|---|---|", *map(line, tallies), ""]
    for held in (False, True):
        healthy = [tally for tally in tallies if tally.family.healthy and tally.family.held is held]
        bad = [tally for tally in tallies if not tally.family.healthy and tally.family.counted and tally.family.held is held]
        name = "Held-back" if held else "Tuning"
        if healthy:
            worst = max(healthy, key=lambda tally: tally.share)
            mean = sum(tally.share for tally in healthy) / len(healthy)
            lines.append(f"{name} healthy families ({len(healthy)}): mean {100 * mean:.2f} %, worst {100 * worst.share:.1f} % ({worst.family.name}).")
        if bad:
            worst = min(bad, key=lambda tally: tally.share)
            mean = sum(tally.share for tally in bad) / len(bad)
            middle = median(tally.median for tally in bad)
            text = f"mean {100 * mean:.1f} %, worst {100 * worst.share:.1f} % ({worst.family.name}), median minute {middle:g}"
            lines.append(f"{name} regressions ({len(bad)}) caught by minute {AFTER}: {text}.")
    bad = [tally for tally in tallies if not tally.family.healthy and tally.family.counted]
    if bad:
        caught = sum(tally.share for tally in bad) / len(bad)
        lines.append(f"All regressions ({len(bad)}): {100 * caught:.1f} %, median minute {median(tally.median for tally in bad):g}.")
    double = [tally for tally in tallies if tally.family.name == "errors x2"]
    lines += [
        f"Errors x2 (0.2 % at 100 requests a second): {100 * tally.by(20):.1f} % by minute 20, {100 * tally.share:.1f} % by minute 30." for tally in double
    ]
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
