"""What the stand-in for GitHub holds for releases: releases with files, tags, branches, merged pull requests, checks, reviews, teams, rights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.github_state import BOT, PERSON, STRANGER, Account, FakeCommit, FakeIssue, FakePull, FakeRun, Json, Repo, iso
from tests.servers.http_server import Reply
from tests.servers.repositories import START, git, signed

# A role as the API's older field `permission` gives it.
PERMISSIONS_OF_ROLES = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}
# Where the hub serves uploads; on GitHub.com it is another host, on an Enterprise Server this path.
UPLOADS = "/api/uploads"


@dataclass
class FakeAsset:
    """A file of a release; `state` is `starter` where its upload broke."""

    id: int
    name: str
    media_type: str
    content: bytes
    state: str = "uploaded"

    def json(self, url: str, tag: str) -> Json:
        whole = self.state == "uploaded"
        return {
            "id": self.id, "name": self.name, "label": "", "state": self.state, "content_type": self.media_type, "size": len(self.content) if whole else 0,
            "digest": f"sha256:{hashlib.sha256(self.content).hexdigest()}" if whole else None,
            "browser_download_url": f"{url}/releases/download/{tag}/{self.name}",
        }  # fmt: skip


@dataclass
class FakeRelease:
    """A release; `target` is what it was asked to be of."""

    id: int
    tag: str
    target: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    created: float
    immutable: bool = False
    assets: list[FakeAsset] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether it may be the latest one."""
        return not (self.draft or self.prerelease)

    def json(self, url: str, server: str, repository: str) -> Json:
        return {
            "id": self.id, "tag_name": self.tag, "target_commitish": self.target, "name": self.name, "body": self.body, "draft": self.draft,
            "prerelease": self.prerelease, "immutable": self.immutable, "created_at": iso(self.created),
            "published_at": None if self.draft else iso(self.created), "html_url": f"{url}/releases/tag/{self.tag}",
            "upload_url": f"{server}{UPLOADS}/repos/{repository}/releases/{self.id}/assets{{?name,label}}",
            "assets": [asset.json(url, self.tag) for asset in self.assets],
        }  # fmt: skip


@dataclass(frozen=True)
class FakeCheck:
    """A check run; without a conclusion it still runs."""

    id: int
    sha: str
    name: str
    conclusion: str | None

    def json(self, url: str) -> Json:
        status = "completed" if self.conclusion else "in_progress"
        return {
            "id": self.id, "head_sha": self.sha, "name": self.name, "status": status, "conclusion": self.conclusion, "html_url": f"{url}/runs/{self.id}",
        }  # fmt: skip


@dataclass(frozen=True)
class FakeReview:
    """What somebody said for an environment that a run waits for; `state` approved or rejected."""

    run: int
    environment: str
    state: str
    account: Account | None
    comment: str

    def json(self) -> Json:
        environments = [{"id": 7, "name": self.environment}]
        return {"state": self.state, "comment": self.comment, "environments": environments, "user": self.account.json() if self.account else None}


