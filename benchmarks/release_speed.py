"""CPU time and peak memory of reading and planning a release, beside `git log` and named peers, in one run on repositories that are made for it.

`python -m benchmarks.release_speed [--rounds 3] [--peers FOLDER] [--peer-limit 60]`. Two repositories, the same in each run (a fixed seed): 12,000 commits
with 677 tags, and 100,000 commits with 999 tags; then the second with a tenth of the tags and with half of the commits, to show what the time depends on.
Peers are git-cliff and commitizen from PyPI; --peers names the folder of their commands (a virtual environment's bin), else PATH is searched.
Exit code 1 where a limit is passed. CPU times on a shared machine move by a third: compare within one run.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_LIMIT, PLAN_LIMIT, CHANGELOG_LIMIT, MEMORY_LIMIT = 1.5, 0.6, 4.0, 200.0
START_LIMIT = 2.0  # what a plan may take, in runs on a repository of one commit
SMALL, LARGE = (12_000, 677), (100_000, 999)
TYPES = ("feat", "fix", "chore", "docs", "perf", "refactor", "test")
WORDS = ["parser", "server", "cache", "token", "retry", "queue", "client", "reader", "writer", "index", "buffer", "stream", "handle", "config"]
START = 1_400_000_000

# Reads every tag and commit, as `release changelog --all` does before it judges.
READING = """
import os, sys
from pathlib import Path
from cicd_agents.clients.git import open_repository
repository = open_repository(Path(sys.argv[1]), os.environ)
tags, commits = repository.tags(), list(repository.history())
print(len(tags), len(commits))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of a command and all that it started, and the peak memory in MiB of the largest of them; `ended` is false where the time limit cut it."""

    cpu: float
    peak: float
    ended: bool = True

    def __str__(self) -> str:
        return f"{'' if self.ended else 'over '}{self.cpu:.2f} s CPU, {self.peak:.0f} MiB"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--peers", type=Path, help="folder with git-cliff and cz")
    parser.add_argument("--peer-limit", type=float, default=60, help="seconds after which a peer is ended")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (build(Path(folder) / name, *size) for name, size in (("small", SMALL), ("large", LARGE)))
        fewer_tags = build(Path(folder) / "fewer-tags", LARGE[0], LARGE[1] // 10)
        half = build(Path(folder) / "half", LARGE[0] // 2, LARGE[1] // 2)
        good = [reading(large, fewer_tags, half, options.rounds)]
        good += [planning(small, build(Path(folder) / "one", 1, 0), options.rounds), changelog(large, fewer_tags, half, options.rounds)]
        for name, repository in (("small", small), ("large", large)):
            peers(name, repository, options.peers, options.peer_limit)
    return 0 if all(good) else 1


def reading(large: Path, fewer_tags: Path, half: Path, rounds: int) -> bool:
    """Our reading part beside `git log` alone, and what it depends on; whether it keeps its limit."""
    whole, fewer, shorter = (best([sys.executable, "-c", READING, str(repository)], rounds) for repository in (large, fewer_tags, half))
    floor = best(["git", "-C", str(large), "log", "--format=%H%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00"], rounds)
    bare = best([sys.executable, "-c", "import cicd_agents.clients.git"], rounds)
    print(f"reading 100,000 commits and 999 tags: {whole} (limit {READ_LIMIT} s, {MEMORY_LIMIT:.0f} MiB); start-up of it {bare.cpu:.2f} s")
    print(f"  git log alone, to a pipe: {floor}; ratio {whole.cpu / floor.cpu:.2f}")
    print(f"  with a tenth of the tags: {fewer}; half of the commits and tags: {shorter} (linear: half of the above)")
    return whole.cpu <= READ_LIMIT and whole.peak <= MEMORY_LIMIT


def planning(small: Path, one: Path, rounds: int) -> bool:
    """What is new since the last of many tags, beside the same for a repository of one commit; whether it keeps its limits."""
    cost, start = ours(small, ["plan"], rounds), ours(one, ["plan"], rounds)
    ratio = cost.cpu / start.cpu
    print(f"release plan, 12,000 commits and 677 tags: {cost} (limit {PLAN_LIMIT} s); one commit: {start}; ratio {ratio:.2f} (limit {START_LIMIT:.0f})")
    return cost.cpu <= PLAN_LIMIT and ratio <= START_LIMIT


def changelog(large: Path, fewer_tags: Path, half: Path, rounds: int) -> bool:
    """The changelog of the whole history, and what it depends on; whether it keeps its limit."""
    whole, fewer, shorter = (ours(repository, ["changelog", "--all"], rounds) for repository in (large, fewer_tags, half))
    print(f"release changelog --all, 100,000 commits and 999 tags: {whole} (limit {CHANGELOG_LIMIT} s, {MEMORY_LIMIT:.0f} MiB)")
    print(f"  with a tenth of the tags: {fewer}; half of the commits and tags: {shorter} (linear: half of the above)")
    return whole.cpu <= CHANGELOG_LIMIT and whole.peak <= MEMORY_LIMIT


def ours(repository: Path, arguments: Sequence[str], rounds: int) -> Cost:
    """The whole command."""
    return best([sys.executable, "-m", "cicd_agents", "release", *arguments, "--repo", str(repository)], rounds)


def peers(name: str, repository: Path, folder: Path | None, limit: float) -> None:
    """What the named peers take for the same questions, once each."""
    path = str(folder.resolve()) if folder else None
    cliff, commitizen = shutil.which("git-cliff", path=path), shutil.which("cz", path=path)
    if cliff:
        config = repository / "cliff.toml"
        subprocess.run([cliff, "--init"], cwd=repository, check=True, capture_output=True)
        for question in (["--unreleased"], ["--bumped-version"], []):
            print(f"git-cliff {' '.join(question) or '(all)'} on {name}: {measure([cliff, '-c', str(config), '--offline', *question], repository, limit)}")
    if commitizen:
        (repository / ".cz.toml").write_text('[tool.commitizen]\nname = "cz_conventional_commits"\nversion_provider = "scm"\ntag_format = "v$version"\n')
        for question in (["bump", "--get-next", "--yes"], ["changelog", "--dry-run"]):
            print(f"cz {' '.join(question)} on {name}: {measure([commitizen, *question], repository, limit)}")
    if not (cliff or commitizen):
        print(f"no peer is installed for {name}: pip install git-cliff commitizen")


def best(command: Sequence[str], rounds: int) -> Cost:
    """The cheapest of several rounds of a command that must succeed."""
    return min((measure(command, Path.cwd(), None) for _ in range(rounds)), key=lambda cost: cost.cpu)


def measure(command: Sequence[str], folder: Path, limit: float | None) -> Cost:
    """The cost of a command and its children; after `limit` seconds it is ended. Ours must succeed, a peer (with a limit) may say no."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    timer = threading.Timer(limit or 600, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if limit is None and process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    assert isinstance(usage, resource.struct_rusage)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode != -signal.SIGKILL)


