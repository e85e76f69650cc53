"""Releases on GitHub, asked of the stand-in over a real socket: drafts, files, the latest one, races, broken uploads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.clients.platforms.github_connection import connect
from tests.servers.github import GitHub
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_release import GitHubReleases, upload_base
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused, Rejected, ServiceError, Unavailable
from cicd_agents.domain.forge import ForgeRelease, ReleaseAsset, Releases

SHA = "c" * 40


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def any_hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as hub:
        yield hub


def releases(hub: GitHub) -> GitHubReleases:
    made = GitHubReleases(connect(hub), hub.repository.full_name, hub.api_url)
    port: Releases = made
    assert port is made
    return made


def drafted(hub: GitHub, tag: str = "v1.0.0") -> ForgeRelease:
    hub.tags[tag] = SHA
    return releases(hub).create(tag, SHA, tag, "Notes", draft=True, prerelease=False)


def put(hub: GitHub, release: ForgeRelease, name: str = "app.zip", content: bytes = b"PK") -> ReleaseAsset:
    return releases(hub).upload(release, name, "application/zip", io.BytesIO(content), len(content))


def test_a_draft_gets_files_and_is_published_as_the_latest(any_hub: GitHub) -> None:
    any_hub.tags["core/v1.0.0"] = SHA
    forge = releases(any_hub)
    draft = forge.create("core/v1.0.0", SHA, "Core 1.0.0", "# Notes", draft=True, prerelease=False)
    assert (draft.tag, draft.name, draft.body, draft.draft, draft.assets) == ("core/v1.0.0", "Core 1.0.0", "# Notes", True, ())
    put(any_hub, draft)
    published = forge.update(draft, draft=False, latest=True)
    assert (published.draft, published.prerelease, published.id) == (False, False, draft.id)
    assert published.url == f"{any_hub.url}/releases/tag/core/v1.0.0"
    assert [asset.name for asset in published.assets] == ["app.zip"]
    assert forge.latest() == forge.find("core/v1.0.0") == published
    assert (any_hub.made_tags, any_hub.releases[0].target) == ([], SHA)


def test_forge_has_drafts(hub: GitHub) -> None:
    assert releases(hub).drafts


def test_a_draft_is_found_by_its_tag_on_any_page_and_the_oldest_counts(any_hub: GitHub) -> None:
    old, _ = any_hub.add_release("v2.0.0", "old", draft=True), any_hub.add_release("v2.0.0", "new", draft=True)
    for number in range(230):
        any_hub.add_release(f"v1.{number}.0")
    found = releases(any_hub).find("v2.0.0")
    assert found is not None
    assert (found.id, found.name, found.draft) == (str(old.id), "old", True)


def test_a_published_release_counts_before_drafts(hub: GitHub) -> None:
    hub.add_release("v1.0.0", draft=True)
    published = hub.add_release("v1.0.0")
    found = releases(hub).find("v1.0.0")
    assert found is not None
    assert found.id == str(published.id)
    assert len(hub.requests) == 1


def test_without_a_release_nothing_is_found(any_hub: GitHub) -> None:
    any_hub.add_release("v1.0.0")
    assert releases(any_hub).find("v1.0.1") is None


def test_a_token_that_only_reads_sees_no_drafts(hub: GitHub) -> None:
    hub.add_release("v1.0.0", draft=True)
    hub.permissions.remove("contents: write")
    assert releases(hub).find("v1.0.0") is None


def test_nothing_is_the_latest_where_all_are_drafts_or_prereleases(hub: GitHub) -> None:
    hub.add_release("v1.0.0-rc.1", prerelease=True)
    hub.add_release("v1.0.0", draft=True)
    assert releases(hub).latest() is None


def test_the_newest_are_listed_and_no_more_pages_are_read_than_needed(hub: GitHub) -> None:
    for number in range(120):
        hub.add_release(f"v1.{number}.0", draft=number == 119)
    assert [release.tag for release in releases(hub).listed(2)] == ["v1.119.0", "v1.118.0"]
    assert (len(hub.requests), hub.requests[0].query["per_page"]) == (1, "2")
    assert len(list(releases(hub).listed(110))) == 110
    assert len(hub.requests) == 3
    assert list(releases(hub).listed(0)) == []


@pytest.mark.parametrize("latest", [True, False])
def test_a_release_may_be_published_at_once_as_the_latest_or_not(hub: GitHub, latest: bool) -> None:
    other = hub.add_release("v2.0.0")
    hub.tags["v1.0.1"] = SHA
    made = releases(hub).create("v1.0.1", SHA, "v1.0.1", "", draft=False, prerelease=False, latest=latest)
    assert hub.latest is not None
    assert str(hub.latest.id) == (made.id if latest else str(other.id))


def test_a_prerelease_is_never_asked_to_be_the_latest(hub: GitHub) -> None:
    hub.tags["v2.0.0-rc.1"] = SHA
    made = releases(hub).create("v2.0.0-rc.1", SHA, "", "", draft=False, prerelease=True)
    assert (made.prerelease, made.name) == (True, "")
    assert "make_latest" not in hub.requests[-1].json()


def test_a_second_published_release_of_a_tag_is_rejected_and_a_second_draft_is_not(hub: GitHub) -> None:
    hub.add_release("v1.0.0", target=SHA)
    forge = releases(hub)
    with pytest.raises(Rejected, match="already_exists"):
        forge.create("v1.0.0", SHA, "v1.0.0", "", draft=False, prerelease=False)
    draft = forge.create("v1.0.0", SHA, "v1.0.0", "", draft=True, prerelease=False)
    with pytest.raises(Rejected, match="already_exists"):
        forge.update(draft, draft=False)


@pytest.mark.parametrize("draft_first", [False, True])
def test_a_release_without_its_tag_is_not_published(hub: GitHub, draft_first: bool) -> None:
    forge = releases(hub)
    if draft_first:
        release = forge.create("v1.0.0", SHA, "v1.0.0", "", draft=True, prerelease=False)
    with pytest.raises(Rejected, match=r"there is no tag v1\.0\.0, so its release is not published"):
        forge.update(release, draft=False) if draft_first else forge.create("v1.0.0", SHA, "", "", draft=False, prerelease=False)
    assert (hub.made_tags, dict(hub.tags)) == ([], {})


def test_only_what_is_given_is_changed_and_twice_does_no_harm(hub: GitHub) -> None:
    release = drafted(hub)
    forge = releases(hub)
    for _ in range(2):
        changed = forge.update(release, body="New notes")
    assert (changed.name, changed.body, changed.draft) == ("v1.0.0", "New notes", True)
    assert hub.requests[-1].json() == {"body": "New notes"}
    assert forge.update(release, name="", prerelease=True).name == ""


def test_a_demoted_release_is_a_prerelease_with_another_as_the_latest(hub: GitHub) -> None:
    good = hub.add_release("v1.0.0")
    hub.add_release("v1.1.0")
    forge = releases(hub)
    bad, before = forge.find("v1.1.0"), forge.find("v1.0.0")
    assert bad is not None
    assert before is not None
    forge.update(bad, prerelease=True, body="Do not use")
    forge.update(before, latest=True)
    assert hub.latest is good
    with pytest.raises(Rejected, match="Latest release cannot be draft or prerelease"):
        forge.update(bad, latest=True)


def test_a_file_is_uploaded_whole_with_its_digest(any_hub: GitHub) -> None:
    content = bytes(range(256)) * 4000
    asset = put(any_hub, drafted(any_hub), "app-1.0.0+x86_64.tar.gz", content)
    assert asset == ReleaseAsset(
        asset.id, "app-1.0.0+x86_64.tar.gz", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}", True,
        f"{any_hub.url}/releases/download/v1.0.0/app-1.0.0+x86_64.tar.gz",
    )  # fmt: skip
    [kept] = any_hub.releases[0].assets
    assert (kept.content, kept.media_type) == (content, "application/zip")
    assert any_hub.requests[-1].path.startswith("/api/uploads/repos/")


def test_a_file_of_a_name_that_is_there_is_rejected(hub: GitHub) -> None:
    release = drafted(hub)
    put(hub, release)
    with pytest.raises(Rejected, match="already_exists"):
        put(hub, release, content=b"other")
    assert [asset.content for asset in hub.releases[0].assets] == [b"PK"]


@pytest.mark.parametrize("name", ["my app.zip", "app~1.deb", "app(1).zip", ".env", "app.", "a..b", "grüße.txt", "", "a/b", "a:b"])
def test_a_name_that_github_would_change_is_refused_before_anything_is_sent(hub: GitHub, name: str) -> None:
    release = drafted(hub)
    before = len(hub.requests)
    with pytest.raises(Refused, match="would be changed by GitHub"):
        put(hub, release, name)
    assert len(hub.requests) == before


@pytest.mark.parametrize("answer", [Reply(502, b"<html>"), Reply(reset=True), Reply(500)], ids=["502", "reset", "500"])
def test_a_broken_upload_is_seen_discarded_and_done_again(hub: GitHub, answer: Reply) -> None:
    release = drafted(hub)
    forge = releases(hub)
    hub.broken_uploads.append(answer)
    with pytest.raises(Unavailable):
        put(hub, release)
    found = forge.find("v1.0.0")
    assert found is not None
    [broken] = found.assets
    assert (broken.complete, broken.digest, broken.size) == (False, "", 0)
    with pytest.raises(Rejected, match="already_exists"):
        put(hub, release)
    for _ in range(2):
        forge.discard(found, broken)
    assert put(hub, release).complete
    assert hub.deleted == ["file app.zip"]


def test_a_complete_file_is_not_discarded_even_if_it_was_broken_when_we_looked(hub: GitHub) -> None:
    release = drafted(hub)
    asset = put(hub, release)
    stale = ReleaseAsset(asset.id, asset.name, 0, "", complete=False)
    with pytest.raises(Refused, match=r"the file app\.zip is complete and is not taken away"):
        releases(hub).discard(release, stale)
    assert hub.deleted == []


def test_an_empty_draft_is_discarded_once_and_other_releases_never(hub: GitHub) -> None:
    forge = releases(hub)
    empty, filled = drafted(hub), drafted(hub)
    put(hub, filled)
    for _ in range(2):
        forge.discard_draft(empty)
    hub.add_release("v0.9.0")
    published = forge.find("v0.9.0")
    assert published is not None
    for kept in (filled, published):
        with pytest.raises(Refused, match="is published or has files"):
            forge.discard_draft(kept)
    assert hub.deleted == ["draft v1.0.0"]


def test_a_draft_that_was_published_meanwhile_is_not_discarded(hub: GitHub) -> None:
    draft = drafted(hub)
    releases(hub).update(draft, draft=False)
    with pytest.raises(Refused):
        releases(hub).discard_draft(draft)
    assert hub.deleted == []


def test_an_immutable_release_takes_no_files_but_other_notes(hub: GitHub) -> None:
    hub.immutable = True
    draft = drafted(hub)
    put(hub, draft)
    published = releases(hub).update(draft, draft=False)
    with pytest.raises(Rejected, match="immutable release"):
        put(hub, published, "more.zip")
    with pytest.raises(Rejected, match="immutable"):
        releases(hub).update(published, draft=True)
    assert releases(hub).update(published, body="Withdrawn", prerelease=True).body == "Withdrawn"


CALLS: dict[str, Callable[[GitHubReleases, ForgeRelease], object]] = {
    "find": lambda forge, release: forge.find(release.tag),
    "latest": lambda forge, _: forge.latest(),
    "listed": lambda forge, _: list(forge.listed(5)),
    "create": lambda forge, release: forge.create(release.tag, SHA, "n", "b", draft=True, prerelease=False),
    "update": lambda forge, release: forge.update(release, draft=False),
    "upload": lambda forge, release: forge.upload(release, "b.zip", "application/zip", io.BytesIO(b"b"), 1),
    "discard": lambda forge, release: forge.discard(release, release.assets[0]),
    "discard_draft": lambda forge, release: forge.discard_draft(ForgeRelease(release.id, release.tag, "", "")),
}
WRITES = ("create", "update", "upload", "discard", "discard_draft")


def scene(hub: GitHub) -> ForgeRelease:
    release = drafted(hub)
    hub.broken_uploads.append(Reply(502))
    with pytest.raises(Unavailable):
        put(hub, release)
    found = releases(hub).find("v1.0.0")
    assert found is not None
    return found


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "fault", [json_reply({"message": "slow"}, 429, {"retry-after": "3"}), json_reply({"message": "x"}, 503, {"retry-after": "3"})], ids=["429", "503"]
)
def test_every_call_waits_for_a_limit_and_has_its_effect(hub: GitHub, call: str, fault: Reply) -> None:
    release = scene(hub)
    if call == "discard_draft":
        hub.releases[0].assets.clear()
    hub.faults.update({len(hub.requests) + index: fault for index in (0, 2, 4)})
    CALLS[call](releases(hub), release)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "fault",
    [Reply(500), Reply(reset=True), Reply(200, b'{"id": 1', {"content-type": "application/json"}, cut=3), Reply(200, b"<html>"), json_reply({"id": "x"})],
    ids=["500", "reset", "cut", "page", "shape"],
)
def test_a_fault_at_any_call_is_an_error_of_ours_or_overcome(hub: GitHub, call: str, fault: Reply) -> None:
    release = scene(hub)
    if call == "discard_draft":
        hub.releases[0].assets.clear()
    said: list[str] = []
    for index in range(3):
        hub.faults.clear()
        hub.faults[len(hub.requests) + index] = fault
        try:
            CALLS[call](releases(hub), release)
        except ServiceError as problem:
            said.append(str(problem))
    assert all(text.startswith("GitHub: ") and "ghs_" not in text for text in said)


@pytest.mark.parametrize("call", WRITES)
def test_each_refusal_names_the_permission(hub: GitHub, call: str) -> None:
    release = scene(hub)
    if call == "discard_draft":
        hub.releases[0].assets.clear()
    hub.permissions.remove("contents: write")
    with pytest.raises(NotAllowed, match="Add `contents: write` to the job's permissions"):
        CALLS[call](releases(hub), release)


def test_a_missing_workflow_right_is_named_where_github_says_not_found(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"message": "Not Found"}, 404)
    with pytest.raises(NotFound, match="`workflows: write`"):
        releases(hub).create("v1.0.0", SHA, "", "", draft=True, prerelease=False)


def test_an_older_server_that_tells_no_digest_is_fine(hub: GitHub) -> None:
    release = hub.add_release("v1.0.0", files={"a.zip": b"a"})
    shown: dict[str, Any] = release.json(hub.url, hub.server.url, hub.repository.full_name)
    del shown["assets"][0]["digest"]
    hub.faults[0] = json_reply(shown)
    found = releases(hub).find("v1.0.0")
    assert found is not None
    assert [(asset.digest, asset.complete) for asset in found.assets] == [("", True)]


@pytest.mark.parametrize("change", [{"id": "7"}, {"tag_name": None}, {"draft": "no"}, {"assets": {}}, {"assets": [{"id": 1, "name": "x"}]}])
def test_a_release_of_another_shape_is_a_bad_answer(hub: GitHub, change: dict[str, Any]) -> None:
    release = hub.add_release("v1.0.0")
    hub.faults[0] = json_reply({**release.json(hub.url, hub.server.url, hub.repository.full_name), **change})
    with pytest.raises(BadAnswer, match=r"GitHub: the release of v1\.0\.0"):
        releases(hub).find("v1.0.0")


@pytest.mark.parametrize(
    ("upload_url", "api_url", "base"),
    [
        ("https://uploads.github.com/repos/o/r/releases/1/assets{?name,label}", "https://api.github.com", "https://uploads.github.com"),
        ("https://uploads.corp.ghe.com/repos/o/r/releases/1/assets{?name,label}", "https://api.corp.ghe.com", "https://uploads.corp.ghe.com"),
        ("https://git.example.com/api/uploads/repos/o/r/releases/1/assets{?name}", "https://git.example.com/api/v3", "https://git.example.com/api/uploads"),
        ("https://uploads.github.com:443/repos/o/r/releases/1/assets", "https://api.github.com/", "https://uploads.github.com:443"),
    ],
)
def test_files_go_to_the_host_that_belongs_to_the_api(upload_url: str, api_url: str, base: str) -> None:
    assert upload_base(upload_url, api_url) == base


@pytest.mark.parametrize(
    ("upload_url", "api_url"),
    [
        ("https://uploads.evil.com/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.github.com.evil.com/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.github.com@evil.com/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://token@uploads.github.com/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("http://uploads.github.com/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.github.com:8443/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.github.com/elsewhere/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.github.com?x=/repos/o/r/releases/1/assets", "https://api.github.com"),
        ("https://uploads.git.example.com/repos/o/r/releases/1/assets", "https://git.example.com/api/v3"),
        ("https://git.example.com:8443/api/uploads/repos/o/r/releases/1/assets", "https://git.example.com/api/v3"),
        ("https://uploads.github.com/releases/1/assets", "https://api.github.com"),
        ("", "https://api.github.com"),
        ("https://[/repos/o", "https://api.github.com"),
        ("https://uploads.github.com\n/repos/o", "https://api.github.com"),
    ],
)
def test_a_host_that_does_not_belong_to_the_api_gets_nothing(upload_url: str, api_url: str) -> None:
    with pytest.raises(Refused):
        upload_base(upload_url, api_url)


def test_no_file_is_sent_where_the_answer_names_a_strange_host(hub: GitHub) -> None:
    release = drafted(hub)
    shown = hub.releases[0].json(hub.url, "https://uploads.evil.com", hub.repository.full_name)
    hub.faults[len(hub.requests)] = json_reply(shown)
    with pytest.raises(Refused, match=r"https://uploads\.evil\.com, which does not belong to"):
        put(hub, release)
    assert hub.requests[-1].method == "GET"