@dataclass(frozen=True)
class RefsOf(MutableMapping[str, str]):
    """The tags (`refs/tags/`) or branches (`refs/heads/`) of a real repository as they are now: name to commit."""

    folder: Path
    below: str

    def _read(self) -> dict[str, str]:
        lines = git(self.folder, "for-each-ref", "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", self.below)
        return {name.removeprefix(self.below): sha for name, sha in (line.split(" ") for line in lines.splitlines())}

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __setitem__(self, name: str, sha: str) -> None:
        git(self.folder, "update-ref", self.below + name, sha)

    def __delitem__(self, name: str) -> None:
        git(self.folder, "update-ref", "-d", self.below + name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class ReleaseSide:
    """The part of the stand-in that releases need. Everything may be looked at and changed by a test:

    - `releases`: all of them, the oldest first, with their files (`assets`, `content`); `latest` the one shown as such; `deleted` says what was
      deleted, in order. `immutable`: releases cannot be changed any more once they are published.
    - `tags`, `branches`: name to commit; `follow(folder)` makes them those of a real bare repository. `made_tags`: tags that GitHub itself had to make
      because a release was published without one; a good client leaves it empty.
    - `open_pull(branch)` opens a pull request between branches, `merge(number)` merges it, also in the repository that is followed.
    - `add_check`, `add_status`: what checks say of a commit. `workflows`: files that can be started; `dispatches`: (file, ref, inputs) that were.
      `tells_runs`: the server tells the run it started; None: it does not know the question.
    - `review(run, environment)`: somebody says yes or no. `people`: accounts by login; `teams`: `org/team` to account numbers and their state;
      `rights`: account number to role. Teams are seen with the permission `members: read`, which is not among the first ones.
    - `lost`: by index of the call, the answer that is given after the call had its effect (`faults`: instead of it). `broken_uploads`: answers of the
      next uploads, which leave a file in the state `starter`.
    """

    repository: Repo
    default_branch: str
    issues: dict[int, FakeIssue]
    commits: dict[str, FakeCommit]

    def __init__(self) -> None:
        self.releases: list[FakeRelease] = []
        self.immutable = False
        self.deleted: list[str] = []
        self.tags: MutableMapping[str, str] = {}
        self.branches: MutableMapping[str, str] = {}
        self.followed: Path | None = None
        self.made_tags: list[str] = []
        self.checks: list[FakeCheck] = []
        self.statuses: dict[str, dict[str, str]] = {}
        self.workflows = {"deploy.yml"}
        self.dispatches: list[tuple[str, str, Mapping[str, str]]] = []
        self.tells_runs: bool | None = True
        self.reviews: list[FakeReview] = []
        self.people = {account.login: account for account in (BOT, PERSON, STRANGER)}
        self.teams: dict[str, dict[int, str]] = {}
        self.rights: dict[int, str] = {PERSON.id: "write"}
        self.lost: dict[int, Reply] = {}
        self.broken_uploads: list[Reply] = []
        self._marked: int | None = None

    def number(self) -> int:
        """The next number of a thing."""
        raise NotImplementedError

    def moment(self, count: int = 0) -> float:
        """When something is made."""
        raise NotImplementedError

    # Releases

    @property
    def latest(self) -> FakeRelease | None:
        """The full release that was marked, else the newest."""
        full = [release for release in self.releases if release.full]
        return next((release for release in full if release.id == self._marked), max(full, key=lambda release: release.created, default=None))

    def mark_latest(self, release: FakeRelease) -> None:
        """Show it as the latest one."""
        self._marked = release.id

    def release_of(self, tag: str) -> FakeRelease:
        """The only release of a tag; fails the test where there are none or several."""
        [found] = [release for release in self.releases if release.tag == tag]
        return found

    def add_release(
        self,
        tag: str,
        name: str = "",
        body: str = "",
        *,
        draft: bool = False,
        prerelease: bool = False,
        target: str = "",
        files: Mapping[str, bytes] | None = None,
    ) -> FakeRelease:
        """A release as somebody else made it; its tag is there then, but for a draft's."""
        release = FakeRelease(70000 + self.number(), tag, target or self.default_branch, name or tag, body, draft, prerelease, self.moment())
        self.releases.append(release)
        for file, content in (files or {}).items():
            release.assets.append(FakeAsset(80000 + self.number(), file, "application/octet-stream", content))
        if not draft:
            self.tags.setdefault(tag, self.commit_of(release.target))
            release.immutable = self.immutable
        return release

    def publish(self, release: FakeRelease) -> None:
        """What publishing does: the tag is made where there is none."""
        release.draft, release.immutable = False, self.immutable
        if release.tag not in self.tags:
            self.made_tags.append(release.tag)
            self.tags[release.tag] = self.commit_of(release.target)

    def commit_of(self, ref: str) -> str:
        """The commit of a branch, tag or commit id."""
        made = hashlib.sha1(ref.encode(), usedforsecurity=False).hexdigest()
        return ref if re.fullmatch("[0-9a-f]{40}", ref) else self.branches.get(ref) or self.tags.get(ref) or made

    # Branches and pull requests

    def follow(self, folder: Path) -> None:
        """Tags and branches are those of the bare repository, from now on; pull requests are of its branches."""
        self.followed = folder
        self.tags, self.branches = RefsOf(folder, "refs/tags/"), RefsOf(folder, "refs/heads/")

    def open_pull(
        self, branch: str, title: str = "A pull request", body: str = "", *, base: str = "", author: Account | None = PERSON, labels: Iterable[str] = (),
        head: Repo | None = None, commits: Iterable[str] = (),
    ) -> FakeIssue:  # fmt: skip
        """A pull request of a branch; of a fork where `head` is another repository. `commits` are those that it brings."""
        number, base = self.number(), base or self.default_branch
        pull = FakePull(number, self.commit_of(branch), branch, base, self.commit_of(base), self.repository, head or self.repository, commits=tuple(commits))
        self.issues[number] = FakeIssue(number, author, title, body, tuple(labels), pull=pull, created=self.moment(number))
        return self.issues[number]

    def merge(self, number: int, *, squash: bool = False) -> str:
        """Merge a pull request; the commit on its base. In a followed repository both branches must be there, the base not ahead."""
        issue = self.issues[number]
        pull = issue.pull
        assert pull is not None
        pull.sha, pull.merged_at = self._head(pull), self.moment()
        pull.merged_as = self._merge_in(self.followed, issue, pull, squash=squash) if self.followed else self.commit_of(f"merge of #{number}")
        issue.state = pull.state = "closed"
        self.branches[pull.base] = pull.merged_as
        return pull.merged_as

    def _merge_in(self, folder: Path, issue: FakeIssue, pull: FakePull, *, squash: bool) -> str:
        base = self.branches[pull.base]
        title = f"{issue.title} (#{issue.number})" if squash else f"Merge pull request #{issue.number} from {pull.branch}\n\n{issue.title}"
        pull.commits = tuple(git(folder, "rev-list", f"{base}..{pull.sha}").split())
        parents = ["-p", base] if squash else ["-p", base, "-p", pull.sha]
        who = signed("GitHub <noreply@github.com>", START + 86_400)
        return git(folder, "commit-tree", f"{pull.sha}^{{tree}}", *parents, "-m", title, variables=who)

    def _head(self, pull: FakePull) -> str:
        """Where the head of a pull request stands now."""
        own = pull.head == self.repository and pull.state == "open"
        return self.branches.get(pull.branch, pull.sha) if own else pull.sha

    def pull_json(self, issue: FakeIssue, url: str) -> Json:
        """A pull request as the API shows it."""
        assert issue.pull is not None
        pull = issue.pull
        shown = pull.json(url)
        names = [{"id": 9, "name": name} for name in issue.labels]
        return {
            **shown, "title": issue.title, "body": issue.body, "labels": names, "user": issue.author.json() if issue.author else None,
            "head": {**shown["head"], "sha": self._head(pull)}, "merged_at": None if pull.merged_at is None else iso(pull.merged_at),
            "merge_commit_sha": pull.merged_as or self.commit_of(f"trial of #{issue.number}"),
        }  # fmt: skip

    # Checks, reviews, people

    def add_check(self, sha: str, name: str, conclusion: str | None = "success") -> FakeCheck:
        """A check run of a commit; a later one of the same name takes its place."""
        check = FakeCheck(90000 + self.number(), sha, name, conclusion)
        self.checks = [other for other in self.checks if (other.sha, other.name) != (sha, name)] + [check]
        return check

    def add_status(self, sha: str, context: str, state: str = "success") -> None:
        """A commit status: error, failure, pending or success."""
        self.statuses.setdefault(sha, {})[context] = state

    def review(self, run: FakeRun, environment: str, state: str = "approved", account: Account | None = PERSON, comment: str = "") -> None:
        """Somebody says yes (`approved`) or no (`rejected`) to a run that waits."""
        self.reviews.append(FakeReview(run.id, environment, state, account, comment))

    def person(self, login: str) -> Account | None:
        """The account that has this login now; logins ignore case."""
        return next((account for known, account in self.people.items() if known.lower() == login.lower()), None)
