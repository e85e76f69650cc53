"""A stand-in for Jenkins: builds, consoles, stages, logins, crumbs. The shapes are those of real answers; `tree=` is obeyed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from tests.servers.http_server import Reply, Request, Server, json_reply

USER, TOKEN = "doctor", "11aa22bb33cc44dd55ee66ff7788990011"
START = 1_750_000_000_000
PIPELINE, FREESTYLE = "org.jenkinsci.plugins.workflow.job.WorkflowRun", "hudson.model.FreeStyleBuild"
_JOB = re.compile(r"(?P<job>(?:/job/[^/]+)+)(?:/(?P<number>[0-9]+))?/(?P<what>.+)")
_TOKEN = re.compile(r"[^\[\]{},]+|[\[\]{},]")


def build(
    number: int, result: str | None = "FAILURE", *, sha: str = "", branch: str = "main", building: bool = False, kind: str = PIPELINE,
    parameters: Mapping[str, Any] | None = None, causes: Sequence[Mapping[str, Any]] = (), changes: Sequence[Mapping[str, Any]] = (),
    actions: Sequence[Any] = (), job: str = "app",
) -> dict[str, Any]:  # fmt: skip
    """A build as Jenkins tells it. A parameter whose value is None is one that Jenkins does not tell."""
    made: list[Any] = [{"_class": "hudson.model.CauseAction", "causes": [dict(cause) for cause in causes]}, {}, *actions]
    if parameters is not None:
        told = [{"name": name} if value is None else {"name": name, "value": value} for name, value in parameters.items()]
        made.insert(0, {"_class": "hudson.model.ParametersAction", "parameters": [{"_class": "hudson.model.StringParameterValue", **one} for one in told]})
    if sha:
        made.append(checkout(sha, branch))
    freestyle = kind == FREESTYLE
    changelog = {"_class": "hudson.plugins.git.GitChangeSetList", "items": list(changes), "kind": "git"}
    return {
        "_class": kind, "actions": made, "building": building, "description": None, "displayName": f"#{number}",
        "duration": 0 if building else 61_500, "fullDisplayName": f"{job} #{number}", "id": str(number), "number": number, "queueId": 4_000 + number,
        "result": result, "timestamp": START + number * 600_000, "url": f"https://ci.example/job/{job}/{number}/",
        "artifacts": [{"fileName": "big.jar"}] * 3, **({"builtOn": "agent-7", "changeSet": changelog} if freestyle else {"changeSets": [changelog]}),
    }  # fmt: skip


def checkout(sha: str, branch: str, remote: str = "https://git.example/org/app.git") -> dict[str, Any]:
    """What the Git plugin attaches to a build for each repository."""
    revision = {"SHA1": sha, "branch": [{"SHA1": sha, "name": f"refs/remotes/origin/{branch}"}]}
    return {"_class": "hudson.plugins.git.util.BuildData", "buildsByBranchName": {}, "lastBuiltRevision": revision, "remoteUrls": [remote], "scmName": ""}


def commit(sha: str, message: str = "Change", *, files: Mapping[str, str] | None = None, author: str = "Ada") -> dict[str, Any]:
    """A commit of a changelog; `files` are paths with add, edit or delete."""
    paths = files if files is not None else {"src/app.py": "edit"}
    return {
        "_class": "hudson.plugins.git.GitChangeSet", "affectedPaths": list(paths), "commitId": sha, "timestamp": START, "author": {"fullName": author},
        "authorEmail": "ada@example.org", "comment": f"{message}\n\nBody.\n", "date": "2025-06-15 15:06:40 +0000", "id": sha, "msg": message,
        "paths": [{"editType": kind, "file": path} for path, kind in paths.items()],
    }  # fmt: skip


def stage(name: str, status: str = "SUCCESS", number: int = 5) -> dict[str, Any]:
    """A stage of Pipeline's REST API."""
    links = {"self": {"href": f"/job/app/1/execution/node/{number}/wfapi/describe"}}
    return {"_links": links, "id": str(number), "name": name, "execNode": "", "status": status, "startTimeMillis": START + number, "durationMillis": 4_000}


