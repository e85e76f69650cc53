"""The guardian and progressive delivery: a real Prometheus, and Argo Rollouts, Flagger, Flux, Istio and NGINX as their controllers and CRDs have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.agents.guardian_metrics_data import Text
from tests.servers.clock import START
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer
from tests.servers.kubernetes_custom_flagger import FlaggerController, canary, canary_ingress, virtual_service, weighed_by_flagger
from tests.servers.kubernetes_custom_flux import FluxController, git_repository, image_automation, kustomization
from tests.servers.kubernetes_custom_rollouts import ROUTED, RolloutsController, rollout
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import deployment
from tests.servers.prometheus import shared
from tests.servers.repositories import new_repository
from tests.wiring.guardian_cluster_data import BAD, NEW_IMAGE, OLD_IMAGE, pods, progressive, replica_set
from tests.wiring.guardian_cluster_rig import DAY, beside, clocked, image_patch, runs, writes
from tests.wiring.guardian_rig import Deployment

from cicd_agents.domain.errors import UsageError


@pytest.fixture
def cluster() -> Iterator[CustomServer]:
    with CustomServer() as server:
        yield server
    assert server.problems == []


def metrics(config: pytest.Config, *, bad: bool = False) -> str:
    """A Prometheus with the pods of the namespace `prod`: those of a Rollout, a primary of Flagger, and a Deployment `api-canary`. Bad ones are gone at 8."""
    text = Text()
    more = {"errors": BAD, "until": 8.0} if bad else {}
    progressive(text, "prod", pods(OLD_IMAGE, 4), pods(NEW_IMAGE, 4), **more)
    progressive(text, "prod", pods(OLD_IMAGE, 3, app="api-primary"), pods(NEW_IMAGE, 3, "api-canary"), **more)
    return shared(config, text.openmetrics()).url


@dataclass(frozen=True)
class Stand:
    """A cluster and what works beside it."""

    request: pytest.FixtureRequest
    folder: Path
    cluster: CustomServer

    def guard(self, settings: Mapping[str, str], *, bad: bool = False, minute: float = 0.0) -> Deployment:
        """A workspace so many minutes after the new version began."""
        found = beside(self.folder, metrics(self.request.config, bad=bad), self.cluster, **{"rollback": "auto", "promote": "auto", **settings})
        found.clock.advance(60 * minute)
        clocked(self.cluster, found.clock)
        return found


@pytest.fixture
def stand(request: pytest.FixtureRequest, tmp_path: Path, cluster: CustomServer) -> Stand:
    return Stand(request, tmp_path, cluster)


def kinds(report: dict[str, object]) -> list[tuple[str, str]]:
    return [(operation["kind"], operation["status"]) for operation in report["operations"]]  # type: ignore[attr-defined]


# Argo Rollouts

ROLLOUT = {"delivery": "rollout:prod/api"}
NEW_HASH, OLD_HASH = (replica_set(image).removeprefix("api-") for image in (NEW_IMAGE, OLD_IMAGE))


@pytest.fixture
def coming_in(cluster: CustomServer) -> None:
    """A Rollout that ran its old version for a day, whose new one waits at 5 % since just now."""
    roll_out(cluster)


def roll_out(cluster: CustomServer, strategy: Data | None = None) -> None:
    cluster.reactions.append(RolloutsController())
    cluster.now = START - DAY
    cluster.add(rollout(OLD_IMAGE, strategy=strategy))
    cluster.now = START
    bring_in(cluster, NEW_IMAGE)


def bring_in(cluster: CustomServer, image: str) -> None:
    cluster.edit("Rollout", "prod", "api", {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": image}]}}}})


def status(cluster: CustomServer) -> Data:
    found: Data = cluster.the("Rollout", "prod", "api")["status"]
    return found


def weight(cluster: CustomServer) -> int:
    """What the Rollout's canary gets, percent."""
    return int(status(cluster)["canary"]["weights"]["canary"]["weight"])


PROMOTED = [("PromoteRollout", "applied"), ("PromoteRollout", "applied"), ("PromoteRolloutFully", "applied")]


