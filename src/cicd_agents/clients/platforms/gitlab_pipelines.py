"""Pipelines that a release starts or waits for, and what people said of their deployments (GitLab docs, api/commits, api/pipelines, api/deployments)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from cicd_agents.clients.platforms import gitlab_release_shapes as shapes
from cicd_agents.clients.platforms.gitlab_service import Project
from cicd_agents.clients.platforms.gitlab_shapes import run
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Run, Status
from cicd_agents.domain.forge import EnvironmentApproval

# Most pages (of 100) of a commit's checks; beyond that Refused is raised, as a check that is not read could have failed.
MAX_CHECK_PAGES = 20
# Newest pipelines of a branch or tag, and newest deployments of the project, that are looked at.
MAX_PIPELINES = 100
MAX_DEPLOYMENTS = 300
# Where pipelines come from that somebody started; the others follow from pushes, schedules and requests.
_BY_HAND = frozenset(("api", "web", "trigger"))


@dataclass(frozen=True, slots=True)
class GitLabPipelines:
    """The pipelines of one project (port `Pipelines`)."""

    project: Project

    def checks(self, sha: str) -> Status:
        """How the jobs and outside statuses of a commit stand, of each name the newest on every branch or tag.

        One that may fail counts as green when it did. A cancelled one is no success: FAILURE. Where all were skipped nothing was checked: UNKNOWN.
        A job that runs on this very commit, such as the caller's own, counts as well.
        """
        path = self.project.path("repository", "commits", sha, "statuses")
        newest: dict[tuple[str, str], Shape] = {}
        with self.project.surely_there():
            for item in self.project.listed(path, {}, f"the checks of commit {sha}", most_pages=MAX_CHECK_PAGES):
                key = (item.text("ref", ""), item.text("name", ""))
                if key not in newest or item.number("id") > newest[key].number("id"):
                    newest[key] = item
        return _together({shapes.check(item) for item in newest.values()})

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:  # noqa: ARG002 GitLab has one pipeline per project
        """Start a pipeline with the inputs as its variables; its page.

        Raises Rejected where it would have no jobs, or the project does not let this role set variables (Settings, CI/CD, Variables).
        """
        given: dict[str, Any] = {"ref": ref}
        if inputs:
            given["variables"] = [{"key": key, "value": value} for key, value in inputs.items()]
        with self.project.surely_there():
            answer = self.project.http.send("POST", self.project.path("pipeline"), given)
        return Shape.of(answer.json(), "GitLab: the pipeline that was started").text("web_url", "")

    def started(self, workflow: str, ref: str, since: float) -> tuple[Run, ...]:  # noqa: ARG002 GitLab has one pipeline per project
        """Pipelines of the branch or tag that were started by hand, by API or by a trigger token since then, newest first."""
        query = {"ref": ref, "updated_after": _iso(since), "order_by": "id", "sort": "desc"}
        listed = self.project.listed(self.project.path("pipelines"), query, f"the pipelines of {ref}")
        with self.project.surely_there():
            recent = takewhile(lambda found: found.created is None or found.created >= since, (run(item) for item in islice(listed, MAX_PIPELINES)))
            return tuple(found for found in recent if found.event in _BY_HAND)


@dataclass(frozen=True, slots=True)
class GitLabReviews:
    """Approvals of deployments to protected environments (port `Reviews`; they exist in GitLab Premium)."""

    project: Project

    def of_run(self, run_id: str) -> tuple[EnvironmentApproval, ...]:
        """What was said of the pipeline's own deployments, not of those of its child pipelines; looks at the newest MAX_DEPLOYMENTS of the project."""
        with self.project.surely_there():
            return tuple(approval for number in self._deployments(run_id) for approval in self._approvals(number))

    def _deployments(self, run_id: str) -> Iterator[int]:
        """Deployments of a pipeline, oldest first."""
        listed = self.project.listed(self.project.path("deployments"), {"order_by": "id", "sort": "desc"}, "the deployments")
        found = [item.number("id") for item in islice(listed, MAX_DEPLOYMENTS) if _pipeline_of(item) == run_id]
        return reversed(found)

    def _approvals(self, number: int) -> tuple[EnvironmentApproval, ...]:
        return shapes.approvals(Shape.of(self.project.http.get_json(self.project.path("deployments", number)), f"GitLab: deployment {number}"))


def _pipeline_of(deployment: Shape) -> str:
    """The pipeline of the job that deploys; empty for a deployment that was made by API."""
    job = deployment.maybe("deployable")
    pipeline = job.maybe("pipeline") if job else None
    return str(pipeline.number("id")) if pipeline else ""


def _together(states: set[Status]) -> Status:
    if Status.RUNNING in states:
        return Status.RUNNING
    if states & {Status.FAILURE, Status.TIMED_OUT, Status.CANCELLED}:
        return Status.FAILURE
    return Status.SUCCESS if Status.SUCCESS in states and Status.UNKNOWN not in states else Status.UNKNOWN


def _iso(seconds: float) -> str:
    """A moment as GitLab takes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
