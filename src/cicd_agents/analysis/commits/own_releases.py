"""Commits that release tools make themselves: they tell of a release, not of a change."""

from __future__ import annotations

import re

from cicd_agents.domain.release import Change

_VERSION = r"v?\d+\.\d+(?:\.\d+)?(?:[-+.][0-9A-Za-z.+-]+)?"
_TAIL = r"(?:\s*\[(?:skip ci|ci skip|skip[ -]\w+)\])*(?:\s*\([#!]\d+\))?\s*"
# "1.2.3", "v1.2.3 (#12)", "pkg@1.2.3", "core/v1.2.3"; "Release v1.2.3", "Bump version to 1.2.3", "bump: version 1.2.3 → 1.3.0", "Version Packages".
_TITLE = re.compile(
    rf"(?:(?:[@\w./-]{{1,100}}[@/])?{_VERSION}|version packages(?: \([\w-]+\))?"
    rf"|(?:prepare )?(?:for )?releas(?:e|ing):?(?: version)? {_VERSION}|bump(?:ed)?:?(?: version)?(?: from| to|:)? {_VERSION}(?: (?:→|->|to) {_VERSION})?"
    rf"|\[maven-release-plugin\] .{{1,200}}){_TAIL}",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    rf"(?:(?:prepare |cut )?(?:for |the |a |new )?releas(?:e|ing)\b.*|publish(?: releases?| packages?| v?\d.*)?{_TAIL}"
    rf"|(?:bump |update )?(?:the )?version(?: bump)?(?: to| from)? {_VERSION}.*"
    rf"|(?:[@\w./-]{{1,100}}@)?{_VERSION}\b.*)",
    re.IGNORECASE,
)
_FIRST = frozenset("0123456789vV@[bBrRpPcC")
# Types under which tools and people file it.
_TYPES = frozenset({"chore", "build", "ci", "release", "bump"})
_WORKFLOW = re.compile(r"release (?:workflow|notes|please|process|script|job|config|branch|action|pipeline|drafter|page|doc)", re.IGNORECASE)


def is_own_release(change: Change) -> bool:
    """Whether the commit is one of a release itself: `chore(release): …`, `chore(main): release 1.2.3`, `bump: version …`, or a version alone.

    Not one that forces a version: it is an order to the tool, not its work.
    """
    if change.release_as or change.breaking or (change.type and change.type not in _TYPES):
        return False
    subject = change.subject[:300]
    if not change.type or change.type == "bump":
        title = f"bump: {subject}" if change.type else subject
        return title[:1] in _FIRST and _TITLE.fullmatch(title) is not None
    return _SUBJECT.fullmatch(subject) is not None and not _WORKFLOW.match(subject)
