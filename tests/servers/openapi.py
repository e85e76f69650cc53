"""Checks what our clients send, and what the stand-ins answer, against a published OpenAPI 3 description.

openapi-core checks paths, types, ranges and bodies. Names that the description does not know are checked here: a service ignores them in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from tests.servers.http_server import Reply, Request

_HOST = "http://localhost"
_METHODS = ("get", "post", "put", "patch", "delete")


class Description:
    """An OpenAPI description in JSON; `prefix` is the path that the server puts before the description's own ones (GitHub Enterprise Server: /api/v3)."""

    def __init__(self, file: Path, *, prefix: str = "") -> None:
        self._prefix = prefix
        self._data = _read(file)
        self._requests = _checker(file, lenient=False)
        self._answers = _checker(file, lenient=True)
        paths = sorted(self._data["paths"], key=lambda path: path.count("{"))
        self._paths = [(re.compile(re.sub(r"\\\{.+?\\\}", "[^/]+", re.escape(path))), path) for path in paths]

    def check(self, request: Request) -> str | None:
        """What is wrong with the request; None: nothing."""
        operation = self._operation(request)
        if operation is None:
            return f"{request.method} {request.path}: the description has no such operation"
        unknown = [name for name in request.query if name not in self._names(operation)]
        if unknown:
            return f"{request.method} {request.path}: unknown query parameters {unknown}"
        try:
            self._requests.validate_request(self._mock(request))
        except OpenAPIError as problem:
            return f"{request.method} {request.path}: {_said(problem)}"
        return self._unknown_fields(operation, request)

    def check_answer(self, request: Request, reply: Reply) -> str | None:
        """What is wrong with the answer: a wrong type, or a name that the service does not use. Names that lack are fine."""
        kind = reply.headers.get("content-type", "application/json").split(";")[0]
        try:
            self._answers.validate_response(self._mock(request), MockResponse(reply.body, reply.status, content_type=kind))
        except OpenAPIError as problem:
            return f"answer {reply.status} to {request.method} {request.path}: {_said(problem)}"
        return None

    def _mock(self, request: Request) -> MockRequest:
        kind = request.headers.get("content-type", "application/json")
        return MockRequest(
            _HOST, request.method, self._path(request), args=dict(request.query), headers=dict(request.headers), data=request.body, content_type=kind
        )

    def _path(self, request: Request) -> str:
        return request.path.removeprefix(self._prefix)

    def _operation(self, request: Request) -> Mapping[str, Any] | None:
        if not request.path.startswith(self._prefix):
            return None
        found = next((path for pattern, path in self._paths if pattern.fullmatch(self._path(request))), None)
        item = self._data["paths"][found] if found else {}
        if request.method.lower() not in item:
            return None
        return {**item[request.method.lower()], "shared": item.get("parameters", [])}

    def _names(self, operation: Mapping[str, Any]) -> set[str]:
        parameters = (self._resolved(parameter) for parameter in [*operation["shared"], *operation.get("parameters", [])])
        return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}

    def _unknown_fields(self, operation: Mapping[str, Any], request: Request) -> str | None:
        if not request.body:
            return None
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        schema = self._resolved(content.get("application/json", {}).get("schema", {}))
        given = json.loads(request.body)
        if "properties" not in schema or not isinstance(given, dict):
            return None if content else f"{request.method} {request.path}: a body, where none is known"
        unknown = sorted(set(given) - set(schema["properties"]))
        return f"{request.method} {request.path}: unknown fields {unknown}" if unknown else None

    def _resolved(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in data:
            found: Any = self._data
            for name in data["$ref"].removeprefix("#/").split("/"):
                found = found[name.replace("~1", "/").replace("~0", "~")]
            data = found
        return data


def _said(problem: BaseException) -> str:
    cause = problem.__cause__ if problem.__cause__ is not None else problem
    errors = getattr(cause, "schema_errors", None)
    details = "; ".join(f"{error.json_path}: {error.message[:300]}" for error in list(errors)[:3]) if errors else str(cause)[:300]
    return f"{problem}: {details}"


@cache
def _read(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_bytes())
    return data


@cache
def _checker(file: Path, *, lenient: bool) -> OpenAPI:
    data: dict[str, Any] = json.loads(file.read_bytes())
    data["servers"] = [{"url": _HOST}]
    data.setdefault("info", {"title": file.stem, "version": "0"})
    if lenient:
        for schema in [*_answers(data), *data.get("components", {}).get("schemas", {}).values()]:
            _make_lenient(schema)
    return OpenAPI.from_dict(data, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]  # None: don't check the description itself, it takes seconds


def _answers(data: dict[str, Any]) -> Iterator[Any]:
    for item in data["paths"].values():
        for method in _METHODS:
            yield item.get(method, {}).get("responses", {})


def _make_lenient(schema: Any, closed: bool = True) -> None:
    """Names may lack and values be null (descriptions forget many nulls), but no unknown name may stand in it, where the schema is a plain object."""
    if isinstance(schema, list):
        for part in schema:
            _make_lenient(part, closed)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("oneOf"), list):  # what may be null or lack names fits several
        schema["anyOf"] = schema.pop("oneOf")
        schema.pop("discriminator", None)
    if isinstance(schema.get("required"), list):
        del schema["required"]
    if isinstance(schema.get("type"), str):
        schema["nullable"] = True
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    if closed and isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    for name, part in schema.items():
        _make_lenient(part, closed and name not in ("allOf", "anyOf"))
