"""Argo CD's applications as our words. Every function raises BadAnswer where an answer has another shape.

Source of the names: Argo CD's swagger, `v1alpha1Application`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cicd_agents.clients.delivery.argocd_service import ApplicationName
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import Refused
from cicd_agents.domain.forge import DeliveryState

# Argo CD's own words.
UNKNOWN, RUNNING = "Unknown", "Running"
# What an application without a target revision follows (Argo CD docs, user-guide/tracking_strategies).
_DEFAULT_TARGET = "HEAD"
_LONGEST_MESSAGE = 500


def state(data: Shape, name: ApplicationName) -> DeliveryState:
    """How the application stands. Of several sources without a `#N` the revisions stand side by side, with commas between."""
    spec, status = data.inner("spec"), data.maybe("status") or Shape({}, data.where)
    sync, running = status.maybe("sync"), status.maybe("operationState")
    target = ",".join(_targets(spec, name))
    return DeliveryState(
        application=name.shown, target_revision=target, revision=",".join(_revisions(sync, name)), sync=_sync_word(sync, target, name),
        health=_word(status.maybe("health"), "status"), operation=_phase(data, running), message=_message(status, running), auto_sync=_auto_sync(spec),
    )  # fmt: skip


def project(data: Shape) -> str:
    """The project of the application; none means the default one."""
    return data.inner("spec").text("project", "") or "default"


def source(data: Shape, name: ApplicationName) -> tuple[int | None, Shape]:
    """The source whose revision is set: its place in `sources` (from 0, None: the application has one `source`). Raises Refused where that is not clear."""
    spec = data.inner("spec")
    if spec.maybe("sourceHydrator"):
        raise Refused(f"Argo CD: {name.shown} is filled by a source hydrator, whose revision is a branch; promote it by a Git change.")
    several = spec.items("sources", missing_ok=True)
    if not several:
        if name.source not in (None, 1):
            raise Refused(f"Argo CD: {name.shown} has one source, so there is no #{name.source}.")
        return None, spec.inner("source")
    if name.source is None:
        raise Refused(f"Argo CD: {name.shown} has {len(several)} sources; say whose revision is set, such as {name.shown}#1 for the first.")
    if name.source > len(several):
        raise Refused(f"Argo CD: {name.shown} has {len(several)} sources, so there is no #{name.source}.")
    return name.source - 1, several[name.source - 1]


def busy_with(data: Shape, revision: str) -> bool:
    """Whether a sync to the revision runs, or is about to start. A sync names the commit, so the tag is told by the comparison that resolved it."""
    status = data.maybe("status") or Shape({}, data.where)
    operation = data.maybe("operation")
    running = status.maybe("operationState")
    if operation is None and running is not None and running.text("phase", "") == RUNNING:
        operation = running.maybe("operation")
    syncing = operation.maybe("sync") if operation else None
    if syncing is None:
        return False
    sync = status.maybe("sync")
    known = {revision, *(_revisions(sync, ApplicationName("", "")) if sync and revision in _compared(sync) else ())}
    return bool(known & {syncing.text("revision", ""), *syncing.texts("revisions", missing_ok=True)} - {""})


def _targets(spec: Shape, name: ApplicationName) -> tuple[str, ...]:
    hydrator = spec.maybe("sourceHydrator")
    if hydrator:
        return (hydrator.inner("syncSource").text("targetBranch", ""),)
    return tuple(_picked([_target(one) for one in _sources(spec)], name))


def _sources(holder: Shape) -> tuple[Shape, ...]:
    several = holder.items("sources", missing_ok=True)
    one = holder.maybe("source")
    return several or ((one,) if one else ())


def _target(one: Shape) -> str:
    return one.text("targetRevision", "") or _DEFAULT_TARGET


def _revisions(sync: Shape | None, name: ApplicationName) -> Sequence[str]:
    if sync is None:
        return ()
    several = sync.texts("revisions", missing_ok=True)
    return _picked(several, name) if several else [sync.text("revision", "")]


def _picked(values: Sequence[str], name: ApplicationName) -> Sequence[str]:
    """The value of the source that is named, or all."""
    return values if name.source is None or len(values) < 2 else values[name.source - 1 : name.source]


def _compared(sync: Shape) -> tuple[str, ...]:
    """The target revisions that Argo CD compared with."""
    compared = sync.maybe("comparedTo")
    return tuple(_target(one) for one in _sources(compared)) if compared else ()


def _sync_word(sync: Shape | None, target: str, name: ApplicationName) -> str:
    """Argo CD's word; unknown where it still speaks of another target than the one that is wanted now."""
    word = _word(sync, "status")
    compared = ",".join(_picked(_compared(sync), name)) if sync else ""
    return UNKNOWN if compared and compared != target else word


def _word(holder: Shape | None, key: str) -> str:
    return (holder.text(key, "") if holder else "") or UNKNOWN


def _phase(data: Shape, running: Shape | None) -> str:
    """An operation that was asked for and not begun counts as running."""
    return RUNNING if data.maybe("operation") else running.text("phase", "") if running else ""


def _message(status: Shape, running: Shape | None) -> str:
    """What Argo CD says: errors of the comparison, the operation's message, and objects that nobody prunes."""
    said = [condition.text("message", "") for condition in status.items("conditions", missing_ok=True) if condition.text("type", "").endswith("Error")]
    said.append(running.text("message", "") if running else "")
    unpruned = sum(resource.flag("requiresPruning") for resource in status.items("resources", missing_ok=True))
    said.append(f"{unpruned} objects are not in the source any more and wait for pruning" if unpruned else "")
    return "; ".join(filter(None, said))[:_LONGEST_MESSAGE]


def _auto_sync(spec: Shape) -> bool:
    """On where `automated` is there, unless it says `enabled: false`."""
    policy = spec.maybe("syncPolicy")
    automated = policy.maybe("automated") if policy else None
    return automated is not None and automated.flag("enabled", True)
