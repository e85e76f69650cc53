"""Answers of a cluster and of Argo CD with anything in the place of anything, and a cluster that gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from cicd_agents.domain.cluster import Object, PatchForm
from cicd_agents.domain.errors import NotFound

ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, False, 0, -1, 1, 2**70, 1e308, float("nan"), float("inf"), "", "x", "²", "9" * 30, "1e999", "-1", "0001-01-01T00:00:00+23:00", "soon",
    "..", "a/b", [], ["x"], [1], [{}], [[]], {}, {"x": 1}, {"name": "..", "kind": 1},
])  # fmt: skip
OWNER = [{"uid": "u", "kind": "Deployment", "name": "api"}]
TEMPLATE: Any = {
    "metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": "shop/api:1", "resources": {"limits": {"memory": "1Gi"}}}]},
}  # fmt: skip
TEMPLATE_OLD: Any = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": "shop/api:0"}]}}


def _meta(name: str, uid: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "prod", "uid": uid, "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": {}, **more}


def _set(name: str, version: str, number: str, template: Any) -> dict[str, Any]:
    notes = {"deployment.kubernetes.io/revision": number, "rollout.argoproj.io/revision": number, "cicd-agents/healthy-at": f"{version}@2026-01-01"}
    labels = {"pod-template-hash": version, "rollouts-pod-template-hash": version, "controller-revision-hash": version}
    return {
        "metadata": _meta(name, f"{name}-id", ownerReferences=OWNER, annotations=notes, labels=labels), "revision": int(number),
        "spec": {"replicas": 1, "template": template}, "data": {"spec": {"template": template}},
        "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1},
    }  # fmt: skip


_POD = {
    "metadata": _meta("api-1", "p", ownerReferences=[{"uid": "api-new-id"}, {"uid": "u"}], labels={"controller-revision-hash": "new"}),
    "spec": {**TEMPLATE["spec"], "initContainers": [{"name": "i", "restartPolicy": "Always"}]},
    "status": {
        "phase": "Running", "startTime": "2026-01-01T00:00:00Z",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:01:00Z"}],
        "containerStatuses": [
            {"name": "api", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "OOMKilled"}}},
        ],
    },
}  # fmt: skip
_WORKLOAD = {
    "metadata": _meta("api", "u", annotations={"cicd-agents/rolled-back": "old@2026-01-02", "cicd-agents/paused": "2026"}, labels={}),
    "spec": {
        "replicas": 2, "paused": True, "selector": {"matchLabels": {"app": "api"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
        "template": TEMPLATE, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
    },
    "status": {
        "observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1,
        "updateRevision": "api-new", "currentRevision": "api-old", "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 1,
        "conditions": [{"type": "Progressing", "reason": "x", "status": "True", "message": ""}],
    },
}  # fmt: skip
_ROLLOUT = {
    "metadata": _meta("api", "u", annotations={"cicd-agents/abort-scale-down-delay": "30"}),
    "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": TEMPLATE,
        "strategy": {"canary": {"trafficRouting": {}, "abortScaleDownDelaySeconds": 0, "steps": [{"setWeight": 20}, {"pause": {"duration": "10m"}}]}},
    },
    "status": {
        "phase": "Paused", "message": "m", "observedGeneration": "2", "currentPodHash": "new", "stableRS": "old", "currentStepIndex": 1, "abort": False,
        "pauseConditions": [{"reason": "CanaryPauseStep"}], "canary": {"weights": {"canary": {"weight": 20}}}, "blueGreen": {"activeSelector": "old"},
    },
}  # fmt: skip
_CANARY = {
    "metadata": _meta("api", "c"),
    "spec": {"targetRef": {"kind": "Deployment", "name": "api"}, "analysis": {"threshold": 5, "webhooks": [{"type": "rollback"}]}},
    "status": {"phase": "Progressing", "canaryWeight": 10, "failedChecks": 1, "iterations": 0, "conditions": [{"type": "Promoted", "message": "m"}]},
}  # fmt: skip
_FLUX = {
    "metadata": _meta("shop", "k", labels={"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}),
    "spec": {"suspend": False, "sourceRef": {"kind": "GitRepository", "name": "shop"}, "upgrade": {"remediation": {"retries": 1, "strategy": "rollback"}}},
    "status": {
        "observedGeneration": 2, "lastAppliedRevision": "main@sha1:a", "lastAttemptedRevision": "main@sha1:a", "artifact": {"revision": "main@sha1:a"},
        "conditions": [{"type": "Ready", "status": "False", "reason": "r", "message": "m"}, {"type": "Stalled", "status": "True"}],
        "history": [{"version": 2, "chartName": "shop", "chartVersion": "1", "status": "deployed", "lastDeployed": "2026-01-01T00:00:00Z"}],
    },
}  # fmt: skip
_ROUTE = {"metadata": _meta("api", "v"), "spec": {"http": [{"route": [
    {"destination": {"host": "canary"}, "weight": 10}, {"destination": {"host": "stable"}, "weight": 90},
]}]}}  # fmt: skip
_CANARY_INGRESS = {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "10"}
_INGRESS = {"metadata": _meta("api", "i", annotations=_CANARY_INGRESS)}
OBJECTS: Mapping[str, Any] = {
    **dict.fromkeys(("deployments", "statefulsets", "daemonsets"), _WORKLOAD), "rollouts": _ROLLOUT, "canaries": _CANARY, "virtualservices": _ROUTE,
    **dict.fromkeys(("kustomizations", "helmreleases", "gitrepositories", "imageupdateautomations"), _FLUX), "ingresses": _INGRESS, "pods": _POD,
    "sets": [_set("api-new", "new", "2", TEMPLATE), _set("api-old", "old", "1", TEMPLATE_OLD)],
}  # fmt: skip
APPLICATION = {
    "metadata": {
        "name": "api", "annotations": {"cicd-agents/auto-sync": '{"automated": {"prune": true}, "left": "a/b", "images": ["x"]}'},
        "ownerReferences": [{"kind": "ApplicationSet", "name": "all"}], "labels": {"app.kubernetes.io/instance": "root"},
    },
    "spec": {"project": "shop", "syncPolicy": {"automated": {"prune": True, "selfHeal": False}},
             "source": {"repoURL": "https://g/x", "targetRevision": "main"}},
    "operation": None,
    "status": {
        "history": [{"id": number, "revision": sign * 40, "deployedAt": f"2026-01-0{number + 1}T00:00:00Z", "source": {"repoURL": "https://g/x"}}
                    for number, sign in enumerate("aba")],
        "sync": {"status": "Synced", "revision": "a" * 40, "comparedTo": {"source": {"repoURL": "https://g/x"}}},
        "health": {"status": "Healthy", "message": ""},
        "summary": {"images": ["shop/api:1"]},
        "operationState": {"phase": "Failed", "message": "m", "startedAt": "2026-01-04T00:00:00Z", "operation": {"sync": {"revision": "c" * 40}},
                           "syncResult": {"revision": "c" * 40, "source": {"repoURL": "https://g/x"}}},
    },
}  # fmt: skip


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from _places(inner, (*at, key))


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(holder, list) and isinstance(key, int) and key < len(holder)


@st.composite
def odd(draw: st.DrawFn, base: Any) -> Any:
    """The same with up to three of its parts replaced by something odd."""
    made = deepcopy(base)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(_places(base))))
        holder = made
        for key in above:
            holder = holder[key] if _has(holder, key) else None
        if _has(holder, last):
            holder[last] = draw(ODD)
    return made


@dataclass
class OddCluster:
    """Gives one object for each kind, whatever its name (port `Cluster`)."""

    objects: Mapping[str, Any]

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Object:  # noqa: ARG002 as the port has it
        parts = path.split("/")
        if "replicasets" in parts or "controllerrevisions" in parts:
            raise NotFound("It is gone.")
        found: Object = next(self.objects[part] for part in parts if part in self.objects)
        return found

    def listed(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Object]:  # noqa: ARG002 as above
        plural = path.rpartition("/")[2]
        found = self.objects["sets" if plural in ("replicasets", "controllerrevisions") else plural]
        return iter(found if isinstance(found, list) else [found])

    def patch(self, path: str, body: Any, form: PatchForm) -> Object:  # noqa: ARG002 as above
        raise AssertionError("nothing is written")

    def allowed(self, verb: str, group: str, resource: str, namespace: str, name: str = "") -> bool | None:  # noqa: ARG002 as above
        return None
