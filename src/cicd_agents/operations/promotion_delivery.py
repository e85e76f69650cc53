"""Waits until an application of a delivery tool is where it should be: asks for the sync it needs, once, and looks until it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cicd_agents.domain.errors import RateLimited, Rejected, ServiceError, Unavailable
from cicd_agents.domain.forge import Delivery, DeliveryState
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.promotion import Unhealthy

# Seconds before the second look; later waits grow up to the longest one.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 5.0, 1.5, 30.0
# How often in a row an application must be healthy: between two looks pods may still fall over.
QUIET_LOOKS = 2
# Argo CD's words (docs, operator-manual/health; swagger, operationState.phase).
SYNCED, OUT_OF_SYNC, HEALTHY = "Synced", "OutOfSync", "Healthy"
RUNNING, FAILED = frozenset({"Running", "Terminating"}), frozenset({"Failed", "Error"})
_SYNC_WORDS = frozenset({SYNCED, OUT_OF_SYNC, "Unknown"})
_HEALTH_WORDS = frozenset({HEALTHY, "Progressing", "Degraded", "Suspended", "Missing", "Unknown"})


def looks(clock: Clock, seconds: float) -> Iterator[None]:
    """One look at once and more after growing waits, the last one when the time is up."""
    end, wait = clock.monotonic() + seconds, FIRST_WAIT
    while True:
        yield
        left = end - clock.monotonic()
        if left <= 0:
            return
        clock.sleep(min(wait, left))
        wait = min(wait * GROWTH, LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where an application should be. `target` is the revision that it follows, `before` how it stood before we did anything.

    `changed`: the revision that it follows was changed just now. `commit`: of a Git change, the commit that it must have, or a later one.
    """

    application: str
    target: str
    before: DeliveryState
    changed: bool
    seconds: float
    commit: str = ""


def words(state: DeliveryState) -> str:
    """How the application stands, in the tool's words; one that we don't know is marked."""
    sync = state.sync if state.sync in _SYNC_WORDS else f"{state.sync} (a word that is not known)"
    health = state.health if state.health in _HEALTH_WORDS else f"{state.health} (a word that is not known)"
    operation = f", operation {state.operation}" if state.operation in RUNNING | FAILED else ""
    return f"sync {sync}, health {health}{operation}{f': {state.message}' if state.message else ''}"


class Settling:
    """The wait for one goal."""

    def __init__(self, delivery: Delivery, clock: Clock, goal: Goal) -> None:
        self._delivery = delivery
        self._clock = clock
        self._goal = goal
        self._asked = False
        self._refused = False
        self._last: DeliveryState | None = None
        self._trouble = ""

    @property
    def asked(self) -> bool:
        """Whether a sync was started."""
        return self._asked

    def wait(self) -> DeliveryState:
        """How it stands once it is synced and healthy for two looks. Raises Unhealthy when the time is up or the sync failed, and ServiceError."""
        quiet = 0
        for _ in looks(self._clock, self._goal.seconds):
            state = self._look()
            quiet = quiet + 1 if state is not None and self._settled(state) else 0
            if state is not None and quiet >= QUIET_LOOKS:
                return state
            if state is not None and not quiet:
                self._advance(state)
        raise Unhealthy(self._given_up())

    def _look(self) -> DeliveryState | None:
        """How it stands; None where the tool does not answer, which may pass."""
        try:
            state = self._delivery.state(self._goal.application)
        except (Unavailable, RateLimited) as problem:
            self._trouble = str(problem)
            return None
        self._last, self._trouble = state, ""
        if state.target_revision != self._goal.target:
            raise Unhealthy(
                f"{self._goal.application} follows {state.target_revision} and not {self._goal.target} any more: somebody, or the ApplicationSet or "
                "application that makes it, sets it back. Promote such an environment by a Git change."
            )
        return state

    def _settled(self, state: DeliveryState) -> bool:
        return state.sync == SYNCED and state.health == HEALTHY and state.operation not in RUNNING and self._has_commit(state) and not self._failed(state)

    def _has_commit(self, state: DeliveryState) -> bool:
        """A branch only goes on, so a commit that is neither ours nor the one of before came after ours."""
        commit = self._goal.commit
        return not commit or commit in state.revision.split(",") or state.revision != self._goal.before.revision

    def _failed(self, state: DeliveryState) -> bool:
        """Whether a sync failed since we began; what failed before was for another revision, if that was changed."""
        before = self._goal.before
        seen_before = self._goal.changed and not self._asked and (state.operation, state.message) == (before.operation, before.message)
        return state.operation in FAILED and not seen_before

    def _advance(self, state: DeliveryState) -> None:
        """Ask for the sync that is missing. An application that syncs by itself gets one only where it has tried this revision and given up."""
        if state.operation in RUNNING:
            return
        if self._failed(state):
            if self._asked or self._goal.changed:
                raise Unhealthy(f"The sync of {state.application} to {self._goal.target} failed: {words(state)}.")
            self._sync()
        elif state.sync == OUT_OF_SYNC and not state.auto_sync and not self._asked:
            self._sync()

    def _sync(self) -> None:
        try:
            self._delivery.sync(self._goal.application, self._goal.target)
        except (Unavailable, RateLimited) as problem:
            self._trouble = str(problem)  # it may have started: the next look tells
        except Rejected:
            if self._refused:
                raise
            self._refused = True  # another sync may have started since we looked: the next look tells
        else:
            self._asked = True

    def _given_up(self) -> str:
        stands = words(self._last) if self._last else "it could not be seen"
        trouble = f" The last answer: {self._trouble}" if self._trouble else ""
        goal = self._goal
        return f"{goal.application} was not synced to {goal.commit or goal.target} and healthy within {goal.seconds:.0f} s: {stands}.{trouble}"


def seen(delivery: Delivery, application: str) -> tuple[DeliveryState | None, str]:
    """How an application stands for a plan, and words for it; without an answer only the words."""
    try:
        state = delivery.state(application)
    except ServiceError as problem:
        return None, str(problem)
    return state, words(state)