@pytest.mark.usefixtures("coming_in")
def test_a_healthy_rollout_is_promoted_stage_by_stage_in_one_watch(stand: Stand, cluster: CustomServer) -> None:
    ran = stand.guard(ROLLOUT).run("prod", watch="90")
    assert ran.code == 0, ran.out
    assert kinds(ran.report) == PROMOTED
    assert status(cluster)["stableRS"] == NEW_HASH
    details = ran.report["details"]
    assert (details["stage"], details["share"], details["canary_version"], details["baseline_version"]) == (4, 1.0, NEW_IMAGE, OLD_IMAGE)
    said = [entry["text"] for entry in details["timeline"] if entry["text"].startswith("Promoted")]
    assert said == [f"Promoted to {share} % of the traffic." for share in (25, 50, 100)]
    assert 60 <= details["minutes"] < 75


@pytest.mark.usefixtures("coming_in")
def test_the_next_job_goes_on_in_the_stage_where_the_last_one_ended(stand: Stand, cluster: CustomServer) -> None:
    guard = stand.guard({**ROLLOUT, "guardian_state": "state.json"})
    told = []
    for watch in ("3", "10", "22", "60"):
        ran = guard.run("prod", watch=watch)
        told.append((ran.code, ran.report["details"]["stage"], kinds(ran.report)))
    assert told == [(3, 1, []), (3, 2, PROMOTED[:1]), (3, 4, PROMOTED[1:]), (0, 4, [])]
    assert status(cluster)["stableRS"] == NEW_HASH
    assert guard.clock.now() - START < 75 * 60


@pytest.mark.usefixtures("coming_in")
def test_without_a_state_a_share_that_the_canary_has_is_not_given_again(stand: Stand, cluster: CustomServer) -> None:
    guard = stand.guard(ROLLOUT)
    assert guard.run("prod", watch="8").code == 3
    assert weight(cluster) == 25
    ran = guard.run("prod", watch="90")
    assert ran.code == 0, ran.out
    assert kinds(ran.report) == PROMOTED[1:]


@pytest.mark.usefixtures("coming_in")
def test_a_bad_rollout_is_aborted(stand: Stand, cluster: CustomServer) -> None:
    guard = stand.guard(ROLLOUT, bad=True, minute=8)
    ran = guard.run("prod")
    assert ran.code == 1, ran.out
    assert kinds(ran.report) == [("AbortRollout", "applied"), ("VerifyRecovery", "applied")]
    assert (weight(cluster), status(cluster)["stableRS"]) == (0, OLD_HASH)
    assert sum(guard.clock.slept) < 60


@pytest.mark.usefixtures("coming_in")
def test_a_bad_rollout_is_frozen_where_that_is_asked_for(stand: Stand, cluster: CustomServer) -> None:
    ran = stand.guard({**ROLLOUT, "freeze": "yes"}, bad=True, minute=8).run("prod")
    assert ran.code == 1, ran.out
    assert kinds(ran.report) == [("KeepAbortedPods", "applied"), ("AbortRollout", "applied"), ("VerifyRecovery", "applied")]
    assert weight(cluster) == 0
    assert any(NEW_IMAGE in str(each["spec"]) for each in cluster.all("Pod"))


@pytest.mark.usefixtures("coming_in")
def test_the_share_is_what_the_rollout_tells(stand: Stand, cluster: CustomServer) -> None:
    """Counts alone would say 25 % from minute 6 on."""
    details = stand.guard(ROLLOUT, minute=16).run("prod", promote="off").report["details"]
    assert (details["stage"], details["share"]) == (1, 0.05)


def test_steps_that_give_more_than_the_stage_are_refused_in_a_note(stand: Stand, cluster: CustomServer) -> None:
    steps = [{"setWeight": 5}, {"pause": {}}, {"setWeight": 80}, {"pause": {}}]
    roll_out(cluster, {"canary": {"steps": steps, "trafficRouting": ROUTED, "canaryService": "api-canary", "stableService": "api"}})
    ran = stand.guard(ROLLOUT).run("prod", watch="15")
    assert "make the stages of the policy those of the Rollout's steps" in ran.out
    assert weight(cluster) == 5
    assert kinds(ran.report) == []


