"""Canaries of Flagger for the stand-in for Kubernetes, a controller (pkg/controller/scheduler.go, pkg/canary/spec.go), and what splits traffic."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import crd_problems
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE, hashed, owned_by


def canary(name: str = "api", *, kind: str = "Deployment", webhooks: list[Data] | None = None, **spec: Any) -> Data:
    """A Canary, as users write it."""
    analysis = {"interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 10, "webhooks": webhooks or []}
    return {
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "provider": "istio", "targetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name}, "service": {"port": 80}, "analysis": analysis, **spec,
        },
    }  # fmt: skip


@dataclass
class FlaggerController:
    """Steps of Flagger, one per `tick`. The hash of a template is what it tells versions apart by, as the real one does."""

    def tick(self, server: KubernetesServer) -> None:
        """The analysis interval passes for all Canaries."""
        for each in server.all("Canary"):
            if not each["spec"].get("suspend"):
                self._advance(server, deepcopy(each))

    def fail(self, server: KubernetesServer, name: str = "api") -> None:
        """The failed checks reach the threshold: rolled back."""
        data = deepcopy(server.the("Canary", NAMESPACE, name))
        data["status"] |= {"phase": "Failed", "canaryWeight": 0, "failedChecks": 5, "conditions": [_promoted("False", "Failed", "Canary analysis failed.")]}
        server.edit("Deployment", NAMESPACE, name, {"spec": {"replicas": 0}})
        server.put(data)

    def _advance(self, server: KubernetesServer, data: Data) -> None:
        status = data.setdefault("status", {"phase": "", "canaryWeight": 0, "failedChecks": 0, "iterations": 0})
        target = server.the("Deployment", NAMESPACE, data["spec"]["targetRef"]["name"])
        sign = hashed(target["spec"]["template"])
        if not status["phase"]:
            self._copy(server, target)
            server.edit("Deployment", NAMESPACE, target["metadata"]["name"], {"spec": {"replicas": 0}})
            status |= {"phase": "Initialized", "lastAppliedSpec": sign, "lastPromotedSpec": sign}
        # A target that is as it was promoted last is a rollback by hand and starts nothing (hasSpecChanged).
        elif sign not in (status["lastPromotedSpec"], status["lastAppliedSpec"]):
            server.edit("Deployment", NAMESPACE, target["metadata"]["name"], {"spec": {"replicas": 3}})
            status |= {"phase": "Progressing", "canaryWeight": 0, "failedChecks": 0, "lastAppliedSpec": sign}
        elif status["phase"] == "Progressing":
            self._go_on(server, data, status, target, sign)
        server.problems += crd_problems(server.put(data))
        for kind in ("VirtualService", "Ingress"):
            for each in server.all(kind, NAMESPACE):
                if owned_by(data) in each["metadata"].get("ownerReferences", []):
                    found = weighed_by_flagger(data, status["canaryWeight"])
                    server.put({**found, "metadata": {**each["metadata"], **found["metadata"]}})

    def _go_on(self, server: KubernetesServer, data: Data, status: Data, target: Data, sign: str) -> None:
        status["canaryWeight"] += data["spec"]["analysis"]["stepWeight"]
        if data["spec"].get("skipAnalysis") or status["canaryWeight"] > data["spec"]["analysis"]["maxWeight"]:
            self._copy(server, target)
            server.edit("Deployment", NAMESPACE, target["metadata"]["name"], {"spec": {"replicas": 0}})
            status |= {"phase": "Succeeded", "canaryWeight": 0, "lastPromotedSpec": sign, "conditions": [_promoted("True", "Succeeded", "Promotion done.")]}

    def _copy(self, server: KubernetesServer, target: Data) -> None:
        """The primary: the target with names and labels of its own."""
        name = f"{target['metadata']['name']}-primary"
        made = deepcopy(target)
        made["metadata"] = {"name": name, "namespace": NAMESPACE, "annotations": {}}
        made["spec"] |= {"replicas": 3, "selector": {"matchLabels": {"app": name}}}
        made["spec"]["template"]["metadata"]["labels"] = {"app": name}
        made.pop("status", None)
        server.add(made)


def _promoted(status: str, reason: str, message: str) -> Data:
    stamp = "2025-06-15T15:06:40Z"
    return {"type": "Promoted", "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp, "lastUpdateTime": stamp}


def weighed_by_flagger(owner: Data, weight: int = 0) -> Data:
    """What Flagger makes for a Canary and weighs: a VirtualService, or a canary Ingress beside the one that is named (pkg/router, istio.go and ingress.go)."""
    spec, references = owner["spec"], [owned_by(owner)]
    if spec["provider"] == "nginx":
        made = canary_ingress(str(weight), name=f"{spec['ingressRef']['name']}-canary")
        if not weight:
            made["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/canary": "false"}
        made["metadata"]["ownerReferences"] = references
        return made
    apex = spec["service"].get("name") or spec["targetRef"]["name"]
    sides = [{"destination": {"host": f"{apex}-{side}"}, "weight": part} for side, part in (("primary", 100 - weight), ("canary", weight))]
    return {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": apex, "namespace": NAMESPACE, "ownerReferences": references},
        "spec": {"hosts": [apex], "gateways": ["mesh"], "http": [{"route": sides}]},
    }  # fmt: skip


def virtual_service(canary_weight: int = 20, *, name: str = "api", route: str = "primary", owner: Data | None = None, more: list[Data] | None = None) -> Data:
    """A VirtualService whose named route has a stable and a canary subset."""
    sides = [{"destination": {"host": name, "subset": side}, "weight": weight} for side, weight in (("stable", 100 - canary_weight), ("canary", canary_weight))]
    named = {"name": route} if route else {}
    return {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": NAMESPACE, **({"ownerReferences": [owned_by(owner)]} if owner else {})},
        "spec": {"hosts": [f"{name}.example"], "http": [*(more or []), {**named, "route": sides, "timeout": "5s"}]},
    }  # fmt: skip


def canary_ingress(weight: str = "20", *, name: str = "api-canary", **annotations: str) -> Data:
    """A canary Ingress; `by_header="x-canary"` and the like add annotations."""
    prefix = "nginx.ingress.kubernetes.io/canary"
    more = {f"{prefix}-{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": {prefix: "true", f"{prefix}-weight": weight, **more}},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "api.example"}]},
    }  # fmt: skip