def build(folder: Path, commits: int, tags: int) -> Path:
    """A repository of conventional commits in one line with a tag at even distances, the last some commits before HEAD; the same in each run."""
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    with subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for piece in stream(random.Random(1), commits, tags):  # noqa: S311 no secret, but the same each time
            process.stdin.write(piece)
    assert process.returncode == 0
    return folder


def stream(dice: random.Random, commits: int, tags: int) -> Iterator[bytes]:
    """What git fast-import reads; see git-fast-import(1)."""
    distance, time = max(commits // (tags + 1), 1), START
    for number in range(commits):
        time += dice.randint(60, 7200)
        person = dice.randint(1, 40)
        who = f"Dev {person} <dev{person}@example.com> {time} +0000"
        text = f"{dice.choice(TYPES)}({dice.choice(WORDS)}): {words(dice, 6)}\n\n{words(dice, 25)}\n\nRefs: #{number}\n"
        path = f"{dice.choice(WORDS)}/file{number % 50}.txt"
        yield f"commit refs/heads/main\nmark :{number + 1}\nauthor {who}\ncommitter {who}\n".encode()
        yield data(text) + f"M 100644 inline {path}\n".encode() + data(f"{number}\n")
        if (number + 1) % distance == 0 and (number + 1) // distance <= tags:
            yield f"tag v0.{(number + 1) // distance}.0\nfrom :{number + 1}\ntagger {who}\n".encode() + data("release")


def words(dice: random.Random, count: int) -> str:
    """So many words."""
    return " ".join(dice.choice(WORDS) for _ in range(count))


def data(text: str) -> bytes:
    """A text with its length before it."""
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)


if __name__ == "__main__":
    sys.exit(main())
