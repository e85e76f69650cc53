"""A watch looks, acts by the decision, goes on to the next stage, and can be taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tests.servers.clock import START, FakeClock

from cicd_agents.agents.guardian_watch import MOST_ENTRIES, Watch, Watched, begun, fits, noted
from cicd_agents.analysis.canary import default_policy
from cicd_agents.domain.canary import Decision, Judgement, Status, Strategy
from cicd_agents.domain.guardian import WatchState

POLICY = default_policy()
_STATUS = {Decision.PROMOTE: Status.PASS, Decision.ROLLBACK: Status.FAIL, Decision.HOLD: Status.INCONCLUSIVE}


@dataclass
class Scene:
    """A watch whose looks are told beforehand; after the last one it holds. `found_at`: the stage that the traffic shows, whatever the state says."""

    decisions: tuple[Decision, ...]
    moves: Callable[[float | None], bool] | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    found_at: int | None = None
    kept: list[WatchState] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    shares: list[float | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.following: Iterator[Decision] = iter(self.decisions)

    def look(self, state: WatchState) -> Judgement:
        self.stages.append(state.stage)
        decision = next(self.following, Decision.HOLD)
        stage = state.stage if self.found_at is None else self.found_at
        return Judgement(_STATUS[decision], decision, f"{decision} at {state.stage}.", Strategy.CANARY, stage, POLICY.stages[stage].share, 1.0)

    def promote(self, _judgement: Judgement, share: float | None) -> bool:
        self.shares.append(share)
        return self.moves is not None and self.moves(share)

    def run(self, seconds: float = 3600, state: WatchState | None = None) -> Watched:
        promote = self.promote if self.moves else None
        watch = Watch(self.look, POLICY, self.clock, promote, self.kept.append, self.said.append, seconds, 60)
        return watch.run(state or begun(POLICY, "api", "prod", "v2", START, 0))


def test_a_rollback_ends_the_watch_at_once() -> None:
    scene = Scene((Decision.HOLD, Decision.ROLLBACK, Decision.PROMOTE))
    ended = scene.run()
    assert (ended.judgement.decision, ended.timed_out, ended.state.ended) == (Decision.ROLLBACK, False, "rollback")
    assert scene.clock.now() == START + 60
    assert scene.kept[-1] == ended.state


def test_without_a_way_to_promote_one_stage_is_all() -> None:
    scene = Scene((Decision.PROMOTE,))
    ended = scene.run()
    assert (ended.judgement.decision, ended.state.ended, scene.stages) == (Decision.PROMOTE, "promote", [0])


def test_it_goes_from_stage_to_stage_and_gives_all_traffic_at_the_end() -> None:
    scene = Scene((Decision.PROMOTE,) * 4, moves=lambda _: True)
    ended = scene.run()
    assert scene.stages == [0, 1, 2, 3]
    assert scene.shares == [0.25, 0.5, None]
    assert [share for _, share in ended.state.stages] == [0.05, 0.25, 0.5, 1.0]
    assert ended.judgement.decision is Decision.PROMOTE


def test_a_promotion_that_is_not_done_ends_the_watch_in_its_stage() -> None:
    scene = Scene((Decision.PROMOTE, Decision.PROMOTE), moves=lambda _: False)
    ended = scene.run()
    assert (ended.state.stage, scene.stages) == (0, [0])


def test_a_promotion_that_is_not_done_is_left_to_the_next_run() -> None:
    waiting = Scene((Decision.PROMOTE,), moves=lambda _: False).run()
    assert fits(waiting.state, POLICY, "api", "prod", "v2")
    done = Scene((Decision.PROMOTE, Decision.PROMOTE), moves=lambda _: True)
    done.run(state=replace(waiting.state, stage=2))
    assert done.shares == [None]


def test_it_says_the_stage_that_was_judged() -> None:
    scene = Scene((Decision.PROMOTE,), found_at=2)
    scene.run()
    assert scene.said == ["Stage 3 of 4: promote. promote at 0."]


def test_when_the_time_is_up_it_says_so_and_keeps_the_state_open() -> None:
    scene = Scene((), moves=lambda _: True)
    ended = scene.run(150)
    assert ended.timed_out
    assert ended.state.ended == ""
    assert scene.stages == [0, 0, 0, 0]  # at once, after 60, 120 and 150 seconds
    assert len(scene.said) == 1  # the same sentence is said once


def test_no_seconds_are_one_look() -> None:
    scene = Scene(())
    assert scene.run(0).timed_out
    assert (scene.stages, scene.clock.now()) == ([0], START)


def test_a_watch_is_taken_up_in_its_stage() -> None:
    first = Scene((Decision.PROMOTE,), moves=lambda _: True).run(0)
    second = Scene((Decision.ROLLBACK,), moves=lambda _: True)
    assert fits(first.state, POLICY, "api", "prod", "v2")
    assert second.run(0, first.state).state.stage == 1
    assert second.stages == [1]


def test_a_state_fits_only_the_same_version_that_has_not_ended() -> None:
    state = begun(POLICY, "api", "prod", "v2", START, 0)
    assert fits(state, POLICY, "api", "prod", "v2")
    assert not fits(None, POLICY, "api", "prod", "v2")
    assert not fits(state, POLICY, "api", "prod", "v3")
    assert not fits(state, POLICY, "api", "dev", "v2")
    assert not fits(Scene((Decision.ROLLBACK,)).run().state, POLICY, "api", "prod", "v2")
    assert not fits(begun(POLICY, "api", "prod", "v2", START, 3), default_policy(Strategy.BLUE_GREEN), "api", "prod", "v2")


def test_the_timeline_is_bounded_and_does_not_repeat_itself() -> None:
    state = begun(POLICY, "api", "prod", "v2", START, 0)
    assert noted(noted(state, 1, "x"), 2, "x").timeline == noted(state, 1, "x").timeline
    for number in range(MOST_ENTRIES + 50):
        state = noted(state, number, str(number))
    assert len(state.timeline) == MOST_ENTRIES
    assert state.timeline[-1].text == str(MOST_ENTRIES + 49)
