"""The weight of a canary Ingress of ingress-nginx (its docs, "Annotations", canary): headers and cookies go before the weight."""

from __future__ import annotations

from typing import Any

from cicd_agents.clients.delivery.object_shapes import annotations_of, owner, whole
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import PatchForm
from cicd_agents.domain.delivery_traffic import TrafficSplit, TrafficTarget
from cicd_agents.domain.errors import BadAnswer, Refused

_CANARY = "nginx.ingress.kubernetes.io/canary"
_WEIGHT, _TOTAL = f"{_CANARY}-weight", f"{_CANARY}-weight-total"
_BEFORE = ("by-header", "by-cookie")
# What canary-weight-total is where it is not there.
_DEFAULT_TOTAL = 100


def split(target: TrafficTarget, data: Shape) -> TrafficSplit:
    """How the traffic is split. Raises Refused for an Ingress that is no canary.

    Flagger says `canary: "false"` on its own as long as the canary gets nothing (pkg/router/ingress.go).
    """
    given, found = annotations_of(data), owner(data, "Canary")
    held_by = f"canary:{target.name.namespace}/{found}" if found else ""
    if found and given.text(_CANARY, "") == "false":
        return TrafficSplit(target, 0, _DEFAULT_TOTAL, held_by)
    if given.text(_CANARY, "") != "true":
        raise Refused(f'NGINX: the Ingress {target.name.shown} is no canary: it lacks the annotation `{_CANARY}: "true"`.')
    total = _number(given, _TOTAL, _DEFAULT_TOTAL)
    weight = min(_number(given, _WEIGHT, 0), total)
    if not total:
        raise BadAnswer(f"NGINX: `{_TOTAL}` of {target.name.shown} is 0.")
    before = [f"{_CANARY}-{rule}: {given.text(f'{_CANARY}-{rule}')[:60]}" for rule in _BEFORE if given.text(f"{_CANARY}-{rule}", "")]
    notes = tuple(f"`{rule}` leads to the canary as well, whatever the weight." for rule in before)
    return TrafficSplit(target, weight, total, held_by, notes)


def patch(_target: TrafficTarget, _data: Shape, weight: int) -> tuple[Any, PatchForm]:
    """The merge patch that sets the weight; values of annotations are texts."""
    return {"metadata": {"annotations": {_WEIGHT: str(weight)}}}, PatchForm.MERGE


def _number(given: Shape, key: str, default: int) -> int:
    found = whole(given.text(key, str(default)))
    if found is not None:
        return found
    raise BadAnswer(f"NGINX: the annotation `{key}` should be a whole number.")
