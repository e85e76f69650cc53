"""GitHub Actions: its variables and the payload of the event, read into a RunContext.

Sources: docs.github.com, "Variables reference", "Events that trigger workflows", "Webhook events and payloads".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext
from cicd_agents.domain.errors import UsageError

_CONCLUSIONS = {
    "success": Status.SUCCESS,
    "neutral": Status.SUCCESS,  # GitHub counts it as passing where a check is required
    "failure": Status.FAILURE,
    "startup_failure": Status.FAILURE,
    "timed_out": Status.TIMED_OUT,
    "cancelled": Status.CANCELLED,
    "stale": Status.CANCELLED,  # given up by GitHub after 14 days
    "skipped": Status.SKIPPED,
    "action_required": Status.SKIPPED,  # waits for a maintainer's approval: nothing ran
}
_UNFINISHED = ("queued", "in_progress", "waiting", "pending", "requested")

# These run code of the repository itself, so the settings file of the workspace is ours. Any other event can leave a stranger's commit in the workspace.
_OUR_CODE = ("push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "create", "delete", "deployment", "deployment_status")
# These run on the default branch but speak of another commit, perhaps a fork's, that their jobs often check out.
_ABOUT_OTHER_COMMITS = ("check_run", "check_suite", "status", "issue_comment", "workflow_run")
_KINDS = {"schedule": Kind.SCHEDULE, "deployment": Kind.DEPLOYMENT, "deployment_status": Kind.DEPLOYMENT}
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]+/(?!\.{1,2}$)[A-Za-z0-9_.-]+")


def status_of(status: str | None, conclusion: str | None) -> Status:
    """GitHub's two words for how a run, job or step stands, as one of ours."""
    if conclusion:
        return _CONCLUSIONS.get(conclusion, Status.UNKNOWN)
    return Status.RUNNING if status in _UNFINISHED else Status.UNKNOWN


def read(environment: Mapping[str, str], event: Mapping[str, Any]) -> RunContext:
    """Where we run and why. `event` is the JSON of the file that GITHUB_EVENT_PATH names.

    The target of a finished `workflow_run` is that run; else it is our own run. A `workflow_run` of our own workflow has no target, lest we start
    ourselves for ever. Raises UsageError where a variable or the payload cannot be read.
    """
    if not isinstance(event, Mapping):
        raise UsageError("The file that GITHUB_EVENT_PATH names should hold a JSON object.")
    payload = _Payload(event, environment.get("GITHUB_EVENT_NAME", ""))
    own = _own_run(environment, payload)
    if own.event == "workflow_run":
        return _workflow_run(own, environment, payload)
    if own.event.startswith("pull_request"):
        return _pull_request(own, payload)
    if own.event == "merge_group":
        return _merge_group(own, payload)
    if own.event == "release":
        return _release(own, payload)
    if own.event in ("deployment", "deployment_status"):
        return _deployment(own, payload)
    if own.event == "issue_comment" and payload.inner("issue").maybe("pull_request") is None:
        return replace(own, trusted=True)
    return own


