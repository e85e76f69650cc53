"""Components that are released for the sake of others: groups with one version, and dependants (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cicd_agents.analysis.release_config.found import LinkedVersions
from cicd_agents.analysis.versions.next import Wish, difference, next_version
from cicd_agents.analysis.versions.semver import Version, parse
from cicd_agents.domain.release import Bump, ZeroPolicy


@dataclass(frozen=True, slots=True)
class Part:
    """A component's step: `next` is None where it is not released. `via` and `why` say who else brought the version, empty where nobody did."""

    name: str
    current: str | None
    next: str | None
    bump: Bump
    via: str = ""
    why: str = ""


def settled(
    parts: Sequence[Part], groups: Sequence[LinkedVersions], needs: Mapping[int, frozenset[int]], patched: Callable[[int], str | None]
) -> tuple[Part, ...]:
    """The parts with all that follows from each other: groups share a version, dependants get a patch, and that again until nothing more follows.

    `needs` are the components that a component depends on, by their places; `patched` is a component's next patch version, None where it can have none.
    Ends with cycles too: a component is raised to a version only once, or higher.
    """
    before: tuple[Part, ...] = ()
    now = tuple(parts)
    while now != before:
        before = now
        for group in groups:
            now = linked(now, group)
        now = with_dependants(now, needs, patched)
    return now


def linked(parts: Sequence[Part], group: LinkedVersions) -> tuple[Part, ...]:
    """Every component of the group at the highest version that one of them gets, as release-please's plugin linked-versions does it.

    A member that stands higher is never lowered: then the group goes up from there. Versions that are not semantic stay as they are.
    """
    members = [part for part in parts if part.name in group.components]
    released = [(version, part.bump) for part in members if (version := _version(part.next))]
    if not released:
        return tuple(parts)
    highest = max((version for version, _ in released), key=lambda version: version.precedence)
    bump = max((bump for _, bump in released), key=lambda each: each.rank)
    standing = max((version for part in members if (version := _version(part.current))), key=lambda version: version.precedence, default=None)
    if standing is not None and highest.precedence <= standing.precedence:
        channel = str(highest.prerelease[0]) if highest.prerelease else None
        highest = next_version(standing, bump, ZeroPolicy.BREAKING_IS_MINOR, Wish(prerelease=channel)).version or highest
    return tuple(_raised(part, highest, bump, group.group) if part.name in group.components else part for part in parts)


def _raised(part: Part, version: Version, bump: Bump, group: str) -> Part:
    known = _version(part.next)
    if (part.next and known is None) or (known is not None and known.precedence == version.precedence):
        return part
    current = _version(part.current)
    step = difference(current, version) if current else bump
    return replace(part, next=str(version), bump=step, via=f"linked:{group}", why=f"The group {group} has one version.")


def with_dependants(parts: Sequence[Part], needs: Mapping[int, frozenset[int]], patched: Callable[[int], str | None]) -> tuple[Part, ...]:
    """A patch for each component that depends, by however many steps, on one that is released and is not released itself."""
    found = list(parts)
    dependants: dict[int, list[int]] = {}
    for index in sorted(needs):
        for need in needs[index]:
            dependants.setdefault(need, []).append(index)
    waiting = [index for index, part in enumerate(found) if part.next is not None]
    for released in waiting:  # grows while it is read, so that the nearest reason is told
        for index in dependants.get(released, ()):
            version = patched(index) if found[index].next is None else None
            if version is not None:
                name = found[released].name
                why = f"It depends on {name}, which goes to {found[released].next}."
                found[index] = replace(found[index], next=version, bump=Bump.PATCH, via=f"depends:{name}", why=why)
                waiting.append(index)
    return tuple(found)


def _version(text: str | None) -> Version | None:
    return parse(text) if text else None
