"""Objects as a cluster of Kubernetes 1.30 keeps them: with the defaults, managed fields and status that its controllers write."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.servers.kubernetes_lists import Data

NAMESPACE = "prod"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def template(name: str, image: str, *, env: str = "", limits: Data | None = None) -> Data:
    """A pod template as the API server gives it back."""
    container: Data = {
        "name": name, "image": image, "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": limits or {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    }  # fmt: skip
    if env:
        container["env"] = [{"name": "MODE", "value": env}]
    return {
        "metadata": {"creationTimestamp": None, "labels": {"app": name}},
        "spec": {
            "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
        },
    }  # fmt: skip


def deployment(name: str = "api", image: str = "shop/api:1.0.0", *, replicas: int = 3, annotations: Data | None = None, **spec: Any) -> Data:
    """A Deployment as `kubectl apply` makes it."""
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(name, annotations),
        "spec": {
            "progressDeadlineSeconds": 600, "replicas": replicas, "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": name}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"}, "template": template(name, image), **spec,
        },
    }  # fmt: skip


def stateful_set(name: str = "db", image: str = "shop/db:1.0.0", *, replicas: int = 3, annotations: Data | None = None, **spec: Any) -> Data:
    """A StatefulSet."""
    return {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": _metadata(name, annotations),
        "spec": {
            "podManagementPolicy": "OrderedReady", "replicas": replicas, "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": name}},
            "serviceName": name, "template": template(name, image), "updateStrategy": {"rollingUpdate": {"partition": 0}, "type": "RollingUpdate"}, **spec,
        },
    }  # fmt: skip


def daemon_set(name: str = "agent", image: str = "shop/agent:1.0.0", *, annotations: Data | None = None, **spec: Any) -> Data:
    """A DaemonSet."""
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": _metadata(name, annotations),
        "spec": {
            "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": name}}, "template": template(name, image),
            "updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}, "type": "RollingUpdate"}, **spec,
        },
    }  # fmt: skip


def pod(name: str, owner: Data, labels: Data, spec: Data, stamp: str, *, ready: bool = True, restarts: int = 0) -> Data:
    """A pod that its kubelet has told of; without `ready` its container crashes again and again."""
    container = spec["containers"][0]
    running = {"running": {"startedAt": stamp}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    state = {
        "name": container["name"], "image": container["image"], "imageID": f"docker.io/{container['image']}@sha256:{'0' * 64}", "ready": ready,
        "restartCount": restarts or (0 if ready else 7), "started": ready, "state": running if ready else waiting, "lastState": {},
    }  # fmt: skip
    word = "True" if ready else "False"
    conditions = [{"type": each, "status": word if each.endswith("Ready") else "True", "lastProbeTime": None, "lastTransitionTime": stamp}
                  for each in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")]  # fmt: skip
    conditions[2]["status"] = word
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": owner["metadata"]["namespace"], "labels": labels, "ownerReferences": [owned_by(owner)]},
        "spec": {**spec, "nodeName": "node-1"},
        "status": {"phase": "Running", "startTime": stamp, "conditions": conditions, "containerStatuses": [state], "qosClass": "Burstable"},
    }  # fmt: skip


def owned_by(owner: Data) -> Data:
    """What a controlled object says of its controller."""
    return {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


def hashed(value: Any) -> str:
    """A hash of ten signs, as controllers put into names."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "".join("bcdfghjklmnpqrstvwxz2456789"[byte % 27] for byte in digest[:10])


def _metadata(name: str, annotations: Data | None) -> Data:
    applied = json.dumps({"apiVersion": "apps/v1", "metadata": {"name": name, "namespace": NAMESPACE}})
    managed = {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "apps/v1", "time": "2025-06-15T15:06:40Z", "fieldsType": "FieldsV1",
               "fieldsV1": {"f:spec": {"f:template": {}}}}  # fmt: skip
    return {"name": name, "namespace": NAMESPACE, "labels": {"app": name}, "annotations": {APPLIED: applied, **(annotations or {})}, "managedFields": [managed]}