def _own_run(environment: Mapping[str, str], payload: _Payload) -> RunContext:
    """What every event has in common: we are a job of the run that we look at."""
    get = environment.get
    repository = get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError("GITHUB_REPOSITORY should be `owner/name`; is this a job of GitHub Actions?")
    run = _own_ref(environment)
    server = (get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")
    branch, tag = _branch_and_tag(get("GITHUB_REF", ""))
    event = payload.event
    started_by_tag = event in ("push", "create") and bool(tag) and payload.data.get("deleted") is not True
    return RunContext(
        Platform.GITHUB, event, kind=Kind.TAG if started_by_tag else _KINDS.get(event, Kind.JOB), repository=repository, server_url=server,
        api_url=(get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"), own_run=run, own_job=get("GITHUB_JOB", ""),
        own_runner=get("RUNNER_NAME", ""), target=run,
        target_status=Status.RUNNING if run else Status.UNKNOWN, workflow=get("GITHUB_WORKFLOW", ""), sha=get("GITHUB_SHA", ""), branch=branch, tag=tag,
        default_branch=_default_branch(payload), trusted=event not in _ABOUT_OTHER_COMMITS, actor=get("GITHUB_ACTOR", ""),
        run_url=_run_url(server, repository, run), workspace=get("GITHUB_WORKSPACE", ""), config_ref=None if event in _OUR_CODE else get("GITHUB_SHA", ""),
        summary_file=get("GITHUB_STEP_SUMMARY", ""), output_file=get("GITHUB_OUTPUT", ""),
    )  # fmt: skip


def _own_ref(environment: Mapping[str, str]) -> RunRef | None:
    run, attempt = environment.get("GITHUB_RUN_ID", ""), environment.get("GITHUB_RUN_ATTEMPT", "") or "1"
    if not run:
        return None
    if not (_is_number(run) and _is_number(attempt)):
        raise UsageError("GITHUB_RUN_ID and GITHUB_RUN_ATTEMPT should be whole numbers.")
    return RunRef(run, int(attempt))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", text) is not None


def _branch_and_tag(ref: str) -> tuple[str, str]:
    if ref.startswith("refs/tags/"):
        return "", ref.removeprefix("refs/tags/")
    return (ref.removeprefix("refs/heads/"), "") if ref.startswith("refs/heads/") else ("", "")


def _default_branch(payload: _Payload) -> str:
    repository = payload.maybe("repository")
    return repository.text("default_branch") if repository else ""


def _run_url(server: str, repository: str, run: RunRef | None) -> str:
    return f"{server}/{repository}/actions/runs/{run.id}/attempts/{run.attempt}" if run else ""


def _workflow_run(own: RunContext, environment: Mapping[str, str], payload: _Payload) -> RunContext:
    run = payload.inner("workflow_run")
    workflow = payload.maybe("workflow")
    name = run.text("name") or (workflow.text("name") if workflow else "") or run.text("path")
    target = RunRef(str(run.number("id")), run.optional_number("run_attempt") or 1)
    if _is_our_workflow(own, environment, run, name) or target == own.own_run:
        return replace(own, kind=Kind.OTHER, target=None, target_status=Status.UNKNOWN, workflow=name, run_url="")
    from_fork = _differ(run.maybe("head_repository"), run.maybe("repository"))
    return replace(
        own, kind=Kind.RUN_FINISHED if run.text("status") == "completed" else Kind.OTHER, target=target,
        target_status=status_of(run.text("status"), run.text("conclusion")), workflow=name, sha=run.text("head_sha"), branch=run.text("head_branch"), tag="",
        pull_request=_pull_request_of_run(own, run), trusted=not from_fork and run.text("event") not in _ABOUT_OTHER_COMMITS,
        run_url=_run_url(own.server_url, own.repository, target),
    )  # fmt: skip


def _is_our_workflow(own: RunContext, environment: Mapping[str, str], run: _Payload, name: str) -> bool:
    """By file; by name where GitHub does not say the file, or ours lives in another repository (a required workflow)."""
    ours, _, _ = environment.get("GITHUB_WORKFLOW_REF", "").partition("@")
    theirs, _, _ = run.text("path").partition("@")
    if theirs and ours.startswith(f"{own.repository}/"):
        return ours == f"{own.repository}/{theirs}"
    return bool(name) and name == environment.get("GITHUB_WORKFLOW")


def _pull_request_of_run(own: RunContext, run: _Payload) -> PullRequest | None:
    """The pull request whose head the run built. The list is empty for forks, and can name pull requests of another repository: those are left out."""
    for item in run.items("pull_requests"):
        head, base = item.inner("head"), item.inner("base")
        if head.text("sha") == run.text("head_sha") and not _differ(base.maybe("repo"), run.maybe("repository")):
            return _read_pull_request(own, item)
    return None


def _pull_request(own: RunContext, payload: _Payload) -> RunContext:
    pull = _read_pull_request(own, payload.inner("pull_request"))
    return replace(own, kind=Kind.JOB, sha=pull.head_sha, branch=pull.head_ref, tag="", pull_request=pull, trusted=not pull.from_fork, config_ref=pull.base_sha)


def _read_pull_request(own: RunContext, item: _Payload) -> PullRequest:
    head, base = item.inner("head"), item.inner("base")
    number = item.number("number")
    return PullRequest(
        number, head_sha=head.text("sha"), head_ref=head.text("ref"), base_ref=base.text("ref"), base_sha=base.text("sha"),
        from_fork=_differ(head.maybe("repo"), base.maybe("repo")), url=f"{own.server_url}/{own.repository}/pull/{number}",
    )  # fmt: skip


def _differ(one: _Payload | None, other: _Payload | None) -> bool:
    """Whether two repositories are not the same, by number: a name can be imitated. One that was deleted is a stranger's."""
    return one is None or other is None or one.number("id") != other.number("id")


def _merge_group(own: RunContext, payload: _Payload) -> RunContext:
    group = payload.inner("merge_group")
    branch, _ = _branch_and_tag(group.text("head_ref"))
    return replace(own, sha=group.text("head_sha"), branch=branch, config_ref=group.text("base_sha") or own.config_ref)


def _release(own: RunContext, payload: _Payload) -> RunContext:
    gone = payload.text("action") in ("deleted", "unpublished")
    return replace(own, kind=Kind.JOB if gone else Kind.RELEASE, branch="", tag=payload.inner("release").text("tag_name"))


def _deployment(own: RunContext, payload: _Payload) -> RunContext:
    """A deployment; one whose status says that it has not ended well is nothing to judge."""
    deployment, status = payload.inner("deployment"), payload.maybe("deployment_status")
    ended_well = status is None or status.text("state") in ("", "success")
    return replace(
        own, kind=own.kind if ended_well else Kind.OTHER, sha=deployment.text("sha") or own.sha, environment=deployment.text("environment"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Payload:
    """A mapping of the payload; its methods raise UsageError where it has another shape. A text that is missing or null is empty."""

    data: Mapping[str, Any]
    event: str
    path: str = ""

    def text(self, key: str) -> str:
        value = self.data.get(key)
        return "" if value is None else value if isinstance(value, str) else self._wrong(key, "a text")

    def number(self, key: str) -> int:
        value = self.optional_number(key)
        return self._wrong(key, "a whole number") if value is None else value

    def optional_number(self, key: str) -> int | None:
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return self._wrong(key, "a whole number")

    def inner(self, key: str) -> _Payload:
        return self.maybe(key) or self._wrong(key, "an object")

    def maybe(self, key: str) -> _Payload | None:
        value = self.data.get(key)
        if value is None:
            return None
        return _Payload(value, self.event, f"{self.path}{key}.") if isinstance(value, Mapping) else self._wrong(key, "an object")

    def items(self, key: str) -> tuple[_Payload, ...]:
        value = self.data.get(key) or ()
        if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
            self._wrong(key, "a list of objects")
        return tuple(_Payload(item, self.event, f"{self.path}{key}[{index}].") for index, item in enumerate(value))

    def _wrong(self, key: str, expected: str) -> NoReturn:
        raise UsageError(f"The payload of the event `{self.event}` cannot be read: `{self.path}{key}` should be {expected} (see GITHUB_EVENT_PATH).")
