"""GitLab's answers about releases, requests, checks and approvals as our words. Each function raises BadAnswer where an answer has another shape.

What the answers hold: GitLab docs, api/releases, api/releases/links, api/packages, api/merge_requests, api/commits, api/deployments.
"""

from __future__ import annotations

from dataclasses import dataclass

from cicd_agents.clients.platforms import gitlab_shapes as shapes
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Status
from cicd_agents.domain.forge import ChangeRequest, EnvironmentApproval, ForgeRelease, ReleaseAsset

# What a person said about a deployment, and whether it is a yes.
_VERDICTS = {"approved": True, "rejected": False}


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file in the package registry: `size` in bytes, `sha256` in lower case hexadecimal, empty where GitLab has none."""

    name: str
    size: int
    sha256: str


def release(data: Shape) -> ForgeRelease:
    """A release with its links as assets. Without the right to read code GitLab leaves out the tag; such a release is of no use to us."""
    tag, links = data.text("tag_name"), data.maybe("_links")
    assets = data.maybe("assets")
    return ForgeRelease(
        id=tag, tag=tag, name=data.text("name", "") or tag, body=data.text("description", ""), url=links.text("self", "") if links else "",
        assets=tuple(asset(item) for item in assets.items("links", missing_ok=True)) if assets else (),
    )  # fmt: skip


def asset(data: Shape, file: PackageFile | None = None) -> ReleaseAsset:
    """A link of a release; size and digest are those of the file that it leads to, where we know that."""
    url = data.text("direct_asset_url", "") or data.text("url")
    return ReleaseAsset(
        id=str(data.number("id")), name=data.text("name"), size=file.size if file else None, digest=f"sha256:{file.sha256}" if file and file.sha256 else "",
        url=url,
    )  # fmt: skip


def package_file(data: Shape) -> PackageFile:
    """A file of a package."""
    return PackageFile(data.text("file_name"), data.number("size"), data.text("file_sha256", "").lower())


def change_request(data: Shape) -> ChangeRequest:
    """A merge request. `locked` is one that is being merged at this moment: it is not ended."""
    state = data.text("state", "")
    return ChangeRequest(
        number=data.number("iid"), author=shapes.written_by(data), head_ref=data.text("source_branch", ""), head_sha=data.text("sha", ""),
        base_ref=data.text("target_branch", ""), title=data.text("title", ""), body=data.text("description", ""), open=state in ("opened", "locked"),
        merged_as=_merged_as(data) if state == "merged" else "", url=data.text("web_url", ""), labels=data.texts("labels", missing_ok=True),
        from_fork=data.optional_number("source_project_id") != data.optional_number("target_project_id"),
    )  # fmt: skip


def _merged_as(data: Shape) -> str:
    """The commit that the merge put on the target branch.

    A squashed request that is merged with a merge commit has both: then the squash commit is only the second parent, without what the branch had meanwhile.
    A fast-forward merge has neither, and the head itself is on the branch.
    """
    return next((sha for key in ("merge_commit_sha", "squash_commit_sha", "sha") if (sha := data.text(key, ""))), "")


def check(data: Shape) -> Status:
    """How a check of a commit stands; one that may fail and did is fine."""
    found = shapes.status(data.text("status"))
    return Status.SUCCESS if found.failed and data.flag("allow_failure") else found


def approvals(data: Shape) -> tuple[EnvironmentApproval, ...]:
    """What was said about a deployment (GitLab Premium, which has protected environments with approvals). Words that we do not know are no verdict."""
    place = data.inner("environment").text("name")
    said = ((item, _VERDICTS.get(item.text("status", ""))) for item in data.items("approvals", missing_ok=True))
    return tuple(
        EnvironmentApproval(place, shapes.author(item.inner("user")), verdict, item.text("comment", "")) for item, verdict in said if verdict is not None
    )
