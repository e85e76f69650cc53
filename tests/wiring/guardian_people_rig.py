"""Deployments with people around them: GitHub or GitLab with a token of the job, requests, and a real repository where Git is to be reverted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.github import FORK, WORKFLOW_TOKEN, GitHub
from tests.servers.github_state import FakeIssue
from tests.servers.gitlab import GitLab
from tests.servers.repositories import ENVIRONMENT
from tests.wiring.guardian_rig import BAD, Deployment

GITLAB_TOKEN = "glpat-guardian-0123456789"


@dataclass(slots=True)
class OnGitHub(Deployment):
    """Jobs on GitHub after a deployment of `sha`, or of a pull request (`pull`, with `head` for a fork)."""

    sha: str = BAD
    pull: int | None = None
    fork: bool = False
    number: int = 77

    def _variables(self) -> dict[str, str]:
        variables = {
            **ENVIRONMENT,
            **super(OnGitHub, self)._variables(),
            "GITHUB_TOKEN": WORKFLOW_TOKEN,
            "GITHUB_SHA": self.sha,
            "GITHUB_RUN_ID": str(self.number),
        }
        event: dict[str, Any] = json.loads((self.folder / "event.json").read_text())
        if self.pull is None:
            event["deployment"]["sha"] = self.sha
        else:
            assert self.hub is not None
            base = self.hub.repository.json()
            head = FORK.json() if self.fork else base
            event = {
                "action": "synchronize", "number": self.pull, "repository": event["repository"],
                "pull_request": {
                    "number": self.pull, "head": {"sha": self.sha, "ref": "feature", "repo": head}, "base": {"sha": "e" * 40, "ref": "main", "repo": base},
                },
            }  # fmt: skip
            variables["GITHUB_EVENT_NAME"] = "pull_request"
        (self.folder / "event.json").write_text(json.dumps(event))
        return variables


@dataclass(slots=True)
class OnGitLab(Deployment):
    """Jobs on GitLab that deployed to production, or of a merge request (`request`)."""

    server: GitLab = field(default_factory=GitLab)
    request: int | None = None
    foreign: bool = False

    def _variables(self) -> dict[str, str]:
        of_request = {
            "CI_MERGE_REQUEST_IID": str(self.request), "CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_PATH": "group/app",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99" if self.foreign else "7",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "fork/app" if self.foreign else "group/app",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": BAD,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": "e" * 40,
        }  # fmt: skip
        return {
            **ENVIRONMENT, "GITLAB_CI": "true", "CI_API_V4_URL": self.server.api_url, "CI_SERVER_URL": self.server.url, "CI_PROJECT_ID": "7",
            "CI_PROJECT_PATH": "group/app", "CI_PROJECT_URL": self.server.web_url, "CI_PIPELINE_ID": "1001",
            "CI_PIPELINE_SOURCE": "merge_request_event" if self.request else "push", "CI_COMMIT_SHA": BAD, "CI_COMMIT_BRANCH": "" if self.request else "main",
            "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_DIR": str(self.folder / "work"), "GITLAB_USER_LOGIN": "ada", "CI_ENVIRONMENT_NAME": "prod",
            "CICD_AGENTS_AGENT": "deployment-guardian", "CICD_AGENTS_GITLAB_TOKEN": GITLAB_TOKEN, **(of_request if self.request else {}),
        }  # fmt: skip


def merged(hub: GitHub, sha: str = BAD) -> FakeIssue:
    """A merged pull request that brought the commit."""
    issue = hub.open_pull("feature", "Sum up the cart")
    hub.merge(issue.number)
    assert issue.pull is not None
    issue.pull.merged_as = sha
    return issue


def incidents(hub: GitHub) -> list[FakeIssue]:
    """The incidents that were opened."""
    return [issue for issue in hub.issues.values() if "incident" in issue.labels]


def writes(hub: GitHub) -> list[str]:
    """What was written; GitHub's GraphQL is only asked who we are."""
    return [f"{request.method} {request.path}" for request in hub.requests if request.method != "GET" and not request.path.endswith("/graphql")]


def approval(hub: GitHub) -> tuple[FakeIssue, str]:
    """The request for an approval, and the hash that it asks for."""
    [issue] = [issue for issue in hub.issues.values() if "cicd-agents-approval" in issue.labels]
    found = re.search(r"/approve ([0-9a-f]{12,64})", issue.body)
    assert found, issue.body
    return issue, found[1]


def workspace(folder: Path) -> Path:
    """Where the jobs run."""
    (folder / "work").mkdir(exist_ok=True)
    return folder / "work"