@pytest.mark.usefixtures("coming_in")
def test_another_version_than_was_judged_is_not_promoted(stand: Stand, cluster: CustomServer) -> None:
    guard = stand.guard(ROLLOUT)
    looks: list[float] = []

    def somebody_deploys(server: KubernetesServer) -> None:
        if guard.clock.now() > START + 240 and not looks:
            looks.append(1)
            bring_in(cluster, "shop/api:3")

    cluster.steps.append(somebody_deploys)
    ran = guard.run("prod", watch="15")
    assert looks
    assert weight(cluster) == 5
    assert "PromoteRollout" not in dict(kinds(ran.report))


def test_a_rollout_that_the_controller_has_not_seen_is_not_judged(stand: Stand, cluster: CustomServer) -> None:
    controller = RolloutsController()
    cluster.reactions.append(controller)
    cluster.add(rollout(OLD_IMAGE))
    controller.asleep = True
    bring_in(cluster, NEW_IMAGE)
    ran = stand.guard(ROLLOUT).run("prod")
    assert ran.code == 3, ran.out
    assert "has not seen its newest change" in ran.out


# Flagger

FLAGGER = {"delivery": "canary:prod/api", "workload": "deployment:prod/api"}


def analysing(cluster: CustomServer, weight: int = 1) -> FlaggerController:
    """A Canary whose new version has so many steps of 10 % of the traffic since just now."""
    flagger = FlaggerController()
    cluster.now = START - DAY
    cluster.add(deployment(image=OLD_IMAGE))
    cluster.add(canary())
    flagger.tick(cluster)
    cluster.now = START
    cluster.edit("Deployment", "prod", "api", image_patch(NEW_IMAGE))
    for _ in range(1 + weight):
        flagger.tick(cluster)
    return flagger


def test_a_canary_of_flagger_is_judged_against_its_primary(stand: Stand, cluster: CustomServer) -> None:
    analysing(cluster)
    ran = stand.guard({**FLAGGER, "promote": "off"}, minute=5).run("prod", watch="10")
    assert ran.code == 0, ran.out
    details = ran.report["details"]
    assert (details["canary_version"], details["baseline_version"], details["share"]) == (NEW_IMAGE, OLD_IMAGE, 0.1)
    assert "api-primary-" in ran.summary


def test_a_bad_canary_of_flagger_has_its_target_undone(stand: Stand, cluster: CustomServer) -> None:
    flagger = analysing(cluster)
    guard = stand.guard(FLAGGER, bad=True, minute=8)
    ticked: list[float] = []

    def minute_by_minute(server: KubernetesServer) -> None:
        if guard.clock.now() >= START + 60 * (9 + len(ticked)):
            ticked.append(guard.clock.now())
            flagger.tick(server)

    cluster.steps.append(minute_by_minute)
    ran = guard.run("prod")
    assert ran.code == 1, ran.out
    assert dict(kinds(ran.report))["UndoWorkload"] == "applied"
    assert runs(cluster, "prod") == OLD_IMAGE


def test_without_a_version_on_its_way_there_is_nothing_to_judge(stand: Stand, cluster: CustomServer) -> None:
    cluster.add(deployment(image=OLD_IMAGE))
    cluster.add(canary())
    FlaggerController().tick(cluster)
    with pytest.raises(UsageError, match="no version on its way in"):
        stand.guard(FLAGGER).run("prod")


# Flux

FLUX = {"delivery": "kustomization:flux-system/shop", "workload": "deployment:prod/api"}


def reconciled(cluster: CustomServer) -> FluxController:
    """A Kustomization that applied a bad revision just now."""
    good, bad = (f"main@sha1:{sign * 40}" for sign in "ab")
    flux = FluxController({good: OLD_IMAGE, bad: NEW_IMAGE}, bad=bad)
    cluster.now = START - DAY
    owned = deployment(image=OLD_IMAGE, replicas=6)
    owned["metadata"]["labels"] |= {"kustomize.toolkit.fluxcd.io/name": "shop"}
    cluster.add(owned)
    cluster.put(git_repository(bad))
    cluster.put(image_automation())
    cluster.now = START
    cluster.workloads.new_pods = 3
    cluster.put(kustomization())
    cluster.reactions.append(flux)
    flux.tick(cluster)
    cluster.workloads.new_pods = None
    return flux


