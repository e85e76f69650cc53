"""GitLab's words for why a job failed (`failure_reason`), in plain English.

Sources: GitLab docs, ci/yaml `retry:when` (split in 19.1), and its enum of commit status failures.
"""

from __future__ import annotations

# The script itself said no: the log tells why, better than any word could.
_TOLD_BY_THE_LOG = ("", "script_failure")

# The job ran longer than it may.
TIMEOUTS = ("job_execution_timeout", "server_timeout_running", "server_timeout_canceling")

_EXPLANATIONS = {
    "unknown_failure": "The job failed, and GitLab does not know why.",
    "api_failure": "GitLab could not be told of the job's progress: a call between the runner and GitLab failed.",
    "stuck_or_timeout_failure": "The job waited too long for a runner, or its runner was not heard of any more.",
    "stuck_pending_with_matching_runners": "The job waited too long: runners with fitting tags exist, but none took it.",
    "stuck_pending_no_matching_runners": "The job waited too long: no runner is online that has its tags and may run it.",
    "no_updates_running": "The runner was not heard of any more while the job ran; it may have been lost.",
    "no_updates_canceling": "The runner was not heard of any more while the job was being cancelled.",
    "runner_system_failure": "The runner failed outside of the script, for instance while preparing the job or its container.",
    "runner_configuration_error": "The job or its runner is configured wrongly, for instance an image that does not exist or a wrong pull policy.",
    "runner_external_dependency_failure": "The runner could not reach something it needs, for instance an image registry.",
    "runner_interrupted": "The runner was interrupted while the job ran, for instance by a restart or because its machine was taken back.",
    "missing_dependency_failure": "Artifacts of an earlier job are missing: they expired, were deleted, or that job did not make them.",
    "runner_unsupported": "The runner is too old for what the job asks of it.",
    "stale_schedule": "A delayed job could not be started in its time.",
    "job_execution_timeout": "The job ran longer than its timeout allows.",
    "server_timeout_running": "The job ran longer than its timeout allows, and GitLab ended it.",
    "server_timeout_canceling": "The job did not end in time after it was cancelled.",
    "archived_failure": "The pipeline is archived, so that its jobs can't run any more.",
    "unmet_prerequisites": "What the job needs before it starts could not be made ready, for instance its Kubernetes namespace.",
    "scheduler_failure": "GitLab failed to give the job to a runner.",
    "data_integrity_failure": "GitLab's own data of the job is inconsistent.",
    "forward_deployment_failure": "A newer deployment to the same environment exists, so that this older one was not run.",
    "user_blocked": "The user who started the job is blocked.",
    "project_deleted": "The project is being deleted.",
    "ci_quota_exceeded": "No compute minutes are left for shared runners.",
    "no_matching_runner": "No runner has the tags of the job.",
    "trace_size_exceeded": "The job's log grew larger than the server allows.",
    "builds_disabled": "CI/CD is switched off for the project.",
    "pipeline_loop_detected": "A pipeline would have started itself again without end.",
    "insufficient_bridge_permissions": "The user who started the job may not start the downstream pipeline.",
    "insufficient_upstream_permissions": "The downstream project may not read what it needs of the upstream one.",
    "upstream_bridge_project_not_found": "The upstream project was not found.",
    "downstream_bridge_project_not_found": "The downstream project was not found.",
    "invalid_bridge_trigger": "The definition of the trigger job is not valid.",
    "downstream_pipeline_creation_failed": "The downstream pipeline could not be made.",
    "reached_max_descendant_pipelines_depth": "Child pipelines are nested too deep.",
    "reached_max_pipeline_hierarchy_size": "The tree of downstream pipelines is too large.",
    "secrets_provider_not_found": "The provider of the job's secrets is not configured.",
    "protected_environment_failure": "The environment is protected, and the user may not deploy to it.",
    "environment_creation_failure": "The job's environment could not be made; its name may not be valid.",
    "deployment_rejected": "The deployment was rejected.",
    "failed_outdated_deployment_job": "The deployment is older than the newest one, so that it was not run.",
    "ip_restriction_failure": "The group allows certain addresses only, and the runner's is not one of them.",
}  # fmt: skip
# Characters of a reason that are shown; GitLab's own are shorter.
LONGEST_REASON = 100


def explanation(reason: str) -> str | None:
    """What a failure reason means, in a sentence; an unknown one is quoted. None where only the log can tell."""
    if reason in _TOLD_BY_THE_LOG:
        return None
    return _EXPLANATIONS.get(reason, f"GitLab gives the reason “{reason[:LONGEST_REASON]}”.")
