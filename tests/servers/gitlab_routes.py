"""What the stand-in for GitLab answers at each path, and who may have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.servers.http_server import Reply, Request, json_reply

if TYPE_CHECKING:
    from tests.servers.gitlab import GitLab

MAX_NOTE = 1_000_000
MAX_TITLE = 255
ROLES = {"none": 0, "guest": 10, "reporter": 20, "developer": 30, "maintainer": 40}

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the account that it acts as with its role in the project, and the parts of the path."""

    request: Request
    user: Data
    parts: tuple[str, ...]
    role: int = 0

    def number(self, index: int = 0) -> int:
        """A part that is a number."""
        return int(self.parts[index])

    def query(self, name: str, default: str | None = None) -> str | None:
        """A query parameter."""
        return self.request.query.get(name, default)


Serve = Callable[["GitLab", Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """What is served at a path; `role` is the least one for it, `job`: also for job tokens, `hidden`: strangers get 404 and not 401."""

    method: str
    pattern: re.Pattern[str]
    serve: Serve
    role: str
    job: bool = False
    hidden: bool = True


def error(status: int, message: str) -> Reply:
    """An error as GitLab words it."""
    return json_reply({"message": message}, status)


NOT_FOUND = error(404, "404 Not found")
NO_COMMIT = error(404, "404 Commit Not Found")


def page(gitlab: GitLab, call: Call, items: list[Data]) -> Reply:
    """One page, with GitLab's headers."""
    number, size = int(call.query("page") or 1), min(int(call.query("per_page") or 20), 100)
    more = number * size < len(items)
    headers = {"x-page": str(number), "x-per-page": str(size), "x-next-page": str(number + 1) if more else "", "x-total": str(len(items))}
    if more:
        headers["link"] = f'<{gitlab.api_url}/elsewhere?page={number + 1}>; rel="next"'
    return json_reply(items[(number - 1) * size : number * size], headers=headers if gitlab.paging_headers else {})


def user(gitlab: GitLab, call: Call) -> Reply:
    return json_reply(call.user)


def pipelines(gitlab: GitLab, call: Call) -> Reply:
    query = call.request.query
    found = [data for data in gitlab.pipelines.values() if all(data[key] == query[key] for key in ("ref", "sha", "status", "source") if key in query)]
    if "source" not in query:
        found = [data for data in found if data["source"] != "parent_pipeline"]
    if query.get("scope") == "finished":
        found = [data for data in found if data["status"] in ("success", "failed", "canceled", "skipped")]
    if "created_before" in query:
        limit = datetime.fromisoformat(query["created_before"])
        found = [data for data in found if datetime.fromisoformat(data["created_at"]) < limit]
    if "updated_after" in query:
        limit = datetime.fromisoformat(query["updated_after"])
        found = [data for data in found if datetime.fromisoformat(data["updated_at"]) > limit]
    return page(gitlab, call, sorted(found, key=lambda data: -data["id"]))


def pipeline(gitlab: GitLab, call: Call) -> Reply:
    return json_reply(gitlab.pipelines[call.number()]) if call.number() in gitlab.pipelines else NOT_FOUND


def jobs(gitlab: GitLab, call: Call) -> Reply:
    if call.number() not in gitlab.pipelines:
        return NOT_FOUND
    every = call.query("include_retried") == "true"
    found = [job for job in gitlab.jobs.values() if job["pipeline"]["id"] == call.number() and (every or not job["retried"])]
    return page(gitlab, call, [{key: value for key, value in job.items() if key != "retried"} for job in reversed(found)])


def bridges(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.bridges.get(call.number(), [])
    return page(gitlab, call, [data for data in found if call.query("scope", data["status"]) == data["status"]])


def trace(gitlab: GitLab, call: Call) -> Reply:
    if call.number() not in gitlab.jobs:
        return NOT_FOUND
    return Reply(200, gitlab.traces.get(call.number(), b""), {"content-type": "text/plain"})


def retry(gitlab: GitLab, call: Call) -> Reply:
    job = gitlab.jobs.get(call.number())
    if job is None:
        return NOT_FOUND
    if job["retried"] or job["status"] not in ("failed", "canceled", "success"):
        return error(403, "403 Forbidden  - Job is not retryable")
    job["retried"] = True
    number = gitlab.add_job(job["pipeline"]["id"], job["name"], "pending", trace=None, stage=job["stage"], allow_failure=job["allow_failure"])
    gitlab.pipelines[job["pipeline"]["id"]]["status"] = "running"
    gitlab.retried.append(number)
    return json_reply(gitlab.jobs[number], 201)


def compare(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.comparisons.get((call.request.query["from"], call.request.query["to"]))
    return json_reply(found) if found else NO_COMMIT


def commit(gitlab: GitLab, call: Call) -> Reply:
    return json_reply(gitlab.commits[call.parts[0]]) if call.parts[0] in gitlab.commits else NO_COMMIT


def commit_diff(gitlab: GitLab, call: Call) -> Reply:
    return page(gitlab, call, gitlab.diffs[call.parts[0]]) if call.parts[0] in gitlab.diffs else NO_COMMIT


def merge_requests_of(gitlab: GitLab, call: Call) -> Reply:
    keys = ("sha", "merge_commit_sha", "squash_commit_sha")
    shas = ((item.data, {*(item.data.get(key) for key in keys), *item.data.get("earlier", ())}) for item in gitlab.merge_requests.values())
    found = [data for data, own in shas if call.parts[0] in own]
    return page(gitlab, call, [data for data in found if not gitlab.knows_state_filter or call.query("state", data["state"]) == data["state"]])


def file(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.files.get((call.query("ref", gitlab.default_branch) or "", call.parts[0]))
    return error(404, "404 File Not Found") if found is None else Reply(200, found, {"content-type": "text/plain"})


def notes(gitlab: GitLab, call: Call) -> Reply:
    if call.number() not in gitlab.merge_requests:
        return NOT_FOUND
    comments_only = call.query("activity_filter") == "only_comments"
    found = [note for note in gitlab.merge_requests[call.number()].notes if not (comments_only and note["system"])]
    return page(gitlab, call, found if call.query("sort") == "asc" else found[::-1])


def new_note(gitlab: GitLab, call: Call) -> Reply:
    to = (gitlab.merge_requests if call.parts[0] == "merge_requests" else gitlab.issues).get(call.number(1))
    if to is None:
        return NOT_FOUND
    return bad_note(call.request) or json_reply(gitlab.add_note(to, call.request.json()["body"], call.user), 201)


def changed_note(gitlab: GitLab, call: Call) -> Reply:
    note = _note(gitlab, call)
    if note is None:
        return NOT_FOUND
    if note["author"]["id"] != call.user["id"]:
        return error(403, "403 Forbidden")
    bad = bad_note(call.request)
    if bad is None:
        note["body"], note["updated_at"] = call.request.json()["body"], gitlab.moment()
    return bad or json_reply(note)


def deleted_note(gitlab: GitLab, call: Call) -> Reply:
    note = _note(gitlab, call)
    if note is None:
        return NOT_FOUND
    if note["author"]["id"] != call.user["id"]:
        return error(403, "403 Forbidden")
    gitlab.merge_requests[call.number()].notes.remove(note)
    return Reply(204)


def issues(gitlab: GitLab, call: Call) -> Reply:
    labels, state = set((call.query("labels") or "").split(",")) - {""}, call.query("state", "all")
    found = [item.data for item in gitlab.issues.values() if labels <= set(item.data["labels"]) and state in ("all", item.data["state"])]
    return page(gitlab, call, found[::-1])


def new_issue(gitlab: GitLab, call: Call) -> Reply:
    given = call.request.json()
    if len(given["title"]) > MAX_TITLE:
        return json_reply({"message": {"title": [f"is too long (maximum is {MAX_TITLE} characters)"]}}, 400)
    labels = [label for label in given.get("labels", "").split(",") if label]
    return json_reply(gitlab.add_issue(given["title"], given.get("description", ""), labels, call.user).data, 201)


def changed_issue(gitlab: GitLab, call: Call) -> Reply:
    if call.number() not in gitlab.issues:
        return error(404, "404 Issue Not Found")
    data, given = gitlab.issues[call.number()].data, call.request.json()
    data.update({key: given[key] for key in ("title", "description") if key in given})
    data["state"] = {"reopen": "opened", "close": "closed"}.get(given.get("state_event", ""), data["state"])
    data["labels"] = list(dict.fromkeys([*data["labels"], *filter(None, given.get("add_labels", "").split(","))]))
    return json_reply(data)


def _note(gitlab: GitLab, call: Call) -> Data | None:
    found = gitlab.merge_requests.get(call.number())
    return next((note for note in found.notes if note["id"] == call.number(1)), None) if found else None


def bad_note(request: Request) -> Reply | None:
    """What GitLab answers to a note that it does not take."""
    body = request.json().get("body", "")
    if len(body) > MAX_NOTE:
        return json_reply({"message": {"note": [f"is too long (maximum is {MAX_NOTE} characters)"]}}, 400)
    return None if body.strip() else error(400, "400 Bad request - Note can't be blank")


def served_at(method: str, path: str, serve: Serve, role: str, *, job: bool = False, hidden: bool = True) -> Route:
    """A route; in `path` ONE stands for the project and N for a number."""
    return Route(method, re.compile(path.replace("ONE", r"/projects/[^/]+").replace("N", "([0-9]+)")), serve, role, job, hidden)


# Roles: GitLab docs, user/permissions, for a private project. Job tokens: GitLab docs, ci/jobs/ci_job_token.
ROUTES = (
    served_at("GET", "/user", user, "none", hidden=False),
    served_at("GET", "ONE/pipelines", pipelines, "reporter"),
    served_at("GET", "ONE/pipelines/N", pipeline, "reporter"),
    served_at("GET", "ONE/pipelines/N/jobs", jobs, "reporter"),
    served_at("GET", "ONE/pipelines/N/bridges", bridges, "reporter"),
    served_at("GET", "ONE/jobs/N/trace", trace, "reporter", hidden=False),
    served_at("POST", "ONE/jobs/N/retry", retry, "developer"),
    served_at("GET", "ONE/repository/compare", compare, "reporter"),
    served_at("GET", "ONE/repository/commits/([^/]+)", commit, "reporter", job=True),
    served_at("GET", "ONE/repository/commits/([^/]+)/diff", commit_diff, "reporter"),
    served_at("GET", "ONE/repository/commits/([^/]+)/merge_requests", merge_requests_of, "reporter", job=True),
    served_at("GET", "ONE/repository/files/([^/]+)/raw", file, "reporter", job=True),
    served_at("GET", "ONE/merge_requests/N/notes", notes, "reporter", job=True),
    served_at("POST", "ONE/(merge_requests)/N/notes", new_note, "reporter"),
    served_at("PUT", "ONE/merge_requests/N/notes/N", changed_note, "reporter"),
    served_at("DELETE", "ONE/merge_requests/N/notes/N", deleted_note, "reporter"),
    served_at("GET", "ONE/issues", issues, "guest"),
    served_at("POST", "ONE/issues", new_issue, "guest"),
    served_at("PUT", "ONE/issues/N", changed_issue, "reporter"),
    served_at("POST", "ONE/(issues)/N/notes", new_note, "guest"),
)


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a path below the API, and its parts, decoded."""
    for route in routes:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return route, tuple(unquote(part) for part in match.groups())
    return None
