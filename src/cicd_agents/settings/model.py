"""The settings as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field

from cicd_agents.domain.verdict import FailOn


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run; the meaning of each stands in `options`. Secrets are not in the repr."""

    agent: str
    token: str = field(repr=False)
    user: str
    run_id: str
    job_status: str
    log: tuple[str, ...]
    fail_on: FailOn
    fail_on_publish_error: bool
    dry_run: bool
    max_jobs: int
    max_log_mb: int
    time_limit: int
    baseline: bool
    signatures: str
    comment: str
    issue: str
    issue_labels: tuple[str, ...]
    summary: bool
    annotations: bool
    reports: tuple[str, ...]
    report_dir: str
    slack_webhook: str = field(repr=False)
    history: str
    history_url: str = field(repr=False)
    loki_url: str
    loki_query: str
    loki_token: str = field(repr=False)
    allow_http: tuple[str, ...]
    explain: str
    model: str
    gemini_key: str = field(repr=False)
    model_url: str
    vertex_project: str
    vertex_location: str
    explain_seconds: int
    explain_run_usd: float | None
    explain_month_usd: float | None
    explain_forks: bool
    model_record: str
    model_replay: str
    rerun: str
    rerun_categories: tuple[str, ...]
    rerun_min_confidence: float
    rerun_max_attempt: int
    rerun_per_day: int
    rerun_per_pull_request: int
    rerun_deploys: bool
    rerun_forks: bool
    release_flow: str
    release_branch: str
    release_component: str
    release_scheme: str
    release_as: str
    prerelease: str
    graduate: bool
    version_files: tuple[str, ...]
    changelog_form: str
    changelog_sections: tuple[str, ...]
    changelog_templates: tuple[str, ...]
    verify_tag: str
    forge_release: bool
    release_assets: tuple[str, ...]
    release_comments: bool
    release_labels: tuple[str, ...]
    known_problems: str
    announce: bool
    deploy_workflow: str
    git_remote: str
    git_author: str
    checks_wait: int
    environments: tuple[str, ...]
    health_wait: int
    check_command: str
    argocd_url: str
    argocd_token: str = field(repr=False)
    argocd_project: str
    argocd_prune: bool
    promote_force: bool
    approval_required: tuple[str, ...]
    approvers: tuple[str, ...]
    approval_minimum: int
    approval_self: str
    approval_timeout: str
    approval_by: str
    approval_environment: str
    approval_wait: int
    guardian_fail_on: FailOn
    service: str
    deploy_environment: str
    strategy: str
    canary_stage: str
    deployed_at: str
    workload: str
    delivery: str
    canary_selector: str
    baseline_selector: str
    metrics_selector: str
    metrics_pack: str
    queries: tuple[str, ...]
    canary_policy: str
    analysis_template: str
    template_args: tuple[str, ...]
    slo_file: str
    judge: str
    metrics_table: str
    metrics_samples: str
    record_samples: str
    watch: int
    look_every: int
    guardian_state: str
    rollback: str
    rollback_to: str
    freeze: str
    revert: str
    revert_from: str
    promote: str
    hold: str
    argocd_good_minutes: int
    argocd_owned: bool
    argocd_terminate: bool
    recovery_wait: int
    canary_logs: str
    baseline_logs: str
    loki_tenant: str
    prometheus_url: str
    prometheus_token: str = field(repr=False)
    prometheus_user: str
    prometheus_password: str = field(repr=False)
    prometheus_tenant: str
    prometheus_ca: str
    prometheus_cert: str
    prometheus_key: str
    grafana_url: str
    grafana_token: str = field(repr=False)
    grafana_datasource: str
    grafana_dashboard: str
    grafana_annotate: bool
    kubeconfig: str
    kube_context: str
    kube_exec: bool
    sources: tuple[tuple[str, str], ...] = ()
