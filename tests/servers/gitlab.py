"""A stand-in for GitLab: one project with pipelines, jobs, merge requests, notes and issues, served over a real socket and changed by what is sent.

Every request is checked against GitLab's published description (tests/data/openapi/gitlab.json); what is wrong goes into `problems`. Rights follow
GitLab's: roles of access tokens, the few things that a job token may do, and 404 where somebody may not know that the project exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.servers.gitlab_release_routes import RELEASE_ROUTES
from tests.servers.gitlab_release_state import Forge
from tests.servers.gitlab_routes import ROLES, ROUTES, Call, Data, Route, error, find
from tests.servers.http_server import Reply, Request, Server
from tests.servers.openapi import Description

DESCRIPTION = Path(__file__).parents[1] / "data" / "openapi" / "gitlab.json"
START = 1_750_000_000
_API = "/api/v4"
_PROJECT = re.compile(r"/projects/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Token:
    """Somebody's credential: `kind` access or job, `role` in the project, and the account that it acts as."""

    kind: str
    role: int
    user: Data


@dataclass(slots=True)
class Noteable:
    """A merge request or an issue with its notes."""

    data: Data
    notes: list[Data] = field(default_factory=list)


class GitLab(Server):
    """The server. `relative` is the path of an install below a host ("/gitlab"); `public`: strangers may read.

    `paging_headers`: whether answers say which page is next; `knows_state_filter`: whether it is GitLab 18.2 or newer; `retried`: the jobs that
    retries made, which stay pending until the test changes them. `now`: when notes, issues, releases and what follows are made and changed;
    None: each a second after the one before. `forge` is all that releases are about (gitlab_release_state); `heads` are the commits of branches, for
    requests and pipelines that are made of them.
    """

    def __init__(self, project: str = "group/app", project_id: int = 7, *, relative: str = "", public: bool = False, default_branch: str = "main") -> None:
        self.project, self.project_id, self.relative, self.public, self.default_branch = project, project_id, relative, public, default_branch
        self.tokens: dict[str, Token] = {}
        self.pipelines: dict[int, Data] = {}
        self.jobs: dict[int, Data] = {}
        self.bridges: dict[int, list[Data]] = {}
        self.traces: dict[int, bytes] = {}
        self.commits: dict[str, Data] = {}
        self.diffs: dict[str, list[Data]] = {}
        self.comparisons: dict[tuple[str, str], Data] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.merge_requests: dict[int, Noteable] = {}
        self.issues: dict[int, Noteable] = {}
        self.paging_headers = True
        self.knows_state_filter = True
        self.now: float | None = None
        self.retried: list[int] = []
        self.heads: dict[str, str] = {}
        self.forge = Forge(self)
        self._last = {"pipeline": 1000, "job": 5000, "note": 300, "user": 40, "link": 60, "package": 70, "file": 800, "deployment": 400, "moment": 0}
        self._description = Description(DESCRIPTION, prefix=relative)
        super().__init__(self._served)

    @property
    def api_url(self) -> str:
        """As CI_API_V4_URL."""
        return f"{self.url}{self.relative}{_API}"

    @property
    def web_url(self) -> str:
        """As CI_PROJECT_URL."""
        return f"{self.url}{self.relative}/{self.project}"

    # What there is

    def access_token(self, role: str = "developer", token: str = "glpat-of-the-project", login: str = "project_7_bot") -> str:  # noqa: S107
        """A project access token with the scope `api`."""
        self.tokens[token] = Token("access", ROLES[role], self.user(login))
        return token

    def job_token(self, token: str = "glcbt-of-the-job") -> str:  # noqa: S107
        """The token of a job that a developer started."""
        self.tokens[token] = Token("job", ROLES["developer"], self.user("developer"))
        return token

    def user(self, login: str) -> Data:
        """An account."""
        return {"id": self.number("user"), "username": login, "name": login, "state": "active"}

    def add_pipeline(
        self, status: str = "failed", *, ref: str = "main", sha: str = "a" * 40, source: str = "push", name: str | None = None,
        created: float | None = None, number: int | None = None,
    ) -> int:  # fmt: skip
        """A pipeline, newer than those before unless its number is given."""
        number = self.number("pipeline") if number is None else number
        moment = _iso(START + 60 * number if created is None else created)
        self.pipelines[number] = {
            "id": number, "iid": len(self.pipelines) + 1, "project_id": self.project_id, "status": status, "source": source, "ref": ref, "sha": sha,
            "name": name, "tag": False, "created_at": moment, "updated_at": moment, "web_url": f"{self.web_url}/-/pipelines/{number}",
        }  # fmt: skip
        return number

    def add_job(self, pipeline: int, name: str, status: str = "failed", *, trace: bytes | None = b"boom\n", stage: str = "test", **more: Any) -> int:
        """A job of a pipeline; `more` are further fields of the answer, such as failure_reason and allow_failure."""
        number = self.number("job")
        moment = _iso(START + 60 * pipeline + number)
        self.jobs[number] = {
            "id": number, "name": name, "stage": stage, "status": status, "ref": self.pipelines[pipeline]["ref"], "tag": False, "allow_failure": False,
            "created_at": moment, "started_at": moment, "finished_at": None if status in ("created", "pending", "running") else moment,
            "duration": 1.5, "web_url": f"{self.web_url}/-/jobs/{number}", "commit": {"id": self.pipelines[pipeline]["sha"]},
            "pipeline": {"id": pipeline, "project_id": self.project_id}, "runner": {"id": 1, "description": "runner-1"}, **more, "retried": False,
        }  # fmt: skip
        if status == "failed":
            self.jobs[number].setdefault("failure_reason", "script_failure")
        if trace is not None:
            self.traces[number] = trace
        return number

    def add_child(self, pipeline: int, child: int, *, project_id: int | None = None) -> None:
        """A trigger job that started `child` and stands as that does."""
        downstream = {"id": child, "project_id": project_id or self.project_id, "status": self.pipelines[child]["status"]}
        parent = {"id": pipeline, "project_id": self.project_id}
        bridge = {"id": self.number("job"), "name": f"child-{child}", "status": downstream["status"], "pipeline": parent, "downstream_pipeline": downstream}
        self.bridges.setdefault(pipeline, []).append(bridge)

    def add_commit(self, sha: str, title: str = "A change", files: Iterable[str] = (), **more: Any) -> None:
        """A commit with the files that it changes."""
        self.commits[sha] = {
            "id": sha, "short_id": sha[:8], "title": title, "author_name": "Ada", "committed_date": _iso(START + len(self.commits)),
            "web_url": f"{self.web_url}/-/commit/{sha}", **more,
        }  # fmt: skip
        self.diffs[sha] = [diff(path) for path in files]

    def add_comparison(self, base: str, head: str, commits: Iterable[str], diffs: Iterable[Data], *, timeout: bool = False) -> None:
        """What `compare` answers; the commits must have been added."""
        self.comparisons[base, head] = {
            "commit": None, "commits": [self.commits[sha] for sha in commits], "diffs": list(diffs), "compare_timeout": timeout,
            "compare_same_ref": base == head, "web_url": f"{self.web_url}/-/compare/{base}...{head}",
        }  # fmt: skip

    def add_merge_request(self, iid: int, sha: str, *, branch: str = "topic", source_project_id: int | None = None, state: str = "opened") -> Noteable:
        """A merge request into the default branch; from a fork when the source project is another one."""
        data = {
            "id": 9000 + iid, "iid": iid, "project_id": self.project_id, "state": state, "sha": sha, "source_branch": branch,
            "target_branch": self.default_branch, "source_project_id": source_project_id or self.project_id, "target_project_id": self.project_id,
            "title": f"Request {iid}", "description": "", "author": {"id": 30, "username": "requester"}, "labels": [],
            "web_url": f"{self.web_url}/-/merge_requests/{iid}",
        }  # fmt: skip
        self.merge_requests[iid] = Noteable(data)
        return self.merge_requests[iid]

    def add_note(self, to: Noteable, body: str, by: Data | None = None, *, system: bool = False) -> Data:
        """A note that somebody wrote."""
        number = self.number("note")
        moment = self.moment(number)
        note = {
            "id": number, "type": None, "body": body, "author": by or self.user("somebody"), "system": system, "created_at": moment, "updated_at": moment,
        }  # fmt: skip
        to.notes.append(note)
        return note

    def add_issue(self, title: str, body: str = "", labels: Iterable[str] = (), by: Data | None = None, *, state: str = "opened") -> Noteable:
        """An issue."""
        iid = len(self.issues) + 1
        data = {
            "id": 7000 + iid, "iid": iid, "project_id": self.project_id, "title": title, "description": body, "state": state, "labels": list(labels),
            "author": by or self.user("somebody"), "created_at": self.moment(iid), "web_url": f"{self.web_url}/-/issues/{iid}",
        }  # fmt: skip
        self.issues[iid] = Noteable(data)
        return self.issues[iid]

    def moment(self, count: int = 0) -> str:
        """When something is written; `count` is the number that it gets."""
        return _iso(START + (count or self.number("note")) if self.now is None else self.now)

    def notes(self, merge_request: int) -> list[str]:
        """The texts of a merge request's notes, without GitLab's own."""
        return [note["body"] for note in self.merge_requests[merge_request].notes if not note["system"]]

    def number(self, of: str) -> int:
        """The next number of a kind of thing."""
        self._last[of] += 1
        return self._last[of]

    # How it is served

    def _served(self, request: Request) -> Reply:
        # A file is no JSON; of its upload only path and query are checked.
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        is_file = "/packages/generic/" in request.path
        problem = self._description.check(replace(request, body=b"", headers=headers) if is_file else request)
        if problem:
            self.problems.append(problem)
        path = request.path.removeprefix(self.relative).removeprefix(_API)
        found = find((*ROUTES, *RELEASE_ROUTES), request.method, path)
        if found is None:
            return error(404, "404 Not Found")
        route, parts = found
        token = self.tokens.get(request.headers.get("private-token") or request.headers.get("job-token") or "")
        call = Call(request, token.user if token else {"id": 0, "username": "nobody"}, parts, token.role if token else 0)
        return self._refused(route, path, request, token) or route.serve(self, call)

    def _refused(self, route: Route, path: str, request: Request, token: Token | None) -> Reply | None:
        """What GitLab answers to those who may not do it."""
        project = _PROJECT.match(path)
        if token is None and ("private-token" in request.headers or "job-token" in request.headers):
            return error(401, "401 Unauthorized")
        if project and unquote(project[1]) not in (self.project, str(self.project_id)):
            return error(404, "404 Project Not Found")
        if token is None or (token.kind == "job" and not route.job):
            if request.method != "GET" or not route.hidden:
                return error(401, "401 Unauthorized")
            return None if self.public else error(404, "404 Project Not Found")
        if token.role < ROLES[route.role]:
            return error(404, "404 Project Not Found") if token.role == 0 else error(403, "403 Forbidden")
        return None


def diff(path: str, *, old: str | None = None, patch: str = "@@ -1 +1 @@\n-a\n+b\n", **flags: bool) -> Data:
    """A file of a diff as GitLab gives it; `flags` are new_file, deleted_file, renamed_file, too_large, collapsed."""
    return {"new_path": path, "old_path": old or path, "diff": patch, "new_file": False, "renamed_file": False, "deleted_file": False, **flags}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
