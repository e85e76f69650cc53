"""An application of Argo CD as a rollback sees it (domain.delivery_argocd). Every function raises BadAnswer where an answer has another shape.

Source of the names: Argo CD's swagger, `v1alpha1Application`; docs, user-guide/resource_tracking for the owner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cicd_agents.clients.delivery import argocd_shapes as shapes
from cicd_agents.clients.delivery.argocd_service import ApplicationName
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_argocd import PAUSED_BY_US, Application, AppOperation, Deployed, HistoryEntry, Paused

# Bounds of what is read: Argo CD keeps 10 entries unless `revisionHistoryLimit` says more.
_MOST_ENTRIES, _MOST_IMAGES, _LONGEST = 200, 100, 500
_LONGEST_NOTE = 4000
# The fields of `automated` (v1alpha1SyncPolicyAutomated): all are flags.
_AUTOMATED = ("allowEmpty", "enabled", "prune", "selfHeal")
# What of a source is no part of what is deployed: the branch or tag is told by the commit it led to, the name is a label.
_NOT_CONTENT = ("targetRevision", "name")
_TRACKING, _INSTANCE = "argocd.argoproj.io/tracking-id", "app.kubernetes.io/instance"
_APPLICATION_KIND = ":argoproj.io/Application:"
# Phases of an operation that is not done (gitops-engine, sync/common: OperationPhase).
_UNDER_WAY = ("Running", "Terminating")


def application(data: Shape, name: ApplicationName) -> Application:
    """How the application stands."""
    status = data.maybe("status") or Shape({}, data.where)
    sync, health, summary = status.maybe("sync"), status.maybe("health"), status.maybe("summary")
    owner, perhaps = _owners(data.inner("metadata"), name)
    automated = _automated(data)
    return Application(
        name.shown, shapes.project(data), _history(status), _wanted(sync),
        summary.texts("images", missing_ok=True)[:_MOST_IMAGES] if summary else (),
        sync.text("status", "") if sync else "", health.text("status", "") if health else "", health.text("message", "")[:_LONGEST] if health else "",
        _operation(data, status), automated is not None and automated.get("enabled", True), automated, _paused(data.inner("metadata")), owner, perhaps,
    )  # fmt: skip


def _history(status: Shape) -> tuple[HistoryEntry, ...]:
    entries = [HistoryEntry(one.number("id", 0), _deployed(one, one), one.time("deployedAt")) for one in status.items("history", missing_ok=True)]
    return tuple(entries[-_MOST_ENTRIES:])


def _wanted(sync: Shape | None) -> Deployed | None:
    """What Git states, with the sources that it was compared for; None where Argo CD could not tell."""
    compared = sync.maybe("comparedTo") if sync else None
    return _deployed(sync, compared) if sync and compared and _revisions(sync) else None


def _deployed(revisions: Shape, sources: Shape) -> Deployed:
    return Deployed(_revisions(revisions), _fingerprint(sources))


def _revisions(holder: Shape) -> tuple[str, ...]:
    several = holder.texts("revisions", missing_ok=True)
    one = holder.text("revision", "")
    return several or ((one,) if one else ())


def _fingerprint(holder: Shape) -> str:
    """A digest of the sources with their parameters; empty where there are none."""
    several, one = holder.items("sources", missing_ok=True), holder.maybe("source")
    sources = [_content(source.data) for source in several or ((one,) if one else ())]
    if not any(sources):
        return ""
    return hashlib.sha256(json.dumps(sources, sort_keys=True, default=str).encode()).hexdigest()


def _content(source: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key not in _NOT_CONTENT and value not in (None, "", [], {})}


def _operation(data: Shape, status: Shape) -> AppOperation | None:
    """The one that runs or ran last; one that was asked for and not begun counts as running.

    What was asked for stands there until it is done (controller/appcontroller.go, setOperationState), so a state that is under way is about just that.
    """
    asked, state = data.maybe("operation"), status.maybe("operationState")
    if asked is not None and (state is None or state.text("phase", "") not in _UNDER_WAY):
        return _told(shapes.RUNNING, "", asked, None, None)
    if state is None:
        return None
    done = state.maybe("operation") or Shape({}, state.where)
    return _told(state.text("phase", ""), state.text("message", "")[:_LONGEST], done, state.maybe("syncResult"), state.time("startedAt"))


def _told(phase: str, message: str, operation: Shape, result: Shape | None, began: float | None) -> AppOperation:
    sync = operation.maybe("sync") or Shape({}, operation.where)
    own = bool(_fingerprint(sync))
    revisions = _revisions(sync) or (_revisions(result) if result else ())
    source = _fingerprint(sync) or (_fingerprint(result) if result else "")
    whole = not sync.items("resources", missing_ok=True) and not sync.flag("dryRun")
    return AppOperation(phase, message, Deployed(revisions, source) if revisions else None, own, whole, began)


def _automated(data: Shape) -> Mapping[str, bool] | None:
    policy = data.inner("spec").maybe("syncPolicy")
    automated = policy.maybe("automated") if policy else None
    return None if automated is None else {key: automated.flag(key) for key in _AUTOMATED if automated.data.get(key) is not None}


def _paused(metadata: Shape) -> Paused | None:
    """What our annotation says; None where there is none that makes sense: people can write annotations as well."""
    annotations = metadata.maybe("annotations")
    text = annotations.text(PAUSED_BY_US, "") if annotations else ""
    try:
        said = json.loads(text) if 0 < len(text) <= _LONGEST_NOTE else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    automated, left, images = said.get("automated"), said.get("left"), said.get("images")
    if not isinstance(automated, dict) or not all(key in _AUTOMATED and isinstance(value, bool) for key, value in automated.items()):
        return None
    return Paused(automated, left if isinstance(left, str) else "", tuple(one for one in images if isinstance(one, str)) if isinstance(images, list) else ())


def paused_note(paused: Paused) -> str:
    """The text of the annotation."""
    images, kept = list(paused.images), 0
    while kept < len(images) and len(json.dumps(images[: kept + 1])) < _LONGEST_NOTE // 2:
        kept += 1
    return json.dumps({"automated": dict(paused.automated), "left": paused.left, "images": images[:kept]}, sort_keys=True)


def _owners(metadata: Shape, name: ApplicationName) -> tuple[str, str]:
    """Who makes the application: surely, and perhaps."""
    for owner in metadata.items("ownerReferences", missing_ok=True):
        if owner.text("kind", "") == "ApplicationSet":
            return f"ApplicationSet {owner.text('name', '?')[:_LONGEST]}", ""
    annotations, labels = metadata.maybe("annotations"), metadata.maybe("labels")
    tracking = annotations.text(_TRACKING, "") if annotations else ""
    parent, kind, _ = tracking.partition(_APPLICATION_KIND)
    if kind and parent and parent != name.name:
        return f"application {parent[:_LONGEST]}", ""
    instance = labels.text(_INSTANCE, "") if labels else ""
    return "", f"application {instance[:_LONGEST]}" if instance and instance != name.name else ""
