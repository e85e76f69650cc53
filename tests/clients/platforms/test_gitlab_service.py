"""Tokens, words and lists of GitLab; and that the stand-in really holds requests against GitLab's description."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project

from cicd_agents.clients.platforms.gitlab_service import Credential, TokenKind, naming
from cicd_agents.domain.errors import Refused


@pytest.mark.parametrize(
    ("access", "job", "kind", "headers"),
    [
        ("a", "j", TokenKind.ACCESS, {"PRIVATE-TOKEN": "a"}), ("a", "", TokenKind.ACCESS, {"PRIVATE-TOKEN": "a"}),
        ("", "j", TokenKind.JOB, {"JOB-TOKEN": "j"}), ("", "", TokenKind.NONE, {}),
    ],
)  # fmt: skip
def test_the_better_token_is_taken(access: str, job: str, kind: TokenKind, headers: dict[str, str]) -> None:
    assert Credential.of(access, job) == Credential(kind, headers)


def test_a_credential_does_not_show_its_token() -> None:
    assert "glpat-secret" not in repr(Credential.of("glpat-secret", ""))


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/projects/7/pipelines/12/jobs", "reading the jobs of pipeline 12"),
        ("GET", "/projects/7/repository/files/a%2Fb.yml/raw", "reading the file a/b.yml"),
        ("DELETE", "/projects/7/merge_requests/3/notes/9", "deleting a note of merge request 3"),
        ("GET", "/somewhere", "GET /somewhere"),
    ],
)
def test_calls_are_said_in_words(method: str, path: str, said: str) -> None:
    assert naming(method, path) == said


def test_a_list_without_end_is_refused() -> None:
    with gitlab() as server:
        pipeline = server.add_pipeline()
        for index in range(250):
            server.add_job(pipeline, f"test {index}")
        seen = project(server).listed(f"/projects/7/pipelines/{pipeline}/jobs", {}, "the jobs", most_pages=2)
        assert [next(seen).number("id") for _ in range(200)]
        with pytest.raises(Refused, match="the jobs: there are more than 2 pages"):
            next(seen)


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("GET", "/projects/7/pipelines?nope=1", None, "unknown query parameters ['nope']"),
        ("GET", "/projects/7/pipelines?status=finished", None, "is not one of"),
        ("GET", "/projects/7/pipelines/last", None, "pipeline_id"),
        ("GET", "/projects/7/repository/compare?from=a", None, "to"),
        ("GET", "/projects/7/pipelines/12/everything", None, "no such operation"),
        ("POST", "/projects/7/merge_requests/1/notes", {"text": "x"}, "'body' is a required property"),
        ("POST", "/projects/7/merge_requests/1/notes", {"body": "x", "bold": True}, "unknown fields ['bold']"),
        ("PUT", "/projects/7/issues/1", {"state_event": "closed"}, "is not one of"),
        ("PATCH", "/projects/7/issues/1", {"title": "x"}, "no such operation"),
    ],
)
def test_the_stand_in_notices_what_gitlab_does_not_know(method: str, path: str, body: dict[str, object] | None, problem: str) -> None:
    server = Rig()
    with server:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server.api_url + path, data, {"content-type": "application/json"}, method=method)  # noqa: S310 our own server
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)  # noqa: S310
        refused.value.close()
        (found,) = server.problems
        assert problem in found
