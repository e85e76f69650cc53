"""The weights of one HTTP route of a VirtualService (Istio docs, "Virtual Service": HTTPRoute, HTTPRouteDestination)."""

from __future__ import annotations

from typing import Any

from cicd_agents.clients.delivery.object_shapes import owner
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import PatchForm
from cicd_agents.domain.delivery_traffic import TrafficSplit, TrafficTarget
from cicd_agents.domain.errors import BadAnswer, Refused, UsageError

# Weights are written as percent. Istio takes them as parts of their sum; older versions wanted 100.
_TOTAL = 100


def split(target: TrafficTarget, data: Shape) -> TrafficSplit:
    """How the route is split. A weight that is not there counts 0, except for one destination alone. Percent, also where the weights have another sum."""
    _, route = _route(target, data)
    canary, stable = _pair(target, route)
    weights = canary.number("weight", 0), stable.number("weight", 0)
    total = sum(weights)
    if min(weights) < 0:
        raise BadAnswer(f"Istio: a weight of {target.name.shown} is below 0.")
    if not total:
        raise Refused(f"Istio: the route of {target.name.shown} has no weights; give its destinations some that add up to 100.")
    weight = round(weights[0] * _TOTAL / total)
    # A share that rounds to nothing, or to all, is neither.
    weight = min(max(weight, 1 if weights[0] else 0), _TOTAL - 1 if weights[1] else _TOTAL)
    return TrafficSplit(target, weight, _TOTAL, _owner(data), tuple(_notes(target, data, route)))


def patch(target: TrafficTarget, data: Shape, weight: int) -> tuple[Any, PatchForm]:
    """The JSON patch that sets the canary's weight, and the stable one's to what is left of 100; it fails where somebody changed the route meanwhile."""
    index, route = _route(target, data)
    canary, stable = _pair(target, route)
    wanted = [
        {**each.data, "weight": weight if each is canary else _TOTAL - weight if each is stable else 0} for each in _destinations(route, canary, stable)
    ]  # fmt: skip
    at = f"/spec/http/{index}"
    named = [{"op": "test", "path": f"{at}/name", "value": target.route}] if target.route else []
    steps = [*named, {"op": "test", "path": f"{at}/route", "value": route.data["route"]}, {"op": "replace", "path": f"{at}/route", "value": wanted}]
    return steps, PatchForm.JSON


def _route(target: TrafficTarget, data: Shape) -> tuple[int, Shape]:
    """The HTTP route that is meant and its place."""
    routes = list(enumerate(data.inner("spec").items("http", missing_ok=True)))
    found = [(index, route) for index, route in routes if (route.text("name", "") == target.route if target.route else len(_all(route)) > 1)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(route.text("name", "")[:60]) for _, route in routes[:10]) or "none"
    if target.route:
        raise UsageError(f"Istio: {target.name.shown} has {len(found) or 'no'} HTTP routes {target.route!r}; it has {names}.")
    raise UsageError(f"Istio: {target.name.shown} has {len(found) or 'no'} HTTP routes with two destinations; name the one to weigh. It has {names}.")


def _pair(target: TrafficTarget, route: Shape) -> tuple[Shape, Shape]:
    """The canary's and the stable destination. Raises UsageError where they are not there, Refused where a third one has traffic."""
    found = {word: [each for each in _all(route) if word in _words(each)] for word in (target.canary, target.stable)}
    for word, matching in found.items():
        if len(matching) != 1:
            known = ", ".join("/".join(filter(None, _words(each))) for each in _all(route)[:10])
            raise UsageError(f"Istio: {len(matching) or 'no'} destinations of {target.name.shown} have the subset or host {word!r}; they are {known}.")
    canary, stable = found[target.canary][0], found[target.stable][0]
    if canary is stable:
        raise UsageError(f"Istio: canary and stable name the same destination of {target.name.shown}.")
    if any(each.number("weight", 0) for each in _all(route) if each.data not in (canary.data, stable.data)):
        raise Refused(f"Istio: a third destination of {target.name.shown} has traffic, too; such a route is not weighed by us.")
    return canary, stable


def _destinations(route: Shape, canary: Shape, stable: Shape) -> list[Shape]:
    """All destinations in their order, the two as the very objects given."""
    return [canary if each.data == canary.data else stable if each.data == stable.data else each for each in _all(route)]


def _all(route: Shape) -> tuple[Shape, ...]:
    return route.items("route", missing_ok=True)


def _words(destination: Shape) -> tuple[str, str]:
    place = destination.inner("destination")
    return place.text("subset", ""), place.text("host")


def _owner(data: Shape) -> str:
    """Flagger owns the VirtualServices that it makes, and sets their weights."""
    name = owner(data, "Canary")
    return f"canary:{data.inner('metadata').text('namespace', '')}/{name}" if name else ""


def _notes(target: TrafficTarget, data: Shape, weighed: Shape) -> list[str]:
    others = [route for route in data.inner("spec").items("http", missing_ok=True) if route.data != weighed.data]
    if any(target.canary in _words(each) for route in others for each in _all(route)):
        return ["Another route of the VirtualService leads to the canary as well, whatever the weight."]
    return []
