"""Did a GitHub job go on as if nothing had failed after a step that failed? A step may have `continue-on-error`, which no log shows (pure).

Steps after a failure run where they say so (`if: always()`), so that they ran means little: only signs that a failed job does not give count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from cicd_agents.analysis.logs.phases import words_phase
from cicd_agents.analysis.logs.structure import Event, Kind


class _Step(Protocol):
    @property
    def first(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def failed(self) -> bool: ...
    @property
    def cleanup(self) -> bool: ...


# Actions that keep a cache in a post step which runs only if the job goes well (`post-if: success()` in their action.yml).
_KEEPS_CACHE = re.compile(r"^actions/(?:cache|setup-(?:node|python|go|java))@")
# What a step calls itself that may fail; a word of an option or path is of something else.
_MAY_FAIL = re.compile(
    r"(?i)(?:^|[^a-z])(?:experimental|optional|advisory|informational|non-?blocking|best-?effort|soft-?fail|may-?fail|allowed-?to-?fail|allow-?failures?)(?:$|[^a-z])"
)
# Steps that people let run after a failure too.
_AFTERMATH = re.compile(
    r"(?i)upload|artifact|report|summar|notif|slack|discord|teams|codecov|coveralls|comment|annotat|collect|outcome|status|\blogs?\b|\.log\b|clean|prune|tear|\bstop\b|\bdown\b"
    r"|delete|remove|cancel|@|\|\| *(?:true|:|echo)|\bkubectl\b.*\b(?:get|describe|top|events)\b|docker (?:ps|images|inspect)"
    r"|^(?:cat|ls|df|echo|rm|mv|cp|mkdir|du|free|ps|tail|head|find|tree|env|if|\[|gh)\b"
)
# Nobody lets these run after a failure: they give to users what the job made.
_RELEASES = re.compile(
    r"^(?:pypa/gh-action-pypi-publish|softprops/action-gh-release|actions/create-release|ncipollo/release-action|goreleaser/goreleaser-action|rubygems/release-gem)@"
    r"|^(?:(?:npm|pnpm|yarn|cargo|poetry|uv|flutter pub|dart pub) publish|(?:python\d? -m )?twine upload|gh release create|docker push|helm push|gem push"
    r"|npx semantic-release)\b(?!.*--dry-run)"
)


def released(steps: Sequence[_Step], events: Sequence[Event]) -> bool:
    """Whether a step after the last one that failed published a release."""
    return any(_RELEASES.match(step.name) for step in _steps_after_failure(steps, events))


def kept_its_cache(steps: Sequence[_Step], events: Sequence[Event]) -> bool:
    """Whether an action kept the cache, or found it kept, after the last failure: such a post step is left out where the job failed."""
    names = [step.name for step in steps]
    if not any(map(_KEEPS_CACHE.match, names)) or any("always" in name for name in names):
        return False
    last, end = _after_failure(events)
    after = [event.kind for event in events if last < event.line < end and event.kind in (Kind.STEP, Kind.CLEANUP, Kind.KEPT)]
    return any(before is Kind.CLEANUP and kind is Kind.KEPT for before, kind in pairwise(after))


def went_on(steps: Sequence[_Step], events: Sequence[Event]) -> bool:
    """Whether a step that builds, tests or deploys ran after the last one that failed, and nothing failed any more."""
    names = [step.name for step in _steps_after_failure(steps, events) if not _AFTERMATH.search(step.name)]
    return any(words_phase(" ".join(word for word in name.split() if "/" not in word)) in ("build", "test", "deploy") for name in names)


def may_fail(steps: Sequence[_Step]) -> bool:
    """Whether every step that failed calls itself experimental, optional or the like."""
    failed = [step.name for step in steps if step.failed]
    return bool(failed) and all(any(_MAY_FAIL.search(word) for word in name.split() if not re.search(r"^-|[=/]", word)) for name in failed)


def _steps_after_failure(steps: Sequence[_Step], events: Sequence[Event]) -> list[_Step]:
    last, end = _after_failure(events)
    return [step for step in steps if last < step.first < end and step.name and not step.cleanup]


def _after_failure(events: Sequence[Event]) -> tuple[int, int]:
    """The lines between which the same job went on: the last failure, and the end of its job (`gh run view --log` prints several jobs)."""
    last = max((event.line for event in events if event.kind in (Kind.FAILED, Kind.ERROR)), default=0)
    return last, min((event.line for event in events if event.kind is Kind.JOB_END and event.line > last > 0), default=0)
