"""CPU time and peak memory of a whole diagnosis, as ratios to ripgrep with the same patterns on the same file in the same run.

`python benchmarks/speed.py [--size 200M] [--file LOG] [--rounds 3]`. Needs `rg` on the PATH (Debian: ripgrep). Without --file it writes
a synthetic log of passing tests with one failure at 97 % into a temporary folder. Start-up is measured against `python -c pass`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cicd_agents.analysis.logs import bundled


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="200M", help="size of the synthetic log, K, M or G")
    parser.add_argument("--file", type=Path, help="measure this log instead")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = options.file or synthetic(Path(folder) / "big.log", size_of(options.size))
        ours = [sys.executable, "-m", "cicd_agents", "doctor", "--format", "jsonl", str(log)]
        cpu, peak = min(run(ours) for _ in range(options.rounds))
        size = log.stat().st_size
        print(f"log: {size / 2**20:.0f} MiB; diagnosis {cpu:.2f} s CPU, {size / 2**20 / cpu:.0f} MiB/s, peak memory {peak:.0f} MiB")
        if shutil.which("rg"):
            patterns = ripgrep_patterns(Path(folder))
            grep = ["rg", "-j1", "-n", "--no-unicode", "-f", str(patterns), str(log)]
            other, _ = min(run(grep) for _ in range(options.rounds))
            print(f"rg -j1 -n --no-unicode with the same patterns: {other:.2f} s CPU; ratio {cpu / other:.2f} (bar 1.5)")
        else:
            print("rg is not installed: no ratio (Debian package ripgrep)")
    version = min(run([str(Path(sys.executable).parent / "cicd-agents"), "--version"])[0] for _ in range(10))
    bare = min(run([sys.executable, "-c", "pass"])[0] for _ in range(10))
    print(f"cicd-agents --version: {version * 1000:.0f} ms CPU; python -c pass: {bare * 1000:.0f} ms; ratio {version / bare:.2f} (bar 3)")
    return 0


def run(command: list[str]) -> tuple[float, float]:
    """(CPU seconds, peak memory in MiB) of a finished command."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ripgrep_patterns(folder: Path) -> Path:
    """The signatures' patterns in ripgrep's syntax: no group names, bytes beyond ASCII as escapes. Those it refuses are left out."""
    empty = folder / "empty"
    empty.write_text("x\n")
    taken = []
    for rule in bundled.signatures():
        text = re.sub(r"\(\?P<\w+>", "(?:", rule.match)
        text = re.sub(r"[^\x00-\x7f]", lambda found: "".join(f"\\x{byte:02x}" for byte in found[0].encode()), text)
        if subprocess.run(["rg", "--no-unicode", "-e", text, str(empty)], capture_output=True, check=False).returncode != 2:
            taken.append(text)
    print(f"{len(taken)} of {len(bundled.signatures())} patterns taken by rg")
    file = folder / "patterns"
    file.write_text("\n".join(taken) + "\n")
    return file


def synthetic(path: Path, size: int) -> Path:
    """Passing output with one failure near the end, in the form of a GitHub job log."""
    chance = random.Random(7)  # noqa: S311 the same log every time
    words = ["ledger", "billing", "catalog", "retries", "error_response", "failed_payment", "timeout_error", "parses", "renders"]
    pool = [f"packages/{chance.choice(words)}/tests/test_{chance.choice(words)}.py::test_{chance.choice(words)}[{number}] PASSED" for number in range(4000)] + [
        f"\x1b[32m--- PASS: Test{chance.choice(words).title()} ({chance.random():.2f}s)\x1b[0m" for _ in range(400)
    ]
    with path.open("w") as file:
        written, failed = 0, False
        file.write("2026-03-14T02:00:00.0000000Z ##[group]Run ./ci/test-all.sh\n2026-03-14T02:00:00.0000000Z ##[endgroup]\n")
        while written < size:
            line = f"2026-03-14T02:{written // (1 << 24) % 60:02d}:00.{written % 10_000_000:07d}Z {chance.choice(pool)}\n"
            written += file.write(line)
            if not failed and written > size * 0.97:
                failed = True
                file.write("2026-03-14T03:00:00.0000000Z E       AssertionError: 2 entries are still open\n")
                file.write("2026-03-14T03:00:00.0000000Z packages/ledger/tests/test_closing.py:118: AssertionError\n")
        file.write("2026-03-14T03:00:01.0000000Z ##[error]Process completed with exit code 1.\n")
    return path


def size_of(text: str) -> int:
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1].upper())
    return int(float(text[:-1]) * unit) if unit else int(text)


if __name__ == "__main__":
    sys.exit(main())
