"""GitHub's answers about releases, requests, checks and approvals, read into the words of the forge. BadAnswer is raised for other shapes.

Source of the names: GitHub's OpenAPI description of the REST API, version 2022-11-28.
"""

from __future__ import annotations

from collections.abc import Iterator

from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Status
from cicd_agents.domain.forge import ChangeRequest, EnvironmentApproval, ForgeRelease, ReleaseAsset

# An upload that broke leaves an asset in the state `starter` (REST API, "Upload a release asset").
_UPLOADED = "uploaded"
# Check runs: these conclusions are fine for GitHub's own required checks, these are not; `stale` and what is unknown is neither.
_FINE = ("success", "neutral", "skipped")
_BAD = ("failure", "timed_out", "cancelled", "action_required", "startup_failure")
_STATES = {"success": Status.SUCCESS, "failure": Status.FAILURE, "error": Status.FAILURE, "pending": Status.RUNNING}
_APPROVALS = {"approved": True, "rejected": False}


def release(data: Shape) -> ForgeRelease:
    """A release with its assets."""
    return ForgeRelease(
        str(data.number("id")), data.text("tag_name"), data.text("name", ""), data.text("body", ""), data.flag("draft"), data.flag("prerelease"),
        data.text("html_url", ""), tuple(map(asset, data.items("assets", missing_ok=True))),
    )  # fmt: skip


def asset(data: Shape) -> ReleaseAsset:
    """A file of a release."""
    return ReleaseAsset(
        str(data.number("id")), data.text("name"), data.optional_number("size"), data.text("digest", ""), data.text("state") == _UPLOADED,
        data.text("browser_download_url", ""),
    )  # fmt: skip


def change_request(data: Shape) -> ChangeRequest:
    """A pull request. Until it is merged, `merge_commit_sha` is a commit of GitHub's own trial."""
    pull = shapes.pull_request(data)
    merged = data.time("merged_at") is not None
    return ChangeRequest(
        pull.number, shapes.author(data.maybe("user")), pull.head_ref, pull.head_sha, pull.base_ref, data.text("title"), data.text("body", ""),
        data.text("state") == "open", data.text("merge_commit_sha", "") if merged else "", pull.from_fork, pull.url,
        tuple(label.text("name", "") for label in data.items("labels", missing_ok=True)),
    )  # fmt: skip


def check(data: Shape) -> Status:
    """How a check run stands: SUCCESS also where it has no opinion or was skipped, FAILURE for all that blocks."""
    conclusion = data.text("conclusion", "")
    if data.text("status") != "completed":
        return Status.RUNNING
    return Status.SUCCESS if conclusion in _FINE else Status.FAILURE if conclusion in _BAD else Status.UNKNOWN


def commit_status(data: Shape) -> Status:
    """How one context of a commit's statuses stands."""
    return _STATES.get(data.text("state"), Status.UNKNOWN)


def approvals(data: Shape) -> Iterator[EnvironmentApproval]:
    """What one person said, for each environment that it was said for; nothing where it was neither yes nor no."""
    approved = _APPROVALS.get(data.text("state"))
    if approved is None:
        return
    for environment in data.items("environments"):
        yield EnvironmentApproval(environment.text("name"), shapes.author(data.maybe("user")), approved, data.text("comment", ""))
