"""Takes a release back without deleting anything: the version before becomes the latest again, the bad one a prerelease with a banner, a reissue is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cicd_agents.analysis.versions.semver import Version
from cicd_agents.analysis.versions.tags import TagFormat
from cicd_agents.domain.errors import NotFound, UsageError
from cicd_agents.domain.forge import ForgeRelease, Releases
from cicd_agents.domain.operation import Operation
from cicd_agents.operations.apply import AlreadyDone, Applier

REPOINT, DEMOTE = "RepointLatest", "DemoteRelease"
_BANNER = "<!-- cicd-agents:taken-back -->"
_LONGEST_REASON = 300
# GitHub's limit of a release's text (422 above it).
_MOST = 125_000


@dataclass(frozen=True, slots=True)
class Rollback:
    """What is taken back: the release, the one that becomes the latest again (None: there is none), and why."""

    bad: ForgeRelease
    good: ForgeRelease | None
    reason: str


def rollback(tag: str, to: str, reason: str, releases: Iterable[ForgeRelease], form: TagFormat) -> Rollback:
    """Which release is taken back and which one is used instead: `to`, or the highest stable published one below it with a tag of the same form.

    Raises UsageError where one of them is not there, or `to` makes no sense.
    """
    known = {release.tag: release for release in releases}
    if tag not in known:
        raise UsageError(f"There is no release of {tag[:80]!r}; it has {', '.join(list(known)[:10]) or 'none'}.")
    usable = {name: version for name, release in known.items() if name != tag and _usable(release) and (version := _version(name, form)) is not None}
    if to:
        if to not in usable:
            raise UsageError(f"{to[:80]!r} cannot be used instead of {tag}: it is no published stable release, or was taken back itself.")
        return Rollback(known[tag], known[to], reason)
    bad = _version(tag, form)
    below = {name: version for name, version in usable.items() if bad is None or version.precedence < bad.precedence}
    best = max(below, key=lambda name: below[name].precedence, default=None)
    return Rollback(known[tag], known[best] if best else None, reason)


def rollback_operations(plan: Rollback) -> tuple[Operation, ...]:
    """The writes, in order: the good one is found before the bad one steps back."""
    tag, found = plan.bad.tag, []
    if plan.good is not None:
        found.append(Operation(
            REPOINT, plan.good.tag, f"{tag} is taken back: {plan.reason}", f"Make {tag} the latest again by hand.", f"{REPOINT}:{plan.good.tag}:{tag}",
        ))  # fmt: skip
    found.append(Operation(
        DEMOTE, tag, plan.reason, "Take the banner out and the mark as prerelease off by hand.", f"{DEMOTE}:{tag}",
        parameters=(("instead", plan.good.tag if plan.good else "none"),),
    ))  # fmt: skip
    return tuple(found)


def reissue(plan: Rollback) -> str:
    """What to do next, in one sentence. The bad tag stays, so the next version is above it."""
    version = plan.bad.tag
    since = f"since {plan.good.tag} " if plan.good else ""
    return f"Reissue: revert what is wrong {since}on the branch, as commits `revert: …` or `fix: …`; the next release is then above {version}, whose tag stays."


@dataclass(frozen=True, slots=True)
class RollbackSteps:
    """Does the writes; each looks first."""

    plan: Rollback
    releases: Releases

    def appliers(self) -> Mapping[str, Applier]:
        """By kind of operation."""
        return {REPOINT: self.repoint, DEMOTE: self.demote}

    def repoint(self, operation: Operation) -> str:
        """Make the good one the latest."""
        latest = self.releases.latest()
        if latest is not None and latest.tag == operation.target:
            raise AlreadyDone("It is the latest.")
        self.releases.update(self._found(operation.target), latest=True)
        return "It is the latest again."

    def demote(self, operation: Operation) -> str:
        """Mark the bad one, once."""
        release = self._found(operation.target)
        if _BANNER in release.body and (release.prerelease or not self.releases.drafts):
            raise AlreadyDone("It is marked as taken back.")
        self.releases.update(release, body=marked(self.plan, release.body), prerelease=True if self.releases.drafts else None)
        return "It is marked as taken back."

    def _found(self, tag: str) -> ForgeRelease:
        release = self.releases.find(tag)
        if release is None:
            raise NotFound(f"There is no release of {tag} any more.")
        return release


def marked(plan: Rollback, body: str) -> str:
    """The text of a release with the banner above it, once."""
    if _BANNER in body:
        return body
    use = f" Use {plan.good.tag} instead." if plan.good else ""
    return f"{_BANNER}\n> [!WARNING]\n> This release was taken back: {plan.reason[:_LONGEST_REASON]}{use}\n\n{body}"[:_MOST]


def _usable(release: ForgeRelease) -> bool:
    return not release.draft and not release.prerelease and _BANNER not in release.body


def _version(tag: str, form: TagFormat) -> Version | None:
    version = form.version(tag)
    return version if version is not None and version.stable else None
