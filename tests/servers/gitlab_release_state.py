"""What the stand-in for GitLab knows of releases: tags, releases, the package registry, checks, deployments with approvals, accounts and members."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from tests.servers.gitlab import GitLab

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the package registry. `package` and `id` are numbers."""

    id: int
    package: int
    version: str
    name: str
    content: bytes
    media_type: str

    def answer(self) -> Data:
        """As the API tells it."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {"id": self.id, "package_id": self.package, "file_name": self.name, "size": len(self.content), "file_sha256": digest}


@dataclass(slots=True)
class Forge:
    """The part of a `GitLab` that releases are about: `server.forge`.

    `tags` are the commits of tags; a test with a real repository sets `commit_of` instead, which is asked for a tag's commit (None: no such tag).
    `tags_made` are tags that a release with a `ref` made: nothing of ours may do that, so tests assert that it is empty. `protected`: tags that only
    maintainers make releases of. `files` is the package registry, oldest first; without `duplicates` a file is taken once. `started` are the bodies that
    pipelines were started with. `levels` are access levels of the project's members by account number, `groups` the same by full path.
    Merge requests and issues stay in `server.merge_requests` and `server.issues`; `server.now` is the time of everything new (None: a second later each).
    """

    gitlab: GitLab
    tags: dict[str, str] = field(default_factory=dict)
    commit_of: Callable[[str], str | None] | None = None
    tags_made: list[str] = field(default_factory=list)
    protected: set[str] = field(default_factory=set)
    releases: dict[str, Data] = field(default_factory=dict)
    files: list[StoredFile] = field(default_factory=list)
    duplicates: bool = True
    knows_package_version: bool = True
    statuses: dict[str, list[Data]] = field(default_factory=dict)
    started: list[Data] = field(default_factory=list)
    deployments: dict[int, Data] = field(default_factory=dict)
    accounts: dict[str, Data] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    groups: dict[str, dict[int, int]] = field(default_factory=dict)

    def moment(self) -> str:
        """When something of releases is made, in ISO 8601."""
        return self.gitlab.moment(self.gitlab.number("moment"))

    def tagged(self, tag: str) -> str | None:
        """The commit of a tag."""
        return self.commit_of(tag) if self.commit_of else self.tags.get(tag)

    def add_release(self, tag: str, name: str = "", body: str = "", *, released: str | None = None) -> Data:
        """A release; `released` is its date in ISO 8601."""
        moment = self.moment()
        self.releases[tag] = {
            "tag_name": tag, "name": name or tag, "description": body, "created_at": moment, "released_at": released or moment, "upcoming_release": False,
            "commit": {"id": self.tagged(tag)}, "assets": {"count": 0, "sources": [], "links": []},
            "_links": {"self": f"{self.gitlab.web_url}/-/releases/{quote(tag, safe='')}"},
        }  # fmt: skip
        return self.releases[tag]

    def add_link(self, tag: str, name: str, url: str, path: str | None = None, link_type: str = "other") -> Data:
        """A link of a release, the newest first as GitLab lists them; `path` is the end of its permanent address."""
        direct = f"{self.gitlab.web_url}/-/releases/{quote(tag, safe='')}/downloads{path}" if path else url
        link = {"id": self.gitlab.number("link"), "name": name, "url": url, "direct_asset_url": direct, "link_type": link_type}
        self.releases[tag]["assets"]["links"].insert(0, link)
        self.releases[tag]["assets"]["count"] += 1
        return link

    def add_file(self, version: str, name: str, content: bytes, media_type: str = "application/octet-stream") -> StoredFile:
        """A file of the generic package `releases`."""
        package = next((file.package for file in self.files if file.version == version), None) or self.gitlab.number("package")
        self.files.append(StoredFile(self.gitlab.number("file"), package, version, name, content, media_type))
        return self.files[-1]

    def asset(self, tag: str, name: str) -> bytes:
        """The bytes that the link of this name leads to."""
        url = next(link["url"] for link in self.releases[tag]["assets"]["links"] if link["name"] == name)
        start = f"{self.gitlab.api_url}/projects/"
        assert url.startswith(start), url
        version, file = (unquote(part) for part in url.removeprefix(start).split("/packages/generic/releases/")[1].split("/"))
        return [stored.content for stored in self.files if (stored.version, stored.name) == (version, file)][-1]

    def latest(self) -> str:
        """The tag of the release that GitLab shows as the latest."""
        return str(max(self.releases.values(), key=lambda release: release["released_at"])["tag_name"])

    def merge(self, iid: int, sha: str, how: str = "merge") -> None:
        """Merge a request: `sha` is what it becomes by a merge or squash commit; `fast-forward` leaves neither, and its head becomes `sha`."""
        data = self.gitlab.merge_requests[iid].data
        data["state"] = "merged"
        data.update({"merge": {"merge_commit_sha": sha}, "squash": {"squash_commit_sha": sha}, "fast-forward": {"sha": sha}}[how])

    def add_status(self, sha: str, name: str, status: str, *, ref: str = "main", allow_failure: bool = False) -> None:
        """A check of a commit, newer than those before."""
        found = {"id": self.gitlab.number("job"), "sha": sha, "ref": ref, "name": name, "status": status, "allow_failure": allow_failure}
        self.statuses.setdefault(sha, []).append(found)

    def add_deployment(self, pipeline: int | None, environment: str, status: str = "blocked") -> int:
        """A deployment of a job of the pipeline; None: one that was made by API."""
        number = self.gitlab.number("deployment")
        job = None if pipeline is None else {"id": self.gitlab.number("job"), "name": f"to {environment}", "pipeline": {"id": pipeline}}
        self.deployments[number] = {
            "id": number, "iid": len(self.deployments) + 1, "status": status, "environment": {"id": 1, "name": environment}, "deployable": job,
            "created_at": self.moment(), "approvals": [],
        }  # fmt: skip
        return number

    def say(self, deployment: int, by: Data, status: str = "approved", comment: str | None = None) -> None:
        """What a person says about a deployment: approved or rejected."""
        self.deployments[deployment]["approvals"].append({"user": by, "status": status, "comment": comment, "created_at": self.moment()})

    def add_account(self, login: str, level: int = 0, groups: Iterable[str] = ()) -> Data:
        """An account that people find by its login, with its access level in the project (0: no member) and its groups, which are made."""
        account = self.accounts[login.lower()] = self.gitlab.user(login)
        if level:
            self.levels[account["id"]] = level
        for group in groups:
            self.groups.setdefault(group, {})[account["id"]] = 30
        return account
