"""How often the plan of a release is what was really released: `python benchmarks/release_accuracy.py [--misses] [--write FILE] CORPUS_DIR`

A corpus folder holds parse_cases.jsonl (messages with the expected reading), OWNER+NAME.jsonl.gz (tags and commits of a repository) and ground_truth*.jsonl
(a row for each release that was made, with what the repository's own configuration said then). Without a corpus it says so and ends well.
Two readings of each release: our default rules with the repository's own zero policy and types, and the profile of the tool that made it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cicd_agents.analysis.commits.plan import World, plan_release
from cicd_agents.analysis.commits.presets import DEFAULT, PRESETS, Preset, release_please_types
from cicd_agents.analysis.commits.references import REQUEST
from cicd_agents.domain.release import Change, HistoryCommit, ReleasePlan, TypeRule, ZeroPolicy

Row = Mapping[str, Any]
MARK_BEGIN, MARK_END = "<!-- measured -->", "<!-- /measured -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--misses", action="store_true", help="list what was missed")
    parser.add_argument("--write", type=Path, help="put the tables into this Markdown file, between its marks")
    options = parser.parse_args()
    if options.corpus is None or not options.corpus.is_dir():
        print("No corpus: give its folder. Nothing was measured.")
        return 0
    texts, misses = [], []
    for measure in (measure_cases, measure_releases):
        began = time.process_time()
        table, missed = measure(options.corpus)
        texts.append(f"{table}\n")
        misses += missed
        print(f"{table}\n\n{time.process_time() - began:.1f} s CPU.\n")
    if options.misses:
        print("\n".join(misses))
    if options.write:
        head, _, rest = options.write.read_text().partition(MARK_BEGIN)
        options.write.write_text(f"{head}{MARK_BEGIN}\n{chr(10).join(texts)}\n{MARK_END}{rest.partition(MARK_END)[2]}")
    return 0


# Messages


def measure_cases(folder: Path) -> tuple[str, list[str]]:
    """The parse cases by their source: how many are read as expected."""
    cases = [case for case in _rows(folder / "parse_cases.jsonl") if case["kind"] == "commit" and "input" in case]
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    missed = []
    for case in cases:
        source = case["source"].partition(":")[0]
        problem = case_problem(case)
        total[source] += 1
        right[source] += not problem
        if problem:
            missed.append(f"{case['id']} {problem}")
    lines = ["| source of the messages | right | of |", "|---|---:|---:|"]
    lines += [f"| {source} | {right[source]} | {count} |" for source, count in sorted(total.items())]
    lines.append(f"| all | {sum(right.values())} ({sum(right.values()) / max(1, len(cases)):.1%}) | {len(cases)} |")
    return "\n".join(lines), missed


def case_problem(case: Row) -> str:
    """What of a case is not read as expected; "" where all is. Nothing was released before a case's message, so its reverts take nothing released back."""
    plan = plan_release([HistoryCommit("f" * 40, (), "A. Person", "", 0, case["input"])], "1.0.0", world=World(released=lambda _: False))
    expect = case["expect"]
    wished = plan.changes[0].release_as if plan.changes else None
    bump = max((decision.bump for decision in plan.decisions), key=lambda bump: bump.rank)
    found: dict[str, Any] = {
        "commits": [{"type": change.type, "scope": change.scope, "breaking": change.breaking} for change in plan.changes if change.type],
        "bump": bump.value,
        "release_as": wished,
        "refs": _targets(plan.changes, request=False),
        "pr": next(iter(_targets(plan.changes, request=True)), None),
        "notes": [change.note for change in plan.changes if change.breaking],
        "footers": [list(footer) for change in plan.changes for footer in change.footers],
        "revert": next((name for change in plan.changes for name in change.reverts), None),
    }
    wrong = [f"{key}: {found[key]!r}, expected {expect[key]!r}" for key in found if key in expect and found[key] != expect[key]]
    wrong += [f"reference {number}" for number in expect.get("refs_not", ()) if number in found["refs"]]
    return "; ".join(wrong)


def _targets(changes: Iterable[Change], request: bool) -> list[str]:
    return [ref.target.lstrip("#!") for change in changes for ref in change.refs if (ref.action == REQUEST) is request]


# Releases


@dataclass(frozen=True)
class Repository:
    """The commits of a repository by SHA."""

    commits: Mapping[str, HistoryCommit]

    def between(self, head: str, previous: str) -> list[HistoryCommit]:
        """The commits reachable from head and not from previous, newest first: parents always stand behind their children."""
        old = self._reachable([previous], set())
        new = self._reachable([head], old)
        waiting = Counter(parent for sha in new for parent in self.commits[sha].parents if parent in new)
        ready, ordered = [head] if head in new else [], []
        while ready:
            ready.sort(key=lambda sha: self.commits[sha].time)
            commit = self.commits[ready.pop()]
            ordered.append(commit)
            for parent in dict.fromkeys(commit.parents):
                if parent in new:
                    waiting[parent] -= commit.parents.count(parent)
                    if not waiting[parent]:
                        ready.append(parent)
        return ordered

    def _reachable(self, heads: list[str], without: set[str]) -> set[str]:
        seen: set[str] = set()
        while heads:
            sha = heads.pop()
            if sha in self.commits and sha not in seen and sha not in without:
                seen.add(sha)
                heads.extend(self.commits[sha].parents)
        return seen

    def released(self, previous: str) -> Callable[[str], bool]:
        old = self._reachable([previous], set())
        return lambda name: any(sha.startswith(name) for sha in old)


