"""Flux's objects for the stand-in for Kubernetes, and a controller that applies what Git says (Flux docs, "Kustomization", "HelmRelease")."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_custom import crd_problems
from tests.servers.kubernetes_lists import Data
from tests.servers.kubernetes_objects import NAMESPACE

REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"


def git_repository(revision: str, name: str = "shop") -> Data:
    """A GitRepository that has fetched a revision."""
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"interval": "1m", "url": "https://git.example/shop", "ref": {"branch": "main"}},
        "status": {"artifact": {"lastUpdateTime": "2025-06-15T15:06:40Z", "path": "gitrepository/x.tar.gz", "revision": revision, "url": "http://source/x"}},
    }  # fmt: skip


def kustomization(name: str = "shop", *, revision: str = "main@sha1:" + "b" * 40, **spec: Any) -> Data:
    """A Kustomization that has applied a revision."""
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"interval": "10m", "prune": True, "path": "./deploy", "sourceRef": {"kind": "GitRepository", "name": "shop"}, **spec},
        "status": {"observedGeneration": 1, "lastAppliedRevision": revision, "lastAttemptedRevision": revision, "conditions": [condition("Ready")]},
    }  # fmt: skip


def helm_release(name: str = "shop", *, owner: str = "shop", **spec: Any) -> Data:
    """A HelmRelease with three releases, applied by a Kustomization."""
    labels = {"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"} if owner else {}
    common = {
        "chartName": "shop",
        "configDigest": "sha256:1",
        "digest": "sha256:2",
        "firstDeployed": "2025-06-01T00:00:00Z",
        "name": name,
        "namespace": NAMESPACE,
    }
    releases = (("1.2.0", "deployed", 3), ("1.1.9", "failed", 2), ("1.1.8", "superseded", 1))
    history = [{**common, "chartVersion": version, "status": word, "version": number, "lastDeployed": f"2025-06-1{number}T00:00:00Z", "appVersion": version}
               for version, word, number in releases]  # fmt: skip
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"interval": "10m", "chart": {"spec": {"chart": "shop", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}, **spec},
        "status": {"observedGeneration": 1, "lastAttemptedRevision": "1.2.0", "history": history, "conditions": [condition("Ready")]},
    }  # fmt: skip


def image_automation(name: str = "images", namespace: str = "flux-system", *, source: str = "shop", suspend: bool = False) -> Data:
    """An ImageUpdateAutomation."""
    reference = {"kind": "GitRepository", "name": source, "namespace": "flux-system"}
    return {
        "apiVersion": "image.toolkit.fluxcd.io/v1beta2", "kind": "ImageUpdateAutomation", "metadata": {"name": name, "namespace": namespace},
        "spec": {"interval": "5m", "sourceRef": reference, **({"suspend": True} if suspend else {})},
    }  # fmt: skip


def condition(kind: str, status: str = "True", reason: str = "ReconciliationSucceeded", message: str = "Applied revision") -> Data:
    """A condition."""
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2025-06-15T15:06:40Z"}


@dataclass
class FluxController:
    """Applies what Git says whenever something is not suspended. `git` maps revisions to images; `bad` is the revision that automations commit.

    `deployment` is what it applies; `handles` False: it handles no request.
    """

    git: dict[str, str]
    deployment: str = "api"
    bad: str = ""
    handles: bool = True
    commits: list[str] = field(default_factory=list)

    def __call__(self, server: KubernetesServer, after: Data, _before: Data | None) -> None:
        """React to a write of one of its objects."""
        if after["kind"] in ("Kustomization", "HelmRelease", "ImageUpdateAutomation"):
            self.tick(server)

    def tick(self, server: KubernetesServer) -> None:
        """The interval passes."""
        for each in server.all("ImageUpdateAutomation"):
            if (
                self.bad
                and not each["spec"].get("suspend")
                and server.the("GitRepository", "flux-system", "shop")["status"]["artifact"]["revision"] != self.bad
            ):
                self.commits.append(self.bad)
                server.put(git_repository(self.bad))
        for each in (*server.all("Kustomization"), *server.all("HelmRelease")):
            if not each["spec"].get("suspend"):
                self._reconcile(server, deepcopy(each))

    def _reconcile(self, server: KubernetesServer, data: Data) -> None:
        status = data["status"]
        if self.handles and REQUESTED_AT in data["metadata"].get("annotations", {}):
            status["lastHandledReconcileAt"] = data["metadata"]["annotations"][REQUESTED_AT]
        status["observedGeneration"] = data["metadata"]["generation"]
        if data["kind"] == "Kustomization":
            revision = self._holds(server)
            status |= {"lastAppliedRevision": revision, "lastAttemptedRevision": revision}
            self._apply(server, self.git.get(revision, ""))
        server.problems += crd_problems(server.put(data))

    def _holds(self, server: KubernetesServer) -> str:
        return str(server.the("GitRepository", "flux-system", "shop")["status"]["artifact"]["revision"])

    def _apply(self, server: KubernetesServer, image: str) -> None:
        found = next((each for each in server.all("Deployment", NAMESPACE) if each["metadata"]["name"] == self.deployment), None)
        if found is not None and image and found["spec"]["template"]["spec"]["containers"][0]["image"] != image:
            containers = deepcopy(found["spec"]["template"]["spec"]["containers"])
            containers[0]["image"] = image
            server.edit("Deployment", NAMESPACE, self.deployment, {"spec": {"template": {"spec": {"containers": containers}}}})
