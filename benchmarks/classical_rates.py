"""How often the classical tests stop healthy canaries, and how many bad ones: `python -m benchmarks.classical_rates [--runs N] [--seed N] [--only REGEX]`

The simulated canaries of canary_simulator.py, strategy canary only. Each test looks once for each stage, in the minute before the share changes: 4, 14, 29.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import replace

from benchmarks.canary_simulator import FAMILIES, MINUTE, START, Family, simulate, strategy_of

from cicd_agents.analysis.canary.classical.judging import ClassicalTest, judge_classical_tables
from cicd_agents.analysis.canary.defaults import default_policy
from cicd_agents.analysis.canary.tables import tabulate
from cicd_agents.domain.canary import Decision, Strategy

LOOKS = (4, 14, 29)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="runs per family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a regular expression: the families whose name it is found in")
    options = parser.parse_args()
    began = time.process_time()
    rows: list[tuple[Family, list[float]]] = []
    print(f"| family | kind | runs | {' | '.join(ClassicalTest)} |\n|---|---|---|{'---|' * len(ClassicalTest)}")
    for family in FAMILIES:
        if strategy_of(family) is Strategy.CANARY and re.search(options.only, family.name):
            rows.append((family, stopped(family, range(options.seed * 100_000, options.seed * 100_000 + options.runs))))
            kind = "healthy" if family.healthy else "regression" if family.counted else "border"
            print(f"| {family.name} | {kind} | {options.runs} | {' | '.join(f'{100 * share:.0f} %' for share in rows[-1][1])} |", flush=True)
    for name, wanted in (("healthy", True), ("regressions", False)):
        of = [shares for family, shares in rows if family.healthy is wanted and (wanted or family.counted)]
        if of:
            told = (f"{test} {100 * sum(each) / len(of):.1f} %" for test, each in zip(ClassicalTest, zip(*of, strict=True), strict=True))
            print(f"Stopped of {len(of)} {name} families: {', '.join(told)}.")
    print(f"{time.process_time() - began:.0f} s CPU, seed {options.seed}")
    return 0


def stopped(family: Family, seeds: range) -> list[float]:
    """The share of the runs that each test stopped."""
    policy = default_policy(strategy_of(family))
    policy = replace(policy, stages=tuple(replace(stage, minutes=stage.minutes - 1) if stage.share < 1 else stage for stage in policy.stages))
    counts = dict.fromkeys(ClassicalTest, 0)
    for seed in seeds:
        observation = simulate(family, seed)
        tables = tabulate(observation, policy)
        for test in ClassicalTest:
            looks = (judge_classical_tables(tables, observation, policy, START + minute * MINUTE, test) for minute in LOOKS)
            counts[test] += any(found.decision is Decision.ROLLBACK for found in looks)
    return [counts[test] / len(seeds) for test in ClassicalTest]


if __name__ == "__main__":
    raise SystemExit(main())
