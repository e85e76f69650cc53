"""GitLab's answers as our words. Each function raises BadAnswer where an answer has another shape (GitLab docs, api/rest)."""

from __future__ import annotations

import re

from cicd_agents.clients.platforms.gitlab_reasons import TIMEOUTS
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Author, Comment, Commit, FileChange, Issue, Job, JobResult, Run, RunRef, Status
from cicd_agents.domain.context import PullRequest

# Where the configuration lies unless the project says otherwise.
CONFIG_FILE = ".gitlab-ci.yml"

_STATUS = {
    "success": Status.SUCCESS, "failed": Status.FAILURE, "canceled": Status.CANCELLED, "canceling": Status.CANCELLED,
    "skipped": Status.SKIPPED, "manual": Status.SKIPPED, "running": Status.RUNNING, "pending": Status.RUNNING, "created": Status.RUNNING,
    "preparing": Status.RUNNING, "scheduled": Status.RUNNING, "waiting_for_resource": Status.RUNNING, "waiting_for_callback": Status.RUNNING,
}  # fmt: skip

# The API does not say whether a job has an `environment:`, so its words must do; rather one too many than a deployment that runs twice.
_DEPLOY_WORDS = frozenset(("release", "publish", "rollout", "rollback", "promote", "production", "prod", "staging", "canary", "provision"))
_NO_LETTERS = re.compile(r"[^a-z]+")


def status(word: str, reason: str = "") -> Status:
    """How GitLab's word for a pipeline or job reads; a job that ran too long is `timed-out`."""
    if word == "failed" and reason in TIMEOUTS:
        return Status.TIMED_OUT
    return _STATUS.get(word, Status.UNKNOWN)


def run(data: Shape, attempt: int = 1) -> Run:
    """A pipeline. Its source (push, schedule, …) is both the event and the kind for queries."""
    number, source = data.number("id"), data.text("source", "")
    return Run(
        ref=RunRef(str(number), attempt), name=data.text("name", "") or f"Pipeline {number}", status=status(data.text("status")),
        sha=data.text("sha"), branch=data.text("ref", ""), event=source, url=data.text("web_url", ""), created=data.time("created_at"),
        workflow=source, path=CONFIG_FILE,
    )  # fmt: skip


def run_result(data: Shape) -> JobResult:
    """A pipeline as one result among others."""
    found = run(data)
    return JobResult(found.ref, found.sha, found.status, data.time("updated_at") or found.created, found.url)


def job(data: Shape, ref: RunRef) -> Job:
    """A job of a pipeline."""
    reason, name, stage = data.text("failure_reason", ""), data.text("name"), data.text("stage", "")
    runner = data.maybe("runner")
    return Job(
        id=str(data.number("id")), name=name, status=status(data.text("status"), reason), run=ref, stage=stage, url=data.text("web_url", ""),
        started=data.time("started_at"), completed=data.time("finished_at"), failure_reason=reason, allowed_to_fail=data.flag("allow_failure"),
        deploys=bool(data.data.get("environment") or data.data.get("deployment")) or says_deploy(f"{stage} {name}"),
        runner=runner.text("description", "") if runner else "",
    )  # fmt: skip


def says_deploy(text: str) -> bool:
    """Whether the words of a stage or job tell of a deployment."""
    words = _NO_LETTERS.split(text.lower())
    return any(word in _DEPLOY_WORDS or word.startswith(("deploy", "undeploy")) for word in words)


def job_result(data: Shape, ref: RunRef) -> JobResult:
    """How a job ended."""
    found, commit_data = job(data, ref), data.maybe("commit")
    return JobResult(ref, commit_data.text("id", "") if commit_data else "", found.status, found.completed, found.url)


def commit(data: Shape, files: tuple[str, ...] | None = None) -> Commit:
    """A commit."""
    return Commit(data.text("id"), data.text("title", ""), data.text("author_name", ""), data.time("committed_date"), data.text("web_url", ""), files)


def file_change(data: Shape) -> FileChange:
    """A file of a diff; GitLab leaves out the patch of one that is too large."""
    new, old = data.text("new_path"), data.text("old_path", "")
    kind = next((word for flag, word in (("new_file", "added"), ("deleted_file", "removed"), ("renamed_file", "renamed")) if data.flag(flag)), "modified")
    patch = None if data.flag("too_large") or data.flag("collapsed") else data.optional_text("diff")
    return FileChange(new, kind, old if kind == "renamed" else "", patch or None)


def author(data: Shape) -> Author:
    """An account."""
    return Author(str(data.number("id")), data.text("username", ""))


def written_by(data: Shape) -> Author:
    """Who wrote it; nobody where GitLab does not say, so that one odd note does not hide the others."""
    found = data.maybe("author")
    return author(found) if found else Author("")


def comment(data: Shape, page: str) -> Comment:
    """A note; `page` is the address of what it is written on, empty where that is not known."""
    number = data.number("id")
    return Comment(
        str(number), written_by(data), data.text("body", ""), f"{page}#note_{number}" if page else "", data.time("created_at"), data.time("updated_at")
    )


def merge_request(data: Shape) -> PullRequest:
    """A merge request; of a fork that was deleted no source project is left."""
    base = data.maybe("diff_refs")
    return PullRequest(
        number=data.number("iid"), head_sha=data.text("sha", ""), head_ref=data.text("source_branch", ""), base_ref=data.text("target_branch", ""),
        base_sha=base.text("base_sha", "") if base else "", from_fork=data.optional_number("source_project_id") != data.optional_number("target_project_id"),
        url=data.text("web_url", ""),
    )  # fmt: skip


def issue(data: Shape) -> Issue:
    """An issue."""
    return Issue(
        number=data.number("iid"), author=written_by(data), title=data.text("title", ""), body=data.text("description", ""),
        open=data.text("state") == "opened", url=data.text("web_url", ""), labels=data.texts("labels", missing_ok=True),
        created=data.time("created_at"),
    )  # fmt: skip
