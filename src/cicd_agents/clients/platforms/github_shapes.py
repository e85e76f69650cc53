"""GitHub's answers, read into the words of the domain. Every function raises BadAnswer where an answer has another shape.

Source of the names: GitHub's OpenAPI description of the REST API, version 2022-11-28.
"""

from __future__ import annotations

import re

from cicd_agents.clients.shapes import Shape
from cicd_agents.context.github import status_of
from cicd_agents.domain.ci import Annotation, Author, Comment, Commit, Comparison, FileChange, Issue, Job, Run, RunRef, Status, Step
from cicd_agents.domain.context import PullRequest

# Without paging, a comparison holds at most so many (REST API, "Compare two commits").
MOST_COMMITS, MOST_FILES = 250, 300
# The path that the runner gives to annotations that belong to no file.
_NO_FILE = ".github"
# The API says no environment of a job, so its words must do: `deploy-prod`, `Release / npm`, `publish image`, also inside a reusable workflow's job name.
_DEPLOYS = re.compile(r"(?<![A-Za-z])(?:deploy|releas|publish|rollout|promot)", re.IGNORECASE)
_FILE_STATUS = {"added": "added", "copied": "added", "removed": "removed", "renamed": "renamed"}
# The account that GitHub shows for those that were deleted.
GHOST = Author("", "ghost")


def run(data: Shape) -> Run:
    """A workflow run in one attempt."""
    head = data.maybe("head_repository")
    return Run(
        RunRef(str(data.number("id")), data.number("run_attempt", 1)), data.text("name", ""), _status(data),
        data.text("head_sha"), data.text("head_branch", ""), data.text("event", ""), data.text("html_url", ""), data.time("created_at"),
        str(data.number("workflow_id")), data.text("path", "").partition("@")[0], head.text("full_name") if head else "",
    )  # fmt: skip


def job(data: Shape) -> Job:
    """A job; `deploys` is told by the words of its name and workflow."""
    name = data.text("name")
    return Job(
        str(data.number("id")), name, _status(data), RunRef(str(data.number("run_id")), data.number("run_attempt", 1)), url=data.text("html_url", ""),
        started=data.time("started_at"), completed=data.time("completed_at"), steps=tuple(map(_step, data.items("steps", missing_ok=True))),
        deploys=any(_DEPLOYS.search(text) for text in (name, data.text("workflow_name", ""))), runner=data.text("runner_name", ""),
    )  # fmt: skip


def _status(data: Shape) -> Status:
    return status_of(data.optional_text("status"), data.optional_text("conclusion"))


def _step(data: Shape) -> Step:
    return Step(data.number("number"), data.text("name"), _status(data), data.time("started_at"), data.time("completed_at"))


def annotation(data: Shape) -> Annotation:
    """An annotation of a check run."""
    path = data.text("path", "")
    in_file = path not in ("", _NO_FILE)
    return Annotation(
        data.text("annotation_level", "notice"), data.text("message", ""), data.text("title", ""), path if in_file else "",
        data.optional_number("start_line") if in_file else None,
    )  # fmt: skip


def commit(data: Shape, *, with_files: bool = False) -> Commit:
    """A commit; its author is the account where GitHub knows it, else the name that git holds."""
    inner = data.inner("commit")
    account, author, committer = data.maybe("author"), inner.maybe("author"), inner.maybe("committer")
    login = account.text("login", "") if account else ""  # GitHub sends an empty object for some
    return Commit(
        data.text("sha"), inner.text("message", "").partition("\n")[0], login or (author.text("name", "") if author else ""),
        committer.time("date") if committer else None, data.text("html_url", ""),
        tuple(item.text("filename") for item in data.items("files", missing_ok=True)) if with_files else None,
    )  # fmt: skip


def comparison(data: Shape, base: str, head: str) -> Comparison:
    """What changed between two commits, oldest commit first; `complete` is false where GitHub's limits cut it."""
    commits = tuple(commit(item) for item in data.items("commits"))
    files = tuple(map(_file_change, data.items("files", missing_ok=True)))
    complete = data.number("total_commits") <= len(commits) and len(files) < MOST_FILES
    return Comparison(base, head, commits, files, complete, data.text("html_url", ""))


def _file_change(data: Shape) -> FileChange:
    status = _FILE_STATUS.get(data.text("status", ""), "modified")
    return FileChange(data.text("filename"), status, data.text("previous_filename", "") if status == "renamed" else "", data.optional_text("patch"))


def author(data: Shape | None) -> Author:
    """An account; one that was deleted has no number and equals nobody."""
    return Author(str(data.number("id")), data.text("login")) if data else GHOST


def comment(data: Shape) -> Comment:
    """A comment of a pull request or an issue."""
    return Comment(
        str(data.number("id")), author(data.maybe("user")), data.text("body", ""), data.text("html_url", ""), data.time("created_at"), data.time("updated_at")
    )


def issue(data: Shape) -> Issue:
    """An issue."""
    return Issue(
        data.number("number"), author(data.maybe("user")), data.text("title"), data.text("body", ""), data.text("state") == "open",
        data.text("html_url", ""), _labels(data), data.time("created_at"),
    )  # fmt: skip


def _labels(data: Shape) -> tuple[str, ...]:
    """The names of the labels; the description allows plain texts, too."""
    given = data.data.get("labels")
    if isinstance(given, list) and all(isinstance(label, str) for label in given):
        return data.texts("labels")
    return tuple(label.text("name", "") for label in data.items("labels", missing_ok=True))


def pull_request(data: Shape) -> PullRequest:
    """A pull request; whether it comes from a fork is told by the numbers of the repositories. One that was deleted is a fork's."""
    head, base = data.inner("head"), data.inner("base")
    theirs, ours = head.maybe("repo"), base.inner("repo")
    return PullRequest(
        data.number("number"), head.text("sha"), head.text("ref"), base.text("ref"), base.text("sha"),
        theirs is None or theirs.number("id") != ours.number("id"), data.text("html_url", ""),
    )  # fmt: skip
