"""GitLab CI: its predefined variables, read into a RunContext (GitLab docs, ci/variables/predefined_variables).

A merge request from a fork runs in the fork's project, or, when a member starts it, in the project that it is meant for. `project` is where the pipeline
runs; `repository` is where the code goes: for a merge request its target project, whose number the merge request has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cicd_agents.domain.ci import RunRef, Status
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext
from cicd_agents.domain.errors import UsageError

_STATUS = {"success": Status.SUCCESS, "failed": Status.FAILURE, "canceled": Status.CANCELLED, "running": Status.RUNNING}
_NUMBER = re.compile(r"[0-9]{1,18}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_URL = re.compile(r"https?://[^\s?#]+")


def read(environment: Mapping[str, str]) -> RunContext:
    """Where we run and why. Raises UsageError where a variable lacks that every job has, or where one cannot be read."""
    variables = _Variables(environment)
    own_path = variables.match("CI_PROJECT_PATH", _PATH, "group/project")
    request = _merge_request(variables)
    tag = variables.text("CI_COMMIT_TAG")
    source = variables.text("CI_PIPELINE_SOURCE")
    pipeline = RunRef(variables.match("CI_PIPELINE_ID", _NUMBER, "a whole number"))
    page = variables.text("CI_PROJECT_URL").rstrip("/")
    return RunContext(
        Platform.GITLAB, source, kind=_kind(variables, source, tag),
        repository=(variables.optional("CI_MERGE_REQUEST_PROJECT_PATH", _PATH, "group/project") if request else "") or own_path,
        project=variables.match("CI_PROJECT_ID", _NUMBER, "a whole number"),
        server_url=variables.text("CI_SERVER_URL").rstrip("/"), api_url=variables.match("CI_API_V4_URL", _URL, "a URL").rstrip("/"),
        own_run=pipeline, own_job=variables.text("CI_JOB_ID") or variables.text("CI_JOB_NAME"), target=pipeline,
        target_status=_STATUS.get(variables.text("CI_JOB_STATUS"), Status.UNKNOWN), workflow=source,
        sha=variables.match("CI_COMMIT_SHA", _SHA, "a commit id"), branch=_branch(variables, request, tag), tag=tag,
        default_branch=variables.text("CI_DEFAULT_BRANCH"), pull_request=request, trusted=not _stranger(variables, request),
        actor=variables.text("GITLAB_USER_LOGIN"), run_url=variables.text("CI_PIPELINE_URL") or (f"{page}/-/pipelines/{pipeline.id}" if page else ""),
        workspace=variables.text("CI_PROJECT_DIR"), config_ref=request.base_sha or request.base_ref if request else None,
        environment=variables.text("CI_ENVIRONMENT_NAME"),
    )  # fmt: skip


class _Variables:
    """The variables, and errors that name them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        """The value; empty where it is not set."""
        return self._environment.get(name, "").strip()

    def match(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        """The value, which must be there and of this form."""
        value = self.text(name)
        if not value:
            raise UsageError(f"The variable {name} is not set, which GitLab sets in every job that needs it; is this a job of GitLab CI?")
        if not pattern.fullmatch(value):
            raise UsageError(f"The variable {name} should be {expected}, but is {value[:60]!r}.")
        return value

    def optional(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        """The value, which must be of this form where it is set."""
        return self.match(name, pattern, expected) if self.text(name) else ""


def _kind(variables: _Variables, source: str, tag: str) -> Kind:
    if source == "schedule":
        return Kind.SCHEDULE
    if tag:
        return Kind.TAG
    return Kind.DEPLOYMENT if variables.text("CI_ENVIRONMENT_NAME") else Kind.JOB


def _branch(variables: _Variables, request: PullRequest | None, tag: str) -> str:
    if request:
        return request.head_ref
    return "" if tag else variables.text("CI_COMMIT_BRANCH") or variables.text("CI_COMMIT_REF_NAME")


def _merge_request(variables: _Variables) -> PullRequest | None:
    """The merge request that the pipeline is for; its head is said apart only where the pipeline runs on a trial merge."""
    if not variables.text("CI_MERGE_REQUEST_IID"):
        return None
    number = int(variables.match("CI_MERGE_REQUEST_IID", _NUMBER, "a whole number"))
    source, target = (variables.optional(f"CI_MERGE_REQUEST_{name}PROJECT_ID", _NUMBER, "a whole number") for name in ("SOURCE_", ""))
    page = variables.text("CI_MERGE_REQUEST_PROJECT_URL").rstrip("/")
    head = variables.optional("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", _SHA, "a commit id")
    return PullRequest(
        number, head or variables.match("CI_COMMIT_SHA", _SHA, "a commit id"), head_ref=variables.text("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        base_ref=variables.match("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", re.compile(r"\S+"), "the name of a branch"),
        base_sha=variables.optional("CI_MERGE_REQUEST_DIFF_BASE_SHA", _SHA, "a commit id"),
        from_fork=not source or source != target, url=f"{page}/-/merge_requests/{number}" if page else "",
    )  # fmt: skip


def _stranger(variables: _Variables, request: PullRequest | None) -> bool:
    """Whether the code may be a stranger's: it comes from a fork, here or on GitHub (pipelines for external pull requests)."""
    ends = [variables.text(f"CI_EXTERNAL_PULL_REQUEST_{end}_REPOSITORY") for end in ("SOURCE", "TARGET")]
    return (request is not None and request.from_fork) or ends[0] != ends[1]
