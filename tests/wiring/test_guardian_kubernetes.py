"""The guardian and plain workloads: the cluster tells versions and pods, a real Prometheus their metrics, and an undo is written into the Deployment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.clock import START
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import CustomServer
from tests.servers.kubernetes_objects import daemon_set, stateful_set
from tests.servers.loki import LokiServer
from tests.wiring.guardian_cli import guardian
from tests.wiring.guardian_cluster_data import NEW_IMAGE, OLD_IMAGE, pods, replica_set
from tests.wiring.guardian_cluster_rig import (
    ALONE,
    DAY,
    FINE,
    POORER,
    SILENT,
    WORSE,
    WORSE_ALONE,
    beside,
    image_patch,
    killed,
    kubeconfig,
    prometheus,
    rolled,
    runs,
    writes,
)
from tests.wiring.guardian_rig import Deployment

from cicd_agents.domain.errors import UsageError


@pytest.fixture
def cluster() -> Iterator[CustomServer]:
    with CustomServer() as server:
        yield server
    assert server.problems == []


@pytest.fixture
def guard(request: pytest.FixtureRequest, tmp_path: Path, cluster: CustomServer) -> Deployment:
    return beside(tmp_path, prometheus(request.config).url, cluster, rollback="auto", promote="off")


def on(namespace: str) -> dict[str, str]:
    return {"workload": f"deployment:{namespace}/api"}


def kinds(report: dict[str, object]) -> dict[str, str]:
    return {operation["kind"]: operation["status"] for operation in report["operations"]}  # type: ignore[attr-defined]


def _at(seconds: float) -> int:
    """So long after the new pods began, in nanoseconds."""
    return int((START - 1170 + seconds) * 1e9)


def test_pods_versions_and_time_are_found_and_a_healthy_version_passes(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    ran = guard.run(FINE, **on(FINE))
    assert ran.code == 0, ran.out
    details = ran.report["details"]
    assert (details["canary_version"], details["baseline_version"], details["service"]) == (NEW_IMAGE, OLD_IMAGE, "api")
    assert details["minutes"] == 20
    assert f'pod=~"{replica_set(NEW_IMAGE)}-[a-z0-9]{{5}}"' in ran.summary
    assert writes(cluster) == []


def test_a_broken_version_is_undone_and_the_recovery_seen(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, WORSE)
    ran = guard.run(WORSE, **on(WORSE))
    assert ran.code == 1, ran.out
    assert kinds(ran.report) == {"UndoWorkload": "applied", "VerifyRecovery": "applied"}
    assert runs(cluster, WORSE) == OLD_IMAGE
    assert sum(guard.clock.slept) < 60


def test_without_old_pods_the_time_before_is_the_baseline(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, ALONE, beside=False)
    ran = guard.run(ALONE, watch="15", **on(ALONE))
    assert ran.code == 0, ran.out
    assert (ran.report["details"]["stage"], ran.report["details"]["share"]) == (4, 1.0)
    assert "baseline is of another time" in ran.out


def test_a_version_that_is_worse_than_the_time_before_is_undone(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, WORSE_ALONE, beside=False)
    ran = guard.run(WORSE_ALONE, rollback_to=replica_set(OLD_IMAGE), **on(WORSE_ALONE))
    assert ran.code == 1, ran.out
    assert runs(cluster, WORSE_ALONE) == OLD_IMAGE
    assert kinds(ran.report)["VerifyRecovery"] == "applied"


def test_without_a_known_good_revision_nothing_is_written_and_the_reason_is_said(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, WORSE_ALONE, beside=False)
    ran = guard.run(WORSE_ALONE, **on(WORSE_ALONE))
    assert ran.code == 1, ran.out
    assert "None of the earlier revisions of deployment:worse-alone/api is known to be good" in ran.out
    assert writes(cluster) == []


def test_a_version_that_was_judged_well_is_known_to_be_good_the_next_time(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, ALONE, beside=False)
    ran = guard.run(ALONE, promote="auto", canary_stage="100%", watch="15", **on(ALONE))
    assert ran.code == 0, ran.out
    assert kinds(ran.report) == {"MarkHealthy": "applied"}
    cluster.edit("Deployment", ALONE, "api", image_patch("shop/api:3"))
    undone = guardian(guard, "rollback", reason="customers call", **on(ALONE))
    assert undone.code == 0, undone.out
    assert runs(cluster, ALONE) == NEW_IMAGE


def test_a_crash_loop_rolls_back_at_once_though_no_metric_says_anything(guard: Deployment, cluster: CustomServer) -> None:
    cluster.workloads.broken.add(NEW_IMAGE)
    rolled(cluster, SILENT)
    ran = guard.run(SILENT, **on(SILENT))
    assert ran.code == 1, ran.out
    assert "At once: " in ran.out
    assert "CrashLoopBackOff" in ran.out
    assert kinds(ran.report)["UndoWorkload"] == "applied"
    assert runs(cluster, SILENT) == OLD_IMAGE


def test_pods_that_run_out_of_memory_roll_back_at_once(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    killed(cluster, FINE, NEW_IMAGE)
    ran = guard.run(FINE, **on(FINE))
    assert ran.code == 1, ran.out
    assert "want of memory" in ran.out
    assert runs(cluster, FINE) == OLD_IMAGE


def test_fewer_orders_roll_back(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, POORER)
    queries = "orders.count=shop_orders_total{selector}\nsessions.count=shop_sessions_total{selector}"
    ran = guard.run(POORER, queries=queries, **on(POORER))
    assert ran.code == 1, ran.out
    assert "Conversion" in ran.out


def test_critical_messages_of_the_new_pods_alone_roll_back(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    new, old = pods(NEW_IMAGE, 2), pods(OLD_IMAGE, 4)
    with LokiServer() as loki:
        for name in (*new, *old):
            lines = [(_at(30 * place), f"GET /orders 200 in {place} ms") for place in range(39)]
            lines += [(_at(270 + 45 * place), "ERROR unhandled exception: NullPointerException in PriceService") for place in range(19) if name in new]
            loki.add({"namespace": FINE, "pod": name}, *sorted(lines))
        canary, baseline = (f'{{namespace="{FINE}", pod=~"{replica_set(image)}-.*"}}' for image in (NEW_IMAGE, OLD_IMAGE))
        ran = guard.run(FINE, loki_url=loki.http.url, canary_logs=canary, baseline_logs=baseline, **on(FINE))
    assert ran.code == 1, ran.out
    assert "PriceService" in ran.out
    assert runs(cluster, FINE) == OLD_IMAGE


def test_logs_that_were_asked_for_and_cannot_be_read_hold_a_good_version(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    canary, baseline = (f'{{namespace="{FINE}", pod=~"{replica_set(image)}-.*"}}' for image in (NEW_IMAGE, OLD_IMAGE))
    with LokiServer(token="another") as loki:
        ran = guard.run(FINE, loki_url=loki.http.url, canary_logs=canary, baseline_logs=baseline, **on(FINE))
    assert ran.code == 3, ran.out
    assert "Cannot see: Logs were not read" in ran.out
    assert ran.report["details"]["decision"] == "hold"


def test_a_policy_file_has_stages_of_its_own(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    (guard.folder / "work").mkdir()
    (guard.folder / "work/policy.yml").write_text("stages:\n  - {share: 33%, minutes: 12}\n  - {share: 100%, minutes: 5}\n")
    ran = guard.run(FINE, canary_policy="policy.yml", **on(FINE))
    assert ran.code == 0, ran.out
    details = ran.report["details"]
    assert (details["stage"], details["stages"], details["share"]) == (1, 2, 0.33)


def test_a_change_that_the_controller_has_not_seen_is_not_taken_for_judged(guard: Deployment, cluster: CustomServer) -> None:
    """Else the old version would be found as the newest one, and pass."""
    rolled(cluster, FINE)
    cluster.workloads.asleep = True
    cluster.edit("Deployment", FINE, "api", image_patch("shop/api:3"))
    ran = guard.run(FINE, **on(FINE))
    assert ran.code == 3, ran.out
    assert "has not seen its newest change" in ran.out


def test_the_first_pod_of_a_new_version_is_waited_for(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE, asleep=True)
    looks: list[int] = []

    def wakes(server: KubernetesServer) -> None:
        looks.append(1)
        if len(looks) == 3:
            cluster.workloads.wake(server)

    cluster.steps.append(wakes)
    ran = guard.run(FINE, watch="1", **on(FINE))
    assert ran.report["details"]["canary_version"] == NEW_IMAGE, ran.out


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_sets_whose_pods_keep_their_names_are_judged_by_the_pods_that_changed(guard: Deployment, cluster: CustomServer, kind: str) -> None:
    make = stateful_set if kind == "StatefulSet" else daemon_set
    server_set = make("api", OLD_IMAGE)
    cluster.now = START - DAY
    cluster.add(server_set)
    cluster.now = START - 1200
    cluster.workloads.broken.add(NEW_IMAGE)
    cluster.edit(kind, "prod", "api", image_patch(NEW_IMAGE))
    cluster.now = START
    ran = guard.run("prod", workload=f"{kind.lower()}:prod/api")
    assert ran.code == 1, ran.out
    assert "At once" in ran.out
    assert kinds(ran.report)["UndoWorkload"] == "applied"
    assert cluster.the(kind, "prod", "api")["spec"]["template"]["spec"]["containers"][0]["image"] == OLD_IMAGE


@pytest.mark.parametrize("read", [12, 14, 16, 18])
def test_another_version_that_came_meanwhile_is_not_undone(guard: Deployment, cluster: CustomServer, read: int) -> None:
    rolled(cluster, WORSE)
    reads: list[int] = []

    def somebody_deploys(server: KubernetesServer) -> None:
        reads.append(1)
        if len(reads) == read:
            server.edit("Deployment", WORSE, "api", image_patch("shop/api:3"))

    cluster.steps.append(somebody_deploys)
    ran = guard.run(WORSE, **on(WORSE))
    assert ran.code == 1, ran.out
    assert runs(cluster, WORSE) == "shop/api:3"
    assert "another version was deployed meanwhile" in ran.out or "which was judged; look again" in ran.out


# What goes wrong on the way to the cluster


def test_without_the_right_to_patch_nothing_is_written_and_the_role_is_named(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, WORSE)
    cluster.denied = {("patch", "apps", "deployments")}
    ran = guard.run(WORSE, **on(WORSE))
    assert ran.code == 1, ran.out
    assert writes(cluster) == []
    assert "add the verb `patch` on `deployments`" in ran.out


@pytest.mark.parametrize("resource", [("list", "", "pods"), ("get", "apps", "deployments"), ("list", "apps", "replicasets")])
def test_without_the_right_to_look_nothing_is_decided(guard: Deployment, cluster: CustomServer, resource: tuple[str, str, str]) -> None:
    rolled(cluster, FINE)
    cluster.denied = {resource}
    ran = guard.run(FINE, **on(FINE))
    assert ran.code == 3, ran.out
    assert f"verb `{resource[0]}` on `{resource[2]}`" in ran.out
    assert "Traceback" not in ran.out


def test_a_wrong_or_expired_token_cannot_be_decided_with_and_is_not_shown(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    ran = guard.run(FINE, kubeconfig=kubeconfig(guard.folder, cluster, token="an-expired-token"), **on(FINE))
    assert ran.code == 3, ran.out
    assert "missing, wrong or expired" in ran.out
    assert "an-expired-token" not in ran.out + ran.summary


def test_a_cluster_that_does_not_answer_cannot_be_decided_with(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, FINE)
    cluster.dead_from = 0
    ran = guard.run(FINE, **on(FINE))
    assert ran.code == 3, ran.out
    assert ran.outputs["status"] == "no-data"


def test_a_cluster_that_dies_after_the_judgement_leaves_the_gate_shut(guard: Deployment, cluster: CustomServer) -> None:
    rolled(cluster, WORSE)
    cluster.dead_from = 16
    ran = guard.run(WORSE, **on(WORSE))
    assert ran.code == 1, ran.out
    assert "could not be planned, so nothing was written" in ran.out or "failed" in kinds(ran.report).values()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "kubeconfig"),
        ("{", "is not YAML"),
        ("contexts: []", "no current-context"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: y, user: z}}]", "names the cluster"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_one_sentence(guard: Deployment, text: str | None, words: str) -> None:
    path = guard.folder / "other"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=words):
        guard.run(FINE, kubeconfig=str(path), **on(FINE))


@pytest.mark.parametrize("target", ["deployment:api", "deployment:Prod/api", "pod:prod/api", "deployment:prod/nothing"])
def test_a_workload_that_is_none_is_one_sentence(guard: Deployment, target: str) -> None:
    with pytest.raises(UsageError, match=r"workload|no name|There is no"):
        guard.run(FINE, workload=target)


@pytest.mark.slow
def test_a_rollback_that_is_killed_at_any_call_is_finished_by_the_next_run(guard: Deployment) -> None:
    wrong = []
    for call in range(60):
        for after in (False, True):
            with CustomServer() as server:
                rolled(server, WORSE)
                each = beside(guard.folder / f"{call}-{after}", guard.metrics, server, rollback="auto", guardian_state="state.json", watch="1", **on(WORSE))
                server.dead_from, server.dead_after_work = call, after
                first = each.run(WORSE)
                died = server.calls > call
                server.dead_from = None
                again = each.run(WORSE)
                end = runs(server, WORSE), writes(server).count("/apis/apps/v1/namespaces/worse/deployments/api"), again.code
                wrong += [f"call {call}, {after}: {end}, {first.code}"] if end != (OLD_IMAGE, 1, 1) else []
                wrong += server.problems
        if not died:
            break
    assert not died, "the rollback has more calls than were tried"
    assert wrong == []


def test_pods_that_change_their_version_while_it_is_watched_are_judged_with_the_new_ones(guard: Deployment, cluster: CustomServer) -> None:
    """The pods of a StatefulSet keep their names."""
    made = stateful_set("api", OLD_IMAGE)
    made["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 2
    cluster.add(made)
    cluster.edit("StatefulSet", "prod", "api", image_patch(NEW_IMAGE))
    watched: list[float] = []

    def goes_on(server: KubernetesServer) -> None:
        if guard.clock.now() > START and not watched:
            watched.append(guard.clock.now())
            server.edit("StatefulSet", "prod", "api", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})

    cluster.steps.append(goes_on)
    first = guard.run("prod", workload="statefulset:prod/api")
    assert 'pod=~"api-2"' in first.out
    ran = guard.run("prod", workload="statefulset:prod/api", watch="2")
    assert watched
    assert 'pod=~"api-0|api-1|api-2"' in ran.out
    assert (first.code, ran.code) == (3, 3)
