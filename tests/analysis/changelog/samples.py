"""A small release with one change of every kind."""

from __future__ import annotations

from cicd_agents.analysis.changelog.forge import Forge, ForgeKind
from cicd_agents.analysis.changelog.section import Release
from cicd_agents.domain.release import Change, HistoryCommit, Reference

GITHUB = Forge(ForgeKind.GITHUB, "https://github.com/acme/app")
GITLAB = Forge(ForgeKind.GITLAB, "https://gitlab.com/acme/sub/app")
NOTE = "The v1 endpoints are gone.\n\nMigration: call v2.\n\n```sh\nsed -i s/v1/v2/ *.py\n```\n\n- one\n- two"


def sha(letter: str) -> str:
    return letter * 40


CHANGES = (
    Change(sha("a"), "feat", "api", "drop v1", True, NOTE, refs=(Reference("request", "#40"), Reference("closes", "#7"))),
    Change(sha("b"), "feat", None, "add `--fast`", refs=(Reference("request", "#41"),)),
    Change(sha("c"), "fix", "cache", "keep keys of snake_case", refs=(Reference("fixes", "acme/lib#3"), Reference("", "!5"))),
    Change(sha("d"), "perf", None, "read once"),
    Change(sha("e"), "revert", None, "add colours"),
    Change(sha("f"), "build", "deps-dev", "bump left-pad from 1.0.0 to 1.1.0"),
    Change(sha("1"), "chore", None, "update x"),
    Change(sha("2"), "docs", None, "say how"),
    Change(sha("3"), "refactor", None, "tidy up"),
    Change(sha("4"), "", None, "Something else"),
    Change(sha("5"), "chore", "main", "release 1.2.0"),
    Change(sha("6"), "", None, "Merge branch 'main' into topic"),
)
COMMITS = tuple(
    HistoryCommit(change.sha, (), "renovate[bot]" if change.sha == sha("1") else "Jane Doe", "jane@example.com", 0, change.subject) for change in CHANGES
)
RELEASE = Release("2.0.0", CHANGES, "v2.0.0", "v1.2.0", 1_700_000_000, COMMITS)
