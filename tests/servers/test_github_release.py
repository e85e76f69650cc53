"""What the stand-in for GitHub does for releases can go wrong as GitHub's own does, and it sees what a client should not have done."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.http_server import Reply

HEADERS = {"authorization": f"Bearer {WORKFLOW_TOKEN}", "x-github-api-version": "2022-11-28", "user-agent": "cicd-agents/0"}
RAW = {**HEADERS, "content-type": "application/zip"}
HERE = "/repos/octo/app"
UPLOADS = "/api/uploads" + HERE


@pytest.fixture
def hub() -> Iterator[GitHub]:
    hub = GitHub()
    yield hub
    hub.server.problems.clear()
    hub.close()


def post(hub: GitHub, path: str, **fields: object) -> httpx.Response:
    return httpx.post(hub.api_url + path, headers=HEADERS, json=fields)


def test_a_release_without_its_tag_makes_the_tag_and_that_is_seen(hub: GitHub) -> None:
    assert post(hub, f"{HERE}/releases", tag_name="v1", target_commitish="c" * 40).status_code == 201
    assert (hub.made_tags, hub.tags) == (["v1"], {"v1": "c" * 40})
    draft = post(hub, f"{HERE}/releases", tag_name="v2", draft=True).json()
    assert hub.made_tags == ["v1"]
    httpx.patch(f"{hub.api_url}{HERE}/releases/{draft['id']}", headers=HEADERS, json={"draft": False})
    assert hub.made_tags == ["v1", "v2"]
    assert hub.problems == []


def test_a_tag_that_is_there_is_not_made(hub: GitHub) -> None:
    hub.tags["v1"] = "d" * 40
    post(hub, f"{HERE}/releases", tag_name="v1", target_commitish="c" * 40)
    assert (hub.made_tags, hub.tags) == ([], {"v1": "d" * 40})


def test_a_flag_in_place_of_a_word_for_the_latest_is_a_problem(hub: GitHub) -> None:
    post(hub, f"{HERE}/releases", tag_name="v1", make_latest=True)
    assert "True is not of type 'string'" in hub.problems[0]


def test_a_file_that_is_sent_to_the_api_itself_is_a_problem(hub: GitHub) -> None:
    release = hub.add_release("v1", draft=True)
    httpx.post(f"{hub.api_url}{HERE}/releases/{release.id}/assets?name=a.zip", headers={**HEADERS, "content-type": "application/octet-stream"}, content=b"a")
    assert any("files are uploaded to `upload_url`" in problem for problem in hub.problems)


def test_a_file_without_a_type_or_with_an_unknown_parameter_is_a_problem(hub: GitHub) -> None:
    release = hub.add_release("v1", draft=True)
    httpx.post(f"{hub.server.url}{UPLOADS}/releases/{release.id}/assets?name=a.zip&title=x", headers=HEADERS, content=b"a")
    assert any("without ['content-type']" in problem for problem in hub.problems)
    assert any("unknown query parameters ['title']" in problem for problem in hub.problems)


def test_an_upload_that_is_cut_leaves_a_file_that_bars_its_name(hub: GitHub) -> None:
    release = hub.add_release("v1", draft=True)
    where = urlsplit(hub.server.url)
    lines = [f"POST {UPLOADS}/releases/{release.id}/assets?name=a.zip HTTP/1.1", "host: x", "content-length: 100"]
    lines += [f"{name}: {value}" for name, value in RAW.items()]
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        connection.sendall("\r\n".join([*lines, "", "half of it"]).encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert [(asset.state, asset.content) for asset in release.assets] == [("starter", b"half of it")]
    again = httpx.post(f"{hub.server.url}{UPLOADS}/releases/{release.id}/assets?name=a.zip", headers=RAW, content=b"a")
    assert again.status_code == 422
    assert hub.problems == []


def test_a_file_name_is_changed_as_github_changes_it(hub: GitHub) -> None:
    release = hub.add_release("v1", draft=True)
    answer = httpx.post(f"{hub.server.url}{UPLOADS}/releases/{release.id}/assets", params={"name": ".my app~1.zip"}, headers=RAW, content=b"a")
    assert answer.json()["name"] == "my.app.1.zip"


def test_an_answer_can_be_lost_after_its_effect(hub: GitHub) -> None:
    hub.lost[0] = Reply(502)
    assert post(hub, f"{HERE}/releases", tag_name="v1", draft=True).status_code == 502
    assert len(hub.releases) == 1


def test_drafts_are_no_releases_of_their_tag(hub: GitHub) -> None:
    hub.add_release("v1", draft=True)
    assert httpx.get(f"{hub.api_url}{HERE}/releases/tags/v1", headers=HEADERS).status_code == 404
    assert [one["draft"] for one in httpx.get(f"{hub.api_url}{HERE}/releases", headers=HEADERS).json()] == [True]


@pytest.mark.parametrize("body", [{"draft": True}, {"tag_name": 1}, {"tag_name": "v1", "tag": "v1"}])
def test_a_release_that_github_would_not_understand_is_a_problem(hub: GitHub, body: dict[str, object]) -> None:
    post(hub, f"{HERE}/releases", **body)
    assert hub.problems
