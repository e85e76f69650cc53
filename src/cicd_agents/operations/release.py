"""The ordered writes of a release, as operations; pure. What each does stands in `release_steps`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def release_operations(contents: Sequence[ReleaseContent], options: ReleaseOptions, remote: str) -> tuple[Operation, ...]:
    """What releases do, in order; the contents share one commit and one push. The same contents give the same operations, with the same keys."""
    forge = [operation for content in contents for operation in _forge(content, options)] if options.forge else []
    return (*_git(contents, remote), *forge, *(operation for content in contents for operation in _after(content, options)))


def content_of(operation: Operation, contents: Sequence[ReleaseContent]) -> ReleaseContent:
    """The content that an operation on the forge is about."""
    tag = dict(operation.parameters).get("tag", operation.target)
    return next(content for content in contents if content.tag == tag)


def _git(contents: Sequence[ReleaseContent], remote: str) -> Iterator[Operation]:
    first, tags = contents[0], ", ".join(content.tag for content in contents[:_MOST_FILES])
    if first.files:
        named = ", ".join(sorted(first.files)[:_MOST_FILES]) + (f" and {len(first.files) - _MOST_FILES} more" if len(first.files) > _MOST_FILES else "")
        yield Operation(
            UPDATE_FILES, first.branch, f"The files say what {tags} is from now on.", "Nothing is pushed yet; leave the commit.", f"{UPDATE_FILES}:{tags}",
            parameters=(("files", named), ("message", first.commit_message.partition("\n")[0]), ("parent", first.base)),
        )  # fmt: skip
    commit = first.tagged or ("the release commit" if first.files else first.base)
    for content in contents:
        if not content.tagged:
            yield Operation(
                CREATE_TAG, content.tag, f"Marks the commit that is {content.version}.", "It is not pushed yet; `git tag -d` takes it away here.",
                f"{CREATE_TAG}:{content.tag}", parameters=(("commit", commit), ("message", content.tag_message)),
            )  # fmt: skip
    refs = ", ".join([*([f"{commit} to {first.branch}"] if first.moves_branch else []), f"tag {tags}"])
    yield Operation(
        PUSH, remote, "All see the release; branch and tag go together or not at all.", "Revert the commit; the tag stays, and a higher version replaces it.",
        f"{PUSH}:{tags}", parameters=(("refs", refs),),
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
        parameters=(("tag", tag), ("size", f"{asset.size} bytes"), ("sha256", asset.digest)),
    )  # fmt: skip


def _after(content: ReleaseContent, options: ReleaseOptions) -> Iterator[Operation]:
    tag = content.tag
    of = ("tag", tag)
    if options.comments:
        for thread in content.threads:
            yield Operation(COMMENT, shown(thread), f"It is part of {tag}.", "Delete the comment.", f"{COMMENT}:{tag}:{shown(thread)}", parameters=(of,))
    if options.labels:
        labels = ("labels", ", ".join(options.labels))
        for thread in content.threads:
            yield Operation(LABEL, shown(thread), f"It is part of {tag}.", "Take the label away.", f"{LABEL}:{tag}:{shown(thread)}", parameters=(of, labels))
    if options.known_problems:
        yield Operation(OPEN_ISSUE, f"Known problems of {tag}", "They are tracked in one place.", "Close the issue.", f"{OPEN_ISSUE}:{tag}", parameters=(of,))
    if options.announce:
        yield Operation(ANNOUNCE, "Slack", f"People hear of {tag}.", "A message cannot be taken back; write another.", f"{ANNOUNCE}:{tag}", parameters=(of,))
    if options.deploy_workflow:
        workflow, why = options.deploy_workflow, f"It deploys {tag}."
        yield Operation(START_DEPLOYMENT, workflow, why, "Deploy the version before.", f"{START_DEPLOYMENT}:{tag}:{workflow}", parameters=(of,))


def shown(thread: Thread) -> str:
    """The thread as people write it; a request by `!`, as in GitLab, so that it is told from an issue of the same number."""
    return f"{'!' if thread.kind is ThreadKind.REQUEST else '#'}{thread.number}"
