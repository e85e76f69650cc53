"""Rollouts for the stand-in for Kubernetes, and a controller that brings them in as Argo Rollouts does (rollout/, utils/rollout)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_controllers import make_pods
from tests.servers.kubernetes_custom import crd_problems
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE, hashed, owned_by, template

HASH, REVISION = "rollouts-pod-template-hash", "rollout.argoproj.io/revision"
ROUTED = {"istio": {"virtualService": {"name": "api", "routes": ["primary"]}}}
STEPS = [{"setWeight": 5}, {"pause": {}}, {"setWeight": 25}, {"pause": {"duration": "10m"}}, {"setWeight": 50}, {"analysis": {"templates": []}}]


def rollout(
    image: str = "shop/api:1.0.0", *, name: str = "api", strategy: Data | None = None, replicas: int = 4, workload: Data | None = None, **spec: Any
) -> Data:
    """A Rollout, as users write it; with a traffic router where no strategy is given."""
    rules = strategy or {"canary": {"steps": deepcopy(STEPS), "trafficRouting": ROUTED, "canaryService": f"{name}-canary", "stableService": name}}
    # Users leave out what the API server fills into ReplicaSets only.
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}}
    what = {"workloadRef": {"apiVersion": "apps/v1", "kind": workload["kind"], "name": workload["metadata"]["name"]}} if workload else {"template": pods}
    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "strategy": rules, **what, **spec},
    }  # fmt: skip


@dataclass
class RolloutsController:
    """Brings Rollouts where they want to be, up to the next pause. `asleep`: it sees nothing until `wake`; `wakes_after` reads it wakes by itself."""

    asleep: bool = False
    wakes_after: int | None = None

    def __call__(self, server: KubernetesServer, after: Data, _before: Data | None) -> None:
        """React to a write."""
        if after["kind"] == "Rollout" and not self.asleep:
            self._reconcile(server, after)
        if after["kind"] == "Deployment" and not self.asleep:
            for each in server.all("Rollout"):
                if each["spec"].get("workloadRef", {}).get("name") == after["metadata"]["name"]:
                    self._reconcile(server, each)

    def seen(self, server: KubernetesServer) -> None:
        """A step before a read."""
        if self.wakes_after is not None:
            self.wakes_after -= 1
            if self.wakes_after < 0:
                self.wakes_after = None
                self.wake(server)

    def wake(self, server: KubernetesServer) -> None:
        """Catch up."""
        self.asleep = False
        for each in server.all("Rollout"):
            self._reconcile(server, each)

    def _reconcile(self, server: KubernetesServer, data: Data) -> None:
        data = deepcopy(data)
        status = data.setdefault("status", {})
        spec, sets = data["spec"], _sets(server, data)
        new = self._newest(server, data, sets)
        sign = new["metadata"]["labels"][HASH]
        stable = status.setdefault("stableRS", "") or sign
        if status.get("currentPodHash") != sign:
            # A new template: what was asked of the old one is forgotten (resetRolloutStatus).
            for key in ("abort", "abortedAt", "promoteFull", "pauseConditions", "controllerPause"):
                status.pop(key, None)
            status |= {"currentPodHash": sign, "currentStepIndex": 0}
        status |= {"observedGeneration": str(data["metadata"]["generation"]), "stableRS": stable}
        weight = self._advance(server, data, status, sign)
        strategy = spec["strategy"]
        halted = spec.get("paused", False)  # neither pods nor the active Service change (rollout/context.go, haltProgress)
        if "blueGreen" in strategy:
            active = status.get("blueGreen", {}).get("activeSelector", status["stableRS"]) if halted else status["stableRS"]
            status["blueGreen"] = {"activeSelector": active, "previewSelector": sign}
        elif "trafficRouting" in strategy["canary"]:
            one, other = {"weight": weight, "podTemplateHash": sign}, {"weight": 100 - weight, "podTemplateHash": status["stableRS"]}
            status["canary"] = {"weights": {"canary": one, "stable": other}}
        if not halted:
            self._scale(server, data, sign, weight)
        total = sum(each["status"].get("availableReplicas", 0) for each in _sets(server, data))
        status |= {"replicas": total, "availableReplicas": total, "readyReplicas": total}
        for problem in crd_problems(server.put(data)):
            server.problems.append(f"Rollout, by its controller: {problem}")

    def _newest(self, server: KubernetesServer, data: Data, sets: list[Data]) -> Data:
        """The ReplicaSet of the template, made or used again with the highest number."""
        reference = data["spec"].get("workloadRef")
        wanted = server.the("Deployment", NAMESPACE, reference["name"])["spec"]["template"] if reference else data["spec"]["template"]
        wanted = _with_defaults(wanted)
        found = next((each for each in sets if _unhashed(each["spec"]["template"]) == wanted), None)
        highest = max((int(each["metadata"]["annotations"][REVISION]) for each in sets), default=0)
        if found is None:
            sign = hashed(wanted)
            inner = deepcopy(wanted)
            inner["metadata"]["labels"] |= {HASH: sign}
            meta = {
                "name": f"{data['metadata']['name']}-{sign}", "namespace": NAMESPACE, "labels": inner["metadata"]["labels"],
                "annotations": {REVISION: str(highest + 1)}, "ownerReferences": [owned_by(data)], "creationTimestamp": server.stamp(),
            }  # fmt: skip
            server.now += 60
            return server.put(
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": {"replicas": 0, "selector": {}, "template": inner}, "status": {}}
            )
        if int(found["metadata"]["annotations"][REVISION]) < highest:
            found = deepcopy(found)
            found["metadata"]["annotations"][REVISION] = str(highest + 1)
            server.put(found)
        return found

    def _advance(self, server: KubernetesServer, data: Data, status: Data, sign: str) -> int:
        """Go on to the next pause; what the canary gets."""
        rules = data["spec"]["strategy"]
        steps = rules.get("canary", {}).get("steps", [])
        if sign == status["stableRS"] or (status.get("promoteFull") and not data["spec"].get("paused")):
            return self._done(status, sign, len(steps))
        if status.get("abort"):
            number = next(each for each in _sets(server, data) if each["metadata"]["labels"][HASH] == sign)["metadata"]["annotations"][REVISION]
            for key in ("pauseConditions", "controllerPause"):
                status.pop(key, None)
            status.setdefault("abortedAt", server.stamp())
            status |= {"phase": "Degraded", "message": f"RolloutAborted: Rollout aborted update to revision {number}", "currentStepIndex": 0}
            return 0
        status.pop("abortedAt", None)
        if data["spec"].get("paused"):
            status |= {"phase": "Paused", "message": "manually paused"}
            return _weight_at(steps, status["currentStepIndex"])
        if status.get("controllerPause") and not status.get("pauseConditions"):
            status.pop("controllerPause")
            status["currentStepIndex"] += 1
        return self._walk(server, status, sign, steps, rules)

    def _walk(self, server: KubernetesServer, status: Data, sign: str, steps: list[Data], rules: Data) -> int:
        if "blueGreen" in rules:
            if status["currentStepIndex"]:
                return self._done(status, sign, 0)
            self._pause(server, status, "BlueGreenPause")
            return 0
        while status["currentStepIndex"] < len(steps):
            step = steps[status["currentStepIndex"]]
            if "pause" in step:
                self._pause(server, status, "CanaryPauseStep")
                return _weight_at(steps, status["currentStepIndex"])
            if "setWeight" not in step:
                status |= {"phase": "Progressing", "message": "waiting for all steps to complete"}
                return _weight_at(steps, status["currentStepIndex"])
            status["currentStepIndex"] += 1
        return self._done(status, sign, len(steps))

    def _pause(self, server: KubernetesServer, status: Data, reason: str) -> None:
        status |= {"phase": "Paused", "message": reason, "controllerPause": True}
        status["pauseConditions"] = [{"reason": reason, "startTime": server.stamp()}]

    def _done(self, status: Data, sign: str, index: int) -> int:
        for key in ("promoteFull", "pauseConditions", "controllerPause", "abort", "abortedAt"):
            status.pop(key, None)
        status |= {"stableRS": sign, "phase": "Healthy", "message": "", "currentStepIndex": index}
        return 0

    def _scale(self, server: KubernetesServer, data: Data, sign: str, weight: int) -> None:
        status, wanted, rules = data["status"], data["spec"]["replicas"], data["spec"]["strategy"]
        routed = "blueGreen" in rules or "trafficRouting" in rules["canary"]
        coming = wanted if "blueGreen" in rules else -(-wanted * weight // 100)
        kept = next(iter(rules.values())).get("abortScaleDownDelaySeconds") == 0
        for each in _sets(server, data):
            mine = each["metadata"]["labels"][HASH]
            if mine == status["stableRS"]:
                count = wanted if routed or mine == sign else wanted - coming
            elif mine != sign:
                count = 0
            else:
                count = each["spec"]["replicas"] if status.get("abort") and routed and kept else 0 if status.get("abort") else coming
            counts = {"replicas": count, "readyReplicas": count, "availableReplicas": count} if count else {"replicas": 0}
            scaled = server.put({**each, "spec": {**each["spec"], "replicas": count}, "status": counts})
            inner, owner = scaled["spec"]["template"], scaled["metadata"]["name"]
            names = [f"{owner}-{hashed([owner, place])[:5]}" for place in range(count)]
            make_pods(server, scaled, dict.fromkeys(names, (inner["metadata"]["labels"], inner["spec"], True)))


def _sets(server: KubernetesServer, data: Data) -> list[Data]:
    return [each for each in server.all("ReplicaSet") if any(one["uid"] == data["metadata"]["uid"] for one in each["metadata"].get("ownerReferences", []))]


def _with_defaults(pods: Data) -> Data:
    """What the API server fills into the template of a ReplicaSet."""
    container = pods["spec"]["containers"][0]
    full = template(container["name"], container["image"])
    full["metadata"]["labels"] = dict(pods["metadata"]["labels"])
    return full


def _unhashed(pods: Data) -> Data:
    labels = {key: value for key, value in pods["metadata"]["labels"].items() if key != HASH}
    return {**pods, "metadata": {**pods["metadata"], "labels": labels}}


def _weight_at(steps: list[Data], index: int) -> int:
    return next((step["setWeight"] for step in reversed(steps[: index + 1]) if "setWeight" in step), 0)
