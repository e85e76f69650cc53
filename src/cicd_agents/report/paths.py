"""Paths of logs as paths of the repository, which annotations and code quality need."""

from __future__ import annotations

import re

# Where runners put the sources: GitHub (hosted, container, Docker action), GitLab, Jenkins.
_WORKSPACES = re.compile(
    r"(?:/(?:home|Users)/runner/work|/__w|[A-Za-z]:/a|[A-Za-z]:/actions-runner/_work)/[^/]+/[^/]+/|/github/workspace/|/(?:[^/]+/){1,6}workspace/[^/]+/"
)


def in_repository(path: str, repository: str = "") -> str | None:
    """The path relative to the repository's root; None where it is not known to lie inside.

    `repository` is the full name (`owner/name`, `group/subgroup/name`), under which GitLab's runners put the sources.
    """
    path = path.strip().replace("\\", "/").removeprefix("file://")
    if path.startswith("/") and repository and f"/{repository}/" in path:
        path = path.partition(f"/{repository}/")[2]
    elif found := _WORKSPACES.match(path):
        path = path[found.end() :]
    while path.startswith("./"):
        path = path[2:]
    if not path or path.startswith(("/", "~")) or re.match(r"[A-Za-z]:|[A-Za-z][\w+.-]*://", path) or ".." in path.split("/"):
        return None
    return path
