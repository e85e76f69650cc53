"""What changed since the last good run, in the report's words (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.analysis.changes.bisection import bisect_line
from cicd_agents.analysis.changes.paths import is_ci_file, is_toolchain_file
from cicd_agents.analysis.changes.suspects import FailureFacts, suspects
from cicd_agents.domain.ci import Comparison
from cicd_agents.domain.doctor import Changes, PackageChange

MAX_FILES_SHOWN = 50
MAX_PACKAGES = 200
# Phases whose failures show again on a person's machine.
_REPEATABLE = frozenset({"build", "test"})
_TESTING = re.compile(r"test|spec|\bcheck\b|\bverify\b|\btox\b|\bnox\b")


def changes_of(
    comparison: Comparison, packages: Sequence[PackageChange], failure: FailureFacts, *, good_url: str = "", most_files: int = MAX_FILES_SHOWN
) -> Changes:
    """The comparison of the last good commit with the failing one. `complete` is false where the platform or we cut a list.

    A bisect line is offered for two commits or more, where the failure is of a build or a test and its command may be offered.
    """
    paths = [change.path for change in comparison.files]
    updates = _without_repeats(packages)
    ours = [path for path in paths if is_ci_file(path) or is_toolchain_file(path)]
    worth = len(comparison.commits) > 1 and failure.phase in _REPEATABLE and not failure.transient
    return Changes(
        good_sha=comparison.base, bad_sha=comparison.head, good_url=good_url, commits=len(comparison.commits),
        files=tuple(paths[:most_files]), packages=tuple(updates[:MAX_PACKAGES]), ci_files=tuple(ours[:most_files]),
        suspects=suspects(failure, comparison, updates),
        bisect=bisect_line(comparison.base, comparison.head, _command(failure)) if worth else None,
        complete=comparison.complete and len(paths) <= most_files and len(updates) <= MAX_PACKAGES,
    )  # fmt: skip


def _command(failure: FailureFacts) -> str:
    """What the failing step ran. GitHub names a step by the first line of its script: where a test failed and that line runs tests, it is the one."""
    runs_tests = failure.phase == "test" and _TESTING.search(failure.step)
    return failure.command or (failure.step.removeprefix("Run ") if runs_tests else "")


def _without_repeats(packages: Sequence[PackageChange]) -> list[PackageChange]:
    """Each update of a folder once: go.mod and go.sum tell of the same ones."""
    found: dict[tuple[str, str, str | None, str | None], PackageChange] = {}
    for change in packages:
        found.setdefault((change.file.rpartition("/")[0], change.package, change.old, change.new), change)
    return list(found.values())
