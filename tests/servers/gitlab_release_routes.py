"""What the stand-in for GitLab answers about releases, packages, requests, labels, checks, deployments and members."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from tests.servers.gitlab_routes import NO_COMMIT, NOT_FOUND, Call, Data, bad_note, error, page, served_at
from tests.servers.http_server import Reply, json_reply

if TYPE_CHECKING:
    from tests.servers.gitlab import GitLab, Noteable

_ASSET_PATH = re.compile(r"/(?:[-.\w]+/?)*[\da-zA-Z]+")
_VERSION = re.compile(r"(?!.*\.\.)[A-Za-z0-9_+.-]+")
_FILE_NAME = re.compile(r"(?![~@])[A-Za-z0-9._+~@-]+(?<![~@])")
_OPEN_ALREADY = "Another open merge request already exists for this source branch: !{}"


def releases(gitlab: GitLab, call: Call) -> Reply:
    key = call.query("order_by", "released_at") or ""
    found = sorted(gitlab.forge.releases.values(), key=lambda data: str(data[key]), reverse=call.query("sort", "desc") == "desc")
    return page(gitlab, call, found)


def new_release(gitlab: GitLab, call: Call) -> Reply:
    forge, given = gitlab.forge, call.request.json()
    tag = given["tag_name"]
    if tag in forge.protected and call.role < 40:
        return error(403, "You are not allowed to create this tag as it is protected.")
    if tag in forge.releases:
        return error(409, "Release already exists")
    if forge.tagged(tag) is None:
        if not given.get("ref"):
            return error(422, "Ref is not specified")
        forge.tags[tag] = given["ref"]
        forge.tags_made.append(tag)
    made = forge.add_release(tag, given.get("name", ""), given.get("description", ""), released=given.get("released_at"))
    return json_reply(made, 201)


def release(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.forge.releases.get(call.parts[0])
    return json_reply(found) if found else NOT_FOUND


def changed_release(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.forge.releases.get(call.parts[0])
    if found is None:
        return NOT_FOUND
    given = call.request.json()
    found.update({key: given[key] for key in ("name", "description", "released_at") if key in given})
    return json_reply(found)


def new_link(gitlab: GitLab, call: Call) -> Reply:
    found, given = gitlab.forge.releases.get(call.parts[0]), call.request.json()
    if found is None:
        return NOT_FOUND
    taken = [key for key in ("name", "url") if any(link[key] == given[key] for link in found["assets"]["links"])]
    if taken:
        return error(400, f"{taken[0].capitalize()} has already been taken")
    path = given.get("direct_asset_path")
    if path is not None and (len(path) > 128 or not _ASSET_PATH.fullmatch(path)):
        return error(400, "Filepath is in an invalid format")
    return json_reply(gitlab.forge.add_link(call.parts[0], given["name"], given["url"], path, given.get("link_type", "other")), 201)


def deleted_link(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.forge.releases.get(call.parts[0])
    links = found["assets"]["links"] if found else []
    for link in links:
        if link["id"] == call.number(1):
            links.remove(link)
            return json_reply(link)
    return NOT_FOUND


def packages(gitlab: GitLab, call: Call) -> Reply:
    version = call.query("package_version") if gitlab.forge.knows_package_version else None
    found = {file.package: file.version for file in gitlab.forge.files if version in (None, file.version)}
    listed = [{"id": number, "name": "releases", "version": of, "package_type": "generic"} for number, of in found.items()]
    return page(gitlab, call, listed[::-1] if call.query("sort") == "desc" else listed)


def package_files(gitlab: GitLab, call: Call) -> Reply:
    found = [file.answer() for file in gitlab.forge.files if file.package == call.number()]
    return page(gitlab, call, found) if found else NOT_FOUND


def new_file(gitlab: GitLab, call: Call) -> Reply:
    _, version, name = call.parts
    for key, value, allowed in (("package_version", version, _VERSION), ("file_name", name, _FILE_NAME)):
        if not allowed.fullmatch(value):
            return json_reply({"error": f"{key} is invalid"}, 400)
    if not gitlab.forge.duplicates and any((file.version, file.name) == (version, name) for file in gitlab.forge.files):
        return error(400, "400 Bad request - Duplicate package is not allowed")
    made = gitlab.forge.add_file(version, name, call.request.body, call.request.headers.get("content-type", ""))
    return json_reply(made.answer() if call.query("select") == "package_file" else {"message": "201 Created"}, 201)


def merge_requests(gitlab: GitLab, call: Call) -> Reply:
    wanted = {key: call.query(key) for key in ("source_branch", "target_branch", "state")}
    found = [item.data for item in gitlab.merge_requests.values() if all(value in (None, "all", item.data[key]) for key, value in wanted.items())]
    return page(gitlab, call, found if call.query("sort") == "asc" else found[::-1])


def new_merge_request(gitlab: GitLab, call: Call) -> Reply:
    given = call.request.json()
    key = (given["source_branch"], given["target_branch"], gitlab.project_id, "opened")
    for other in gitlab.merge_requests.values():
        if tuple(other.data[name] for name in ("source_branch", "target_branch", "source_project_id", "state")) == key:
            return json_reply({"message": [_OPEN_ALREADY.format(other.data["iid"])]}, 409)
    iid = max(gitlab.merge_requests, default=0) + 1
    data = gitlab.add_merge_request(iid, gitlab.heads.get(given["source_branch"], "0" * 40), branch=given["source_branch"]).data
    data |= {
        "target_branch": given["target_branch"], "author": call.user, "title": given["title"], "description": given.get("description", ""),
        "force_remove_source_branch": given.get("remove_source_branch"),
    }  # fmt: skip
    return json_reply(data, 201)


def noteable(gitlab: GitLab, call: Call) -> Reply:
    found = _noteable(gitlab, call)
    return json_reply(found.data) if found else NOT_FOUND


def changed_merge_request(gitlab: GitLab, call: Call) -> Reply:
    found = _noteable(gitlab, call)
    if found is None:
        return NOT_FOUND
    given = call.request.json()
    found.data.update({key: given[key] for key in ("title", "description") if key in given})
    found.data["labels"] = list(dict.fromkeys([*found.data["labels"], *filter(None, given.get("add_labels", "").split(","))]))
    return json_reply(found.data)


def issue_notes(gitlab: GitLab, call: Call) -> Reply:
    if call.number() not in gitlab.issues:
        return NOT_FOUND
    comments_only = call.query("activity_filter") == "only_comments"
    found = [note for note in gitlab.issues[call.number()].notes if not (comments_only and note["system"])]
    return page(gitlab, call, found if call.query("sort") == "asc" else found[::-1])


def changed_issue_note(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.issues.get(call.number())
    note = next((note for note in found.notes if note["id"] == call.number(1)), None) if found else None
    if note is None:
        return NOT_FOUND
    if note["author"]["id"] != call.user["id"]:
        return error(403, "403 Forbidden")
    bad = bad_note(call.request)
    if bad is None:
        note |= {"body": call.request.json()["body"], "updated_at": gitlab.forge.moment()}
    return bad or json_reply(note)


def statuses(gitlab: GitLab, call: Call) -> Reply:
    known = call.parts[0] in gitlab.commits or call.parts[0] in gitlab.forge.statuses
    return page(gitlab, call, gitlab.forge.statuses.get(call.parts[0], [])) if known else NO_COMMIT


def new_pipeline(gitlab: GitLab, call: Call) -> Reply:
    given = call.request.json()
    gitlab.forge.started.append(given)
    created = datetime.fromisoformat(gitlab.forge.moment()).timestamp()
    number = gitlab.add_pipeline("created", ref=given["ref"], sha=gitlab.heads.get(given["ref"], "0" * 40), source="api", created=created)
    return json_reply(gitlab.pipelines[number], 201)


def deployments(gitlab: GitLab, call: Call) -> Reply:
    found = [_without(data, ("approvals",)) for data in gitlab.forge.deployments.values()]
    return page(gitlab, call, found[::-1] if call.query("sort") == "desc" else found)


def deployment(gitlab: GitLab, call: Call) -> Reply:
    return json_reply(gitlab.forge.deployments[call.number()]) if call.number() in gitlab.forge.deployments else NOT_FOUND


def users(gitlab: GitLab, call: Call) -> Reply:
    found = gitlab.forge.accounts.get((call.query("username") or "").lower())
    return page(gitlab, call, [found] if found else [])


def project_member(gitlab: GitLab, call: Call) -> Reply:
    return _member(gitlab, call.number(), gitlab.forge.levels)


def group_member(gitlab: GitLab, call: Call) -> Reply:
    group = gitlab.forge.groups.get(call.parts[0])
    return error(404, "404 Group Not Found") if group is None else _member(gitlab, call.number(1), group)


def _member(gitlab: GitLab, number: int, levels: dict[int, int]) -> Reply:
    account = next((data for data in gitlab.forge.accounts.values() if data["id"] == number), None)
    return NOT_FOUND if account is None or number not in levels else json_reply({**account, "access_level": levels[number]})


def _noteable(gitlab: GitLab, call: Call) -> Noteable | None:
    return (gitlab.merge_requests if call.parts[0] == "merge_requests" else gitlab.issues).get(call.number(1))


def _without(data: Data, names: Iterable[str]) -> Data:
    return {key: value for key, value in data.items() if key not in names}


# Roles: GitLab docs, user/permissions, for a private project. Job tokens: GitLab docs, ci/jobs/ci_job_token.
RELEASE_ROUTES = (
    served_at("GET", "ONE/releases", releases, "guest", job=True),
    served_at("POST", "ONE/releases", new_release, "developer", job=True),
    served_at("GET", "ONE/releases/([^/]+)", release, "reporter", job=True),
    served_at("PUT", "ONE/releases/([^/]+)", changed_release, "developer", job=True),
    served_at("POST", "ONE/releases/([^/]+)/assets/links", new_link, "developer", job=True),
    served_at("DELETE", "ONE/releases/([^/]+)/assets/links/N", deleted_link, "developer", job=True),
    served_at("GET", "ONE/packages", packages, "reporter", job=True),
    served_at("GET", "ONE/packages/N/package_files", package_files, "reporter", job=True),
    served_at("PUT", "ONE/packages/generic/(releases)/([^/]+)/([^/]+)", new_file, "developer", job=True),
    served_at("GET", "ONE/merge_requests", merge_requests, "reporter", job=True),
    served_at("POST", "ONE/merge_requests", new_merge_request, "developer"),
    served_at("GET", "ONE/(merge_requests)/N", noteable, "reporter", job=True),
    served_at("PUT", "ONE/(merge_requests)/N", changed_merge_request, "developer"),
    served_at("GET", "ONE/(issues)/N", noteable, "guest"),
    served_at("GET", "ONE/issues/N/notes", issue_notes, "guest"),
    served_at("PUT", "ONE/issues/N/notes/N", changed_issue_note, "guest"),
    served_at("GET", "ONE/repository/commits/([^/]+)/statuses", statuses, "reporter"),
    served_at("POST", "ONE/pipeline", new_pipeline, "developer"),
    served_at("GET", "ONE/deployments", deployments, "reporter", job=True),
    served_at("GET", "ONE/deployments/N", deployment, "reporter", job=True),
    served_at("GET", "ONE/members/all/N", project_member, "guest"),
    served_at("GET", "/groups/([^/]+)/members/all/N", group_member, "none", hidden=False),
    served_at("GET", "/users", users, "none", hidden=False),
)
