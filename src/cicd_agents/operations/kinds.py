"""The kinds of operations that there are, so that a misspelt one in a policy is refused and opens no gate. Promotions add one for each environment."""

from __future__ import annotations

from cicd_agents.operations import release, release_request, release_rollback, rerun

KINDS = (
    rerun.KIND, release.UPDATE_FILES, release.CREATE_TAG, release.PUSH, release.CREATE_RELEASE, release.UPLOAD_ASSET, release.PUBLISH_RELEASE, release.COMMENT,
    release.LABEL, release.OPEN_ISSUE, release.ANNOUNCE, release.START_DEPLOYMENT, release_request.UPDATE_BRANCH, release_request.OPEN_REQUEST,
    release_rollback.REPOINT, release_rollback.DEMOTE,
)  # fmt: skip
