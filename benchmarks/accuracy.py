"""How often the doctor is right on labelled logs: `python benchmarks/accuracy.py [--write FILE] [--misses] CORPUS_DIR...`

A corpus folder holds labels.jsonl and the logs it names. One label a line: `file` or `log` (or `id` + ".log"), `outcome`, `category`, `phase`,
`root_lines` (from 1; the first is the best), and where they are known `category_alt`, `location` and `fix_keywords`.
Prints a Markdown table; the measures are explained in docs/accuracy.md. Without a corpus it says so and ends well.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cicd_agents.analysis.logs import bundled
from cicd_agents.analysis.logs.diagnosis import diagnose
from cicd_agents.domain.doctor import Diagnosis

TOLERANCE = 2
CONFIDENT = 0.8
MARK_BEGIN, MARK_END = "<!-- measured -->", "<!-- /measured -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", nargs="*", type=Path)
    parser.add_argument("--write", type=Path, help="put the table into this Markdown file, between its marks")
    parser.add_argument("--misses", action="store_true", help="list the logs that were not hit")
    options = parser.parse_args()
    rows = [row for folder in options.corpus if (folder / "labels.jsonl").exists() for row in labels(folder)]
    if not rows:
        print("No labelled logs: give folders with labels.jsonl. Nothing was measured.")
        return 0
    began = time.process_time()
    totals, calibration, misses = measure(rows)
    table = render(totals, calibration, time.process_time() - began)
    print(table)
    if options.misses:
        print("\n".join(misses))
    if options.write:
        text = options.write.read_text()
        head, _, rest = text.partition(MARK_BEGIN)
        options.write.write_text(f"{head}{MARK_BEGIN}\n{table}\n{MARK_END}{rest.partition(MARK_END)[2]}")
    return 0


def labels(folder: Path) -> Iterable[dict[str, Any]]:
    for line in (folder / "labels.jsonl").read_text().splitlines():
        row = json.loads(line)
        path = folder / (row.get("file") or row.get("log") or f"{row['id']}.log")
        if path.exists():
            yield {**row, "path": path, "failed": row.get("outcome") not in ("success", "passed", "none")}


def measure(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Counter[str]], list[tuple[float, bool]], list[str]]:
    bundled.bundled()
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    calibration, misses = [], []
    for row in rows:
        with row["path"].open("rb") as file:
            diagnosis = diagnose(file)
        score = judge(row, diagnosis)
        category = canonical(row["category"]) if row["failed"] else "(passed)"
        for name in ("all", category):
            totals[name].update(score)
        if row["failed"]:
            best = diagnosis.failures[0] if diagnosis.failures else None
            calibration.append((best.confidence if best else 0.0, bool(score["hit1"])))
            if not score["hit1"] or not score["lenient"]:
                said = f"{best.category}@{best.line} {best.signature} {best.text[:80]!r}" if best else "nothing"
                misses.append(f"{row['path'].name}: want {category}@{row['root_lines']}, got {said}")
    return totals, calibration, misses


def judge(row: Mapping[str, Any], diagnosis: Diagnosis) -> Counter[str]:
    best = diagnosis.failures[0] if diagnosis.failures else None
    if not row["failed"]:
        return Counter(passed=1, alarm=int(best is not None))
    want = canonical(row["category"])
    allowed = {want, *map(canonical, row.get("category_alt") or row.get("also_ok_categories") or ())}
    if want == "test_flaky":
        allowed.add("test_failure")
    lines = [best.line] if best else []
    hit1 = near(lines, row["root_lines"])
    hit3 = hit1 or near([item.line for item in diagnosis.candidates[:3]], row["root_lines"])
    got = best.category if best else None
    score = Counter(
        failed=1, hit1=hit1, hit3=hit3, strict=got == want, lenient=got in allowed,
        phase=best is not None and best.phase == row["phase"], confident_error=not hit1 and best is not None and best.confidence >= CONFIDENT,
        confident=best is not None and best.confidence >= CONFIDENT,
    )  # fmt: skip
    if row.get("location"):
        path = re.sub(r"(:\d+)+$", "", row["location"])
        found = best.location.path if best and best.location else ""
        score.update(location_of=1, location=found.endswith(path))
    if row.get("fix_keywords"):
        text = json.dumps([[fix.title, fix.detail, fix.commands] for fix in best.fixes] if best else []).lower()
        score.update(fix_of=1, fix=any(word.lower() in text for word in row["fix_keywords"]))
    return score


def near(lines: Iterable[int], roots: Iterable[int]) -> bool:
    return any(abs(line - root) <= TOLERANCE for line in lines for root in roots)


def canonical(category: str) -> str:
    name = re.sub(r"[^a-z]+", "_", category.lower())
    return {"missing_tool": "missing_tool_or_file", "missing_tool_file": "missing_tool_or_file"}.get(name, name)


def render(totals: Mapping[str, Counter[str]], calibration: list[tuple[float, bool]], seconds: float) -> str:
    whole = totals["all"]
    confident = whole["confident"]
    lines = [
        f"{whole['failed']} logs of failed runs and {whole['passed']} of successful ones, {seconds:.1f} s of CPU time.",
        "",
        "| category | logs | hit@1 | hit@3 | category, lenient | strict | phase |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, count in sorted(totals.items(), key=lambda item: (item[0] != "all", -item[1]["failed"], item[0])):
        if count["failed"]:
            shares = " | ".join(share(count[key], count["failed"]) for key in ("hit1", "hit3", "lenient", "strict", "phase"))
            lines.append(f"| {'**all**' if name == 'all' else name} | {count['failed']} | {shares} |")
    lines += [
        "",
        "| measure | result |",
        "|---|---:|",
        f"| location, where the log has one | {share(whole['location'], whole['location_of'])} |",
        f"| fix keywords | {share(whole['fix'], whole['fix_of'])} |",
        f"| confident errors (confidence {CONFIDENT} or more and wrong), of all failed logs | {share(whole['confident_error'], whole['failed'])} |",
        f"| the same, of the confident diagnoses | {share(whole['confident_error'], confident)} of {confident} |",
        f"| false alarms on successful logs | {share(whole['alarm'], whole['passed'])} |",
        "",
        "| confidence | diagnoses | right |",
        "|---|---:|---:|",
    ]
    for low, high in ((0.0, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 0.8), (0.8, 0.9), (0.9, 1.01)):
        inside = [right for value, right in calibration if low <= value < high]
        lines.append(f"| {low:.2f} to {min(high, 1.0):.2f} | {len(inside)} | {share(sum(inside), len(inside))} |")
    return "\n".join(lines)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


if __name__ == "__main__":
    sys.exit(main())
