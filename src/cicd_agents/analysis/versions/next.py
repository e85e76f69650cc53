"""The next semantic version: from the current one, what the changes ask for, the policy below 1.0.0, a prerelease channel and the versions that exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cicd_agents.analysis.versions.semver import Version, parse, step
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy

# Policy below 1.0.0 → what a bump becomes there.
_BELOW_ONE = {
    ZeroPolicy.BREAKING_IS_MINOR: {Bump.MAJOR: Bump.MINOR},
    ZeroPolicy.ONE_LOWER: {Bump.MAJOR: Bump.MINOR, Bump.MINOR: Bump.PATCH},
    ZeroPolicy.FEATURE_IS_PATCH: {Bump.MINOR: Bump.PATCH},
    ZeroPolicy.AS_AFTER: {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A step from one version to the next: `version` is None where there is none yet and nothing asks for one; `bump` is what was applied."""

    version: Version | None
    bump: Bump
    reason: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for beside the commits: a version (`release_as`), the way out of 0.x (`graduate`), a prerelease channel such as `rc`."""

    release_as: str | None = None
    graduate: bool = False
    prerelease: str | None = None


def below_one(bump: Bump, zero: ZeroPolicy) -> Bump:
    """What a bump becomes below 1.0.0."""
    return _BELOW_ONE[zero].get(bump, bump)


def next_version(current: Version | None, bump: Bump, zero: ZeroPolicy, wish: Wish = Wish(), existing: Iterable[Version] = (), initial: str = "1.0.0") -> Step:
    """The step that `bump` asks for.

    `current` is the version that the commits were counted from: the last stable one, or the last prerelease. `existing` are the versions of this component
    that this line knows. In a channel the core that a prerelease already stands for is kept as long as it covers the bump, and its number goes up; without
    a channel a prerelease becomes its stable version. Raises UsageError for a wished or initial version that is none, exists, or is not above the current.
    """
    known = tuple(existing)
    if wish.release_as:
        return _wished(current, wish.release_as, known)
    if wish.graduate and (current is None or current.major == 0):
        return _in_channel(current, Version(1, 0, 0), Bump.MAJOR, wish.prerelease, known, "the step to 1.0.0 was asked for")
    if bump is Bump.NONE:
        return Step(current, Bump.NONE, "no change asks for a release")
    if current is None:
        return _in_channel(None, _initial(initial), bump, wish.prerelease, known, "the first release")
    applied = below_one(bump, zero) if current.major == 0 else bump
    reason = f"the changes ask for a {applied}" + (f" ({bump} is {applied} below 1.0.0)" if applied is not bump else "")
    return _in_channel(current, step(current, applied), applied, wish.prerelease, known, reason)


def promoted(current: Version) -> Version:
    """The stable version that a prerelease stands for; a stable version itself."""
    return Version(*current.core)


def _in_channel(current: Version | None, base: Version, bump: Bump, channel: str | None, known: tuple[Version, ...], reason: str) -> Step:
    """The base itself, or its next prerelease in the channel."""
    if not channel:
        return Step(base, bump, reason)
    identifiers = tuple(channel.split("."))
    if parse(f"0.0.0-{channel}.1") is None:
        raise UsageError(f"{channel[:60]!r} is no name for a prerelease channel: letters, digits, `-` and `.` only.")
    floor = current.core if current else (-1, 0, 0)
    ours = [version for version in known if _number(version, identifiers) is not None]
    # A prerelease of this channel above the last stable version that already covers the bump is counted on.
    pending = [version.core for version in ours if version.core > floor or (current is not None and not current.stable and version.core == floor)]
    core = max([base.core, *pending])
    number = max((_number(version, identifiers) or 0 for version in ours if version.core == core), default=0) + 1
    kept = f"; {'.'.join(map(str, core))} already stands for it" if core != base.core or number > 1 else ""
    return Step(Version(*core, (*identifiers, str(number))), bump, f"{reason}{kept}; channel {channel}")


def _number(version: Version, channel: tuple[str, ...]) -> int | None:
    """The number of a prerelease in a channel: 2 of `1.3.0-rc.2`, 0 of `1.3.0-rc`; None for another channel."""
    if version.prerelease[: len(channel)] != channel or version.stable:
        return None
    rest = version.prerelease[len(channel) :]
    if not rest:
        return 0
    return int(rest[0]) if len(rest) == 1 and rest[0].isdigit() else None


def _wished(current: Version | None, text: str, known: tuple[Version, ...]) -> Step:
    wished = parse(text.strip().removeprefix("v"))
    if wished is None:
        raise UsageError(f"Release-As {text[:60]!r} is no semantic version.")
    if any(wished.precedence == version.precedence for version in known):
        raise UsageError(f"Release-As {wished}: this version exists already.")
    if current is not None and wished.precedence <= current.precedence:
        raise UsageError(f"Release-As {wished} is not above the current version {current}.")
    return Step(wished, difference(current, wished), f"Release-As {wished} was asked for")


def difference(old: Version | None, new: Version) -> Bump:
    """The largest part that differs; a step between prereleases of one core counts as a patch."""
    if old is None or old.major != new.major:
        return Bump.MAJOR
    return Bump.MINOR if old.minor != new.minor else Bump.PATCH


def _initial(text: str) -> Version:
    version = parse(text.removeprefix("v"))
    if version is None:
        raise UsageError(f"The initial version {text[:60]!r} is no semantic version.")
    return version
