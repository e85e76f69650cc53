"""A stand-in for Argo CD: applications, a controller that compares and syncs them as time goes by, and the errors of its gRPC gateway.

Every request, and every answer, is checked against Argo CD's published description (tests/data/openapi/argocd.json); what is wrong goes into `problems`.
The controller does one step whenever an application is read with `refresh`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.servers.clock import START
from tests.servers.http_server import Reply, Request, Server, json_reply
from tests.servers.openapi import Description

DESCRIPTION = Path(__file__).parents[1] / "data" / "openapi" / "argocd.json"
TOKEN = "argocd-token-of-the-tests"
_PATH = re.compile(r"/api/v1/applications(?:/([^/]+)(/sync|/rollback|/operation)?)?")
_CAN_I = re.compile(r"/api/v1/account/can-i/applications/([a-z]+)/([^/]+)")
_HISTORY_LIMIT = 10
# gRPC codes that Argo CD answers with, and the HTTP status of each.
_STATUS = {3: 400, 5: 404, 7: 403, 9: 400, 13: 500, 16: 401}

Data = dict[str, Any]


@dataclass
class App:
    """An application and the part of the cluster that belongs to it. `live` are the commits that run, one per source."""

    data: Data
    live: list[str]
    sync_looks: int = 1
    health_looks: int = 1
    busy: int = 0
    settling: int = 0
    attempted: list[str] = field(default_factory=list)

    @property
    def spec(self) -> Data:
        return self.data["spec"]  # type: ignore[no-any-return]

    @property
    def status(self) -> Data:
        return self.data["status"]  # type: ignore[no-any-return]

    @property
    def sources(self) -> list[Data]:
        return self.spec.get("sources") or [self.spec["source"]]

    @property
    def history(self) -> list[Data]:
        return self.status.setdefault("history", [])  # type: ignore[no-any-return]

    @property
    def automated(self) -> Data | None:
        """The settings of automated sync, None where it is off."""
        automated = self.spec.get("syncPolicy", {}).get("automated")
        return automated if automated is not None and automated.get("enabled", True) else None

    @property
    def busy_now(self) -> bool:
        """Whether an operation stands there: from when it is asked for until it is done (util/argo, SetAppOperation)."""
        return "operation" in self.data


class ArgoCDServer(Server):
    """The server. `refs` are tags and branches with their commits; syncs to a commit in `failing` fail, one in `broken` is never healthy.

    `dead_from`: from this call on (from 0) connections are cut; with `dead_after_work` that call is still carried out.
    `asleep`: the controller does nothing; `before` and `after` its steps others may change the application.
    `syncs` holds what was synced, `rollbacks` the ids that were rolled back to; `now` is the time of the history, `images` those of each commit.
    `answers_rights` off: an old server that knows nothing of rights.
    """

    def __init__(self) -> None:
        self.apps: list[App] = []
        self.refs: dict[str, str] = {}
        self.failing: set[str] = set()
        self.broken: set[str] = set()
        self.rights = {"get", "update", "sync"}
        self.window_open = True
        self.asleep = False
        self.before: Callable[[App], None] = _nothing
        self.after: Callable[[App], None] = _nothing
        self.syncs: list[Data] = []
        self.patches: list[Data] = []
        self.rollbacks: list[int] = []
        self.now: Callable[[], float] = lambda: START
        self.images: dict[str, list[str]] = {}
        self.answers_rights = True
        self.dead_from: int | None = None
        self.dead_after_work = False
        self.calls = 0
        self._description = Description(DESCRIPTION)
        super().__init__(self._served)

    def add(
        self, name: str, target: str = "v1.1.0", *, namespace: str = "argocd", auto_sync: bool | None = None, targets: tuple[str, ...] = (), **spec: Any
    ) -> App:
        """An application that is synced to its target and healthy; with `targets` one of several sources. `auto_sync` False: `enabled: false`."""
        policy = {} if auto_sync is None else {"syncPolicy": {"automated": {} if auto_sync else {"enabled": False}}}
        sources = [{"repoURL": f"https://git.example/{number}", "targetRevision": each} for number, each in enumerate(targets)]
        source = {"sources": sources} if sources else {"source": {"repoURL": "https://git.example/shop", "path": "deploy", "targetRevision": target}}
        data = {"metadata": {"name": name, "namespace": namespace}, "spec": {"project": "shop", **source, **policy, **spec}, "status": {}}
        app = App(data, [self._resolved(each) for each in targets or (target,)])
        self.apps.append(app)
        self.deployed(app, app.live)
        self.tick(app)
        return app

    def deployed(self, app: App, commits: Sequence[str], at: float | None = None, **source: Any) -> None:
        """The commits run now (one per source) and stand in the history; `at` is when, `source` what else the (single) source said then."""
        several = "sources" in app.spec
        self._recorded(
            app, {"revisions": list(commits)} if several else {"revision": commits[0]},
            {"sources": [dict(one) for one in app.sources]} if several else {"source": {**app.sources[0], **source}}, self.now() if at is None else at,
        )  # fmt: skip
        app.live = list(commits)
        app.status["summary"] = {"images": [image for commit in commits for image in self.images.get(commit, [])]}

    def _recorded(self, app: App, revisions: Data, sources: Data, at: float) -> None:
        number = app.history[-1]["id"] + 1 if app.history else 0
        # `source` is no pointer in Go, so of several sources there is an empty one beside them.
        app.history.append({"id": number, **revisions, "source": {"repoURL": ""}, **sources, "deployStartedAt": _iso(at), "deployedAt": _iso(at)})
        del app.history[:-_HISTORY_LIMIT]

    # The controller

    def tick(self, app: App) -> None:
        """One step of the controller."""
        self._operate(app)
        self._compare(app)
        self._judge(app)
        wanted = [self._resolved(one.get("targetRevision", "HEAD")) for one in app.sources]
        if app.automated is not None and not app.busy_now and app.status["sync"]["status"] == "OutOfSync" and app.attempted != wanted:
            self._begin(app, {})
            app.attempted = wanted

    def _operate(self, app: App) -> None:
        state = app.status.get("operationState", {})
        if state.get("phase") == "Terminating":
            state |= {"phase": "Failed", "message": "Operation terminated"}
            app.data.pop("operation", None)
        elif state.get("phase") == "Running":
            app.busy -= 1
            if app.busy <= 0:
                self._finish(app, state)
        elif "operation" in app.data:
            operation = app.data["operation"]
            result = {key: operation["sync"][key] for key in ("revision", "revisions") if key in operation["sync"]}
            app.status["operationState"] = {"phase": "Running", "operation": operation, "startedAt": _iso(self.now()), "syncResult": {"revision": "", **result}}
            app.busy = app.sync_looks

    def _finish(self, app: App, state: Data) -> None:
        """It is done, well or not, and so it is not asked for any more (controller/appcontroller.go, setOperationState)."""
        app.data.pop("operation", None)
        commits = state["syncResult"].get("revisions") or [state["syncResult"]["revision"]]
        if self.failing & set(commits):
            state |= {"phase": "Failed", "message": "one or more objects failed to apply"}
            return
        state |= {"phase": "Succeeded", "message": "successfully synced"}
        sync = state["operation"]["sync"]
        several = "sources" in app.spec
        stated = {key: sync[key] for key in ("source", "sources") if key in sync}
        sources = stated or ({"sources": [dict(one) for one in app.sources]} if several else {"source": dict(app.sources[0])})
        state["syncResult"] |= sources
        self._recorded(app, {"revisions": commits} if several else {"revision": commits[0]}, sources, self.now())
        app.live, app.settling = list(commits), app.health_looks
        app.status["summary"] = {"images": [image for commit in commits for image in self.images.get(commit, [])]}

    def _compare(self, app: App) -> None:
        targets = [one.get("targetRevision", "HEAD") for one in app.sources]
        commits = [self._resolved(target) for target in targets]
        several = "sources" in app.spec
        compared = {"sources": [dict(one) for one in app.sources]} if several else {"source": dict(app.sources[0])}
        missing = [target for target, commit in zip(targets, commits, strict=True) if not commit]
        app.status["sync"] = {
            "status": "Unknown" if missing else "Synced" if commits == app.live else "OutOfSync", "comparedTo": compared,
            **({"revisions": commits} if several else {"revision": commits[0]}),
        }  # fmt: skip
        errors = [{"type": "ComparisonError", "message": f"unable to resolve '{target}' to a commit SHA"} for target in missing]
        app.status["conditions"] = [*errors, {"type": "SharedResourceWarning", "message": "not of interest"}]

    def _judge(self, app: App) -> None:
        broken = bool(self.broken & set(app.live))
        app.status["health"] = {"status": "Degraded" if broken else "Progressing" if app.settling > 0 else "Healthy"}
        app.settling -= 1

    def _begin(self, app: App, request: Data) -> None:
        commits = [self._resolved(one.get("targetRevision", "HEAD")) for one in app.sources]
        revisions = {"revisions": commits} if "sources" in app.spec else {"revision": commits[0]}
        app.data["operation"] = {"sync": {**revisions, "prune": request.get("prune", False)}, "initiatedBy": {"automated": not request}}
        self.syncs.append({"application": app.data["metadata"]["name"], **revisions, "automated": not request})

    def _resolved(self, ref: str) -> str:
        return self.refs.get(ref, "")

    # How it is served

    def _served(self, request: Request) -> Reply:
        self.calls += 1
        dead = self.dead_from is not None and self.calls > self.dead_from
        last = self.dead_from is not None and self.calls == self.dead_from + 1
        if dead and not (last and self.dead_after_work):
            return Reply(reset=True)
        if problem := self._description.check(request):
            self.problems.append(problem)
        reply = self._routed(request)
        if problem := self._description.check_answer(request, reply):
            self.problems.append(problem)
        return Reply(reset=True) if dead else reply

    def _routed(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(16, "no session information")
        if right := _CAN_I.fullmatch(request.path):
            return self._can_i(right[1], unquote(right[2]))
        found = _PATH.fullmatch(request.path)
        if found is None:
            return error(5, "Not Found")
        if found[1] is None:
            return self._list(request)
        given: Data = request.json() if request.method in ("PATCH", "POST") else dict(request.query)
        app = self._app(found[1], given.get("appNamespace", "argocd"))
        if app is None or given.get("project", "shop") != app.spec["project"] or "get" not in self.rights:
            return error(5, f'applications.argoproj.io "{found[1]}" not found') if "project" in given else error(7, "permission denied")
        if request.method == "GET":
            return self._get(app, request)
        doing = {"/sync": self._sync, "/rollback": self._roll_back, "/operation": self._terminate, None: self._patch}
        return doing[found[2]](app, given)

    def _can_i(self, action: str, target: str) -> Reply:
        if not self.answers_rights:
            return error(3, f"[get create update delete sync override] does not contain {action}")
        known = {f"{app.spec['project']}/{app.data['metadata']['name']}" for app in self.apps}
        namespaced = {f"{app.spec['project']}/{app.data['metadata']['namespace']}/{app.data['metadata']['name']}" for app in self.apps}
        return json_reply({"value": "yes" if action in self.rights and target in known | namespaced else "no"})

    def _app(self, name: str, namespace: str) -> App | None:
        return next((app for app in self.apps if (app.data["metadata"]["name"], app.data["metadata"]["namespace"]) == (name, namespace)), None)

    def _list(self, request: Request) -> Reply:
        wanted = {"name": request.query.get("name"), "namespace": request.query.get("appNamespace")}
        found = [app.data for app in self.apps if all(value in (None, app.data["metadata"][key]) for key, value in wanted.items())]
        return json_reply({"metadata": {"resourceVersion": "1"}, "items": found if found and "get" in self.rights else None})

    def _get(self, app: App, request: Request) -> Reply:
        if request.query.get("refresh") and not self.asleep:
            self.before(app)
            self.tick(app)
            self.after(app)
        return json_reply(app.data)

    def _patch(self, app: App, given: Data) -> Reply:
        if "update" not in self.rights:
            return error(7, f"permission denied: applications, update, shop/{app.data['metadata']['name']}")
        patch = json.loads(given["patch"])
        if given["patchType"] == "merge":
            changed = _merged({"metadata": app.data["metadata"], "spec": app.spec}, patch)
        else:
            test, add = patch
            changed = json.loads(json.dumps({"metadata": app.data["metadata"], "spec": app.spec}))
            target = changed["spec"]["sources"][int(add["path"].split("/")[3])]
            if (test["op"], target["repoURL"]) != ("test", test["value"]):
                return error(13, "error applying patch: testing value failed")
            target["targetRevision"] = add["value"]
        for source in changed["spec"].get("sources") or [changed["spec"]["source"]]:
            if not self._resolved(revision := source.get("targetRevision", "HEAD")):
                return error(3, f"application spec is invalid: unable to resolve '{revision}' to a commit SHA")
        app.data.update(changed)
        self.patches.append(given)
        return json_reply(app.data)

    def _roll_back(self, app: App, given: Data) -> Reply:
        name = app.data["metadata"]["name"]
        if not isinstance(given["id"], int):
            return error(3, "json: cannot unmarshal string into Go struct field ApplicationRollbackRequest.id of type int64")
        if not {"sync", "rollback"} & self.rights:
            return error(7, f"permission denied: applications, sync, shop/{name}")
        if app.automated is not None:
            return error(9, "rollback cannot be initiated when auto-sync is enabled")
        if app.busy_now:
            return error(9, "another operation is already in progress")
        entry = next((one for one in app.history if one["id"] == given["id"]), None)
        if entry is None:
            return error(3, f"application {app.data['metadata']['namespace']}/{name} does not have deployment with id {given['id']}")
        what = {key: entry[key] for key in ("revision", "revisions", "source", "sources") if key in entry}
        # Applied without hooks (server/application/application.go, Rollback).
        flags = {"prune": given.get("prune", False), "dryRun": given.get("dryRun", False), "syncStrategy": {"apply": {}}}
        app.data["operation"] = {"sync": {**what, **flags}, "initiatedBy": {"username": "ci"}}
        self.rollbacks.append(given["id"])
        return json_reply(app.data)

    def _terminate(self, app: App, _given: Data) -> Reply:
        if "sync" not in self.rights:
            return error(7, f"permission denied: applications, sync, shop/{app.data['metadata']['name']}")
        if not app.busy_now or "operationState" not in app.status:
            return error(3, "Unable to terminate operation. No operation is in progress")
        app.status["operationState"]["phase"] = "Terminating"
        return json_reply({})

    def _sync(self, app: App, given: Data) -> Reply:
        name = app.data["metadata"]["name"]
        if not self.window_open:
            return error(7, "cannot sync: blocked by sync window")
        if "sync" not in self.rights:
            return error(7, f"permission denied: applications, sync, shop/{name}")
        if given.get("revision") and "automated" in app.spec.get("syncPolicy", {}) and given["revision"] != app.sources[0]["targetRevision"]:
            return error(9, f"Cannot sync to {given['revision']}: auto-sync currently set to {app.sources[0]['targetRevision']}")
        if app.busy_now:
            return error(9, "another operation is already in progress")
        self._begin(app, given)
        return json_reply(app.data)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    known = target if isinstance(target, dict) else {}
    changed = {name: _merged(known.get(name), value) for name, value in patch.items() if value is not None}
    return {name: value for name, value in known.items() if name not in patch} | changed


def _nothing(_app: App) -> None:
    """Nobody meddles."""


def error(code: int, message: str) -> Reply:
    """An error as Argo CD's gateway gives it."""
    return json_reply({"error": message, "code": code, "message": message}, _STATUS[code])
