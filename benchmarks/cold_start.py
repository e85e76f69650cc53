"""From `docker run` to the doctor's verdict on a log of 5 MB and the guardian's on a table of numbers, beside `docker run` of a no-op, taken in turns.

`python -m benchmarks.cold_start [--image NAME] [--size 5M] [--rounds 9]`. Needs a container engine and the image (`docker build --tag NAME .`).
Exit code 1 where the difference of the medians is over the limit. On a busy machine both grow: say the load with the numbers.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed import size_of, synthetic

from cicd_agents import __version__

LIMIT = 1.5  # seconds more than the no-op
NUMBERS = "Error rate: 0.12% (baseline: 0.10%)\nP95 latency: 165ms (baseline: 150ms)\nCPU: 48% (baseline: 45%)\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--image", default=f"ghcr.io/org/cicd-agents:v{__version__}")
    parser.add_argument("--size", default="5M", help="size of the synthetic log, K, M or G")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        log = synthetic(Path(folder) / "failed.log", size_of(options.size))
        start = ["docker", "run", "--rm", "--network", "none", "--volume", f"{folder}:/logs:ro"]
        ours = [*start, options.image, "run", "--agent", "pipeline-doctor", "--log", "/logs/failed.log"]
        (Path(folder) / "table.txt").write_text(NUMBERS, encoding="utf-8")
        judged = [*start, options.image, "guardian", "check", "--metrics-table", "/logs/table.txt"]
        nothing = [*start, "--entrypoint", "/bin/true", options.image]
        taken = [(seconds(nothing), seconds(ours, expect="2 entries are still open"), seconds(judged, expect="PROCEED")) for _ in range(options.rounds)]
        size = log.stat().st_size
    bare, whole, table = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"log of {size / 1e6:.1f} MB, {options.rounds} rounds; medians: no-op {bare:.2f} s, verdict {whole:.2f} s, the guardian's on numbers {table:.2f} s")
    print(f"difference {whole - bare:.2f} s, of the guardian {table - bare:.2f} s (limit {LIMIT} s)")
    print(f"best of each: {', '.join(f'{min(column):.2f} s' for column in zip(*taken, strict=True))}")
    return 0 if max(whole, table) - bare <= LIMIT else 1


def seconds(command: Sequence[str], expect: str = "") -> float:
    """Wall time of a command that must succeed and print what is expected."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.monotonic() - began
    if done.returncode or expect not in done.stdout:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


if __name__ == "__main__":
    sys.exit(main())
