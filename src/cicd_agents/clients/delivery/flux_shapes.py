"""Flux's objects as our words. Every function raises BadAnswer where an answer has another shape.

Source of the names: kustomize-controller (v1), helm-controller (v2) and image-automation-controller (v1, v1beta2, v1beta1) CRDs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cicd_agents.clients.delivery.object_shapes import annotation, condition, holds, label, metadata, status_of
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_flux import FluxKind, FluxState, FluxTarget, HelmSnapshot, ImageAutomation
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName

# fluxcd/pkg, apis/meta/annotations.go
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
# Labels that kustomize-controller puts on all that it applies.
OWNER_NAME, OWNER_NAMESPACE = "kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace"
GIT_REPOSITORY = "GitRepository"
_LONGEST_MESSAGE = 300
_READY = {"True": True, "False": False}


@dataclass(frozen=True, slots=True)
class Source:
    """Where what is deployed comes from, and what it holds now; empty where that is not known."""

    kind: str = ""
    name: ObjectName | None = None
    revision: str = ""


def state(target: FluxTarget, data: Shape, source: Source, automations: Sequence[ImageAutomation], notes: Sequence[str]) -> FluxState:
    """How a target stands, with what was found around it."""
    spec, status = data.inner("spec"), status_of(data)
    ready, running, stalled = (condition(status, kind) for kind in ("Ready", "Reconciling", "Stalled"))
    history = tuple(map(_snapshot, status.items("history", missing_ok=True))) if target.kind is FluxKind.HELM_RELEASE else ()
    return FluxState(
        target, spec.flag("suspend"), annotation(data, SUSPENDED_BY_US) is not None,
        _READY.get(ready.text("status", "")) if ready else None, ready.text("reason", "") if ready else "",
        ready.text("message", "")[:_LONGEST_MESSAGE] if ready else "", holds(running),
        status.number("observedGeneration", -1) >= metadata(data).number("generation", 0),
        status.text("lastAppliedRevision", "") or (history[0].chart if history else ""), status.text("lastAttemptedRevision", ""),
        status.text("lastHandledReconcileAt", ""), source.name, tuple(automations), history,
        _remediation(spec) if target.kind is FluxKind.HELM_RELEASE else "",
        f"{stalled.text('reason', '')}: {stalled.text('message', '')}"[:_LONGEST_MESSAGE] if stalled and holds(stalled) else "",
        source.revision, tuple(notes),
    )  # fmt: skip


def revision_of(data: Shape) -> str:
    """What a source holds now (source-controller, `.status.artifact.revision`)."""
    artifact = status_of(data).maybe("artifact")
    return artifact.text("revision", "") if artifact else ""


def source_of(data: Shape) -> tuple[str, ObjectName] | None:
    """The kind and name of a Kustomization's source, None where it has none."""
    found = data.inner("spec").maybe("sourceRef")
    return _reference(found, data) if found else None


def owner_of(data: Shape) -> ObjectName | None:
    """The Kustomization that applied an object, as its labels tell."""
    name = label(data, OWNER_NAME)
    return ObjectName(label(data, OWNER_NAMESPACE) or _namespace(data), name) if name else None


def automation(data: Shape, api: str) -> tuple[ImageAutomation, tuple[str, ObjectName]]:
    """An image automation, and the source that it writes to."""
    spec = data.inner("spec")
    name = ObjectName(_namespace(data), metadata(data).text("name"))
    return ImageAutomation(name, spec.flag("suspend"), annotation(data, SUSPENDED_BY_US) is not None, api), _reference(spec.inner("sourceRef"), data)


def _reference(reference: Shape, holder: Shape) -> tuple[str, ObjectName]:
    return reference.text("kind", GIT_REPOSITORY), ObjectName(reference.text("namespace", "") or _namespace(holder), reference.text("name"))


def _namespace(data: Shape) -> str:
    return metadata(data).text("namespace", "default")


def _snapshot(data: Shape) -> HelmSnapshot:
    chart = f"{data.text('chartName', '')} {data.text('chartVersion', '')}".strip()
    return HelmSnapshot(data.number("version", 0), chart, data.text("status", ""), data.time("lastDeployed"), data.text("appVersion", ""))


def _remediation(spec: Shape) -> str:
    """What Helm does by itself after a failed upgrade (helm-controller, `.spec.upgrade.remediation`)."""
    upgrade = spec.maybe("upgrade")
    rules = upgrade.maybe("remediation") if upgrade else None
    retries = rules.number("retries", 0) if rules else 0
    last = rules.flag("remediateLastFailure", retries > 0) if rules else False
    if rules is None or not (retries or last):
        return ""
    return f"{rules.text('strategy', 'rollback')} after an upgrade that Helm itself counts as failed ({retries} retries)"
