"""A bad version is taken back through Argo CD, checked, reverted in Git, and told where that fails: once, however often the run is killed and begun again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
from tests.operations.guardian_rig import DEPLOYMENT, GONE, Fate, Production, statuses
from tests.operations.promotion_rig import Killed, Log
from tests.servers.argocd import ArgoCDServer
from tests.servers.clock import START
from tests.servers.github import GitHub
from tests.servers.http_server import Reply

from cicd_agents.domain.errors import NotAllowed, ServiceError, Unavailable
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.apply import Applier, apply
from cicd_agents.operations.delivery_argocd import PAUSE, RESUME, ROLLBACK
from cicd_agents.operations.delivery_argocd_standing import Habits
from cicd_agents.operations.delivery_way import DeliveryWay
from cicd_agents.operations.guardian_incident import OPEN_INCIDENT, TELL_INCIDENT
from cicd_agents.operations.guardian_recovery import VERIFY
from cicd_agents.operations.guardian_revert import REVERT
from cicd_agents.operations.guardian_rollback import Intent, carry_out_rollback, plan, promotion_operations, resume_operations
from cicd_agents.operations.policy import Mode
from cicd_agents.operations.transaction import code_of

APPLIED, ALREADY, FAILED, PLANNED, REFUSED = (
    OperationStatus.APPLIED, OperationStatus.ALREADY_DONE, OperationStatus.FAILED, OperationStatus.PLANNED, OperationStatus.REFUSED,
)  # fmt: skip
GOOD_END = {PAUSE: APPLIED, ROLLBACK: APPLIED, VERIFY: APPLIED, REVERT: APPLIED}


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Production]:
    yield from made(tmp_path / "production")


def made(folder: Path) -> Iterator[Production]:
    folder.mkdir()
    with ArgoCDServer() as server, GitHub() as hub:
        assert isinstance(server, ArgoCDServer)
        production = Production(folder, server, hub)
        yield production
        production.close()
        assert (server.problems, hub.server.problems) == ([], [])


def is_back(production: Production, where: object = "") -> None:
    """One rollback and one request; the old version runs; automated sync waits for the merge; nobody was alarmed."""
    assert production.app.live == [production.old], where
    assert production.app.status["health"]["status"] == "Healthy", where
    assert production.app.automated is None, where
    assert production.server.rollbacks == [0], where
    assert len(production.pulls()) == 1, where
    assert (production.incidents(), production.told) == ([], []), where
    head = next(name for name in production.branches() if name != "main")
    assert production.show("deploy/api.yaml", head) == DEPLOYMENT.format("1.1.0").rstrip("\n"), where


def test_a_bad_version_is_taken_back_verified_and_reverted_in_git(production: Production) -> None:
    done = production.run()
    assert statuses(done) == GOOD_END, done
    is_back(production)
    assert code_of(done, dry_run=False) is None
    assert [one.target for one in done] == ["argocd:api"] * 4
    assert done[2].result.startswith(f"It is at {production.old} history=0, healthy, and the metrics are back to normal, after ")


def test_from_the_decision_to_the_recovery_it_takes_few_calls_and_a_quarter_of_a_minute(production: Production) -> None:
    production.run(production.intent(revert=False))
    # Look, two rights; look and patch; look and roll back; looks: it is asked for, runs, has just ended, healthy, healthy.
    assert len(production.server.requests) == 11
    assert [request.method for request in production.server.requests if request.method != "GET"] == ["PATCH", "POST"]
    assert production.clock.now() - START < 15


def test_the_first_look_after_the_rollback_is_at_once(production: Production) -> None:
    production.app.sync_looks = production.app.health_looks = 0
    production.run(production.intent(revert=False))
    assert production.clock.slept[:2] == [1.0, 2.0]  # the second between two writes of one client, and the first pause


def test_a_dry_run_writes_nothing_and_says_what_would_be_done(production: Production) -> None:
    done = production.run(mode=Mode.DRY_RUN)
    assert {one.status for one in done} == {PLANNED}
    assert [one.kind for one in done] == [PAUSE, ROLLBACK, VERIFY, REVERT]
    assert all(request.method == "GET" for request in production.requests)


def test_an_approval_that_is_missing_stops_the_row_before_anything_is_written(production: Production) -> None:
    planned = plan(production.way(), production.intent())
    waiting = tuple(replace(one, status=OperationStatus.NEEDS_APPROVAL) if one.kind == PAUSE else one for one in planned.operations)
    assert [one.kind for one in waiting] == [PAUSE, ROLLBACK, VERIFY, REVERT, OPEN_INCIDENT, TELL_INCIDENT]
    done = carry_out_rollback(waiting, {}, lambda _done: {}, Mode.AUTO, Log(), production.clock)
    assert statuses(done) == {PAUSE: OperationStatus.NEEDS_APPROVAL, ROLLBACK: PLANNED, VERIFY: PLANNED, REVERT: PLANNED}


# What is refused


def test_another_version_than_the_one_that_was_judged_is_never_taken_back(production: Production) -> None:
    done = production.run(production.intent(judged=("registry/api:1.3.0",)))
    assert {one.status for one in done} == {REFUSED}
    assert "registry/api:1.2.0, but what was judged is registry/api:1.3.0: another version was deployed meanwhile." in done[0].result
    assert production.server.rollbacks == []
    assert code_of(done, dry_run=False) == 1


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ((), "It is not known which version was judged"),
        (("sha256:" + "c" * 64,), "It cannot be seen whether"),
        (("registry/web:1.2.0",), "another version was deployed"),
        (("c" * 40,), "another version was deployed"),
    ],
)
def test_what_cannot_be_matched_with_what_was_judged_is_refused(production: Production, judged: tuple[str, ...], words: str) -> None:
    assert words in " ".join(plan(production.way(), production.intent(judged=judged)).refusals)


def test_the_commit_or_the_tools_own_name_of_the_version_is_as_good_as_the_image(production: Production) -> None:
    standing = production.way().look()
    assert standing.current is not None
    for judged in (production.bad, production.bad[:9], standing.current.id, standing.current.version, "1.2.0", "v1.2.0"):
        assert plan(production.way(), production.intent(judged=(judged,))).refusals == (), judged


def test_without_a_revision_that_is_known_to_be_good_nothing_is_taken_back_but_one_may_be_named(production: Production) -> None:
    production.app.history[0]["deployedAt"] = production.app.history[1]["deployedAt"]
    refused = plan(production.way(), production.intent())
    assert refused.operations == ()
    assert "None of the earlier revisions of argocd:api is known to be good; name one by rollback-to (" in refused.refusals[0]
    assert "it stayed for 0 minutes" in refused.refusals[0]
    assert plan(production.way(), production.intent(wished="0")).to is not None
    assert statuses(production.run(production.intent(wished=production.old[:10]))) == GOOD_END


@pytest.mark.parametrize(("wished", "words"), [("9", "knows no revision '9'"), ("1", "1 is what runs now"), ("registry/api:1.2.0", "is what runs now")])
def test_a_wish_that_makes_no_sense_is_refused(production: Production, wished: str, words: str) -> None:
    assert words in " ".join(plan(production.way(), production.intent(wished=wished)).refusals)


def test_a_first_deployment_cannot_be_taken_back(production: Production) -> None:
    del production.app.history[0]
    assert "knows no earlier revision" in plan(production.way(), production.intent()).refusals[0]


def test_argo_cd_knows_no_freeze(production: Production) -> None:
    refused = plan(production.way(), production.intent(freeze=True))
    assert refused.operations == ()
    assert "argocd:api knows no freeze" in refused.refusals[0]


def test_an_application_that_an_application_set_makes_is_refused_unless_that_is_allowed(production: Production) -> None:
    production.app.data["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "shops"}]
    assert "made by the ApplicationSet shops, which puts automated sync back" in plan(production.way(), production.intent()).refusals[0]
    production.habits = Habits(allow_owned=True)
    assert statuses(production.run()) == GOOD_END


def test_a_right_that_lacks_is_found_before_anything_is_written(production: Production) -> None:
    production.server.rights = {"get", "sync"}
    refused = plan(production.way(), production.intent()).refusals
    assert refused == ("Automated sync is on, and the token lacks the right `applications, update` to switch it off.",)


# What is not back


def test_a_rollback_that_fails_opens_one_incident_and_tells_it_once(production: Production) -> None:
    production.server.failing = {production.old}
    done = production.run()
    assert statuses(done) == {PAUSE: APPLIED, ROLLBACK: APPLIED, VERIFY: FAILED, REVERT: PLANNED, OPEN_INCIDENT: APPLIED, TELL_INCIDENT: APPLIED}
    assert "argocd:api did not recover: Its last sync failed: one or more objects failed to apply." in done[2].result
    assert len(production.incidents()) == 1
    assert "did not recover" in production.incidents()[0]
    assert production.told == [next(f"{production.hub.url}/issues/{number}" for number in production.hub.issues)]
    assert code_of(done, dry_run=False) == 3
    again = production.run()
    assert (again[-2].status, again[-1].status) == (ALREADY, ALREADY)
    assert (len(production.incidents()), len(production.told)) == (1, 1)


def test_what_is_not_healthy_in_time_is_said(production: Production) -> None:
    production.server.broken.add(production.old)
    done = production.run(production.intent(recovery_seconds=30))
    assert done[2].result == "argocd:api did not recover within 30 s: it is not healthy (Degraded)."
    assert production.clock.now() - START < 60


def test_metrics_that_do_not_come_back_are_said(production: Production) -> None:
    production.not_recovered = lambda: "The error rate is still 4.9 %."
    done = production.run(production.intent(recovery_seconds=60))
    assert done[2].result == "argocd:api did not recover within 60 s: The error rate is still 4.9 %."
    assert statuses(done)[OPEN_INCIDENT] is APPLIED


def test_a_pod_that_falls_over_between_two_looks_is_not_taken_for_recovery(production: Production) -> None:
    told = iter([None, "it is bad again", None, None])
    production.not_recovered = lambda: next(told)
    assert statuses(production.run()) == GOOD_END
    assert next(told, "all were asked") == "all were asked"


def test_somebody_who_deploys_the_bad_version_again_is_noticed(production: Production) -> None:
    def back(_app: object) -> None:
        if production.app.live == [production.old]:
            production.server.deployed(production.app, [production.bad])

    production.server.after = back
    done = production.run(production.intent(recovery_seconds=40))
    assert f"it runs {production.bad}" in done[2].result


def test_a_revert_that_conflicts_fails_with_the_commands_by_hand_and_is_no_incident(production: Production) -> None:
    production.sources.commit("fix: replicas", {"deploy/api.yaml": DEPLOYMENT.format("1.2.1")})
    production.sources.git("push", "--quiet", "origin", "main")
    done = production.run()
    assert statuses(done) == {**GOOD_END, REVERT: FAILED}
    assert "deploy/api.yaml was changed on main since, in the same place. By hand: `git switch -c cicd-agents/revert-" in done[3].result
    assert (production.incidents(), production.pulls(), code_of(done, dry_run=False)) == ([], [], 3)


# Again


def test_a_second_run_finds_that_all_is_done(production: Production) -> None:
    production.run()
    again = production.run()
    assert statuses(again) == {PAUSE: ALREADY, ROLLBACK: ALREADY, VERIFY: APPLIED, REVERT: ALREADY}
    is_back(production)
    assert production.last is not None
    assert production.last.done


def test_a_request_that_was_closed_by_a_person_is_not_opened_again(production: Production) -> None:
    production.run()
    pull = next(issue for issue in production.hub.issues.values() if issue.pull)
    assert pull.pull is not None
    pull.state = pull.pull.state = "closed"
    done = production.run()
    assert done[-1].status is ALREADY
    assert "was closed and is not opened again" in done[-1].result
    assert len(production.pulls()) == 1


def test_a_new_fix_that_was_deployed_after_the_bad_version_is_not_taken_back(production: Production) -> None:
    production.server.refs["main"] = "d" * 40
    production.server.deployed(production.app, ["d" * 40])
    assert "another version was deployed meanwhile" in plan(production.way(), production.intent(judged=(production.bad,))).refusals[0]


def test_automated_sync_comes_back_as_it_was_when_the_revert_is_merged_and_not_before(production: Production) -> None:
    production.run()
    way = production.way()
    early = resumed(production, way.look())
    assert early.status is FAILED
    assert "which api left by a rollback; automated sync would bring it back. Merge the revert first." in early.result
    production.server.refs["main"] = production.hub.merge(next(number for number, issue in production.hub.issues.items() if issue.pull))
    assert production.show("deploy/api.yaml", "main") == DEPLOYMENT.format("1.1.0").rstrip("\n")
    done = resumed(production, way.look())
    assert (done.status, production.app.automated) == (APPLIED, {"prune": True, "selfHeal": True})
    assert "annotations" not in production.app.data["metadata"] or production.app.data["metadata"]["annotations"] == {}
    assert resume_operations(production.way(), way.look(), "Again.") == ()


def resumed(production: Production, standing: DeliveryStanding) -> Operation:
    way = production.way()
    operations = resume_operations(way, standing, "The revert is merged.")
    assert [one.kind for one in operations] == [RESUME]
    return apply(operations, way.appliers(), Mode.AUTO, Log(), production.clock)[0]


def calls_of_a_run(folder: Path, failing: bool) -> int:
    for production in made(folder):
        production.server.failing = {production.old} if failing else set()
        fate = Fate()
        production.run(fate=fate)
    return fate.calls


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failing", [False, True])
def test_killed_at_any_call_and_run_again_it_ends_the_same(tmp_path: Path, after: bool, failing: bool) -> None:
    calls = calls_of_a_run(tmp_path / "whole", failing)
    assert calls >= 12
    twice = []
    for at in range(calls):
        for production in made(tmp_path / f"{at}"):
            production.server.failing = {production.old} if failing else set()
            with suppress(Killed):
                production.run(fate=Fate(at, after))
                pytest.fail(f"It was not killed at {at}.")
            done = production.run()
            if not failing:
                assert {one.status for one in done} <= {APPLIED, ALREADY}, (at, done)
                is_back(production, at)
            else:
                assert statuses(done)[VERIFY] is FAILED, (at, done)
                assert len(production.incidents()) == 1, at
                twice += [at] if len(production.told) == 2 else []
                assert len(production.told) in (1, 2), at
    # A message cannot be looked for: killed between sending it and noting that, it is sent again.
    assert len(twice) == (1 if failing else 0)


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["before it has an effect", "after it had its effect"])
def test_argo_cd_gone_from_any_call_on_and_a_second_run_finishes(tmp_path: Path, effect: str) -> None:
    for at in range(1, 11):
        for production in made(tmp_path / f"{at}"):
            production.server.dead_from, production.server.dead_after_work = at, effect.startswith("after")
            with suppress(ServiceError):
                done = production.run()
                assert FAILED in {one.status for one in done} or statuses(done) == GOOD_END, (at, done)
            production.server.dead_from = None
            done = production.run()
            assert {one.status for one in done} <= {APPLIED, ALREADY}, (at, done)
            assert (production.server.rollbacks, production.app.live, len(production.pulls())) == ([0], [production.old], 1), at


def test_github_gone_at_any_call_and_a_second_run_finishes(tmp_path: Path) -> None:
    for at in range(2):
        for production in made(tmp_path / f"{at}"):
            production.hub.server.faults = dict.fromkeys(range(at, 60), GONE)
            assert statuses(production.run()) == {**GOOD_END, REVERT: FAILED}
            production.hub.server.faults = {}
            assert production.run()[-1].status is APPLIED
            is_back(production, at)


@pytest.mark.parametrize(
    "fault", [Reply(429, b"", {"retry-after": "99999999"}), Reply(503), GONE, Reply(200, b"{}", {"content-length": "90"}, cut=1), Reply(200, b"<html>")]
)
@pytest.mark.parametrize("at", [3, 4, 5, 6, 7])
def test_a_fault_at_any_call_is_a_status_or_is_overcome(production: Production, fault: Reply, at: int) -> None:
    production.server.faults = dict.fromkeys(range(at, 400), fault)
    done = production.run(production.intent(recovery_seconds=20))
    failed = next(one for one in done if one.status is FAILED)
    assert failed.kind == {3: PAUSE, 4: PAUSE, 5: ROLLBACK, 6: ROLLBACK, 7: VERIFY}[at]
    assert "Argo CD" in failed.result
    assert statuses(done)[OPEN_INCIDENT] is APPLIED
    assert production.server.rollbacks == ([] if at < 7 else [0])


def test_one_lost_answer_to_the_rollback_is_overcome_by_a_look(production: Production) -> None:
    answer = production.server.handler

    def lost(request: object) -> Reply:
        reply = answer(request)  # type: ignore[arg-type]
        return GONE if request.method == "POST" else reply  # type: ignore[attr-defined]

    production.server.handler = lost
    assert statuses(production.run()) == GOOD_END
    is_back(production)


def test_a_target_that_cannot_be_seen_is_an_error_of_the_service(production: Production) -> None:
    production.server.faults = dict.fromkeys(range(40), Reply(503))
    with pytest.raises(Unavailable):
        plan(production.way(), production.intent())


def test_an_issue_that_cannot_be_opened_is_told_all_the_same(production: Production) -> None:
    production.server.failing = {production.old}
    production.hub.permissions.discard("issues: write")
    done = production.run()
    assert (statuses(done)[OPEN_INCIDENT], statuses(done)[TELL_INCIDENT], production.told) == (FAILED, APPLIED, [""])


def test_a_closed_incident_is_opened_again_when_the_rollback_fails_again(production: Production) -> None:
    production.server.failing = {production.old}
    production.run()
    issue = next(issue for issue in production.hub.issues.values() if not issue.pull)
    issue.state = "closed"
    assert statuses(production.run())[OPEN_INCIDENT] is APPLIED
    assert (issue.state, len(production.incidents())) == ("open", 1)


# Of any tool


@pytest.mark.parametrize("share", [0.25, None])
def test_a_promotion_is_planned_for_the_judged_version_alone(share: float | None) -> None:
    way = cast(DeliveryWay, Rollout())
    standing = DeliveryStanding("rollout:prod/api", KnownRevision("7d9", "registry/api:1.2.0"))
    planned, refusals = promotion_operations(way, standing, ("registry/api:1.2.0",), share, "Well.")
    assert ([one.parameters for one in planned], refusals) == ([(("share", str(share)),)], ())
    none, refusals = promotion_operations(way, standing, ("registry/api:1.3.0",), share, "Well.")
    assert (none, len(refusals)) == ((), 1)
    assert promotion_operations(way, replace(standing, obstacles=("It is paused.",)), ("1.2.0",), share, "Well.") == ((), ("It is paused.",))


def test_a_freeze_goes_without_a_known_good_revision_and_is_no_revert() -> None:
    planned = plan(cast(DeliveryWay, Rollout()), Intent(("registry/api:1.2.0",), "Bad.", freeze=True, revert=True))
    assert ([one.kind for one in planned.operations], planned.refusals) == (["Freeze", VERIFY, OPEN_INCIDENT, TELL_INCIDENT], ())


@dataclass(frozen=True)
class Rollout:
    """A tool with shares of the traffic."""

    target: str = "rollout:prod/api"

    def look(self) -> DeliveryStanding:
        return DeliveryStanding(self.target, KnownRevision("7d9", "registry/api:1.2.0"), share=0.25)

    def rollback(self, *_: object) -> tuple[Operation, ...]:
        raise NotAllowed("It was not asked for.")

    def promote(self, _standing: DeliveryStanding, share: float | None, why: str) -> tuple[Operation, ...]:
        return (Operation("SetShare", self.target, why, "", "SetShare", parameters=(("share", str(share)),)),)

    def freeze(self, *_: object) -> tuple[Operation, ...]:
        return (Operation("Freeze", self.target, "Bad.", "", "Freeze"),)

    def resume(self, *_: object) -> tuple[Operation, ...]:
        return ()

    def appliers(self) -> Mapping[str, Applier]:
        return {}

    def commands(self, *_: object) -> tuple[str, ...]:
        return ()
