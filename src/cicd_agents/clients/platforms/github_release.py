"""GitHub's releases (port `Releases`): drafts, files with their digests, the latest one.

Sources: REST API, "Releases" and "Release assets"; "Immutable releases" in the docs on supply chain security.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import quote

from cicd_agents.clients.http import Http
from cicd_agents.clients.http_addresses import origin, parsed, same_origin
from cicd_agents.clients.platforms import github_release_shapes as shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import NotFound, Refused, Rejected
from cicd_agents.domain.forge import ForgeRelease, ReleaseAsset

PAGE = 100
# GitHub puts a dot for other characters, and drops dots at the ends, without a word (REST API, "Upload a release asset").
_KEPT_NAME = re.compile(r"[A-Za-z0-9_@+-]+(?:\.[A-Za-z0-9_@+-]+)*")

_UPLOAD_PATHS = ("", "/api/uploads")


@dataclass(frozen=True, slots=True)
class GitHubReleases:
    """The releases of one repository, `owner/name`. `api_url` is the one that `http` calls; files go to the host for uploads that belongs to it."""

    http: Http
    repository: str
    api_url: str = "https://api.github.com"

    @property
    def drafts(self) -> bool:
        """GitHub has them."""
        return True

    def find(self, tag: str) -> ForgeRelease | None:
        """The published release of a tag, else its oldest draft. A token that may not write sees no drafts.

        GitHub ties no drafts to tags, so all releases are looked through, at most the 10,000 that it lists.
        """
        answer = self.http.get(self._path(f"/releases/tags/{quote(tag, safe='')}"), missing_ok=True)
        if answer.status != 404:
            return shapes.release(Shape.of(answer.json(), f"{NAME}: the release of {tag}"))
        found = [release for release in self._listed() if release.tag == tag]
        return min(found, key=lambda release: (release.draft, int(release.id)), default=None)

    def latest(self) -> ForgeRelease | None:
        """The one that GitHub shows as the latest; never a draft or a prerelease."""
        answer = self.http.get(self._path("/releases/latest"), missing_ok=True)
        return None if answer.status == 404 else shapes.release(Shape.of(answer.json(), f"{NAME}: the latest release"))

    def listed(self, most: int) -> Iterator[ForgeRelease]:
        """The newest ones in GitHub's order, newest first, drafts too, at most `most`."""
        return islice(self._listed(min(most, PAGE)), most)

    def create(self, tag: str, commit: str, name: str, body: str, *, draft: bool, prerelease: bool, latest: bool = True) -> ForgeRelease:
        """Make a release of a tag that exists. Raises Rejected where there is a published one already, or no such tag.

        A draft is no latest one: say `latest` again when it is published. There may be several drafts of a tag.
        """
        fields: dict[str, Any] = {"tag_name": tag, "target_commitish": commit, "name": name, "body": body, "draft": draft, "prerelease": prerelease}
        if not draft:
            self._check_tag(tag)
        if not (draft or prerelease):
            fields["make_latest"] = _word(latest)
        return self._release("POST", "/releases", fields, repeatable=False)

    def update(
        self, release: ForgeRelease, *, name: str | None = None, body: str | None = None, draft: bool | None = None, prerelease: bool | None = None,
        latest: bool | None = None,
    ) -> ForgeRelease:  # fmt: skip
        """Change what is given; doing it twice does no harm. `latest` as True makes it the latest one.

        A draft is published only where its tag exists, else Rejected is raised: GitHub would make the tag. One that is published without a word
        about `latest` becomes the latest. Of an immutable release all of this can still be changed, but for making it a draft.
        """
        if draft is False:
            self._check_tag(release.tag)
        given = {"name": name, "body": body, "draft": draft, "prerelease": prerelease, "make_latest": None if latest is None else _word(latest)}
        fields = {key: value for key, value in given.items() if value is not None}
        return self._release("PATCH", f"/releases/{release.id}", fields, repeatable=True)

    def upload(self, release: ForgeRelease, name: str, media_type: str, content: BinaryIO, size: int) -> ReleaseAsset:
        """Add a file of `size` bytes, streamed. Raises Rejected where there is one of this name, and where the release is immutable.

        Refused is raised for a name that GitHub would change: the file could not be found again, nor checked against a list of checksums.
        """
        if not _KEPT_NAME.fullmatch(name):
            raise Refused(f"{NAME}: the file name `{name}` would be changed by GitHub. Use letters, digits, `_`, `-`, `+`, `@`, and single dots between them.")
        data = Shape.of(self.http.get_json(self._path(f"/releases/{release.id}")), f"{NAME}: release {release.id}")
        base = upload_base(data.text("upload_url"), self.api_url)
        answer = self.http.upload(self._path(f"/releases/{release.id}/assets"), content, size, media_type, params={"name": name}, base=base)
        return shapes.asset(Shape.of(answer.json(), f"{NAME}: the uploaded file"))

    def discard(self, release: ForgeRelease, asset: ReleaseAsset) -> None:  # noqa: ARG002 GitHub's assets have numbers of their own
        """Take away an asset whose upload broke; one that is gone already is fine. Raises Refused for a complete one."""
        path = self._path(f"/releases/assets/{asset.id}")
        try:
            now = shapes.asset(Shape.of(self.http.get_json(path), f"{NAME}: release asset {asset.id}"))
            if now.complete:
                raise Refused(f"{NAME}: the file {now.name} is complete and is not taken away.")
            self.http.send("DELETE", path, repeatable=True)
        except NotFound:
            return

    def discard_draft(self, release: ForgeRelease) -> None:
        """Take away a draft without assets; one that is gone already is fine. Raises Refused for anything else, as it stands now."""
        path = self._path(f"/releases/{release.id}")
        try:
            now = shapes.release(Shape.of(self.http.get_json(path), f"{NAME}: release {release.id}"))
            if not now.draft or now.assets:
                raise Refused(f"{NAME}: the release {now.name or now.tag} is published or has files, and is not taken away.")
            self.http.send("DELETE", path, repeatable=True)
        except NotFound:
            return

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below

    def _listed(self, size: int = PAGE) -> Iterator[ForgeRelease]:
        for item in self.http.pages(self._path("/releases"), {"per_page": size}):
            yield shapes.release(Shape.of(item, f"{NAME}: the releases"))

    def _release(self, method: str, path: str, fields: dict[str, Any], *, repeatable: bool) -> ForgeRelease:
        answer = self.http.send(method, self._path(path), fields, repeatable=repeatable)
        return shapes.release(Shape.of(answer.json(), f"{NAME}: the answer to a write"))

    def _check_tag(self, tag: str) -> None:
        """Raises Rejected without the tag: publishing would make it, without a message or signature, where GitHub thinks best."""
        if self.http.get(self._path(f"/git/ref/{quote(f'tags/{tag}', safe='')}"), missing_ok=True).status == 404:
            raise Rejected(f"{NAME}: there is no tag {tag}, so its release is not published. Push the tag first.")


def upload_base(upload_url: str, api_url: str) -> str:
    """The base address for uploads, by a release's `upload_url` (a URI template). Raises Refused for a host that does not belong to the API.

    Those that do: `uploads.` in place of `api.` (GitHub.com, data residency on ghe.com), and the API's own server (Enterprise Server: /api/uploads).
    """
    base, below, _ = upload_url.partition("/repos/")
    here, api = parsed(base, NAME), parsed(api_url, NAME)
    known = same_origin(here, api) or (api.host.startswith("api.") and same_origin(here, api.copy_with(host=f"uploads.{api.host.removeprefix('api.')}")))
    if below and known and here.path.rstrip("/") in _UPLOAD_PATHS and not here.query and not here.userinfo:
        return base
    raise Refused(f"{NAME}: files of releases should go to {origin(here)}, which does not belong to {origin(api)}; nothing is sent there.")


def _word(latest: bool) -> str:
    """The API wants `make_latest` as a text."""
    return "true" if latest else "false"
