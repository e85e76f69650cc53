"""A stand-in for the API server of Kubernetes: objects of any kind by path, selectors, pages, patches, status subresources, and its Status errors.

It knows the kinds in KINDS; `serve` adds one. Reactions stand for controllers: plain functions that are told of every write (`reactions`), or run before
every read (`steps`), and change objects by `put` and `drop`. What a client does wrongly goes into `problems`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import unquote

from tests.servers.clock import START
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.kubernetes_kinds import KINDS, Kind, described
from tests.servers.kubernetes_lists import BadSelector, Data, page, selected
from tests.servers.kubernetes_patch import PatchFailed, merged, patched

TOKEN = "token-of-the-service-account"
USER = "system:serviceaccount:ci:guardian"
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[a-z0-9.-]+))/(?P<version>v\w+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<plural>\w+)(?:/(?P<name>[^/]+)(?:/(?P<sub>\w+))?)?"
)
_SUBRESOURCES = ("status", "scale")
_MERGE, _JSON = "application/merge-patch+json", "application/json-patch+json"
_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict", 410: "Expired",
    415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


Key = tuple[str, str, str, str]  # group, plural, namespace, name
# A controller: told of the object as it is now and as it was, None where it is new.
Reaction = Callable[["KubernetesServer", Data, Data | None], None]


class Denied(Exception):
    """A Status that is no success."""

    def __init__(self, code: int, message: str, reason: str = "", **details: Any) -> None:
        super().__init__(message)
        self.reply = status(code, message, reason, **details)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path names."""

    kind: Kind
    namespace: str
    name: str
    sub: str = field(default="")

    @property
    def key(self) -> Key:
        """Where the object is kept."""
        return self.kind.group, self.kind.plural, self.namespace, self.name


