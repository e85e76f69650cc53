"""Checks of a commit and workflows that a release starts (port `Pipelines`), and what people said for environments (port `Reviews`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import github_release_shapes as shapes
from cicd_agents.clients.platforms import github_shapes
from cicd_agents.clients.platforms.github_service import NAME, repository_path
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Run, Status
from cicd_agents.domain.errors import Rejected
from cicd_agents.domain.forge import EnvironmentApproval

PAGE = 100
# More runs than that were not started for one release.
MOST_RUNS = 100
# What the commit as a whole is, the first of these that one of its checks is.
_ORDER = (Status.RUNNING, Status.FAILURE, Status.UNKNOWN, Status.SUCCESS)
# Asks for the run's address (GitHub.com since February 2026); a server that does not know it says its name in the refusal.
_DETAILS = "return_run_details"


@dataclass(frozen=True, slots=True)
class GitHubPipelines:
    """Checks and workflows of one repository, `owner/name`."""

    http: Http
    repository: str

    def checks(self, sha: str) -> Status:
        """RUNNING while one is not ended, else FAILURE when one failed, SUCCESS when all are green, UNKNOWN without any or where one is neither.

        Check runs (Actions and apps) and commit statuses count, of each the latest; a neutral or skipped one is green, a cancelled one is not.
        """
        seen = set(self._stands(sha))
        return next((status for status in _ORDER if status in seen), Status.UNKNOWN)

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        """Start a workflow, named by its file, on a branch or tag; the page of the run, empty where the server does not tell.

        It is sent once: where the answer was lost, `started` tells whether it runs.
        """
        path = self._path(f"/actions/workflows/{_file(workflow)}/dispatches")
        fields: dict[str, Any] = {"ref": ref, "inputs": dict(inputs)}
        try:
            answer = self.http.send("POST", path, {**fields, _DETAILS: True})
        except Rejected as refused:
            if _DETAILS not in str(refused):
                raise
            answer = self.http.send("POST", path, fields)
        return Shape.of(answer.json(), f"{NAME}: the started run").text("html_url", "") if answer.body else ""

    def started(self, workflow: str, ref: str, since: float) -> tuple[Run, ...]:
        """Runs of the workflow on this branch or tag that were started by hand or API since then (to the second), newest first, at most 100."""
        params: dict[str, str | int] = {
            "event": "workflow_dispatch", "branch": ref, "created": f">={_iso(since)}", "exclude_pull_requests": "true", "per_page": PAGE,
        }  # fmt: skip
        items = self.http.pages(self._path(f"/actions/workflows/{_file(workflow)}/runs"), params, items="workflow_runs")
        runs = (_titled(Shape.of(item, f"{NAME}: the runs of workflow {workflow}")) for item in items)
        return tuple(islice((run for run in runs if run.branch == ref), MOST_RUNS))

    def _stands(self, sha: str) -> Iterator[Status]:
        commit = self._path(f"/commits/{quote(sha, safe='')}")
        for item in self.http.pages(f"{commit}/check-runs", {"filter": "latest", "per_page": PAGE}, items="check_runs"):
            yield shapes.check(Shape.of(item, f"{NAME}: the checks of commit {sha[:12]}"))
        for item in self.http.pages(f"{commit}/status", {"per_page": PAGE}, items="statuses"):
            yield shapes.commit_status(Shape.of(item, f"{NAME}: the statuses of commit {sha[:12]}"))

    def _path(self, below: str) -> str:
        return repository_path(self.repository) + below


def _titled(data: Shape) -> Run:
    """The run by its own title (`run-name`), which tells runs of one workflow apart."""
    run = github_shapes.run(data)
    return replace(run, name=data.text("display_title", "") or run.name)


@dataclass(frozen=True, slots=True)
class GitHubReviews:
    """What reviewers said about deployments of runs of one repository, `owner/name`."""

    http: Http
    repository: str

    def of_run(self, run_id: str) -> tuple[EnvironmentApproval, ...]:
        """What was said for this run so far, in all its attempts; comments for several environments stand once for each."""
        data = self.http.get_json(f"{repository_path(self.repository)}/actions/runs/{quote(run_id, safe='')}/approvals")
        listed = Shape({"reviews": data}, f"{NAME}: the reviews of run {run_id}").items("reviews")
        return tuple(approval for review in listed for approval in shapes.approvals(review))


def _file(workflow: str) -> str:
    """The name of a workflow's file as the API wants it: without its folder."""
    return quote(workflow.rpartition("/")[2], safe="")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