class JenkinsServer(Server):
    """Serves jobs by their path ("folder/app"). `crumb`: a write needs it; `may` holds the permissions of the user; below `prefix`, as behind a proxy."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.jobs: dict[str, list[dict[str, Any]]] = {}
        self.logs: dict[str, bytes] = {}
        self.stages: dict[str, list[dict[str, Any]]] = {}
        self.may = {"read", "build"}
        self.crumb = ""
        self.started: list[tuple[str, dict[str, str]]] = []
        super().__init__(self._handle)

    def __enter__(self) -> JenkinsServer:
        return self

    @property
    def root(self) -> str:
        """The value of JENKINS_URL."""
        return f"{self.url}{self.prefix}/"

    def _handle(self, request: Request) -> Reply:
        wanted = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if "authorization" in request.headers and request.headers["authorization"] != wanted:
            return _page(401, "Invalid password/token for user")
        if "read" not in self.may or "authorization" not in request.headers:
            return _page(403, "anonymous is missing the Overall/Read permission")
        path = request.path.removeprefix(self.prefix)
        if path == "/crumbIssuer/api/json":
            crumb = {"_class": "hudson.security.csrf.DefaultCrumbIssuer", "crumb": self.crumb, "crumbRequestField": "Jenkins-Crumb"}
            return json_reply(crumb) if self.crumb else _page(404, "Not found")
        found = _JOB.fullmatch(path)
        name = "/".join(unquote(part) for part in found["job"].split("/")[2::2]) if found else ""
        if found is None or name not in self.jobs:
            return _page(404, "Not found")
        if request.method == "POST":
            return self._start(name, found["what"], request)
        return self._read(name, int(found["number"] or 0), found["what"], request)

    def _read(self, job: str, number: int, what: str, request: Request) -> Reply:
        made = next((item for item in self.jobs[job] if item["number"] == number), None)
        if number == 0 and what == "api/json":
            stable = next((item for item in self.jobs[job] if item["result"] == "SUCCESS"), None)
            return json_reply(_only({"_class": "WorkflowJob", "builds": self.jobs[job], "lastStableBuild": stable}, request.query["tree"]))
        if made is None:
            return _page(404, "Not found")
        log = self.logs.get(f"{job}#{number}", b"")
        if what == "api/json":
            return json_reply(_only(made, request.query["tree"]))
        if what == "consoleText":
            return Reply(200, log, {"content-type": "text/plain;charset=utf-8"})
        if what == "logText/progressiveText":
            return _progressive(log, int(request.query.get("start", "0")), made["building"])
        if what == "wfapi/describe" and f"{job}#{number}" in self.stages:
            return json_reply({"id": str(number), "name": f"#{number}", "status": "FAILED", "stages": self.stages[f"{job}#{number}"]})
        return _page(404, "Not found")

    def _start(self, job: str, what: str, request: Request) -> Reply:
        given = dict(request.query)
        crumb = request.headers.get("jenkins-crumb") or given.pop("Jenkins-Crumb", "")
        if self.crumb and crumb != self.crumb:
            return _page(403, "No valid crumb was included in the request")
        if "build" not in self.may:
            return _page(403, "doctor is missing the Job/Build permission")
        has_parameters = any("parameters" in action for item in self.jobs[job] for action in item["actions"] if action)
        if what != ("buildWithParameters" if has_parameters else "build"):
            return _page(400, "This page expects a form submission" if has_parameters else "This job has no parameters")
        self.started.append((job, given))
        return Reply(201, b"", {"location": f"{self.root}queue/item/{len(self.started)}/"})


def _page(status: int, title: str) -> Reply:
    return Reply(status, f"<html><head><title>{title}</title></head><body>{title}</body></html>".encode(), {"content-type": "text/html;charset=utf-8"})


def _progressive(log: bytes, start: int, building: bool) -> Reply:
    """A running build is told up to its last whole line; a start beyond the end begins anew."""
    text = log[: log.rfind(b"\n") + 1] if building else log
    begin = start if start <= len(log) else 0
    headers = {"content-type": "text/plain;charset=utf-8", "x-text-size": str(len(text))}
    return Reply(200, text[begin:], headers | ({"x-more-data": "true"} if building else {}))


def _only(data: Any, tree: str) -> Any:
    """What `tree=` names of the data, as Jenkins' export does; `_class` always comes along."""
    tokens = iter(_TOKEN.findall(tree))
    return _picked(data, _named(tokens))


Named = dict[str, tuple["Named | None", slice]]


def _named(tokens: Iterator[str]) -> Named:
    named: Named = {}
    last = ""
    for token in tokens:
        if token == "]":
            break
        if token == "[":
            named[last] = (_named(tokens), slice(None))
        elif token == "{":
            bounds = "".join(iter(lambda: next(tokens), "}")).split(",")
            named[last] = (named[last][0], slice(int(bounds[0]), int(bounds[1])))
        elif token != ",":
            last = token
            named[last] = (None, slice(None))
    return named


def _picked(data: Any, named: Named | None) -> Any:
    if isinstance(data, list):
        return [_picked(item, named) for item in data]
    if not isinstance(data, dict):
        return data
    picked: dict[str, Any] = {"_class": data["_class"]} if "_class" in data else {}
    for name, (inner, bounds) in (named or {}).items():
        if name in data:
            value = data[name]
            picked[name] = _picked(value[bounds] if isinstance(value, list) else value, inner)
    return picked