def test_what_flux_deployed_is_undone_and_does_not_come_back(stand: Stand, cluster: CustomServer) -> None:
    flux = reconciled(cluster)
    assert runs(cluster, "prod") == NEW_IMAGE
    ran = stand.guard(FLUX, bad=True, minute=8).run("prod")
    assert ran.code == 1, ran.out
    done = dict(kinds(ran.report))
    assert done == dict.fromkeys(("SuspendReconciliation", "SuspendImageAutomation", "UndoWorkload", "VerifyRecovery"), "applied")
    flux.tick(cluster)
    assert runs(cluster, "prod") == OLD_IMAGE


# Weights of the traffic

BASELINE = f'pod=~"{replica_set(OLD_IMAGE)}-.*"'
SPLIT = {"workload": "deployment:prod/api-canary", "baseline_selector": BASELINE}
SPLITS = pytest.mark.parametrize("kind", ["istio", "nginx"])


def weighed(cluster: CustomServer, kind: str, weight: int = 25) -> dict[str, str]:
    """A Deployment beside the stable one, which gets so much of the traffic; the settings for it."""
    cluster.now = START
    cluster.add(deployment("api-canary", NEW_IMAGE))
    cluster.add(virtual_service(weight) if kind == "istio" else canary_ingress(str(weight)))
    return {**SPLIT, "delivery": "istio:prod/api#primary" if kind == "istio" else "nginx:prod/api-canary"}


