"""The operations of GitHub's REST API around releases that the stand-in knows; see github_routes.py for the others."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.servers.github_release_state import PERMISSIONS_OF_ROLES, UPLOADS, FakeAsset, FakeRelease
from tests.servers.github_routes import Handler, missing, refusal
from tests.servers.http_server import Reply, Request, json_reply

if TYPE_CHECKING:
    from tests.servers.github import GitHub

_ASSETS = re.compile(r".*/releases/\d+/assets")
MOST_BODY = 125_000


def invalid(resource: str, field: str, code: str = "already_exists", message: str = "Validation Failed") -> Reply:
    """The answer to a write that makes no sense."""
    return json_reply({"message": message, "errors": [{"resource": resource, "code": code, "field": field}], "status": "422"}, 422)


# Releases


def releases(hub: GitHub, request: Request) -> Reply:
    seen = [release for release in reversed(hub.releases) if not release.draft or "contents: write" in hub.permissions]
    return hub.paged(request, [_shown(hub, release) for release in seen])


def latest(hub: GitHub, _request: Request) -> Reply:
    return _one(hub, hub.latest)


def release_of_tag(hub: GitHub, _request: Request, tag: str) -> Reply:
    return _one(hub, _published(hub, tag))


def release(hub: GitHub, _request: Request, number: str) -> Reply:
    return _one(hub, _release(hub, number))


def create_release(hub: GitHub, request: Request) -> Reply:
    given = request.json()
    tag, draft = given["tag_name"], given.get("draft", False)
    problem = _wrong(hub, given, tag, draft=draft, prerelease=given.get("prerelease", False))
    if problem is not None:
        return problem
    before = hub.latest
    made = FakeRelease(
        70000 + hub.number(), tag, given.get("target_commitish") or hub.default_branch, given.get("name") or "", given.get("body") or "", True,
        given.get("prerelease", False), hub.moment(),
    )  # fmt: skip
    hub.releases.append(made)
    if not draft:
        hub.publish(made)
    _mark(hub, made, given, before, new=not draft)
    return json_reply(_shown(hub, made), 201)


def update_release(hub: GitHub, request: Request, number: str) -> Reply:
    found = _release(hub, number)
    if found is None:
        return missing()
    given = request.json()
    draft, prerelease = given.get("draft", found.draft), given.get("prerelease", found.prerelease)
    problem = _wrong(hub, given, found.tag if found.draft else "", draft=draft, prerelease=prerelease)
    if problem is not None:
        return problem
    if found.immutable and draft:
        return invalid("Release", "draft", "custom", "Cannot make an immutable release a draft")
    new, before = found.draft and not draft, hub.latest
    found.name, found.body, found.prerelease = given.get("name", found.name), given.get("body", found.body), prerelease
    found.draft = draft
    if new:
        hub.publish(found)
    _mark(hub, found, given, before, new=new)
    return json_reply(_shown(hub, found))


def delete_release(hub: GitHub, _request: Request, number: str) -> Reply:
    found = _release(hub, number)
    if found is None:
        return missing()
    hub.releases.remove(found)
    hub.deleted.append(f"{'draft' if found.draft else 'release'} {found.tag}")
    return Reply(204)


def asset(hub: GitHub, _request: Request, number: str) -> Reply:
    owner, found = _asset(hub, number)
    return missing() if found is None else json_reply(found.json(hub.url, owner.tag if owner else ""))


def delete_asset(hub: GitHub, _request: Request, number: str) -> Reply:
    owner, found = _asset(hub, number)
    if owner is None or found is None:
        return missing()
    if owner.immutable:
        return invalid("ReleaseAsset", "release", "custom", "Cannot delete asset from an immutable release")
    owner.assets.remove(found)
    hub.deleted.append(f"file {found.name}")
    return Reply(204)


def upload(hub: GitHub, request: Request, number: str) -> Reply:
    owner = _release(hub, number)
    if owner is None:
        return missing()
    name = re.sub(r"[^A-Za-z0-9_.@+-]+", ".", request.query["name"]).strip(".")
    if owner.immutable:
        return invalid("ReleaseAsset", "release", "custom", "Cannot upload assets to an immutable release.")
    if any(known.name == name for known in owner.assets):
        return invalid("ReleaseAsset", "name")
    made = FakeAsset(80000 + hub.number(), name, request.headers["content-type"], request.body)
    owner.assets.append(made)
    if hub.broken_uploads or len(request.body) != int(request.headers["content-length"]):
        made.state = "starter"
        return hub.broken_uploads.pop(0) if hub.broken_uploads else Reply(reset=True)
    return json_reply(made.json(hub.url, owner.tag), 201)


def git_ref(hub: GitHub, _request: Request, ref: str) -> Reply:
    kind, _, name = ref.partition("/")
    known = {"tags": hub.tags, "heads": hub.branches}.get(kind, {})
    if name not in known:
        return missing()
    found = {"type": "commit", "sha": known[name], "url": f"{hub.api_url}/commits/{known[name]}"}
    return json_reply({"ref": f"refs/{ref}", "url": f"{hub.api_url}/git/refs/{ref}", "object": found})


# Labels and pull requests


def labels(hub: GitHub, request: Request, number: str) -> Reply:
    issue = hub.issues.get(int(number))
    return missing() if issue is None else hub.paged(request, [{"id": 9, "name": name} for name in issue.labels])


def add_labels(hub: GitHub, request: Request, number: str) -> Reply:
    issue = hub.issues.get(int(number))
    if issue is None:
        return missing()
    if not hub.permissions & ({"issues: write", "pull-requests: write"} if issue.pull else {"issues: write"}):
        return refusal()
    issue.labels = tuple(dict.fromkeys((*issue.labels, *request.json()["labels"])))
    return labels(hub, replace(request, query={"per_page": "100"}), number)


def create_pull(hub: GitHub, request: Request) -> Reply:
    given = request.json()
    head, base = given["head"].rpartition(":")[2], given["base"]
    if hub.followed and (head not in hub.branches or base not in hub.branches):
        return invalid("PullRequest", "base" if base not in hub.branches else "head", "invalid")
    if hub.commit_of(head) == hub.commit_of(base):
        return _custom(f"No commits between {base} and {head}")
    pulls = [issue.pull for issue in hub.issues.values() if issue.pull and issue.pull.state == "open"]
    if any((pull.branch, pull.base, pull.head) == (head, base, hub.repository) for pull in pulls):
        return _custom(f"A pull request already exists for {hub.repository.full_name.partition('/')[0]}:{head}.")
    issue = hub.open_pull(head, given.get("title", ""), given.get("body") or "", base=base, author=hub.writer(request))
    return json_reply(hub.pull_json(issue, hub.url), 201)


def update_pull(hub: GitHub, request: Request, number: str) -> Reply:
    issue = hub.issues.get(int(number))
    if issue is None or issue.pull is None:
        return missing()
    given = request.json()
    issue.title, issue.body = given.get("title", issue.title), given.get("body", issue.body)
    return json_reply(hub.pull_json(issue, hub.url))


# Checks, workflows, reviews


def check_runs(hub: GitHub, request: Request, ref: str) -> Reply:
    return hub.paged(request, [check.json(hub.url) for check in hub.checks if check.sha == hub.commit_of(ref)], "check_runs")


def statuses(hub: GitHub, request: Request, ref: str) -> Reply:
    known = hub.statuses.get(hub.commit_of(ref), {})
    return hub.paged(request, [{"id": 8, "context": context, "state": state} for context, state in known.items()], "statuses")


def dispatch(hub: GitHub, request: Request, file: str) -> Reply:
    given = request.json()
    if file not in hub.workflows:
        return missing()
    if "return_run_details" in given and hub.tells_runs is None:
        return json_reply({"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.', "status": "422"}, 422)
    ref = given["ref"]
    if hub.followed and ref not in hub.branches and ref not in hub.tags:
        return json_reply({"message": f"No ref found for: {ref}", "status": "422"}, 422)
    hub.dispatches.append((file, ref, given.get("inputs", {})))
    path = f".github/workflows/{file}"
    run = hub.add_run(file.partition(".")[0], None, branch=ref, event="workflow_dispatch", sha=hub.commit_of(ref), path=path, created=hub.moment())
    page = f"{hub.url}/actions/runs/{run.id}"
    details = {"workflow_run_id": run.id, "run_url": f"{hub.api_url}/repos/{hub.repository.full_name}/actions/runs/{run.id}", "html_url": page}
    return json_reply(details) if given.get("return_run_details") and hub.tells_runs else Reply(204)


def approvals(hub: GitHub, _request: Request, number: str) -> Reply:
    if all(str(run.id) != number for run in hub.runs):
        return missing()
    return json_reply([review.json() for review in hub.reviews if str(review.run) == number])


# People


def permission(hub: GitHub, _request: Request, login: str) -> Reply:
    account = hub.person(login)
    if account is None:
        return missing(f"{login} is not a user")
    role = hub.rights.get(account.id, "read")
    return json_reply({"permission": PERMISSIONS_OF_ROLES.get(role, "read"), "role_name": role, "user": account.json()})


def account_of(hub: GitHub, login: str) -> Reply:
    account = hub.person(login)
    return missing() if account is None else json_reply(account.json())


def team(hub: GitHub, organisation: str, slug: str) -> Reply:
    if "members: read" not in hub.permissions:
        return refusal()
    return json_reply({"id": 3, "name": slug, "slug": slug}) if f"{organisation}/{slug}" in hub.teams else missing()


def membership(hub: GitHub, organisation: str, slug: str, login: str) -> Reply:
    if "members: read" not in hub.permissions:
        return refusal()
    account = hub.person(login)
    state = hub.teams.get(f"{organisation}/{slug}", {}).get(account.id) if account else None
    return missing() if state is None else json_reply({"role": "member", "state": state, "url": f"{hub.api_url}/teams/3/memberships/{login}"})


def outside(hub: GitHub, request: Request, path: str) -> Reply | None:
    """The answer to what is asked of no repository; None where it is another operation."""
    for pattern, handler in _OUTSIDE:
        found = pattern.fullmatch(path)
        if found and request.method == "GET":
            reply: Reply = handler(hub, *(unquote(group) for group in found.groups()))
            return reply
    return None


def checked(hub: GitHub, request: Request) -> tuple[Request, str | None]:
    """The request as the description knows it, and what is wrong with the way of an upload: it goes to another host, raw, of any media type."""
    if request.method != "POST" or not _ASSETS.fullmatch(request.path):
        return request, None
    lacking = [name for name in ("content-type", "content-length") if name not in request.headers]
    astray = "" if request.path.startswith(UPLOADS) else "files are uploaded to `upload_url`"
    plain = replace(
        request, path=request.path.replace(UPLOADS, hub.prefix, 1), body=b"", headers={**request.headers, "content-type": "application/octet-stream"}
    )
    wrong = astray or (f"an upload without {lacking}" if lacking else "")
    return plain, f"{request.path}: {wrong}" if wrong else None


def _custom(message: str) -> Reply:
    return json_reply({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": message}]}, 422)


def _shown(hub: GitHub, found: FakeRelease) -> dict[str, Any]:
    return found.json(hub.url, hub.server.url, hub.repository.full_name)


def _one(hub: GitHub, found: FakeRelease | None) -> Reply:
    return missing() if found is None else json_reply(_shown(hub, found))


def _release(hub: GitHub, number: str) -> FakeRelease | None:
    return next((release for release in hub.releases if str(release.id) == number), None)


def _published(hub: GitHub, tag: str) -> FakeRelease | None:
    return next((release for release in hub.releases if release.tag == tag and not release.draft), None)


def _asset(hub: GitHub, number: str) -> tuple[FakeRelease | None, FakeAsset | None]:
    found = ((release, asset) for release in hub.releases for asset in release.assets if str(asset.id) == number)
    return next(found, (None, None))


def _wrong(hub: GitHub, given: dict[str, Any], tag: str, *, draft: bool, prerelease: bool) -> Reply | None:
    """What GitHub says where it becomes a second published release of the tag, a latest one that cannot be, or is too long."""
    if not draft and tag and _published(hub, tag):
        return invalid("Release", "tag_name")
    if given.get("make_latest") == "true" and (draft or prerelease):
        return invalid("Release", "make_latest", "invalid", "Latest release cannot be draft or prerelease.")
    return invalid("Release", "body", "custom", "body is too long (maximum is 125000 characters)") if len(given.get("body") or "") > MOST_BODY else None


def _mark(hub: GitHub, found: FakeRelease, given: dict[str, Any], before: FakeRelease | None, *, new: bool) -> None:
    """Which one is the latest now; one that is newly published is it unless told otherwise."""
    if found.full and given.get("make_latest", "true" if new else "false") == "true":
        hub.mark_latest(found)
    elif before is not None and before is not found:
        hub.mark_latest(before)


_OUTSIDE = tuple(
    (re.compile(path), handler)
    for path, handler in (
        (r"/users/([^/]+)", account_of),
        (r"/orgs/([^/]+)/teams/([^/]+)", team),
        (r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)", membership),
    )
)
ROUTES: tuple[tuple[str, re.Pattern[str], str, Handler], ...] = tuple(
    (method, re.compile(path), permission, handler)
    for method, path, permission, handler in (
        ("GET", r"/releases", "contents: read", releases),
        ("POST", r"/releases", "contents: write", create_release),
        ("GET", r"/releases/latest", "contents: read", latest),
        ("GET", r"/releases/tags/([^/]+)", "contents: read", release_of_tag),
        ("GET", r"/releases/(\d+)", "contents: read", release),
        ("PATCH", r"/releases/(\d+)", "contents: write", update_release),
        ("DELETE", r"/releases/(\d+)", "contents: write", delete_release),
        ("POST", r"/releases/(\d+)/assets", "contents: write", upload),
        ("GET", r"/releases/assets/(\d+)", "contents: read", asset),
        ("DELETE", r"/releases/assets/(\d+)", "contents: write", delete_asset),
        ("GET", r"/git/ref/([^/]+)", "contents: read", git_ref),
        ("GET", r"/issues/(\d+)/labels", "", labels),
        ("POST", r"/issues/(\d+)/labels", "", add_labels),
        ("POST", r"/pulls", "pull-requests: write", create_pull),
        ("PATCH", r"/pulls/(\d+)", "pull-requests: write", update_pull),
        ("GET", r"/commits/([^/]+)/check-runs", "checks: read", check_runs),
        ("GET", r"/commits/([^/]+)/status", "statuses: read", statuses),
        ("POST", r"/actions/workflows/([^/]+)/dispatches", "actions: write", dispatch),
        ("GET", r"/actions/runs/(\d+)/approvals", "actions: read", approvals),
        ("GET", r"/collaborators/([^/]+)/permission", "", permission),
    )
)
