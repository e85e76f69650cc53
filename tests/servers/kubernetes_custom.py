"""A stand-in for a cluster with Argo Rollouts, Flux, Flagger and Istio: its objects are checked against their CRDs (tests/data/crds) whenever they are written.

Objects and controllers are in kubernetes_custom_*.py; they do in one step what the real ones do in several.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jsonschema import Draft202012Validator
from tests.servers.clock import FakeClock
from tests.servers.kubernetes import TOKEN, KubernetesServer
from tests.servers.kubernetes_controllers import Controllers
from tests.servers.kubernetes_lists import Data

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.kubernetes_access import Access
from cicd_agents.clients.delivery.kubernetes_client import Kubernetes

_CRDS = Path(__file__).parents[1] / "data" / "crds"
_KINDS = (
    ("argoproj.io", "v1alpha1", "rollouts", "Rollout"),
    ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease"),
    ("image.toolkit.fluxcd.io", "v1beta2", "imageupdateautomations", "ImageUpdateAutomation"),
    ("source.toolkit.fluxcd.io", "v1", "gitrepositories", "GitRepository"),
    ("flagger.app", "v1beta1", "canaries", "Canary"),
    ("networking.istio.io", "v1", "virtualservices", "VirtualService"),
)


class CustomServer(KubernetesServer):
    """A cluster with all these tools installed. `workloads` runs plain Deployments. With `without_status` a kind has no status subresource."""

    def __init__(self, without_status: str = "") -> None:
        super().__init__()
        for group, version, plural, kind in _KINDS:
            self.serve(group, version, plural, kind, status=kind != without_status)
        self.workloads = Controllers()
        self.reactions += [checked, self.workloads]


def checked(server: KubernetesServer, after: Data, _before: Data | None) -> None:
    """A reaction that checks what was written against its CRD."""
    server.problems += [f"{after['kind']} {problem}" for problem in crd_problems(after)]


def crd_problems(data: Data) -> list[str]:
    """What an object has that its CRD does not know, or knows otherwise."""
    path = _CRDS / f"{data['kind'].lower()}.json"
    found = Draft202012Validator(json.loads(path.read_text())).iter_errors(data) if path.exists() else ()
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in found]


@contextmanager
def reaching(server: KubernetesServer, clock: FakeClock) -> Iterator[Kubernetes]:
    """A client of the cluster as the program makes it."""
    client = Kubernetes(Access(server.url, "the tests", headers={"authorization": f"Bearer {TOKEN}"}), clock, Budget(clock, 3600))
    try:
        yield client
    finally:
        client.close()