def part(cluster: CustomServer, kind: str) -> int:
    """What the canary gets."""
    if kind == "nginx":
        return int(cluster.the("Ingress", "prod", "api-canary")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"])
    sides = cluster.the("VirtualService", "prod", "api")["spec"]["http"][0]["route"]
    return next(int(side["weight"]) for side in sides if side["destination"]["subset"] == "canary")


@SPLITS
def test_a_healthy_canary_gets_the_next_share(stand: Stand, cluster: CustomServer, kind: str) -> None:
    settings = weighed(cluster, kind)
    ran = stand.guard(settings, minute=17).run("prod")
    assert ran.code == 0, ran.out
    assert kinds(ran.report) == [("SetTrafficWeight", "applied")]
    assert part(cluster, kind) == 50
    assert (ran.report["details"]["stage"], ran.report["details"]["share"]) == (2, 0.25)


@SPLITS
def test_a_share_is_given_stage_by_stage(stand: Stand, cluster: CustomServer, kind: str) -> None:
    settings = weighed(cluster, kind, 5)
    ran = stand.guard(settings).run("prod", watch="90")
    assert ran.code == 0, ran.out
    assert kinds(ran.report) == [("SetTrafficWeight", "applied")] * 3
    assert part(cluster, kind) == 100


@SPLITS
@pytest.mark.parametrize("freeze", ["yes", "no"])
def test_a_bad_canary_loses_its_traffic(stand: Stand, cluster: CustomServer, kind: str, freeze: str) -> None:
    settings = weighed(cluster, kind)
    ran = stand.guard({**settings, "freeze": freeze}, bad=True, minute=8).run("prod")
    assert ran.code == 1, ran.out
    assert kinds(ran.report) == [("SetTrafficWeight", "applied"), ("VerifyRecovery", "applied")]
    assert part(cluster, kind) == 0
    assert runs(cluster, "prod", "api-canary") == NEW_IMAGE


def test_a_split_whose_canary_was_replaced_meanwhile_gives_that_nothing(stand: Stand, cluster: CustomServer) -> None:
    settings = weighed(cluster, "istio")
    reads: list[int] = []

    def somebody_deploys(server: KubernetesServer) -> None:
        reads.append(1)
        if len(reads) == 14:
            server.edit("Deployment", "prod", "api-canary", image_patch("shop/api:3", "api-canary"))

    cluster.steps.append(somebody_deploys)
    ran = stand.guard(settings, minute=17).run("prod")
    assert len(reads) > 14
    assert part(cluster, "istio") == 25
    assert "another version was deployed meanwhile" in ran.out
    assert ran.code == 3, ran.out


# A change that migrates the database


@pytest.mark.parametrize("migrates", [True, False])
def test_a_change_with_a_migration_is_frozen_and_not_undone(stand: Stand, cluster: CustomServer, migrates: bool) -> None:
    roll_out(cluster)
    guard = stand.guard({**ROLLOUT, "freeze": "auto"}, bad=True, minute=8)
    repository = new_repository(guard.folder / "work")
    good = repository.commit("feat: orders", {"api.py": "1"})
    guard.sha = repository.commit("feat: prices", {"db/migrate/0002_prices.sql" if migrates else "prices.py": "2"})
    ran = guard.run("prod", revert_from=good)
    assert ran.code == 1, ran.out
    assert ("KeepAbortedPods" in dict(kinds(ran.report))) is migrates
    assert weight(cluster) == 0
    assert ("The change migrates the database" in ran.out) is migrates


@pytest.mark.parametrize("names_this_commit", [True, False])
def test_without_revert_from_the_tags_of_the_images_tell_the_change_where_they_fit(stand: Stand, cluster: CustomServer, names_this_commit: bool) -> None:
    """Where the tag of the bad image is another commit than this job's, they are tags of something else."""
    roll_out(cluster)
    guard = stand.guard({**ROLLOUT, "freeze": "auto"}, bad=True, minute=8)
    repository = new_repository(guard.folder / "work")
    repository.commit("feat: orders", {"api.py": "1"})
    repository.git("tag", "v1")
    guard.sha = repository.commit("feat: prices", {"db/migrate/0002_prices.sql": "2"})
    repository.git("tag", "2", guard.sha if names_this_commit else "v1")
    ran = guard.run("prod")
    assert ran.code == 1, ran.out
    assert ("KeepAbortedPods" in dict(kinds(ran.report))) is names_this_commit
    assert ("revert-from would tell" in ran.out) is not names_this_commit


def test_the_report_advises_what_was_done_also_afterwards(stand: Stand, cluster: CustomServer) -> None:
    """Once it is frozen the tool would say that it cannot be."""
    roll_out(cluster)
    guard = stand.guard({**ROLLOUT, "freeze": "auto"}, bad=True, minute=8)
    repository = new_repository(guard.folder / "work")
    good = repository.commit("feat: orders", {"api.py": "1"})
    guard.sha = repository.commit("feat: prices", {"db/migrate/0002_prices.sql": "2"})
    ran = guard.run("prod", revert_from=good)
    assert "Advice: freeze" in ran.out
    assert "Advice: hotfix" not in ran.out


# Holding


def undecided(stand: Stand, settings: Mapping[str, str]) -> Deployment:
    """A workspace so early that nothing can be told yet."""
    return stand.guard({"promote": "off", "hold": "auto", **settings}, minute=2)


def timed(cluster: CustomServer) -> None:
    """A Rollout whose pause at 5 % ends by itself."""
    steps = [{"setWeight": 5}, {"pause": {"duration": "10m"}}, {"setWeight": 25}, {"pause": {"duration": "10m"}}]
    roll_out(cluster, {"canary": {"steps": steps, "trafficRouting": ROUTED, "canaryService": "api-canary", "stableService": "api"}})


def test_while_it_cannot_be_told_a_rollout_is_held_and_at_a_go_it_goes_on(stand: Stand, cluster: CustomServer) -> None:
    timed(cluster)
    guard = undecided(stand, ROLLOUT)
    first = guard.run("prod")
    assert (first.code, kinds(first.report)) == (3, [("HoldRollout", "applied")]), first.out
    assert cluster.the("Rollout", "prod", "api")["spec"]["paused"] is True
    guard.clock.advance(300)
    second = guard.run("prod")
    assert (second.code, kinds(second.report)) == (0, [("ReleaseRollout", "applied")]), second.out
    assert cluster.the("Rollout", "prod", "api")["spec"]["paused"] is False


def test_a_promotion_ends_the_hold_itself(stand: Stand, cluster: CustomServer) -> None:
    timed(cluster)
    guard = undecided(stand, ROLLOUT)
    assert kinds(guard.run("prod").report) == [("HoldRollout", "applied")]
    guard.clock.advance(300)
    ran = guard.run("prod", promote="auto")
    assert kinds(ran.report) == [("PromoteRollout", "applied")], ran.out
    assert (cluster.the("Rollout", "prod", "api")["spec"]["paused"], weight(cluster)) == (False, 25)


def test_a_held_rollout_that_turns_out_bad_is_aborted(stand: Stand, cluster: CustomServer) -> None:
    timed(cluster)
    guard = stand.guard({**ROLLOUT, "promote": "off", "hold": "auto"}, bad=True, minute=1)
    assert kinds(guard.run("prod").report) == [("HoldRollout", "applied")]
    guard.clock.advance(420)
    ran = guard.run("prod")
    assert kinds(ran.report) == [("AbortRollout", "applied"), ("ReleaseRollout", "applied"), ("VerifyRecovery", "applied")], ran.out
    assert (weight(cluster), status(cluster)["stableRS"]) == (0, OLD_HASH)


@pytest.mark.parametrize(("hold", "operations"), [("off", []), ("suggest", [("HoldRollout", "needs-approval")])])
def test_unless_it_is_asked_for_nothing_is_held(stand: Stand, cluster: CustomServer, hold: str, operations: list[tuple[str, str]]) -> None:
    timed(cluster)
    ran = undecided(stand, {**ROLLOUT, "hold": hold}).run("prod")
    assert (ran.code, kinds(ran.report)) == (3, operations), ran.out
    assert writes(cluster) == []


def test_a_pause_without_an_end_is_hold_enough(stand: Stand, cluster: CustomServer) -> None:
    roll_out(cluster)
    ran = undecided(stand, ROLLOUT).run("prod")
    assert (ran.code, kinds(ran.report), writes(cluster)) == (3, [], []), ran.out


def test_another_version_than_was_judged_is_not_held(stand: Stand, cluster: CustomServer) -> None:
    timed(cluster)
    guard = undecided(stand, ROLLOUT)
    reads: list[int] = []

    def somebody_deploys(server: KubernetesServer) -> None:
        reads.append(1)
        if len(reads) == 12:
            bring_in(cluster, "shop/api:3")

    cluster.steps.append(somebody_deploys)
    ran = guard.run("prod")
    assert len(reads) > 12
    assert "another version was deployed meanwhile" in ran.out
    assert not cluster.the("Rollout", "prod", "api")["spec"].get("paused")


def test_a_canary_of_flagger_is_held_and_goes_on(stand: Stand, cluster: CustomServer) -> None:
    flagger = analysing(cluster)
    guard = undecided(stand, FLAGGER)
    assert kinds(guard.run("prod").report) == [("SuspendCanary", "applied")]
    flagger.tick(cluster)
    assert cluster.the("Canary", "prod", "api")["status"]["canaryWeight"] == 10
    guard.clock.advance(180)
    ran = guard.run("prod", watch="10")
    assert kinds(ran.report) == [("ResumeCanary", "applied")], ran.out


def test_a_bad_canary_of_flagger_is_frozen_where_that_is_asked_for(stand: Stand, cluster: CustomServer) -> None:
    flagger = analysing(cluster)
    guard = stand.guard({**FLAGGER, "freeze": "yes"}, bad=True, minute=8)
    cluster.add(weighed_by_flagger(cluster.the("Canary", "prod", "api"), 10))
    ran = guard.run("prod")
    assert ran.code == 1, ran.out
    assert kinds(ran.report) == [("SuspendCanary", "applied"), ("SetTrafficWeight", "applied"), ("VerifyRecovery", "applied")], ran.out
    flagger.tick(cluster)
    sides = cluster.the("VirtualService", "prod", "api")["spec"]["http"][0]["route"]
    assert [side["weight"] for side in sides] == [100, 0]
    assert runs(cluster, "prod") == NEW_IMAGE


@pytest.mark.slow
def test_an_abort_that_is_killed_at_any_call_is_done_once_and_the_gate_stays_shut(stand: Stand) -> None:
    """The next run exits with 3 where the bad version has no pod any more: it sees nothing to judge."""
    wrong: list[str] = []
    died = True
    for call in range(60):
        for after in (False, True):
            with CustomServer() as server:
                roll_out(server)
                each = Stand(stand.request, stand.folder / f"{call}-{after}", server).guard(
                    {**ROLLOUT, "guardian_state": "state.json", "watch": "1"}, bad=True, minute=8
                )
                server.dead_from, server.dead_after_work = call, after
                each.run("prod")
                died = server.calls > call
                server.dead_from = None
                again = each.run("prod")
                end = weight(server), len(writes(server)), again.code
                wrong += [f"call {call}, {after}: {end}"] if end != (0, 1, 1) else []
                wrong += server.problems
        if not died:
            break
    assert not died, "there are more calls than were tried"
    assert wrong == []
