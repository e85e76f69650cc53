"""Controllers for the stand-in for Kubernetes, as plain reactions: they do at once what the real ones do in steps.

Sources: Kubernetes docs, "Deployments", "StatefulSets", "DaemonSet", and the conduct of the controllers of 1.30 that the docs leave open: which ReplicaSet is
used again, how revisions are numbered, what annotations are copied, and when `currentRevision` moves.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import APPLIED, hashed, owned_by, pod

REVISION, HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
DESIRED, MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = (APPLIED, REVISION, HISTORY, DESIRED, MOST)


@dataclass
class Controllers:
    """What they have in common. Pods of an image in `broken` never answer; `new_pods`: so many pods of a new version, then they wait (None: all)."""

    broken: set[str] = field(default_factory=set)
    new_pods: int | None = None
    asleep: bool = False

    def __call__(self, server: KubernetesServer, after: Data, _before: Data | None) -> None:
        """React to a write."""
        acts = {"Deployment": self.deployment, "StatefulSet": self.stateful_set, "DaemonSet": self.daemon_set}
        if after["kind"] in acts and not self.asleep:
            acts[after["kind"]](server, after)

    def wake(self, server: KubernetesServer) -> None:
        """Catch up with all that was written meanwhile."""
        self.asleep = False
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for each in server.all(kind):
                self(server, each, None)

    # Deployments

    def deployment(self, server: KubernetesServer, data: Data) -> None:
        """ReplicaSets, their pods, and the status of the Deployment."""
        meta, spec = data["metadata"], data["spec"]
        sets = [each for each in server.all("ReplicaSet", meta["namespace"]) if _owns(data, each)]
        new = next((each for each in sets if _plain(each["spec"]["template"]) == spec["template"]), None)
        if new is None and spec.get("paused"):
            return self._deployment_status(server, data, sets, None)
        made = new is None
        new = new or self._replica_set(server, data)
        highest = max((_number(each) for each in sets if each is not new and each["metadata"]["name"] != new["metadata"]["name"]), default=0)
        notes = dict(new["metadata"].get("annotations", {}))
        if made or _number(new) <= highest:
            if REVISION in notes and not made:
                notes[HISTORY] = ",".join(filter(None, (notes.get(HISTORY, ""), notes[REVISION])))
            notes[REVISION] = str(highest + 1)
        notes |= {key: value for key, value in meta.get("annotations", {}).items() if key not in _NOT_COPIED}
        notes |= {DESIRED: str(spec["replicas"]), MOST: str(spec["replicas"] + 1)}
        new = server.put(_with_notes(new, notes))
        others = [each for each in sets if each["metadata"]["name"] != new["metadata"]["name"]]
        self._scale(server, spec, new, others)
        data = server.put(_with_notes(server.the("Deployment", meta["namespace"], meta["name"]), {**meta.get("annotations", {}), REVISION: notes[REVISION]}))
        everything = [each for each in server.all("ReplicaSet", meta["namespace"]) if _owns(data, each)]
        return self._deployment_status(server, data, everything, new)

    def give_up(self, server: KubernetesServer, namespace: str, name: str) -> None:
        """The progress deadline passes."""
        data = deepcopy(server.the("Deployment", namespace, name))
        for each in data["status"]["conditions"]:
            if each["type"] == "Progressing":
                newest = max((one for one in server.all("ReplicaSet", namespace) if _owns(data, one)), key=_number)["metadata"]["name"]
                each |= {"status": "False", "reason": "ProgressDeadlineExceeded", "message": f'ReplicaSet "{newest}" has timed out progressing.'}
        server.put(data)

    def _replica_set(self, server: KubernetesServer, data: Data) -> Data:
        sign = hashed(data["spec"]["template"])
        inner = deepcopy(data["spec"]["template"])
        inner["metadata"]["labels"]["pod-template-hash"] = sign
        meta = {
            "name": f"{data['metadata']['name']}-{sign}", "namespace": data["metadata"]["namespace"], "labels": inner["metadata"]["labels"],
            "annotations": {}, "ownerReferences": [owned_by(data)],
        }  # fmt: skip
        selector = {"matchLabels": {**data["spec"]["selector"]["matchLabels"], "pod-template-hash": sign}}
        return server.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": {"replicas": 0, "selector": selector, "template": inner}})

    def _scale(self, server: KubernetesServer, spec: Data, new: Data, others: list[Data]) -> None:
        if spec.get("paused"):
            return
        wanted = spec["replicas"]
        fine = self._image(new["spec"]["template"]) not in self.broken
        fresh = min(wanted, self.new_pods) if self.new_pods is not None and others else wanted if fine or not others else 1
        self._sized(server, new, fresh)
        serving = next((each for each in sorted(others, key=_number, reverse=True) if each["status"].get("availableReplicas")), None)
        for each in others:
            self._sized(server, each, max(0, wanted - (fresh if fine else 0)) if each is serving else 0)

    def _sized(self, server: KubernetesServer, data: Data, count: int) -> None:
        data = deepcopy(data)
        data["spec"]["replicas"] = count
        fine = self._image(data["spec"]["template"]) not in self.broken
        counts = {"readyReplicas": count, "availableReplicas": count} if count and fine else {}
        data["status"] = {"replicas": count, "fullyLabeledReplicas": count, "observedGeneration": data["metadata"]["generation"], **counts}
        kept = server.put(data)
        inner = kept["spec"]["template"]
        names = [f"{kept['metadata']['name']}-{hashed([kept['metadata']['name'], place])[:5]}" for place in range(count)]
        make_pods(server, kept, dict.fromkeys(names, (inner["metadata"]["labels"], inner["spec"], fine)))

    def _deployment_status(self, server: KubernetesServer, data: Data, sets: list[Data], new: Data | None) -> None:
        data = deepcopy(server.the("Deployment", data["metadata"]["namespace"], data["metadata"]["name"]))
        wanted = data["spec"]["replicas"]
        fresh: Data = next((each["status"] for each in sets if new and each["metadata"]["name"] == new["metadata"]["name"]), {})
        total = sum(each["status"].get("replicas", 0) for each in sets)
        available = sum(each["status"].get("availableReplicas", 0) for each in sets)
        done = fresh.get("availableReplicas", 0) >= wanted and total == wanted
        name = new["metadata"]["name"] if new else ""
        before = {each["type"]: each for each in data.get("status", {}).get("conditions", [])}
        paused = {"status": "Unknown", "reason": "DeploymentPaused", "message": "Deployment is paused"}
        rolled = {"status": "True", "reason": "NewReplicaSetAvailable", "message": f'ReplicaSet "{name}" has successfully progressed.'}
        rolling = {"status": "True", "reason": "ReplicaSetUpdated", "message": f'ReplicaSet "{name}" is progressing.'}
        progress = paused if data["spec"].get("paused") else rolled if done else rolling
        enough = {"status": "True", "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."}
        data["status"] = {
            "observedGeneration": data["metadata"]["generation"], "replicas": total, "updatedReplicas": fresh.get("replicas", 0),
            "readyReplicas": available, "availableReplicas": available,
            "conditions": [_condition(server, before, "Available", enough), _condition(server, before, "Progressing", progress)],
        }  # fmt: skip
        server.put(data)

    def _image(self, template: Data) -> str:
        return str(template["spec"]["containers"][0]["image"])

    # Sets

    def stateful_set(self, server: KubernetesServer, data: Data) -> None:
        """Its ControllerRevision, its pods from the last to the first, and its status."""
        revision = self._controller_revision(server, data)
        name, namespace, wanted = data["metadata"]["name"], data["metadata"]["namespace"], data["spec"]["replicas"]
        strategy = data["spec"]["updateStrategy"]
        first = strategy.get("rollingUpdate", {}).get("partition", 0) if strategy["type"] == "RollingUpdate" else wanted
        present = {each["metadata"]["name"]: each for each in server.all("Pod", namespace) if _owns(data, each)}
        wished: dict[str, tuple[Data, Data, bool]] = {name: _as_is(each) for name, each in present.items()}
        for place in reversed(range(wanted)):
            each = f"{name}-{place}"
            if each in present and (place < first or _version(present[each]) == revision["metadata"]["name"]):
                continue
            fine = self._image(data["spec"]["template"]) not in self.broken
            labels = {**data["spec"]["template"]["metadata"]["labels"], "controller-revision-hash": revision["metadata"]["name"]}
            wished[each] = (labels, data["spec"]["template"]["spec"], fine)
            if not fine and present:
                break
        make_pods(server, data, wished)
        pods = [each for each in server.all("Pod", namespace) if _owns(data, each)]
        ready = sum(_ready(each) for each in pods)
        updated = sum(_version(each) == revision["metadata"]["name"] for each in pods)
        before = data.get("status", {}).get("currentRevision") or revision["metadata"]["name"]
        moved = updated == ready == wanted and strategy["type"] == "RollingUpdate"
        status = {
            "observedGeneration": data["metadata"]["generation"], "replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready,
            "currentRevision": revision["metadata"]["name"] if moved else before, "updateRevision": revision["metadata"]["name"],
            "updatedReplicas": updated, "currentReplicas": wanted if moved else len(pods) - updated, "collisionCount": 0,
        }  # fmt: skip
        server.put({**deepcopy(data), "status": status})

    def daemon_set(self, server: KubernetesServer, data: Data) -> None:
        """Its ControllerRevision, a pod on each of three nodes, one at a time, and its status."""
        revision = self._controller_revision(server, data)
        sign, namespace = revision["metadata"]["labels"]["controller-revision-hash"], data["metadata"]["namespace"]
        present = [each for each in server.all("Pod", namespace) if _owns(data, each)]
        kept = [each for each in present if _version(each) == sign]
        old = [each for each in present if _version(each) != sign]
        fine = self._image(data["spec"]["template"]) not in self.broken
        old = [each for each in old if _ready(each)][: 2 if not fine else 0]
        wished: dict[str, tuple[Data, Data, bool]] = {each["metadata"]["name"]: _as_is(each) for each in (*kept, *old)}
        labels = {**data["spec"]["template"]["metadata"]["labels"], "controller-revision-hash": sign}
        names = [f"{data['metadata']['name']}-{hashed([sign, node])[:5]}" for node in range(3)]
        for name in [each for each in names if each not in wished][: 3 - len(wished)]:
            wished[name] = (labels, data["spec"]["template"]["spec"], fine)
        make_pods(server, data, wished)
        pods = [each for each in server.all("Pod", namespace) if _owns(data, each)]
        ready, updated = sum(_ready(each) for each in pods), sum(_version(each) == sign for each in pods)
        status = {
            "observedGeneration": data["metadata"]["generation"], "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberMisscheduled": 0,
            "numberReady": ready, "numberAvailable": ready, "updatedNumberScheduled": updated,
        }  # fmt: skip
        server.put({**deepcopy(data), "status": status})

    def _controller_revision(self, server: KubernetesServer, data: Data) -> Data:
        """The one with this template, with the highest number; a new one is given all annotations of the set."""
        kept = {"spec": {"template": {**data["spec"]["template"], "$patch": "replace"}}}
        mine = [each for each in server.all("ControllerRevision", data["metadata"]["namespace"]) if _owns(data, each)]
        found = next((each for each in mine if each["data"] == kept), None)
        highest = max((each["revision"] for each in mine if each is not found), default=0)
        if found is not None:
            return server.put({**deepcopy(found), "revision": found["revision"] if found["revision"] > highest else highest + 1})
        sign = hashed(kept)
        key = "controller.kubernetes.io/hash" if data["kind"] == "StatefulSet" else "controller-revision-hash"
        meta = {
            "name": f"{data['metadata']['name']}-{sign}", "namespace": data["metadata"]["namespace"], "ownerReferences": [owned_by(data)],
            "labels": {**data["spec"]["template"]["metadata"]["labels"], key: sign}, "annotations": dict(data["metadata"].get("annotations", {})),
        }  # fmt: skip
        return server.put({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": meta, "data": kept, "revision": highest + 1})


def make_pods(server: KubernetesServer, owner: Data, wished: dict[str, tuple[Data, Data, bool]]) -> None:
    """Make and delete pods until the owner has those that are wished; one that is as wished stays."""
    for each in [one for one in server.all("Pod", owner["metadata"]["namespace"]) if _owns(owner, one)]:
        if wished.get(each["metadata"]["name"], (None,))[0] != each["metadata"]["labels"]:
            server.drop("Pod", owner["metadata"]["namespace"], each["metadata"]["name"])
        else:
            wished.pop(each["metadata"]["name"])
    for name, (labels, spec, fine) in wished.items():
        server.put(pod(name, owner, labels, spec, server.stamp(), ready=fine))


def _as_is(data: Data) -> tuple[Data, Data, bool]:
    return data["metadata"]["labels"], data["spec"], _ready(data)


def _condition(server: KubernetesServer, before: dict[str, Data], kind: str, words: Data) -> Data:
    same = before.get(kind, {}).get("status") == words["status"]
    return {"type": kind, **words, "lastUpdateTime": server.stamp(), "lastTransitionTime": before[kind]["lastTransitionTime"] if same else server.stamp()}


def _owns(owner: Data, data: Data) -> bool:
    return any(each["uid"] == owner["metadata"]["uid"] for each in data["metadata"].get("ownerReferences", []))


def _number(data: Data) -> int:
    return int(data["metadata"].get("annotations", {}).get(REVISION, "0"))


def _plain(template: Data) -> Data:
    labels = {key: value for key, value in template["metadata"]["labels"].items() if key != "pod-template-hash"}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _with_notes(data: Data, notes: Any) -> Data:
    data = deepcopy(data)
    data["metadata"]["annotations"] = dict(notes)
    return data


def _version(data: Data) -> str:
    return str(data["metadata"]["labels"].get("controller-revision-hash", ""))


def _ready(data: Data) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in data["status"]["conditions"])
