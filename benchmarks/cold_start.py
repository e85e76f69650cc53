"""From `docker run` to the verdict on a log of 5 MB, beside `docker run` of a no-op in the same image, taken in turns in one run.

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
        nothing = [*start, "--entrypoint", "/bin/true", options.image]
        taken = [(seconds(nothing), seconds(ours, expect="2 entries are still open")) for _ in range(options.rounds)]
        size = log.stat().st_size
    bare, whole = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"log of {size / 1e6:.1f} MB, {options.rounds} rounds; medians: no-op {bare:.2f} s, verdict {whole:.2f} s")
    print(f"difference {whole - bare:.2f} s (limit {LIMIT} s)")
    print(f"best of each: {min(first for first, _ in taken):.2f} s, {min(second for _, second in taken):.2f} s")
    return 0 if whole - bare <= LIMIT else 1


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
