"""Does a failure come and go, or is it real? The first of the rules below that has an answer gives it (pure); docs/changes.md explains them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from cicd_agents.analysis.flaky.interval import wilson
from cicd_agents.domain.ci import JobResult, Status
from cicd_agents.domain.doctor import Flaky
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.history import PastFailure, RerunRecord, Sightings

# With fewer sightings than this, one broken branch that others merged looks like a flaky test.
LEAST_SIGHTINGS = 3
# A claim that rests on a rate needs its 95 % interval on one side of this: more often than not.
EVEN = 0.5
MAX_EVIDENCE = 5
# What chance can bring about. Anything else that several branches fail with is a mistake that is easily made, or a right that forks don't have.
BY_CHANCE = frozenset({
    "test_failure", "test_flaky", "timeout", "dependency_network", "infrastructure_runner", "resource_quota", "out_of_memory", "disk_full",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FlakyFacts:
    """What is known of other runs. None: nobody looked, or nothing is known.

    `signature` is the rule that explains the failure; `wrapper`: its role is to report that another command failed. `on_commit` are the other results
    of the same job on commit `sha`, which is of the branch `head`; `on_branch` the newest results of the workflow on `branch`, newest first.
    `fails_on_base`: the newest run of `base` fails with the same fingerprint. `sightings` and `reruns` are of this fingerprint and this signature.
    """

    signature: str | None = None
    wrapper: bool = False
    category: str = ""
    transient: bool = False
    sha: str = ""
    head: str = ""
    branch: str = ""
    base: str = ""
    on_commit: tuple[JobResult, ...] = ()
    on_branch: tuple[JobResult, ...] = ()
    fails_on_base: bool | None = None
    sightings: Sightings | None = None
    reruns: RerunRecord | None = None

    @property
    def telling(self) -> bool:
        """Whether equal fingerprints mean equal failures: "exit code 1" is the same for all of them, and proves nothing."""
        return (self.signature or "generic").partition(".")[0] != "generic" and not self.wrapper


def judge(facts: FlakyFacts) -> Flaky:
    """The verdict with its reason, the pass rate of the other runs that were looked at (this one was chosen for failing), and where to see it."""
    answers = (rule(facts) for rule in (_same_commit, _base, _history, _reruns))
    verdict, reason, evidence = next((answer for answer in answers if answer), None) or ("unknown", _open(facts), _runs(_on_commit(facts)))
    counted = _decided((*_on_commit(facts), *_not_in(facts.on_branch, facts.on_commit)))
    passed = sum(result.status is Status.SUCCESS for result in counted)
    low, high = wilson(passed, len(counted))
    return Flaky(
        verdict=verdict, pass_rate=round(passed / len(counted), 4) if counted else None, runs=len(counted), reason=reason,
        interval=(round(low, 4), round(high, 4)) if counted else None, evidence=tuple(evidence)[:MAX_EVIDENCE],
    )  # fmt: skip


_Answer = tuple[str, str, Iterable[Evidence]]


def _same_commit(facts: FlakyFacts) -> _Answer | None:
    """The strongest proof there is, whatever the message says: nothing but chance differs. The reverse takes many failures."""
    results = _decided(_on_commit(facts))
    passes = [result for result in results if result.status is Status.SUCCESS]
    if passes:
        failures = [result for result in results if result.status is not Status.SUCCESS]
        told = f"{len(passes)} of {len(results)} other run{'s' if len(results) > 1 else ''} passed"
        return "yes", f"The same job passed and failed on the same commit ({told}).", _runs([*passes[: MAX_EVIDENCE - 1], *failures])
    if results and wilson(0, len(results))[1] < EVEN:
        return "no", f"It failed in all {len(results)} other runs of the same commit.", _runs(results)
    return None


def _base(facts: FlakyFacts) -> _Answer | None:
    if not facts.fails_on_base or not facts.telling:
        return None
    base = facts.base or "the base branch"
    seen = [past for past in facts.sightings.latest if past.branch == facts.base] if facts.sightings else []
    return "no", f"It also fails on {base}: its newest run fails in the same way, so it does not come from this change.", _sightings(seen)


def _history(facts: FlakyFacts) -> _Answer | None:
    """Seen in runs that have nothing to do with each other, and gone in between; or there in every run since it was first seen."""
    seen = facts.sightings
    if seen is None or not facts.telling:
        return None
    since = [result for result in _decided(facts.on_branch) if result.time is not None and result.time > seen.first]
    passes = [result for result in since if result.status is Status.SUCCESS]
    if not passes:
        here = any(past.branch == facts.branch for past in seen.latest)
        if not here or facts.fails_on_base is False or seen.count < 2 or len(since) < 2:
            return None
        return "no", f"No run on {facts.branch or 'the branch'} has passed since it was first seen ({len(since)} runs).", _sightings(seen.latest)
    if facts.category in BY_CHANCE and seen.count >= LEAST_SIGHTINGS and (_elsewhere(facts, seen, passes) or _came_back(facts, seen, passes)):
        places = f"on {len(seen.branches)} branches" if len(seen.branches) > 1 else "on several commits"
        return "yes", f"Likely: the same failure was seen {seen.count} times before, {places}, with good runs in between.", _sightings(seen.latest)
    return None


def _elsewhere(facts: FlakyFacts, seen: Sightings, passes: Iterable[JobResult]) -> bool:
    """Seen on two branches that are neither this one nor the one we know the runs of, while that was good."""
    others = {branch for branch in seen.branches if branch not in {facts.head, facts.branch}}
    return len(others) > 1 and any(result.time is not None and result.time < seen.last for result in passes)


def _came_back(facts: FlakyFacts, seen: Sightings, passes: Iterable[JobResult]) -> bool:
    """It went away and came back twice on the branch whose runs we know; once, it may have been mended and broken again."""
    ours = sorted(past.time for past in seen.latest if past.branch == facts.branch)
    if facts.head == facts.branch:
        ours.append(float("inf"))  # the run that we judge, the last of them
    good = [result.time for result in passes if result.time is not None]
    return sum(any(start < time < end for time in good) for start, end in pairwise(ours)) > 1


def _reruns(facts: FlakyFacts) -> _Answer | None:
    """What re-runs of the same rule came to: enough of them must have helped."""
    record = facts.reruns
    if record is None or not facts.telling or not 0 < record.helped <= record.tried or wilson(record.helped, record.tried)[0] <= EVEN:
        return None
    return "yes", f"Likely: re-runs of this kind of failure helped {record.helped} times out of {record.tried}.", _runs(_on_commit(facts))


def _open(facts: FlakyFacts) -> str:
    """Why there is no verdict."""
    failed = len(_decided(_on_commit(facts)))
    if failed:
        return f"It failed in {'the one other run' if failed == 1 else f'all {failed} other runs'} of the same commit; too few to say that it always does."
    if facts.transient:
        return "Failures of this kind often pass on a second try, but no other run of this commit shows it."
    if not facts.telling:
        return "The message is too general to be recognised in other runs, and no other run of this commit is known."
    return "No other run of this commit is known, and one run cannot tell."


def _on_commit(facts: FlakyFacts) -> tuple[JobResult, ...]:
    """The results that are of this commit indeed; an empty hash is the platform's silence."""
    return tuple(result for result in facts.on_commit if not facts.sha or not result.sha or result.sha == facts.sha)


def _decided(results: Iterable[JobResult]) -> list[JobResult]:
    """Those that passed or failed: a cancelled or skipped run says nothing."""
    return [result for result in results if result.status is Status.SUCCESS or result.status.failed]


def _not_in(results: Iterable[JobResult], others: Iterable[JobResult]) -> Iterator[JobResult]:
    known = {(other.run.id, other.run.attempt) for other in others}
    return (result for result in results if (result.run.id, result.run.attempt) not in known)


def _runs(results: Iterable[JobResult]) -> Iterator[Evidence]:
    for result in results:
        if result.status is Status.SUCCESS or result.status.failed:
            ended = "passed" if result.status is Status.SUCCESS else "failed"
            yield Evidence("run", result.url or result.run.id, f"{ended} on commit {result.sha[:7]}" if result.sha else ended)


def _sightings(seen: Iterable[PastFailure]) -> Iterator[Evidence]:
    return (Evidence("run", past.url or past.run_id, f"failed in the same way on {past.branch or 'another branch'}, commit {past.sha[:7]}") for past in seen)
