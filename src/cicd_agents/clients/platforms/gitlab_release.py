"""Releases of GitLab and their files (GitLab docs, api/releases, api/releases/links, user/packages/generic_packages).

A file of a release is a link to a file of the package registry. It lies in the generic package `releases`, whose version is the tag's name;
where that holds other characters than letters, digits, `_`, `+`, `.` and `-`, or is longer than 200, those become `-`, the rest is cut,
and `-` and the first 8 digits of the name's SHA-256 are added, so that two tags never share a version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import quote

from cicd_agents.clients.http import Answer
from cicd_agents.clients.platforms import gitlab_release_shapes as shapes
from cicd_agents.clients.platforms.gitlab_code import capped
from cicd_agents.clients.platforms.gitlab_release_shapes import PackageFile
from cicd_agents.clients.platforms.gitlab_service import PAGE_SIZE, Project, advice, reason
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, NotFound, Refused, Rejected
from cicd_agents.domain.forge import ForgeRelease, ReleaseAsset

PACKAGE = "releases"
_OUTSIDE_VERSION = re.compile(r"[^A-Za-z0-9_+.-]")
_LONGEST_VERSION = 200
# GitLab docs, user/packages/generic_packages, valid package filename format.
_FILE_NAME = re.compile(r"(?![~@])[A-Za-z0-9._+~@-]{1,255}(?<![~@])")
# What GitLab takes as the end of a permanent address (GitLab docs, user/project/releases/release_fields): up to 128 characters with the slash.
_ASSET_PATH = re.compile(r"[A-Za-z0-9_.-]{0,126}[A-Za-z0-9]")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class GitLabReleases:
    """The releases of one project (port `Releases`). GitLab knows neither drafts nor prereleases, and its latest release is the one with the latest date."""

    project: Project

    @property
    def drafts(self) -> bool:
        """Never: a release is public at once."""
        return False

    def find(self, tag: str) -> ForgeRelease | None:
        """The release of a tag. Size and digest of its files are not told: links have none. Raises NotFound where the project cannot be seen."""
        with self.project.surely_there():
            answer = self.project.http.get(self._path(tag), missing_ok=True)
            if answer.status == 404 and "project" in reason(answer):
                raise NotFound(f"GitLab: the project {self.project.name} was not found. {advice(self.project.token, 'GET', self._path(tag), 404)}")
        return None if answer.status == 404 else shapes.release(_read(answer, tag))

    def latest(self) -> ForgeRelease | None:
        """The one with the latest date of release, which GitLab shows as the latest."""
        newest = self._newest()
        return shapes.release(newest) if newest else None

    def listed(self, most: int) -> Iterator[ForgeRelease]:
        """The newest ones by their date of release. GitLab keeps such answers for up to five minutes: a link made just now may lack, `find` has it."""
        query = {"order_by": "released_at", "sort": "desc"}
        with self.project.surely_there():
            for item in islice(self.project.listed(self.project.path("releases"), query, "the releases"), most):
                yield shapes.release(item)

    def create(self, tag: str, commit: str, name: str, body: str, *, draft: bool, prerelease: bool, latest: bool = True) -> ForgeRelease:  # noqa: ARG002 what GitLab cannot know
        """Make a release of a tag that exists; GitLab is never given a `ref`, by which it would make a tag that is missing.

        `prerelease` and `latest` are not used: GitLab has no mark for the first, and the newest date makes the latest. Raises Rejected where there is
        a release already, the tag is missing, or it lies at another commit; Refused for a draft.
        """
        _no_draft(draft)
        given = {"tag_name": tag, "name": name, "description": capped(body)}
        with self.project.surely_there():
            made = _read(self.project.http.send("POST", self.project.path("releases"), given), tag)
        at = made.inner("commit").text("id")
        if at != commit:
            raise Rejected(f"GitLab: the release {tag} was made, but its tag is at commit {at[:12]}, not at {commit[:12]}. Was the tag moved meanwhile?")
        return shapes.release(made)

    def update(
        self, release: ForgeRelease, *, name: str | None = None, body: str | None = None, draft: bool | None = None, prerelease: bool | None = None,
        latest: bool | None = None,
    ) -> ForgeRelease:  # fmt: skip
        """Change what is given. Raises Rejected for `prerelease`, Refused for `draft`: GitLab has neither.

        GitLab has no mark for the latest release. So `latest` gives one that is not the latest yet the date of the present latest and a second more.
        That is rejected where the present latest has a date in the future.
        """
        _no_draft(draft)
        if prerelease:
            raise Rejected("GitLab: there are no prereleases; a release can only say in its text that it is one.")
        texts = {"name": name, "description": None if body is None else capped(body)}
        given: dict[str, Any] = {key: value for key, value in texts.items() if value is not None}
        if latest:
            given |= self._later_than_all(release.tag)
        if not given:
            return release
        with self.project.surely_there():
            return shapes.release(_read(self.project.http.send("PUT", self._path(release.tag), given, repeatable=True), release.tag))

    def upload(self, release: ForgeRelease, name: str, media_type: str, content: BinaryIO, size: int) -> ReleaseAsset:
        """Put a file into the package registry and link it. What an earlier run put there already is not sent again.

        Raises Rejected where there is a link of this name, or GitLab does not take the name; BadAnswer where other bytes arrived than were sent.
        """
        if not _FILE_NAME.fullmatch(name):
            raise Rejected(f"GitLab: a file of a package cannot be named {name[:100]!r}: only letters, digits and . _ + ~ @ - may stand in it.")
        if any(asset.name == name for asset in release.assets):
            raise Rejected(f"GitLab: release {release.tag} has a file {name} already.")
        version, digest = package_version(release.tag), _digest(content)
        with self.project.surely_there():
            packages = self.project.http.get(self.project.path("packages"), _package_query(version))
            file = self._stored(packages, version, PackageFile(name, size, digest)) or self._stream(version, name, media_type, content, size)
            if (file.size, file.sha256 or digest) != (size, digest):
                raise BadAnswer(f"GitLab: {name} arrived with other bytes than were sent; it is not linked. Try again.")
            # Made from where the API answered, as that is where the file is.
            return self._link(release, file, f"{packages.url}/generic/{PACKAGE}/{quote(version)}/{quote(name)}")

    def discard(self, release: ForgeRelease, asset: ReleaseAsset) -> None:
        """Take away the link of an asset; the file stays in the registry. On GitLab a link is made last, so that no asset is ever incomplete."""
        if asset.complete:
            raise Refused(f"GitLab: {asset.name} of release {release.tag} is complete, and complete files are not taken away.")
        with suppress(NotFound):
            self.project.http.send("DELETE", self._path(release.tag, "assets", "links", asset.id), repeatable=True)

    def discard_draft(self, release: ForgeRelease) -> None:
        """Always Refused: there are no drafts."""
        raise Refused(f"GitLab: release {release.tag} is no draft, and releases are not deleted.")

    def _path(self, tag: str, *parts: str) -> str:
        return self.project.path("releases", tag, *parts)

    def _newest(self) -> Shape | None:
        query: dict[str, str | int] = {"order_by": "released_at", "sort": "desc", "per_page": 1}
        with self.project.surely_there():
            return next(iter(_items(self.project.http.get(self.project.path("releases"), query), "the latest release")), None)

    def _later_than_all(self, tag: str) -> dict[str, str]:
        newest = self._newest()
        if newest is None or newest.text("tag_name") == tag:
            return {}
        if newest.flag("upcoming_release"):
            raise Rejected(f"GitLab: {tag} cannot become the latest release: {newest.text('tag_name')} has a date in the future. Correct that date first.")
        moment = datetime.fromtimestamp(newest.time("released_at") or 0.0, UTC) + timedelta(seconds=1)
        return {"released_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}

    def _stored(self, packages: Answer, version: str, wanted: PackageFile) -> PackageFile | None:
        """The file where it is in the registry already, with the same bytes. GitLab finds packages by a part of their name."""
        of = (item for item in _items(packages, "the packages") if (item.text("name"), item.text("version", "")) == (PACKAGE, version))
        for package in of:
            path = self.project.path("packages", package.number("id"), "package_files")
            found = [shapes.package_file(item) for item in self.project.listed(path, {}, f"the files of the package {PACKAGE} {version}")]
            # Of several files with one name GitLab gives out the newest.
            same = [file for file in found if file.name == wanted.name]
            if same and same[-1] == wanted:
                return wanted
        return None

    def _stream(self, version: str, name: str, media_type: str, content: BinaryIO, size: int) -> PackageFile:
        path = self.project.path("packages", "generic", PACKAGE, version, name)
        answer = self.project.http.upload(path, content, size, media_type, params={"select": "package_file"}, method="PUT")
        return shapes.package_file(Shape.of(answer.json(), f"GitLab: the file {name} that was put into the package registry"))

    def _link(self, release: ForgeRelease, file: PackageFile, url: str) -> ReleaseAsset:
        given = {"name": file.name, "url": url, "link_type": "package"}
        if _ASSET_PATH.fullmatch(file.name):
            given["direct_asset_path"] = f"/{file.name}"
        answer = self.project.http.send("POST", self._path(release.tag, "assets", "links"), given)
        return shapes.asset(Shape.of(answer.json(), f"GitLab: the link to {file.name} that was made"), file)


def package_version(tag: str) -> str:
    """The version of the package with the files of a tag's release, by the rule above (GitLab's own: letters, digits and `_+.-`)."""
    version = _OUTSIDE_VERSION.sub("-", tag)[:_LONGEST_VERSION]
    return version if version == tag else f"{version}-{hashlib.sha256(tag.encode()).hexdigest()[:8]}"


def _package_query(version: str) -> dict[str, str | int]:
    """GitLab before 16.6 does not know the version as a filter; then the newest packages are looked through."""
    return {
        "package_type": "generic", "package_name": PACKAGE, "package_version": version, "order_by": "created_at", "sort": "desc", "per_page": PAGE_SIZE,
    }  # fmt: skip


def _digest(content: BinaryIO) -> str:
    """The SHA-256 of a stream from where it stands, to where it is set back."""
    start, digest = content.tell(), hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    content.seek(start)
    return digest.hexdigest()


def _no_draft(draft: bool | None) -> None:
    if draft:
        raise Refused("GitLab: there are no drafts; a release would be public at once.")


def _read(answer: Answer, tag: str) -> Shape:
    return Shape.of(answer.json(), f"GitLab: release {tag}")


def _items(answer: Answer, what: str) -> list[Shape]:
    data = answer.json()
    if not isinstance(data, list):
        raise BadAnswer(f"GitLab: {what}: the answer should be a list. Is this the address of the API?")
    return [Shape.of(item, f"GitLab: {what}") for item in data]
