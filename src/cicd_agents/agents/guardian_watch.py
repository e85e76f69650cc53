"""Watches a new version until it is decided: looks, acts by the decision, goes on to the next stage, and keeps what it needs to be taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from cicd_agents.domain.canary import CanaryPolicy, Decision, Judgement
from cicd_agents.domain.guardian import TimelineEntry, WatchState
from cicd_agents.domain.ports import Clock

# The timeline of a day's watch, at one look a minute, holds its changes only; more than this is cut at the front.
MOST_ENTRIES = 200


class Looks(Protocol):
    """One look at the new version."""

    def __call__(self, state: WatchState) -> Judgement:
        """The judgement now; of what cannot be seen it says so and does not raise."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """How a watch ended: the last judgement, the state to be kept, whether the time was up before it was decided, and whether it was given up."""

    judgement: Judgement
    state: WatchState
    timed_out: bool = False
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """`promote` gives the next share (None: all) and says whether it was done; None: somebody else moves the traffic, so one stage is all.

    `keep` stores the state after every change, so that a killed job can be taken up again. `seconds` is how long to watch, 0: one look.
    `in_vain` says whether looking again would tell no more.
    """

    look: Looks
    policy: CanaryPolicy
    clock: Clock
    promote: Callable[[Judgement, float | None], bool] | None
    keep: Callable[[WatchState], object]
    say: Callable[[str], object]
    seconds: float
    every: float
    in_vain: Callable[[], bool] = lambda: False

    def run(self, state: WatchState) -> Watched:
        """Watch from the state on."""
        end = self.clock.monotonic() + self.seconds
        said = ""
        while True:
            judgement = self.look(state)
            if judgement.reason != said:
                said = judgement.reason
                self.say(f"Stage {judgement.stage + 1} of {len(self.policy.stages)}: {judgement.decision}. {said}")
                state = self._kept(noted(state, self.clock.now(), f"{judgement.decision}: {said}"))
            if judgement.decision is Decision.ROLLBACK:
                return Watched(judgement, self._kept(replace(state, ended=str(judgement.decision))))
            if judgement.decision is Decision.PROMOTE:
                following = self._promoted(judgement, state)
                if following is None:
                    # A promotion that was not done, such as one that waits for an approval, is the next run's: it goes on in this stage.
                    return Watched(judgement, self._kept(replace(state, ended=str(judgement.decision))) if self._last(judgement, state) else state)
                state, said = following, ""
            left = end - self.clock.monotonic()
            if left <= 0:
                return Watched(judgement, state, timed_out=True)
            if self.in_vain():
                return Watched(judgement, state, given_up=True)
            self.clock.sleep(min(self.every, left))

    def _promoted(self, judgement: Judgement, state: WatchState) -> WatchState | None:
        """The state in the next stage; None where there is no further one to be watched here."""
        if self.promote is None or self._last(judgement, state):
            return None
        stage = _reached(judgement, state) + 1
        share = self.policy.stages[stage].share
        if not self.promote(judgement, share if share < 1 else None):
            return None
        now = self.clock.now()
        following = replace(state, stage=stage, stages=(*state.stages, (now, share)))
        return self._kept(noted(following, now, f"Promoted to {100 * share:g} % of the traffic."))

    def _last(self, judgement: Judgement, state: WatchState) -> bool:
        """Whether there is no further stage to be watched here: it is the last one, or somebody else moves the traffic."""
        return self.promote is None or _reached(judgement, state) + 1 >= len(self.policy.stages)

    def _kept(self, state: WatchState) -> WatchState:
        self.keep(state)
        return state


def _reached(judgement: Judgement, state: WatchState) -> int:
    """The stage that was judged: a later one than ours where the canary has more of the traffic than we gave it."""
    return max(state.stage, judgement.stage)


def begun(policy: CanaryPolicy, service: str, environment: str, version: str, since: float, stage: int) -> WatchState:
    """The state of a watch that begins."""
    return WatchState(service, environment, version, since, stage, ((since, policy.stages[stage].share),))


def fits(state: WatchState | None, policy: CanaryPolicy, service: str, environment: str, version: str) -> bool:
    """Whether a kept state is of this very watch and not ended: another version is watched from its beginning."""
    return (
        state is not None
        and not state.ended
        and (state.service, state.environment, state.version) == (service, environment, version)
        and 0 <= state.stage < len(policy.stages)
    )


def noted(state: WatchState, time: float, text: str) -> WatchState:
    """The state with an entry more; the same twice in a row is one."""
    if state.timeline and state.timeline[-1].text == text:
        return state
    return replace(state, timeline=(*state.timeline, TimelineEntry(time, text))[-MOST_ENTRIES:])