class KubernetesServer(Server):
    """The server. `denied` holds (verb, group, resource) that this user may not, such as ("patch", "apps", "deployments/status"); reviews answer by it.

    `reviews` False: it does not tell what is allowed. `dead_from`: from this call on (from 0) connections are cut; with `dead_after_work` that call is still
    carried out. `expired`: the second page of every list is gone (410). `writes` holds what was written: (method, path, body).
    """

    def __init__(self) -> None:
        self.kinds = list(KINDS)
        self.objects: dict[Key, Data] = {}
        self.reactions: list[Reaction] = []
        self.steps: list[Callable[[KubernetesServer], None]] = []
        self.denied: set[tuple[str, str, str]] = set()
        self.reviews = True
        self.expired = False
        self.token = TOKEN
        self.now = START
        self.dead_from: int | None = None
        self.dead_after_work = False
        self.calls = 0
        self.writes: list[tuple[str, str, Any]] = []
        self._version = 1000
        super().__init__(self._served)

    def __enter__(self) -> Self:
        return self

    # For tests and controllers

    def serve(self, group: str, version: str, plural: str, kind: str, *, namespaced: bool = True, status: bool = True) -> None:
        """Know a kind, as a CustomResourceDefinition does."""
        self.kinds.append(Kind(group, version, plural, kind, namespaced, status))

    def put(self, data: Data) -> Data:
        """Make an object, or set one as a whole, as a controller does: status and all. Reactions are not told. It is kept as a copy, which is returned."""
        kind = self._kind_of(data)
        metadata = data["metadata"]
        key: Key = (kind.group, kind.plural, metadata.get("namespace", "default") if kind.namespaced else "", metadata["name"])
        before = self.objects.get(key)
        after = deepcopy(data)
        if kind.namespaced:
            after["metadata"].setdefault("namespace", "default")
        return self._kept(key, after, before)

    def add(self, data: Data) -> Data:
        """Make an object and let the controllers react to it."""
        made = self.put(data)
        self._react(made, None)
        return self.objects[self._key_of(made)]

    def drop(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object."""
        del self.objects[self._key(kind, namespace, name)]

    def the(self, kind: str, namespace: str, name: str) -> Data:
        """An object as it is kept; to change it, change a copy and `put` it."""
        return self.objects[self._key(kind, namespace, name)]

    def all(self, kind: str, namespace: str = "") -> list[Data]:
        """All objects of a kind, by name; without a namespace those of all."""
        plurals = {(known.group, known.plural) for known in self.kinds if known.kind == kind}
        return [self.objects[key] for key in sorted(self.objects) if key[:2] in plurals and namespace in ("", key[2])]

    def edit(self, kind: str, namespace: str, name: str, patch: Data) -> Data:
        """A merge patch by somebody else, with all that follows from it."""
        key = self._key(kind, namespace, name)
        before = self.objects[key]
        after = self._kept(key, merged(before, patch), before)
        self._react(after, before)
        return self.objects[key]

    def stamp(self) -> str:
        """Now, as objects write it."""
        return datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _key(self, kind: str, namespace: str, name: str) -> Key:
        known = next(each for each in self.kinds if each.kind == kind)
        return known.group, known.plural, namespace if known.namespaced else "", name

    def _key_of(self, data: Data) -> Key:
        return self._key(data["kind"], data["metadata"].get("namespace", ""), data["metadata"]["name"])

    def _kind_of(self, data: Data) -> Kind:
        return next(each for each in self.kinds if (each.api_version, each.kind) == (data["apiVersion"], data["kind"]))

    # The store

    def _kept(self, key: Key, after: Data, before: Data | None) -> Data:
        """Keep an object: its identity and creation stay; a change of the spec is a new generation (of a Deployment one of the annotations, too)."""
        metadata = after["metadata"]
        fixed = ("uid", "creationTimestamp", "generation") if before else ()
        metadata |= {name: before["metadata"][name] for name in fixed if before and name in before["metadata"]}
        if before is None:
            metadata.setdefault("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{'/'.join(key)}#{self._version}")))
            metadata.setdefault("creationTimestamp", self.stamp())
            if "spec" in after:
                metadata.setdefault("generation", 1)
        elif _wanted(after, key[1]) != _wanted(before, key[1]) and "generation" in metadata:
            metadata["generation"] += 1
        unchanged = before is not None and _without_version(after) == _without_version(before)
        if not unchanged:
            self._version += 1
        metadata["resourceVersion"] = before["metadata"]["resourceVersion"] if unchanged and before else str(self._version)
        self.objects[key] = after
        return after

    def _react(self, after: Data, before: Data | None) -> None:
        for reaction in self.reactions:
            reaction(self, after, before)

    # How it is served

    def _served(self, request: Request) -> Reply:
        self.calls += 1
        dead = self.dead_from is not None and self.calls > self.dead_from
        last = self.dead_from is not None and self.calls == self.dead_from + 1
        if dead and not (last and self.dead_after_work):
            return Reply(reset=True)
        try:
            reply = self._routed(request)
        except Denied as problem:
            reply = problem.reply
        return Reply(reset=True) if dead else reply

    def _routed(self, request: Request) -> Reply:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            raise Denied(401, "Unauthorized")
        if request.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" and request.method == "POST":
            return self._review(request)
        place = self._place(request)
        if place is None and request.method == "GET" and (known := described(request.path, self.kinds)):
            return json_reply(known)
        if place is None:
            return Reply(404, b"404 page not found\n", {"content-type": "text/plain; charset=utf-8"})
        self._check_right(request, place)
        if request.method == "GET":
            for step in self.steps:
                step(self)
            return self._get(place) if place.name else self._list(place, request)
        if request.method == "POST" and not place.name:
            return self._post(place, request)
        if request.method == "PATCH" and place.name:
            return self._patch(place, request)
        if request.method == "DELETE" and place.name and not place.sub:
            return self._delete(place, request)
        raise Denied(405, "the server does not allow this method on the requested resource")

    def _place(self, request: Request) -> Place | None:
        found = _PATH.fullmatch(request.path)
        if found is None or "//" in request.path:
            return None
        group, version, plural = found["group"] or "", found["version"], found["plural"]
        kind = next((each for each in self.kinds if (each.group, each.version, each.plural) == (group, version, plural)), None)
        if kind is None or (found["sub"] and (found["sub"] not in _SUBRESOURCES or not kind.status)) or bool(found["namespace"]) > kind.namespaced:
            return None
        if found["name"] and kind.namespaced and not found["namespace"]:
            return None
        return Place(kind, unquote(found["namespace"] or ""), unquote(found["name"] or ""), found["sub"] or "")

    def _check_right(self, request: Request, place: Place) -> None:
        verb = {"GET": "get" if place.name else "list", "POST": "create", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}.get(request.method, "")
        resource = f"{place.kind.plural}/{place.sub}" if place.sub else place.kind.plural
        if (verb, place.kind.group, resource) not in self.denied:
            return
        name = f' "{place.name}"' if place.name else ""
        where = f'in the namespace "{place.namespace}"' if place.namespace else "at the cluster scope"
        what = f'User "{USER}" cannot {verb} resource "{resource}" in API group "{place.kind.group}" {where}'
        raise Denied(403, f"{place.kind.resource}{name} is forbidden: {what}", name=place.name, group=place.kind.group, kind=place.kind.plural)

    def _review(self, request: Request) -> Reply:
        asked = request.json()
        attributes = asked["spec"]["resourceAttributes"]
        if not self.reviews:
            raise Denied(403, f'selfsubjectaccessreviews.authorization.k8s.io is forbidden: User "{USER}" cannot create resource')
        resource = attributes["resource"] + (f"/{attributes['subresource']}" if attributes.get("subresource") else "")
        if "/" in attributes["resource"]:
            self.problems.append(f"a subresource belongs into `subresource`: {attributes['resource']}")
        allowed = (attributes["verb"], attributes.get("group", ""), resource) not in self.denied
        answer = {**asked, "metadata": {}, "status": {"allowed": allowed, **({} if allowed else {"reason": "no RBAC policy matched"})}}
        return json_reply(answer, 201)

    def _found(self, place: Place) -> Data:
        found = self.objects.get(place.key)
        if found is None:
            raise Denied(404, f'{place.kind.resource} "{place.name}" not found', name=place.name, group=place.kind.group, kind=place.kind.plural)
        return found

    def _get(self, place: Place) -> Reply:
        return json_reply(self._found(place))

    def _list(self, place: Place, request: Request) -> Reply:
        kind, token = place.kind, request.query.get("continue", "")
        keys = [key for key in sorted(self.objects, key=lambda key: key[2:]) if key[:2] == (kind.group, kind.plural) and place.namespace in ("", key[2])]
        if token and self.expired:
            raise Denied(410, "The provided continue parameter is too old to display a consistent list result.")
        try:
            matching = selected([self.objects[key] for key in keys], request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
            items, more = page(matching, int(request.query.get("limit", "0")), token)
        except BadSelector as problem:
            raise Denied(400, str(problem)) from None
        # Items of built-in kinds come without their kind; only custom ones carry it.
        shown = items if kind.custom else [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
        answer = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": {"resourceVersion": str(self._version), **more}, "items": shown}
        return json_reply(answer)

    def _post(self, place: Place, request: Request) -> Reply:
        body = self._body(request)
        metadata = body.get("metadata", {})
        name = metadata.get("name") or (f"{metadata['generateName']}{self._version:05d}" if metadata.get("generateName") else "")
        if (body.get("apiVersion"), body.get("kind")) != (place.kind.api_version, place.kind.kind):
            raise Denied(400, f"the API version in the data ({body.get('apiVersion')}) does not match the expected API version ({place.kind.api_version})")
        if not name:
            raise Denied(422, f'{place.kind.kind}.{place.kind.group} "" is invalid: metadata.name: Required value: name or generateName is required')
        key: Key = (place.kind.group, place.kind.plural, place.namespace, name)
        if key in self.objects:
            raise Denied(409, f'{place.kind.resource} "{name}" already exists', "AlreadyExists", name=name)
        made = {**body, "metadata": {**metadata, "name": name, **({"namespace": place.namespace} if place.kind.namespaced else {})}}
        self.writes.append((request.method, request.path, body))
        kept = self._kept(key, deepcopy(made), None)
        self._react(kept, None)
        return json_reply(self.objects[key], 201)

    def _patch(self, place: Place, request: Request) -> Reply:
        before = self._found(place)
        form = request.headers.get("content-type", "").partition(";")[0]
        body = self._body(request)
        after = self._patched(before, body, form, place)
        self._check_change(place, before, after)
        if place.sub == "status":
            after = {**before, "status": after.get("status", {}), "metadata": before["metadata"] | {"resourceVersion": after["metadata"]["resourceVersion"]}}
        elif place.kind.status and "status" in before:
            after = {**after, "status": before["status"]}
        self.writes.append((request.method, request.path, body))
        kept = self._kept(place.key, deepcopy(after), before)
        self._react(kept, before)
        return json_reply(self.objects[place.key])

    def _patched(self, before: Data, body: Any, form: str, place: Place) -> Data:
        try:
            if form == _MERGE:
                return merged(before, body)  # type: ignore[no-any-return]
            if form == _JSON:
                return patched(before, body)  # type: ignore[no-any-return]
        except PatchFailed:
            raise Denied(422, "the server rejected our request due to an error in our request", name=place.name) from None
        raise Denied(415, f"the body of the request was in an unknown format - accepted media types include: {_JSON}, {_MERGE}")

    def _check_change(self, place: Place, before: Data, after: Data) -> None:
        if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
            raise Denied(400, "Object 'Kind' is missing")
        if after["metadata"].get("resourceVersion") != before["metadata"]["resourceVersion"]:
            text = "the object has been modified; please apply your changes to the latest version and try again"
            raise Denied(409, f'Operation cannot be fulfilled on {place.kind.resource} "{place.name}": {text}', name=place.name)
        if after["metadata"].get("name") != place.name:
            raise Denied(400, "the name of the object does not match the name on the URL")
        if place.kind.group == "apps":
            for field_path, holder, key in (("spec.selector", "spec", "selector"), ("data", "data", "spec")):
                if after.get(holder, {}).get(key) != before.get(holder, {}).get(key):
                    raise Denied(422, f'{place.kind.kind}.apps "{place.name}" is invalid: {field_path}: Invalid value: field is immutable')

    def _delete(self, place: Place, request: Request) -> Reply:
        found = self._found(place)
        self.writes.append((request.method, request.path, None))
        del self.objects[place.key]
        return json_reply(found)

    def _body(self, request: Request) -> Any:
        try:
            return request.json()
        except json.JSONDecodeError as problem:
            raise Denied(400, f"error decoding the body: {problem}") from None


def status(code: int, message: str, reason: str = "", **details: Any) -> Reply:
    """An error as the API server gives it; also for `faults`."""
    shown = {key: value for key, value in details.items() if value}
    body = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason or _REASONS.get(code, ""),
        **({"details": shown} if shown else {}), "code": code,
    }  # fmt: skip
    return json_reply(body, code)


def _wanted(data: Data, plural: str) -> Any:
    return data.get("spec"), data["metadata"].get("annotations") if plural == "deployments" else None


def _without_version(data: Data) -> Data:
    return {**data, "metadata": {key: value for key, value in data["metadata"].items() if key != "resourceVersion"}}
