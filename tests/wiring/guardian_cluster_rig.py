"""Runs of the guardian beside a cluster: a real Prometheus whose pods are those of the stand-in for Kubernetes with its controllers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.agents.guardian_metrics_data import Text
from tests.servers.clock import START, FakeClock
from tests.servers.kubernetes import TOKEN, KubernetesServer
from tests.servers.kubernetes_custom import CustomServer
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import deployment, template
from tests.servers.prometheus import Prometheus, shared
from tests.wiring.guardian_cluster_data import BAD, NEW_IMAGE, OLD_IMAGE, rolled_out
from tests.wiring.guardian_rig import Deployment

# Services, by what their metrics say. Each is a namespace with a Deployment `api`.
FINE, WORSE, POORER, ALONE, WORSE_ALONE, SILENT = "fine", "worse", "poorer", "alone", "worse-alone", "silent"
DAY = 86_400.0


def prometheus(config: pytest.Config) -> Prometheus:
    """A server with all these services but the silent one."""
    text = Text()
    rolled_out(text, FINE)
    rolled_out(text, WORSE, errors=BAD)
    rolled_out(text, POORER, orders=0.035)
    rolled_out(text, ALONE, beside=False)
    rolled_out(text, WORSE_ALONE, errors=BAD, beside=False)
    return shared(config, text.openmetrics())


def rolled(server: CustomServer, namespace: str, *, beside: bool = True, asleep: bool = False) -> None:
    """A Deployment that ran its old version for a day, and got the new one 20 minutes ago: two pods of six, or all; `asleep`: no controller has seen that."""
    server.now = START - DAY
    made = deployment(image=OLD_IMAGE, replicas=6 if beside else 4)
    made["metadata"]["namespace"] = namespace
    server.add(made)
    server.now = START - 1200
    server.workloads.new_pods = 2 if beside else None
    server.workloads.asleep = asleep
    server.edit("Deployment", namespace, "api", image_patch(NEW_IMAGE))
    # A way back is not held up.
    server.workloads.new_pods = None
    server.now = START


def image_patch(image: str, name: str = "api") -> Data:
    """The merge patch that sets an image."""
    return {"spec": {"template": {"spec": {"containers": template(name, image)["spec"]["containers"]}}}}


def killed(server: KubernetesServer, namespace: str, image: str) -> None:
    """The containers of this image were killed for want of memory twice, and run again."""
    for each in server.all("Pod", namespace):
        if each["spec"]["containers"][0]["image"] == image:
            found = deepcopy(each)
            ended = {"reason": "OOMKilled", "exitCode": 137, "startedAt": server.stamp(), "finishedAt": server.stamp()}
            found["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": {"terminated": ended}}
            server.put(found)


def runs(server: KubernetesServer, namespace: str, name: str = "api") -> str:
    """The image that a Deployment asks for."""
    return str(server.the("Deployment", namespace, name)["spec"]["template"]["spec"]["containers"][0]["image"])


def kubeconfig(folder: Path, server: KubernetesServer, token: str = TOKEN) -> str:
    """A kubeconfig with a token."""
    entry: Callable[[str, dict[str, Any]], list[dict[str, Any]]] = lambda key, data: [{"name": "ci", key: data}]  # noqa: E731
    text = {
        "apiVersion": "v1", "kind": "Config", "current-context": "ci", "clusters": entry("cluster", {"server": server.url}),
        "users": entry("user", {"token": token}), "contexts": entry("context", {"cluster": "ci", "user": "ci"}),
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(text))
    return str(path)


def beside(folder: Path, metrics: str, server: KubernetesServer, **settings: str) -> Deployment:
    """A workspace whose runs see the cluster; selectors of the rig are taken out, since the cluster tells the pods."""
    folder.mkdir(exist_ok=True)
    clock = FakeClock()
    none = {"canary_selector": "", "baseline_selector": "", "metrics_selector": "", "deployed_at": "", "service": ""}
    return Deployment(folder, metrics, environment={**none, "kubeconfig": kubeconfig(folder, server), **settings}, clock=clock)


def writes(server: KubernetesServer) -> list[str]:
    """What was written, by path, without questions for rights."""
    return [path for method, path, _ in server.writes if method != "POST"]


def clocked(server: KubernetesServer, clock: FakeClock) -> None:
    """The cluster's time is that of the program."""

    def told(server: KubernetesServer) -> None:
        server.now = clock.now()

    server.steps.append(told)
