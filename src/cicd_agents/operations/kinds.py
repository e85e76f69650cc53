"""The kinds of operations that there are, so that a misspelt one in a policy is refused and opens no gate. Promotions add one for each environment."""

from __future__ import annotations

from cicd_agents.operations import (
    delivery_argocd,
    delivery_flagger,
    delivery_flux,
    delivery_rollouts,
    delivery_traffic,
    delivery_workload,
    release,
    release_request,
    release_rollback,
    rerun,
)
from cicd_agents.operations.guardian_rollback import GUARDIAN_KINDS

KINDS = (
    rerun.KIND, release.UPDATE_FILES, release.CREATE_TAG, release.PUSH, release.CREATE_RELEASE, release.UPLOAD_ASSET, release.PUBLISH_RELEASE, release.COMMENT,
    release.LABEL, release.OPEN_ISSUE, release.ANNOUNCE, release.START_DEPLOYMENT, release_request.UPDATE_BRANCH, release_request.OPEN_REQUEST,
    release_rollback.REPOINT, release_rollback.DEMOTE,
    *delivery_argocd.ARGOCD_KINDS, *delivery_workload.WORKLOAD_KINDS, *delivery_rollouts.ROLLOUT_KINDS, *delivery_flux.FLUX_KINDS,
    *delivery_flagger.FLAGGER_KINDS, delivery_traffic.SET_WEIGHT, *GUARDIAN_KINDS,
)  # fmt: skip
