"""Flagger's Canaries and the workloads they name as our words. Every function raises BadAnswer where an answer has another shape.

Source of the names: the Canary CRD (flagger.app/v1beta1); how the primary is made of the target: Flagger, pkg/canary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cicd_agents.clients.delivery.kubernetes_shapes import TEMPLATE_HASH
from cicd_agents.clients.delivery.object_shapes import annotation, condition, images, label, metadata, status_of
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_flagger import FlaggerPhase, FlaggerSide, FlaggerState
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.delivery_traffic import TrafficKind, TrafficTarget

SKIPPED_BY_US = "cicd-agents/skip-analysis"
PRIMARY = "-primary"
_LONGEST_MESSAGE, _LONGEST_WORD = 300, 60


def state(name: ObjectName, data: Shape, target: Shape | None, primary: Shape | None, replica_sets: Sequence[Shape]) -> FlaggerState:
    """How a Canary stands, with its target, the primary and the target's ReplicaSets, where they are."""
    spec, status = data.inner("spec"), status_of(data)
    reference, analysis = spec.inner("targetRef"), spec.maybe("analysis") or Shape({}, data.where, "spec.analysis")
    word, promoted = status.text("phase", ""), condition(status, "Promoted")
    return FlaggerState(
        name, FlaggerPhase.of(word), word, promoted.text("message", "")[:_LONGEST_MESSAGE] if promoted else "", status.number("canaryWeight", 0),
        status.number("failedChecks", 0), analysis.number("threshold", 1), reference.text("kind"),
        _side(target) if target else None, _side(primary) if primary else None, _same(target, primary),
        tuple(each for made in replica_sets if primary and _equal(made, primary) for each in _names(made)), spec.flag("suspend"),
        annotation(data, SUSPENDED_BY_US) is not None, spec.flag("skipAnalysis"), annotation(data, SKIPPED_BY_US) is not None,
        tuple(each.text("type", "") for each in analysis.items("webhooks", missing_ok=True)), spec.text("provider", "")[:_LONGEST_WORD],
        _split(name, spec, analysis),
    )  # fmt: skip


def target_of(data: Shape) -> tuple[str, str]:
    """The kind and name of a Canary's target."""
    reference = data.inner("spec").inner("targetRef")
    return reference.text("kind"), reference.text("name")


def _split(name: ObjectName, spec: Shape, analysis: Shape) -> TrafficTarget | None:
    """What Flagger weighs, by the names that it gives (pkg/router, istio.go and ingress.go); None where that is neither of the two that we know.

    Of ingress-nginx a header or cookie goes before the weight, so with `match` the weight says nothing.
    """
    provider, service, ingress = spec.text("provider", ""), spec.maybe("service"), spec.maybe("ingressRef")
    if provider == "istio":
        apex = (service.text("name", "") if service else "") or spec.inner("targetRef").text("name")
        return TrafficTarget(TrafficKind.ISTIO, ObjectName(name.namespace, apex), canary=f"{apex}-canary", stable=f"{apex}{PRIMARY}")
    if provider == "nginx" and ingress is not None and not analysis.items("match", missing_ok=True):
        return TrafficTarget(TrafficKind.NGINX, ObjectName(name.namespace, f"{ingress.text('name')}-canary"))
    return None


def _side(workload: Shape) -> FlaggerSide:
    spec, status = workload.inner("spec"), status_of(workload)
    pictures = images(spec.inner("template").inner("spec"))
    wanted = status.number("desiredNumberScheduled", 0) if "desiredNumberScheduled" in status.data else spec.number("replicas", 1)
    return FlaggerSide(metadata(workload).text("name"), pictures, wanted, status.number("readyReplicas", 0) or status.number("numberReady", 0))


def _same(target: Shape | None, primary: Shape | None) -> bool | None:
    return None if target is None or primary is None else _equal(target, primary)


def _equal(one: Shape, other: Shape) -> bool:
    """Whether both have the same pods. Flagger names the primary's copies of configuration, and labels that it selects by, with `-primary` at the end."""
    return bool(_plain(_pods(one)) == _plain(_pods(other)))


def _pods(workload: Shape) -> Mapping[str, Any]:
    return workload.inner("spec").inner("template").inner("spec").data


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.removesuffix(PRIMARY) if isinstance(value, str) else value


def _names(replica_set: Shape) -> tuple[str, str]:
    return label(replica_set, TEMPLATE_HASH), metadata(replica_set).text("name")
