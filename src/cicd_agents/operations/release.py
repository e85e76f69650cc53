"""The ordered writes of a release, as operations; pure. What each does stands in `release_steps`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cicd_agents.domain.forge import Thread, ThreadKind
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.release_content import AssetFile, ReleaseContent

UPDATE_FILES, CREATE_TAG, PUSH = "UpdateFiles", "CreateTag", "Push"
CREATE_RELEASE, UPLOAD_ASSET, PUBLISH_RELEASE = "CreateRelease", "UploadAsset", "PublishRelease"
COMMENT, LABEL, OPEN_ISSUE, ANNOUNCE, START_DEPLOYMENT = "CommentReleased", "AddLabels", "OpenIssue", "Announce", "StartDeployment"
# They tell of a release that is made: where one fails the others still go on, and the exit code says that something is missing.
SIDE = frozenset({COMMENT, LABEL, OPEN_ISSUE, ANNOUNCE})
_MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """What a release does beside the tag. `drafts`: the forge has drafts; `forge`: a release is made there at all.

    `known_problems` is the text of an issue that tracks them, `deploy_workflow` the workflow or pipeline that is started on the tag.
    """

    forge: bool = True
    drafts: bool = True
    comments: bool = False
    labels: tuple[str, ...] = ()
    known_problems: str = ""
    announce: bool = False
    deploy_workflow: str = ""


def release_operations(content: ReleaseContent, options: ReleaseOptions, remote: str) -> tuple[Operation, ...]:
    """What a release does, in order. The same content gives the same operations, with the same keys."""
    return (*_git(content, remote), *(_forge(content, options) if options.forge else ()), *_after(content, options))


def _git(content: ReleaseContent, remote: str) -> Iterator[Operation]:
    tag = content.tag
    if content.files:
        named = ", ".join(sorted(content.files)[:_MOST_FILES]) + (f" and {len(content.files) - _MOST_FILES} more" if len(content.files) > _MOST_FILES else "")
        yield Operation(
            UPDATE_FILES, content.branch, f"The files say {content.version} from now on.", "Nothing is pushed yet; leave the commit.", f"{UPDATE_FILES}:{tag}",
            parameters=(("files", named), ("message", content.commit_message), ("parent", content.base)),
        )  # fmt: skip
    commit = content.tagged or ("the release commit" if content.files else content.base)
    if not content.tagged:
        yield Operation(
            CREATE_TAG, tag, f"Marks the commit that is {content.version}.", "It is not pushed yet; `git tag -d` takes it away here.", f"{CREATE_TAG}:{tag}",
            parameters=(("commit", commit), ("message", content.tag_message)),
        )  # fmt: skip
    refs = ", ".join([*([f"{commit} to {content.branch}"] if content.moves_branch else []), f"tag {tag}"])
    yield Operation(
        PUSH, remote, "All see the release; branch and tag go together or not at all.", "Revert the commit; the tag stays, and a higher version replaces it.",
        f"{PUSH}:{tag}", parameters=(("refs", refs),),
    )  # fmt: skip


def _forge(content: ReleaseContent, options: ReleaseOptions) -> Iterator[Operation]:
    tag = content.tag
    draft = options.drafts and bool(content.assets)
    kind = "prerelease" if content.prerelease else ("latest" if content.latest else "not latest")
    yield Operation(
        CREATE_RELEASE, tag, "People find notes and files there.", f"`cicd-agents release rollback {tag}` demotes it.", f"{CREATE_RELEASE}:{tag}",
        parameters=(("title", content.title), ("state", "draft" if draft else "published"), ("kind", kind), ("notes", f"{len(content.notes)} characters")),
    )  # fmt: skip
    yield from (_asset(tag, asset) for asset in content.assets)
    if draft:
        yield Operation(
            PUBLISH_RELEASE, tag, "All files are there.", f"`cicd-agents release rollback {tag}` demotes it.", f"{PUBLISH_RELEASE}:{tag}",
            parameters=(("kind", kind),),
        )  # fmt: skip


def _asset(tag: str, asset: AssetFile) -> Operation:
    return Operation(
        UPLOAD_ASSET, asset.name, f"It is a file of {tag}.", "Take the file out of the release by hand.", f"{UPLOAD_ASSET}:{tag}:{asset.name}",
        parameters=(("size", f"{asset.size} bytes"), ("sha256", asset.digest)),
    )  # fmt: skip


def _after(content: ReleaseContent, options: ReleaseOptions) -> Iterator[Operation]:
    tag = content.tag
    if options.comments:
        for thread in content.threads:
            yield Operation(COMMENT, shown(thread), f"It is part of {tag}.", "Delete the comment.", f"{COMMENT}:{tag}:{shown(thread)}")
    if options.labels:
        labels = ("labels", ", ".join(options.labels))
        for thread in content.threads:
            yield Operation(LABEL, shown(thread), f"It is part of {tag}.", "Take the label away.", f"{LABEL}:{tag}:{shown(thread)}", parameters=(labels,))
    if options.known_problems:
        yield Operation(OPEN_ISSUE, f"Known problems of {tag}", "They are tracked in one place.", "Close the issue.", f"{OPEN_ISSUE}:{tag}")
    if options.announce:
        yield Operation(ANNOUNCE, "Slack", f"People hear of {tag}.", "A message cannot be taken back; write another.", f"{ANNOUNCE}:{tag}")
    if options.deploy_workflow:
        workflow = options.deploy_workflow
        yield Operation(
            START_DEPLOYMENT, workflow, f"It deploys {tag}.", "Deploy the version before.", f"{START_DEPLOYMENT}:{tag}:{workflow}", parameters=(("ref", tag),)
        )


def shown(thread: Thread) -> str:
    """The thread as people write it; a request by `!`, as in GitLab, so that it is told from an issue of the same number."""
    return f"{'!' if thread.kind is ThreadKind.REQUEST else '#'}{thread.number}"
