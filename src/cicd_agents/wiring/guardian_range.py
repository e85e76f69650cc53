"""Between which commits a rollback goes: as a person or the tool names them, else as the tags of the images do."""

from __future__ import annotations

from cicd_agents.clients.git import GitRepository
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import KnownRevision
from cicd_agents.operations.guardian_versions import names_of_commits, whole_commits


def commits_between(bad: KnownRevision | None, good: KnownRevision | None, sha: str, revert_from: str, repository: GitRepository) -> tuple[str, str] | None:
    """The bad and the good commit; None where they are not known. `sha` is the commit of this job, `revert_from` the good one as the settings name it.

    Tags of images name the good one only where by the same rule they name the bad one's own commit: else they may be of another repository.
    """
    newest = _own(bad) or sha
    oldest = revert_from or _own(good) or (_by_tags(bad, good, newest, repository) if bad and good and newest else "")
    return (newest, oldest) if newest and oldest and newest != oldest else None


def _own(revision: KnownRevision | None) -> str:
    found = whole_commits(revision) if revision else ()
    return found[0] if len(found) == 1 else ""


def _by_tags(bad: KnownRevision, good: KnownRevision, newest: str, repository: GitRepository) -> str:
    """The one commit that all images name which both versions have, and whose tag of the bad version is that of `newest`."""
    of_bad, of_good = names_of_commits(bad), names_of_commits(good)
    names = sorted({name for names in (*of_bad.values(), *of_good.values()) for name in names})
    try:
        known = repository.commits([newest, *names])
    except UsageError:
        return ""  # no clone, or a tag that cannot be one of Git
    shared = [image for image, tags in of_bad.items() if image in of_good and _one(known, tags) and _one(known, tags) == known[newest]]
    commits = {_one(known, of_good[image]) for image in shared}
    return commits.pop() if len(commits) == 1 else ""


def _one(known: dict[str, str | None], names: tuple[str, ...]) -> str:
    """The commit that these names mean, where they mean one."""
    found = {commit for name in names if (commit := known[name])}
    return found.pop() if len(found) == 1 else ""
