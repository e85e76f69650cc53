"""Rollouts and their ReplicaSets as our words. Every function raises BadAnswer where an answer has another shape.

Source of the names: the Rollout CRD (argoproj.io/v1alpha1); how a phase is told: Argo Rollouts, utils/rollout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cicd_agents.clients.delivery.object_shapes import annotation, images, label, metadata, status_of, whole
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.delivery_rollouts import HASH_LABEL, RolloutPhase, RolloutRevision, RolloutState, RolloutStep, RolloutStrategy
from cicd_agents.domain.errors import Refused

REVISION = "rollout.argoproj.io/revision"
KEPT_DELAY = "cicd-agents/abort-scale-down-delay"
# What stands in KEPT_DELAY where nothing was set.
NOT_SET = "none"
_LONGEST_MESSAGE = 300


def state(name: ObjectName, data: Shape, replica_sets: Sequence[Shape], template: Mapping[str, Any] | None) -> RolloutState:
    """How a Rollout stands; `template` is what the spec, or the workload that it refers to, holds now."""
    spec, status = data.inner("spec"), status_of(data)
    strategy, rules = strategy_of(spec, name)
    phase, word, message = _phase(data, status)
    canary, blue_green = status.maybe("canary"), status.maybe("blueGreen")
    weights = canary.maybe("weights") if canary else None
    return RolloutState(
        name, strategy, phase, word, message, status.text("currentPodHash", ""), status.text("stableRS", ""),
        tuple(sorted(map(_revision, replica_sets), key=lambda revision: revision.number, reverse=True)), spec.number("replicas", 1),
        aborted=status.flag("abort"), held=spec.flag("paused"), held_by_us=annotation(data, SUSPENDED_BY_US) is not None,
        pauses=tuple(each.text("reason", "") for each in status.items("pauseConditions", missing_ok=True)), controller_pause=status.flag("controllerPause"),
        promoting_fully=status.flag("promoteFull"),
        step=status.optional_number("currentStepIndex"), steps=tuple(map(_step, rules.items("steps", missing_ok=True))),
        routed=rules.maybe("trafficRouting") is not None, weight=weights.inner("canary").number("weight") if weights else None,
        active=blue_green.text("activeSelector", "") if blue_green else "", preview=blue_green.text("previewSelector", "") if blue_green else "",
        abort_delay=rules.optional_number("abortScaleDownDelaySeconds"), kept_delay=annotation(data, KEPT_DELAY),
        template_hash=_holder(template, replica_sets), workload_ref=workload_ref(spec),
    )  # fmt: skip


def strategy_of(spec: Shape, name: ObjectName) -> tuple[RolloutStrategy, Shape]:
    """The strategy and its rules. Raises Refused where the spec has none that is known."""
    strategy = spec.maybe("strategy")
    for kind, key in ((RolloutStrategy.CANARY, "canary"), (RolloutStrategy.BLUE_GREEN, "blueGreen")):
        rules = strategy.maybe(key) if strategy else None
        if rules is not None:
            return kind, rules
    raise Refused(f"Argo Rollouts: {name.shown} has neither a canary nor a blueGreen strategy, so there is nothing that can be aborted or promoted.")


def workload_ref(spec: Shape) -> tuple[str, str] | None:
    """The kind and name of the workload that holds the template, None: the Rollout does itself."""
    found = spec.maybe("workloadRef")
    return (found.text("kind", ""), found.text("name", "")) if found else None


def plain_template(replica_set: Shape) -> dict[str, Any]:
    """The template of a ReplicaSet as it was before the controller labelled it with its hash."""
    return without_hash(replica_set.inner("spec").inner("template").data)


def without_hash(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template without the label of its hash."""
    shape = Shape(template, "Argo Rollouts: a pod template")
    about = shape.maybe("metadata") or Shape({}, shape.where, "metadata")
    labels = about.maybe("labels") or Shape({}, shape.where, "metadata.labels")
    return {**template, "metadata": {**about.data, "labels": {key: value for key, value in labels.data.items() if key != HASH_LABEL}}}


def same_template(template: Mapping[str, Any], replica_set: Shape) -> bool:
    """Whether a ReplicaSet was made of this template: all that the template says is in it; what the API server filled in since does not count."""
    return _within(without_hash(template), plain_template(replica_set))


def hash_of(replica_set: Shape) -> str:
    """The pod-template hash of a ReplicaSet."""
    return label(replica_set, HASH_LABEL)


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(_within(value, whole.get(key)) for key, value in part.items() if value not in (None, {}, [], ""))
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole)


def _holder(template: Mapping[str, Any] | None, replica_sets: Sequence[Shape]) -> str:
    return next((hash_of(each) for each in replica_sets if template is not None and same_template(template, each)), "")


def _revision(replica_set: Shape) -> RolloutRevision:
    spec, status = replica_set.inner("spec"), status_of(replica_set)
    return RolloutRevision(
        hash_of(replica_set), whole(annotation(replica_set, REVISION)) or 0, images(spec.inner("template").inner("spec")),
        metadata(replica_set).time("creationTimestamp"), spec.number("replicas", 1), status.number("readyReplicas", 0),
        status.number("availableReplicas", 0),
    )  # fmt: skip


def _step(data: Shape) -> RolloutStep:
    pause = data.maybe("pause")
    if pause is not None:
        duration = pause.data.get("duration")  # a number of seconds, or a text such as 10m
        return RolloutStep("pause", endless=duration is None, seconds="" if duration is None else str(duration)[:20])
    return RolloutStep(next(iter(data.data), "unknown"), weight=data.optional_number("setWeight"))


def _phase(data: Shape, status: Shape) -> tuple[RolloutPhase, str, str]:
    """The phase, its word and message. What the controller has not seen yet is no verdict on the newest change."""
    word, message = status.text("phase", ""), status.text("message", "")[:_LONGEST_MESSAGE]
    observed = whole(status.text("observedGeneration", ""))
    if observed is not None and observed < metadata(data).number("generation", 0):
        return RolloutPhase.OBSERVING, word, "the controller has not seen the newest change yet"
    if status.flag("controllerPause") and not status.items("pauseConditions", missing_ok=True):
        return RolloutPhase.OBSERVING, word, "the controller is about to end the pause"
    return RolloutPhase.of(word), word, message
