"""Cuts a published OpenAPI description to the operations that we call, without its prose: `cut_openapi.py github DESCRIPTION.json TARGET.json`.

The descriptions: GitHub's is generated/api.github.com.json of the npm package @octokit/openapi (MIT).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_REPOSITORY = "/repos/{owner}/{repo}"
_OPERATIONS = {
    "github": (
        ("get", "/orgs/{org}/teams/{team_slug}"),
        ("get", "/orgs/{org}/teams/{team_slug}/memberships/{username}"),
        ("get", "/user"),
        ("get", "/users/{username}"),
        ("get", _REPOSITORY),
        ("get", _REPOSITORY + "/actions/jobs/{job_id}/logs"),
        ("get", _REPOSITORY + "/actions/runs/{run_id}"),
        ("get", _REPOSITORY + "/actions/runs/{run_id}/approvals"),
        ("get", _REPOSITORY + "/actions/runs/{run_id}/attempts/{attempt_number}"),
        ("get", _REPOSITORY + "/actions/runs/{run_id}/attempts/{attempt_number}/jobs"),
        ("get", _REPOSITORY + "/actions/runs/{run_id}/jobs"),
        ("post", _REPOSITORY + "/actions/runs/{run_id}/rerun-failed-jobs"),
        ("post", _REPOSITORY + "/actions/workflows/{workflow_id}/dispatches"),
        ("get", _REPOSITORY + "/actions/workflows/{workflow_id}/runs"),
        ("get", _REPOSITORY + "/check-runs/{check_run_id}/annotations"),
        ("get", _REPOSITORY + "/collaborators/{username}/permission"),
        ("get", _REPOSITORY + "/commits/{commit_sha}/pulls"),
        ("get", _REPOSITORY + "/commits/{ref}"),
        ("get", _REPOSITORY + "/commits/{ref}/check-runs"),
        ("get", _REPOSITORY + "/commits/{ref}/status"),
        ("get", _REPOSITORY + "/compare/{basehead}"),
        ("get", _REPOSITORY + "/contents/{path}"),
        ("get", _REPOSITORY + "/git/ref/{ref}"),
        ("get", _REPOSITORY + "/issues"),
        ("post", _REPOSITORY + "/issues"),
        ("patch", _REPOSITORY + "/issues/comments/{comment_id}"),
        ("delete", _REPOSITORY + "/issues/comments/{comment_id}"),
        ("patch", _REPOSITORY + "/issues/{issue_number}"),
        ("get", _REPOSITORY + "/issues/{issue_number}/comments"),
        ("post", _REPOSITORY + "/issues/{issue_number}/comments"),
        ("get", _REPOSITORY + "/issues/{issue_number}/labels"),
        ("post", _REPOSITORY + "/issues/{issue_number}/labels"),
        ("get", _REPOSITORY + "/pulls"),
        ("post", _REPOSITORY + "/pulls"),
        ("patch", _REPOSITORY + "/pulls/{pull_number}"),
        ("get", _REPOSITORY + "/releases"),
        ("post", _REPOSITORY + "/releases"),
        ("get", _REPOSITORY + "/releases/assets/{asset_id}"),
        ("delete", _REPOSITORY + "/releases/assets/{asset_id}"),
        ("get", _REPOSITORY + "/releases/latest"),
        ("get", _REPOSITORY + "/releases/tags/{tag}"),
        ("get", _REPOSITORY + "/releases/{release_id}"),
        ("patch", _REPOSITORY + "/releases/{release_id}"),
        ("delete", _REPOSITORY + "/releases/{release_id}"),
        ("post", _REPOSITORY + "/releases/{release_id}/assets"),
    ),
}
# The prose of this parameter allows a range (`<2026-01-01`), its format does not.
_WRONG_FORMATS = {"created"}
# The prose of the upload knows a state of broken assets that the list of states lacks.
_MORE_WORDS = {"release-asset": ("state", "starter")}
# Prose and hints for code generators; a check of requests and answers needs none of it.
_PROSE = {"description", "example", "examples", "externalDocs", "operationId", "summary", "tags", "title", "deprecated"}
_NAMED = {"properties", "schemas", "parameters", "responses", "headers"}  # below these, keys are names and no keywords


def main() -> None:
    """Make the cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", choices=sorted(_OPERATIONS))
    parser.add_argument("description", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    whole = json.loads(given.description.read_bytes())
    given.target.write_text(json.dumps(cut(whole, _OPERATIONS[given.service]), indent=1) + "\n")


def cut(whole: dict[str, Any], operations: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The operations and all that they refer to."""
    info = {name: whole["info"][name] for name in ("title", "version", "license") if name in whole["info"]}
    paths: dict[str, Any] = {}
    for method, path in operations:
        item = whole["paths"][path]
        paths.setdefault(path, {"parameters": _bare(item["parameters"])} if "parameters" in item else {})[method] = _operation(item[method])
    result = {"openapi": whole["openapi"], "info": info, "paths": paths, "components": {}}
    _add_components(result, whole)
    return result


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = _bare(operation)
    kept.pop("servers", None)  # uploads have a host of their own; the stand-in is one host
    kept["responses"] = {status: answer for status, answer in kept["responses"].items() if status[0] in "23"}
    return kept


def _bare(data: Any, names: bool = False) -> Any:
    if isinstance(data, list):
        return [_bare(part) for part in data]
    if not isinstance(data, dict):
        return data
    return {name: _bare(part, name in _NAMED and not names) for name, part in data.items() if names or not (name in _PROSE or name.startswith("x-"))}


def _add_components(result: dict[str, Any], whole: dict[str, Any]) -> None:
    waiting = list(_references(result["paths"]))
    while waiting:
        kind, name = waiting.pop().split("/")[2:]
        known = result["components"].setdefault(kind, {})
        if name not in known:
            known[name] = _bare(whole["components"][kind][name])
            if kind == "parameters" and name in _WRONG_FORMATS:
                known[name]["schema"].pop("format")
            if kind == "schemas" and name in _MORE_WORDS:
                field, word = _MORE_WORDS[name]
                known[name]["properties"][field]["enum"].append(word)
            waiting.extend(_references(known[name]))


def _references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("$ref"), str):
            yield data["$ref"]
        data = list(data.values())
    if isinstance(data, list):
        for part in data:
            yield from _references(part)


if __name__ == "__main__":
    main()
