"""The API of a Kubernetes cluster by HTTP (port `Cluster`), without kubectl or a client library: so time, size, retries and secrets are as everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.delivery.kubernetes_access import Access
from cicd_agents.clients.delivery.kubernetes_service import NAME, naming, service
from cicd_agents.clients.http import MAX_BODY, Answer, Http, Retry, ignore
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Object, PatchForm
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused, Rejected
from cicd_agents.domain.ports import Clock

PAGE = 500
MOST_OBJECTS = 5000
# A server may give less than a page; one that gives almost nothing each time would be asked for ever.
MOST_PAGES = 200
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# A page of 500 pods with what the kubelet says of them may be larger than other answers.
_MOST_PAGE = 4 * MAX_BODY


class Kubernetes:
    """One API server with one credential; not for several threads at once."""

    def __init__(self, access: Access, clock: Clock, budget: Budget, *, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore) -> None:
        self._http = Http(service(access), clock, budget, allow_http=allow_http, note=note, tls=access.tls)
        self._allowed: dict[tuple[str, ...], bool | None] = {}

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """An object. Raises NotFound where there is none, or none of its kind, and ServiceError."""
        return _object(self._http.get(path, params))

    def listed(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Object]:
        """The objects of a list, each with its kind. Where the server drops the rest of a list that was begun (410), it is begun anew, once."""
        try:
            yield from self._pages(path, params or {})
        except _Begun:
            yield from self._pages(path, params or {}, last=True)

    def patch(self, path: str, body: Any, form: PatchForm) -> Object:
        """Change an object. A JSON patch is sent again only where it begins with a `test`, which fails where the first one did its work."""
        tested = form is PatchForm.JSON and isinstance(body, list) and bool(body) and body[0].get("op") == "test"
        return _object(self._http.send("PATCH", path, body, repeatable=tested or form is PatchForm.MERGE, media_type=form.value))

    def allowed(self, verb: str, group: str, resource: str, namespace: str, name: str = "") -> bool | None:
        """Whether the credential may do this; `resource` may be one with a subresource (`deployments/status`). Asked once; None where it is not told."""
        key = (verb, group, resource, namespace, name)
        if key not in self._allowed:
            self._allowed[key] = self._reviewed(*key)
        return self._allowed[key]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _pages(self, path: str, params: Mapping[str, str], *, last: bool = False) -> Iterator[Object]:
        """The objects of all pages; nothing is given before the end, so that a list that is begun anew gives nothing twice."""
        found: list[Object] = []
        seen: set[str] = set()
        following: dict[str, str] = {}
        while True:
            try:
                answer = self._http.get(path, {**params, "limit": PAGE, **following}, most=_MOST_PAGE)
            except NotFound:
                if not following or last:
                    raise
                raise _Begun from None
            data = Shape.of(answer.json(), answer.asked)
            found += _items(data)
            if len(found) > MOST_OBJECTS:
                raise Refused(f"{NAME}: {naming('GET', path)} gives more than {MOST_OBJECTS} objects; the rest is not read. Name a namespace.")
            token = (data.maybe("metadata") or Shape({}, data.where)).text("continue", "")
            if not token:
                return iter(found)
            if len(seen) >= MOST_PAGES:
                raise Refused(f"{NAME}: {naming('GET', path)} has more than {MOST_PAGES} pages; the rest is not read. Name a namespace.")
            if token in seen:
                raise BadAnswer(f"{NAME}: {naming('GET', path)} goes in a circle: a page names an earlier one as the next.")
            seen.add(token)
            following = {"continue": token}

    def _reviewed(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool | None:
        plural, _, sub = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": plural, "subresource": sub, "namespace": namespace, "name": name}
        body = {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }  # fmt: skip
        try:
            answer = self._http.ask(_REVIEWS, body)
        except (NotAllowed, NotFound, Rejected):
            return None
        status = Shape.of(answer.json(), answer.asked).inner("status")
        allowed = status.flag("allowed")
        # An authorizer that failed does not say no: "evaluationError … it is entirely possible to get an error and be able to continue".
        return None if not allowed and status.text("evaluationError", "") else allowed


class _Begun(Exception):
    """The rest of a list is gone."""


def _object(answer: Answer) -> Object:
    return Shape.of(answer.json(), answer.asked).data


def _items(data: Shape) -> list[Object]:
    """The items, with the kind and version that a list says once for all of its items."""
    kind, version = data.text("kind", ""), data.text("apiVersion", "")
    known = {"kind": kind.removesuffix("List"), "apiVersion": version} if kind.endswith("List") and version else {}
    return [{**known, **item.data} for item in data.items("items", missing_ok=True)]
