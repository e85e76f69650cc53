"""What a job on the stand-in for GitHub finds around it: the variables, and the payload of the event that started it."""

from __future__ import annotations

from tests.servers.github import GitHub
from tests.servers.github_state import FakePull, FakeRun, Json


def environment(
    hub: GitHub, event: str, *, own: FakeRun | None = None, job: str = "doctor", workflow: str = "Doctor", sha: str = "", ref: str = ""
) -> dict[str, str]:
    """The GITHUB_* variables of a job; `own` is the run that it is part of, another one than those of the stand-in where none is given."""
    path = f".github/workflows/{(own.name if own else workflow).lower()}.yml"
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": hub.repository.full_name,
        "GITHUB_SERVER_URL": hub.server.url,
        "GITHUB_API_URL": hub.api_url,
        "GITHUB_RUN_ID": str(own.id if own else 999),
        "GITHUB_RUN_ATTEMPT": str(len(own.attempts) if own else 1),
        "GITHUB_JOB": job,
        "GITHUB_WORKFLOW": own.name if own else workflow,
        "GITHUB_WORKFLOW_REF": f"{hub.repository.full_name}/{path}@refs/heads/{hub.default_branch}",
        "GITHUB_SHA": sha or (own.sha if own else "e" * 40),
        "GITHUB_REF": ref or f"refs/heads/{own.branch if own else hub.default_branch}",
        "GITHUB_ACTOR": "octocat",
    }


def workflow_run(hub: GitHub, run: FakeRun) -> Json:
    """The payload of `workflow_run`, completed."""
    return {
        "action": "completed",
        "workflow_run": run.json(len(run.attempts), hub.url),
        "workflow": {"id": run.workflow_id, "name": run.name, "path": run.path},
        "repository": _repository(hub),
    }


def pull_request(hub: GitHub, pull: FakePull) -> Json:
    """The payload of `pull_request`, synchronize."""
    return {"action": "synchronize", "number": pull.number, "pull_request": pull.json(hub.url), "repository": _repository(hub)}


def push(hub: GitHub, run: FakeRun) -> Json:
    """The payload of `push` to a branch."""
    return {"ref": f"refs/heads/{run.branch}", "after": run.sha, "deleted": False, "repository": _repository(hub)}


def _repository(hub: GitHub) -> Json:
    return {**hub.repository.json(), "default_branch": hub.default_branch}