def measure_releases(folder: Path) -> tuple[str, list[str]]:
    """The releases by repository: how many bumps are what was released, for both readings."""
    tables: dict[str, Counter[str]] = defaultdict(Counter)
    missed = []
    rows = [row for path in sorted(folder.glob("ground_truth*.jsonl")) for row in _rows(path) if row["kind"] != "prerelease"]
    for name in sorted({row["repo"] for row in rows}):
        repository = read_repository(folder / f"{name.replace('/', '+')}.jsonl.gz")
        for row in (row for row in rows if row["repo"] == name):
            kind = "release" if row["kind"] == "release" else "none"
            tables[name][kind] += 1
            for label, rules in (("default", default_for(row)), ("tool", tool_for(row))):
                plan = planned(repository, row, rules)
                tables[name][f"{kind} {label}"] += plan.bump.value == row["expected_bump"]
                if plan.bump.value != row["expected_bump"]:
                    missed.append(f"{label} {name} {row['kind']} {row['prev_tag']} → {row['next_tag']}: {plan.bump}, was {row['expected_bump']}. {plan.reason}")
    return _release_table(tables), missed


def planned(repository: Repository, row: Row, chosen: Preset) -> ReleasePlan:
    history = repository.between(row["head_commit"], row["prev_commit"])
    current = row["prev_tag"].rpartition("/")[2].rpartition("@")[2]
    current = current[next((index for index, letter in enumerate(current) if letter.isdigit()), 0) :]
    return plan_release(history, current, chosen.rules, chosen.reading, World(released=repository.released(row["prev_commit"])))


def default_for(row: Row) -> Preset:
    """Our default rules and reading, with what the repository's own configuration says: its zero policy, its types, its path."""
    config = row.get("config") or {}
    rules = replace(DEFAULT.rules, path=row.get("path") or "", zero=_zero(config, row["tool"]))
    if row["tool"] == "release-please" and config:
        rules = replace(rules, types=_visible(config), any_visible_is_patch=True)
    if "preset" in config:
        rules = replace(rules, types=PRESETS[config["preset"]].rules.types)
    return Preset(rules, DEFAULT.reading)


def tool_for(row: Row) -> Preset:
    """The profile of the tool that made the release, with the repository's own configuration."""
    config = row.get("config") or {}
    chosen = PRESETS[str(config.get("preset", "angular")) if row["tool"] == "semantic-release" else row["tool"]]
    rules = replace(chosen.rules, path=row.get("path") or "")
    if row["tool"] == "release-please":
        rules = replace(rules, types=_visible(config), zero=_zero(config, row["tool"]))
    return Preset(rules, chosen.reading)


def _visible(config: Row) -> tuple[TypeRule, ...]:
    return release_please_types(config.get("changelog-sections", ()), release_type=config.get("release-type", "simple"))


def _zero(config: Row, tool: str) -> ZeroPolicy:
    if tool == "release-please":
        if config.get("bump-patch-for-minor-pre-major"):
            return ZeroPolicy.ONE_LOWER
        return ZeroPolicy.BREAKING_IS_MINOR if config.get("bump-minor-pre-major") else ZeroPolicy.AS_AFTER
    return ZeroPolicy.BREAKING_IS_MINOR if config.get("major_version_zero") else ZeroPolicy.AS_AFTER


def _release_table(tables: Mapping[str, Counter[str]]) -> str:
    total: Counter[str] = Counter()
    lines = ["| repository | releases | default rules | its tool | no release | default rules | its tool |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, counts in tables.items():
        total.update(counts)
        lines.append(_table_row(name, counts))
    return "\n".join([*lines, _table_row("all", total)])


def _table_row(name: str, counts: Mapping[str, int]) -> str:
    def share(kind: str, label: str) -> str:
        return f"{counts[f'{kind} {label}'] / counts[kind]:.1%}" if counts[kind] else ""

    cells = [cell for kind in ("release", "none") for cell in (counts[kind], share(kind, "default"), share(kind, "tool"))]
    return f"| {name} | {' | '.join(map(str, cells))} |"


def read_repository(path: Path) -> Repository:
    commits = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["kind"] == "commit":
                files = tuple(row["files"]) if row.get("files") is not None else None
                commits[row["sha"]] = HistoryCommit(row["sha"], tuple(row["parents"]), row.get("author", ""), "", row["date"], row["message"], files)
    return Repository(commits)


def _rows(path: Path) -> Iterable[Row]:
    return map(json.loads, path.read_text().splitlines()) if path.exists() else ()


if __name__ == "__main__":
    raise SystemExit(main())
