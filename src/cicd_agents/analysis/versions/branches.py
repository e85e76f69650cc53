"""One branch table: which branch makes stable releases, prereleases of a channel, or releases of a maintenance line, and in which range."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.analysis.versions.globs import matches, regex_matches
from cicd_agents.analysis.versions.semver import Version
from cicd_agents.domain.errors import UsageError

# The end of a branch's name, or a range: 1.x, 1.x.x, 1.2.x, release/1.x, v1.2.x
_RANGE = re.compile(r"(?:^|[/_-])v?([0-9]{1,9})\.(?:([0-9]{1,9})\.)?x(?:\.x)?$")
_MAX_NAME = 255  # of a git reference on common file systems


class BranchKind(StrEnum):
    """What a branch releases."""

    RELEASE = "release"  # stable versions
    PRERELEASE = "prerelease"  # prereleases of one channel
    MAINTENANCE = "maintenance"  # stable versions of an old line


@dataclass(frozen=True, slots=True)
class BranchRule:
    """A line of the table: a glob (or `regex`, fitting the whole name), what such branches release and where it is published.

    `prerelease` is the identifier, empty: the branch's own name. `range` such as `1.x`; empty: as the branch's name says. `channel` empty: the default one.
    """

    pattern: str
    kind: BranchKind = BranchKind.RELEASE
    prerelease: str = ""
    channel: str = ""
    range: str = ""
    regex: bool = False

    def fits(self, branch: str) -> bool:
        """Does this line speak of the branch? Raises UsageError for an unreadable pattern."""
        return regex_matches(self.pattern, branch) if self.regex else matches(self.pattern, branch)


@dataclass(frozen=True, slots=True)
class Line:
    """What one branch may release: from `low` up to, not including, `high`; None: no bound."""

    branch: str
    kind: BranchKind
    prerelease: str | None = None
    channel: str = ""
    low: Version | None = None
    high: Version | None = None

    def holds(self, version: Version) -> bool:
        """Is the version in the range of this line? A prerelease of the upper bound is above the line."""
        return (self.low is None or version.core >= self.low.core) and (self.high is None or version.core < self.high.core)


DEFAULT_TABLE = (
    BranchRule("main"),
    BranchRule("master"),
    BranchRule("next", channel="next"),
    BranchRule("next-major", channel="next-major"),
    BranchRule("alpha", BranchKind.PRERELEASE, "alpha", "alpha"),
    BranchRule("beta", BranchKind.PRERELEASE, "beta", "beta"),
    BranchRule("rc", BranchKind.PRERELEASE, "rc", "rc"),
    BranchRule("{,*/}?(v)+([0-9])?(.+([0-9])).x", BranchKind.MAINTENANCE),
    BranchRule("{,*/}?(v)+([0-9]).x.x", BranchKind.MAINTENANCE),
)  # fmt: skip


def line_of(branch: str, table: Iterable[BranchRule] = DEFAULT_TABLE) -> Line | None:
    """The line that a branch releases by the first rule that fits, or None: it makes no releases. Raises UsageError for a rule that cannot be used."""
    if not branch or len(branch) > _MAX_NAME:
        return None
    rule = next((rule for rule in table if rule.fits(branch)), None)
    if rule is None:
        return None
    if rule.kind is BranchKind.MAINTENANCE:
        low, high = bounds(rule.range or branch)
        return Line(branch, rule.kind, None, rule.channel or branch, low, high)
    if rule.kind is BranchKind.PRERELEASE:
        return Line(branch, rule.kind, rule.prerelease or _identifier(branch), rule.channel or branch)
    return Line(branch, rule.kind, None, rule.channel)


def is_range(text: str) -> bool:
    """Does a branch's name or a range setting end as a maintenance range does?"""
    return len(text) <= _MAX_NAME and _RANGE.search(text) is not None


def bounds(text: str) -> tuple[Version, Version]:
    """The first version of a range and the first one above it: `1.x` is 1.0.0 to 2.0.0, `1.2.x` is 1.2.0 to 1.3.0. Raises UsageError otherwise."""
    found = _RANGE.search(text[-_MAX_NAME:])
    if found is None:
        raise UsageError(f"The maintenance branch {text[:60]!r} names no range; give one such as 1.x or 1.2.x.")
    major, minor = int(found[1]), found[2]
    if minor is None:
        return Version(major, 0, 0), Version(major + 1, 0, 0)
    return Version(major, int(minor), 0), Version(major, int(minor) + 1, 0)


def refusal(line: Line, candidate: Version, current: Version | None, reachable: Iterable[Version], existing: Iterable[Version]) -> str:
    """Why the line may not release the candidate; "" where it may.

    `reachable` are the versions of this component on this line, `existing` all of them. Refused is a version outside the line's range, one that exists
    (build metadata is no difference), one that is not above the current one, and a stable one that would pass over a stable version of another line.
    """
    if not line.holds(candidate):
        return f"{candidate} is outside the range of {line.branch} ({_range_text(line)}); make it from another branch."
    known = tuple(existing)
    if any(version.precedence == candidate.precedence for version in known):
        return f"{candidate} exists already on another line; it is never made twice."
    if current is not None and candidate.precedence <= current.precedence:
        return f"{candidate} is not above {current}, the last version of {line.branch}."
    if line.kind is BranchKind.PRERELEASE or current is None:
        return ""
    ours = {version.precedence for version in reachable}
    others = sorted((version for version in known if version.stable and version.precedence not in ours), key=lambda version: version.precedence)
    passed = next((version for version in others if current.precedence < version.precedence < candidate.precedence), None)
    if passed:
        return f"{candidate} would pass over {passed}, which another line has released; merge that line first."
    return ""


def _range_text(line: Line) -> str:
    return " ".join(filter(None, (f"from {line.low}" if line.low else "", f"below {line.high}" if line.high else "")))


def _identifier(branch: str) -> str:
    """A prerelease identifier out of a branch's name: signs that SemVer does not allow become hyphens."""
    text = re.sub(r"[^0-9A-Za-z-]+", "-", branch).strip("-")
    return text if text and not (text.isdigit() and text.startswith("0")) else "pre"
