"""Releases of GitLab and their files, over real sockets; every request is checked against GitLab's description."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project
from tests.servers.gitlab_release_routes import RELEASE_ROUTES
from tests.servers.gitlab_routes import Route
from tests.servers.http_server import Reply, Request, json_reply

from cicd_agents.clients.platforms.gitlab_release import GitLabReleases, package_version
from cicd_agents.clients.platforms.gitlab_service import naming
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused, Rejected, Unavailable
from cicd_agents.domain.forge import ForgeRelease, ReleaseAsset, Releases

SHA, OTHER = "a" * 40, "b" * 40
CONTENT = b"PK\x03\x04 not JSON \xff" * 999


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        running.forge.tags = {"v1.0.0": SHA, "v1.1.0": OTHER, "lib/v2.0.0": SHA}
        yield running
        assert running.forge.tags_made == []


def releases(server: Rig, *, job: str = "", access: str | None = None, name: str = "7") -> GitLabReleases:
    return GitLabReleases(project(server, access=access, job=job, name=name))


def made(server: Rig, tag: str = "v1.0.0") -> ForgeRelease:
    server.forge.add_release(tag, "One", "notes")
    found = releases(server).find(tag)
    assert found is not None
    return found


def upload(server: Rig, release: ForgeRelease, name: str = "app.tar.gz", content: bytes = CONTENT) -> ReleaseAsset:
    return releases(server).upload(release, name, "application/gzip", io.BytesIO(content), len(content))


def sent(server: Rig) -> list[str]:
    """The writes so far, by method and the end of the path."""
    return [f"{request.method} {request.path.rpartition('/')[2]}" for request in server.requests if request.method != "GET"]


def test_a_release_is_made_of_a_tag_without_a_ref(server: Rig) -> None:
    port: Releases = releases(server)
    found = port.create("v1.0.0", SHA, "One", "The notes.", draft=False, prerelease=False)
    assert found == ForgeRelease("v1.0.0", "v1.0.0", "One", "The notes.", url=f"{server.web_url}/-/releases/v1.0.0")
    assert server.requests[-1].json() == {"tag_name": "v1.0.0", "name": "One", "description": "The notes."}
    assert port.find("v1.0.0") == found
    assert not port.drafts


def test_a_tag_with_slashes_is_one_part_of_the_path(server: Rig) -> None:
    releases(server).create("lib/v2.0.0", SHA, "Lib", "", draft=False, prerelease=True)
    found = releases(server).find("lib/v2.0.0")
    assert found is not None
    assert (found.id, found.prerelease) == ("lib/v2.0.0", False)


def test_a_release_that_is_there_already_is_not_made_again(server: Rig) -> None:
    made(server)
    with pytest.raises(Rejected, match=r"GitLab: making a release was rejected \(409\): Release already exists"):
        releases(server).create("v1.0.0", SHA, "Again", "", draft=False, prerelease=False)
    assert server.forge.releases["v1.0.0"]["name"] == "One"


def test_a_tag_that_is_missing_is_not_made(server: Rig) -> None:
    with pytest.raises(Rejected, match="Ref is not specified"):
        releases(server).create("v9.9.9", SHA, "Nine", "", draft=False, prerelease=False)
    assert "v9.9.9" not in server.forge.tags


def test_a_tag_at_another_commit_is_told(server: Rig) -> None:
    with pytest.raises(Rejected, match="its tag is at commit bbbbbbbbbbbb, not at aaaaaaaaaaaa"):
        releases(server).create("v1.1.0", SHA, "One", "", draft=False, prerelease=False)


def test_a_draft_is_refused_before_anything_is_sent(server: Rig) -> None:
    with pytest.raises(Refused, match="no drafts"):
        releases(server).create("v1.0.0", SHA, "One", "", draft=True, prerelease=False)
    with pytest.raises(Refused, match="no drafts"):
        releases(server).update(ForgeRelease("v1.0.0", "v1.0.0", "", ""), draft=True)
    assert not server.requests


def test_a_release_may_be_made_with_a_job_token(server: Rig) -> None:
    releases(server, job=server.job_token()).create("v1.0.0", SHA, "One", "", draft=False, prerelease=False)
    assert list(server.forge.releases) == ["v1.0.0"]


def test_a_protected_tag_names_the_role_that_it_takes(server: Rig) -> None:
    server.forge.protected = {"v1.0.0"}
    with pytest.raises(NotAllowed, match=r"the role Developer \(for a protected tag one that may create it\)"):
        releases(server).create("v1.0.0", SHA, "One", "", draft=False, prerelease=False)


def test_a_reporter_is_told_which_role_it_takes(server: Rig) -> None:
    release = made(server)
    with pytest.raises(NotAllowed, match=r"changing release v1\.0\.0 was refused .* the role Developer"):
        releases(server, access=server.access_token("reporter")).update(release, body="new")


def test_without_a_token_the_variable_is_named(server: Rig) -> None:
    with pytest.raises(NotAllowed, match="CICD_AGENTS_GITLAB_TOKEN"):
        releases(server, access="").create("v1.0.0", SHA, "One", "", draft=False, prerelease=False)


def test_a_tag_without_a_release_has_none(server: Rig) -> None:
    assert releases(server).find("v1.0.0") is None


def test_a_project_that_cannot_be_seen_is_not_taken_for_a_missing_release(server: Rig) -> None:
    with pytest.raises(NotFound, match="project 99 was not found"):
        releases(server, name="99").find("v1.0.0")
    with pytest.raises(NotAllowed, match=r"project 99 was not found\. The job token may not do this"):
        releases(server, job=server.job_token(), name="99").find("v1.0.0")


def test_the_newest_releases_come_first_and_only_as_many_as_asked(server: Rig) -> None:
    for index in range(120):
        server.forge.add_release(f"v0.{index}.0")
    assert [release.tag for release in releases(server).listed(3)] == ["v0.119.0", "v0.118.0", "v0.117.0"]
    assert len(server.requests) == 1
    assert len(list(releases(server).listed(110))) == 110


def test_the_latest_is_the_one_with_the_newest_date(server: Rig) -> None:
    assert releases(server).latest() is None
    server.forge.add_release("v2.0.0", released="2026-02-02T00:00:00.000Z")
    server.forge.add_release("v1.9.9", released="2026-01-01T00:00:00.000Z")
    latest = releases(server).latest()
    assert latest is not None
    assert latest.tag == "v2.0.0"


def test_name_and_text_are_changed_and_the_rest_stays(server: Rig) -> None:
    before = made(server)
    after = releases(server).update(before, body="# Withdrawn\n\nnotes", draft=False, prerelease=False)
    assert (after.name, after.body) == ("One", "# Withdrawn\n\nnotes")
    assert releases(server).update(after, name="Uno").name == "Uno"
    assert [request.json() for request in server.requests if request.method == "PUT"] == [{"description": "# Withdrawn\n\nnotes"}, {"name": "Uno"}]


def test_a_change_of_nothing_asks_nothing(server: Rig) -> None:
    release = made(server)
    asked = len(server.requests)
    assert releases(server).update(release) == release
    assert len(server.requests) == asked


def test_a_demotion_to_a_prerelease_is_not_feigned(server: Rig) -> None:
    with pytest.raises(Rejected, match="no prereleases"):
        releases(server).update(made(server), prerelease=True, body="banner")
    assert sent(server) == []


def test_an_older_release_becomes_the_latest_by_its_date(server: Rig) -> None:
    server.forge.add_release("v2.0.0", released="2026-02-02T10:00:00.000Z")
    old = made(server)
    server.forge.releases["v1.0.0"]["released_at"] = "2026-01-01T00:00:00.000Z"
    releases(server).update(old, latest=True)
    assert server.forge.latest() == "v1.0.0"
    assert server.forge.releases["v1.0.0"]["released_at"] == "2026-02-02T10:00:01.000Z"
    releases(server).update(old, latest=True)
    assert sent(server) == ["PUT v1.0.0"]


def test_a_date_in_the_future_is_not_outbid(server: Rig) -> None:
    server.forge.add_release("v3.0.0", released="2999-01-01T00:00:00.000Z")["upcoming_release"] = True
    with pytest.raises(Rejected, match=r"v1\.0\.0 cannot become the latest release: v3\.0\.0 has a date in the future"):
        releases(server).update(made(server), latest=True)


def test_a_file_is_put_into_the_registry_and_then_linked(server: Rig) -> None:
    asset = upload(server, made(server))
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    assert asset == ReleaseAsset("61", "app.tar.gz", len(CONTENT), digest, True, f"{server.web_url}/-/releases/v1.0.0/downloads/app.tar.gz")
    assert server.forge.asset("v1.0.0", "app.tar.gz") == CONTENT
    assert server.forge.files[0].media_type == "application/gzip"
    assert server.forge.releases["v1.0.0"]["assets"]["links"][0]["link_type"] == "package"
    found = releases(server).find("v1.0.0")
    assert found is not None
    assert found.assets == (ReleaseAsset("61", "app.tar.gz", url=asset.url),)


def test_a_job_token_may_upload(server: Rig) -> None:
    release = made(server)
    releases(server, job=server.job_token()).upload(release, "a.txt", "text/plain", io.BytesIO(b"a"), 1)
    assert server.forge.asset("v1.0.0", "a.txt") == b"a"


def test_a_file_of_a_tag_with_slashes_is_found_by_its_link(server: Rig) -> None:
    upload(server, made(server, "lib/v2.0.0"), "lib+x.whl")
    assert server.forge.asset("lib/v2.0.0", "lib+x.whl") == CONTENT


def test_a_name_that_makes_no_permanent_address_is_linked_without_one(server: Rig) -> None:
    asset = upload(server, made(server), "lib-1.0+cpu.whl")
    assert asset.url == server.forge.releases["v1.0.0"]["assets"]["links"][0]["url"]


@pytest.mark.parametrize("name", ["a b.txt", "~a", "a~", "", "x/y", "ü.txt", "a" * 256])
def test_a_name_that_the_registry_does_not_take_is_rejected_before_anything_is_sent(server: Rig, name: str) -> None:
    release = made(server)
    with pytest.raises(Rejected, match="cannot be named"):
        upload(server, release, name)
    assert sent(server) == []


def test_a_file_of_that_name_is_not_replaced(server: Rig) -> None:
    release = made(server)
    upload(server, release)
    with pytest.raises(Rejected, match="Name has already been taken"):
        upload(server, release, content=b"other")
    found = releases(server).find("v1.0.0")
    assert found is not None
    writes = sent(server)
    with pytest.raises(Rejected, match=r"release v1\.0\.0 has a file app\.tar\.gz already"):
        upload(server, found)
    assert sent(server) == writes


@pytest.mark.parametrize("duplicates", [True, False])
@pytest.mark.parametrize("knows_package_version", [True, False])
def test_a_run_that_broke_off_before_the_link_does_not_send_the_file_again(server: Rig, duplicates: bool, knows_package_version: bool) -> None:
    server.forge.duplicates, server.forge.knows_package_version = duplicates, knows_package_version
    server.forge.add_file("v0.9.0", "app.tar.gz", CONTENT)
    server.forge.add_file("v1.0.0", "app.tar.gz", CONTENT)
    asset = upload(server, made(server))
    assert asset.size == len(CONTENT)
    assert sent(server) == ["POST links"]
    assert server.forge.asset("v1.0.0", "app.tar.gz") == CONTENT


def test_other_bytes_under_the_name_are_sent_anew_and_are_what_the_link_gives(server: Rig) -> None:
    server.forge.add_file("v1.0.0", "app.tar.gz", b"half of")
    upload(server, made(server))
    assert server.forge.asset("v1.0.0", "app.tar.gz") == CONTENT


def test_a_file_that_arrived_otherwise_is_not_linked(server: Rig) -> None:
    release = made(server)
    put = len(server.requests) + 1
    server.faults = {put: json_reply({"id": 1, "file_name": "app.tar.gz", "size": 3, "file_sha256": "0" * 64}, 201)}
    with pytest.raises(BadAnswer, match=r"app\.tar\.gz arrived with other bytes"):
        upload(server, release)
    assert server.forge.releases["v1.0.0"]["assets"]["links"] == []


@pytest.mark.parametrize("path", ["/packages", "/app.tar.gz", "/links"])
@pytest.mark.parametrize("done", [False, True])
def test_broken_off_at_any_call_of_an_upload_a_second_run_finishes_it(server: Rig, path: str, done: bool) -> None:
    release, serve = made(server), server.handler

    def broken(request: Request) -> Reply:
        if not request.path.endswith(path):
            return serve(request)
        if done:
            serve(request)
        return Reply(reset=True)

    server.handler = broken
    with pytest.raises(Unavailable):
        upload(server, release)
    server.handler = serve
    again = releases(server).find("v1.0.0")
    assert again is not None
    if not again.assets:
        upload(server, again)
    assert server.forge.asset("v1.0.0", "app.tar.gz") == CONTENT
    assert len(server.forge.files) == len(server.forge.releases["v1.0.0"]["assets"]["links"]) == 1


def test_a_complete_file_is_not_taken_away(server: Rig) -> None:
    release = made(server)
    with pytest.raises(Refused, match="is complete"):
        releases(server).discard(release, upload(server, release))


def test_of_a_broken_file_the_link_goes_and_a_link_that_is_gone_is_fine(server: Rig) -> None:
    release = made(server)
    link = server.forge.add_link("v1.0.0", "broken", "https://example.org/broken")
    broken = ReleaseAsset(str(link["id"]), "broken", complete=False)
    releases(server).discard(release, broken)
    assert server.forge.releases["v1.0.0"]["assets"]["links"] == []
    releases(server).discard(release, broken)


def test_no_release_is_ever_deleted(server: Rig) -> None:
    with pytest.raises(Refused, match="releases are not deleted"):
        releases(server).discard_draft(made(server))
    assert sent(server) == []


def test_versions_of_packages_are_the_tags_where_these_can_stand_as_they_are() -> None:
    assert package_version("v1.2.3-rc.1+build_5") == "v1.2.3-rc.1+build_5"
    assert package_version("lib/v1.2.3") == "lib-v1.2.3-a08eb1eb"
    assert package_version("lib/v1.2.3") != package_version("lib@v1.2.3")
    assert len(package_version("ü" * 300)) == 209


def test_an_answer_of_another_shape_is_told(server: Rig) -> None:
    server.faults = {0: json_reply({"name": "x"}), 1: json_reply({"no": "list"})}
    with pytest.raises(BadAnswer, match=r"GitLab: release v1\.0\.0: `tag_name` should be a text"):
        releases(server).find("v1.0.0")
    with pytest.raises(BadAnswer, match="should be a list"):
        releases(server).latest()


@pytest.mark.parametrize("route", RELEASE_ROUTES, ids=lambda route: f"{route.method} {route.pattern.pattern}")
def test_every_call_is_said_in_words(route: Route) -> None:
    path = re.sub(r"[()]", "", route.pattern.pattern.replace("[^/]+", "some").replace("[0-9]+", "5"))
    assert route.pattern.fullmatch(path)
    assert not naming(route.method, path).startswith(route.method)
