"""Every setting, once: its name, kind, default and meaning. Action inputs, component inputs, the file's schema and the docs follow from this table.

A name is kebab-case. As an action input it is read from `INPUT_NAME` (the hyphen is kept), as an environment variable from `CICD_AGENTS_NAME` (underscores).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.domain.doctor import CATEGORIES

AGENTS = ("pipeline-doctor", "release-manager", "deployment-guardian")
# What the plan holds but this release does not.
COMING = ("drift-detector",)
# In `falls_back_to`: a variable that is read on every platform.
EVERYWHERE = "*"


class Kind(StrEnum):
    """How a setting's text is read."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 a kind of setting
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"
    SHARE = "share"
    LIST = "list"
    LINES = "lines"  # a list whose items may hold commas
    MONEY = "money"  # US dollars; empty: no limit


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `in_file`: may stand in `.cicd-agents.yml` (never commands, URLs or credentials); `choices` also bound the items of a list."""

    name: str
    kind: Kind
    default: str
    help: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 1_000_000
    in_file: bool = True
    falls_back_to: tuple[tuple[str, str], ...] = ()  # (platform, environment variable): a token goes to its own platform only; first come first

    @property
    def field(self) -> str:
        """The name in Python and in the environment (there in capitals)."""
        return self.name.replace("-", "_")


# Of all agents.
GENERAL = (
    Option("agent", Kind.CHOICE, "auto", "Which agent to run; auto chooses by what happened.", ("auto", *AGENTS, *COMING), in_file=False),
    Option("token", Kind.SECRET, "", "Token for the platform's API; GitLab: of the project, scope api, for releases also write_repository.", in_file=False,
           falls_back_to=(("github", "GITHUB_TOKEN"), ("gitlab", "CICD_AGENTS_GITLAB_TOKEN"), ("jenkins", "JENKINS_API_TOKEN"))),
    Option("user", Kind.TEXT, "", "Jenkins: the user whose API token it is.", in_file=False, falls_back_to=(("jenkins", "JENKINS_API_USER"),)),
    Option("fail-on-publish-error", Kind.FLAG, "false", "Fail with code 3 when a comment or another publication failed."),
    Option("dry-run", Kind.FLAG, "false", "Write nothing to the outside world; say what would be written."),
    Option("time-limit", Kind.COUNT, "300", "Seconds that all calls of one run may take together.", least=10, most=3600),
    Option("summary", Kind.FLAG, "true", "Write the report to the job summary."),
    Option("reports", Kind.LIST, "markdown,json", "Report files to write.", ("markdown", "json", "sarif", "codequality", "junit")),
    Option("report-dir", Kind.TEXT, "cicd-agents-report", "Folder for report files, the audit log and the dotenv file."),
    Option("slack-webhook", Kind.SECRET, "", "Incoming webhook of Slack that is told of failures.", in_file=False),
    Option("allow-http", Kind.LIST, "", "Hosts that may be called by plain http.", in_file=False),
    Option("explain", Kind.CHOICE, "auto", "Let a Gemini model explain (docs/gemini.md); auto: where there is a key; required: exit code 2 without one.",
           ("auto", "off", "required")),
    Option("model", Kind.TEXT, "gemini-2.5-flash", "The model that explains."),
    Option("gemini-key", Kind.SECRET, "", "Key for the Gemini API, or for what stands at model-url.", in_file=False,
           falls_back_to=((EVERYWHERE, "GEMINI_API_KEY"), (EVERYWHERE, "GOOGLE_API_KEY"))),
    Option("model-url", Kind.TEXT, "", "Address of another server that speaks the Gemini API; it gets the key and the evidence.", in_file=False),
    Option("vertex-project", Kind.TEXT, "", "Project of Google Cloud: ask Vertex AI with the environment's credentials, instead of with a key.", in_file=False),
    Option("vertex-location", Kind.TEXT, "global", "Location of Vertex AI: global, eu, us, or a region.", in_file=False),
    Option("explain-seconds", Kind.COUNT, "90", "Seconds that an explanation may take; never more than is left of time-limit.", least=5, most=600),
    Option("explain-run-usd", Kind.MONEY, "", "Most US dollars for the explanation of one run; empty: no limit."),
    Option("explain-month-usd", Kind.MONEY, "", "Most US dollars in a calendar month (UTC) for the repository; needs a memory: `history`, or `history-url`."),
    Option("explain-forks", Kind.FLAG, "false", "Also let the runs of strangers (forks) ask the model; they write the evidence, you pay.", in_file=False),
    Option("model-record", Kind.TEXT, "", "File that gets what is asked and answered, redacted, for a bug report.", in_file=False),
    Option("model-replay", Kind.TEXT, "", "File of such a recording that answers instead of a model; no key is needed.", in_file=False),
    Option("approval-required", Kind.LIST, "", "Operations that a person must approve first, such as Push, Promote:prod; * is all, -KIND takes one out."),
    Option("approvers", Kind.LIST, "", "Who may approve: login, id:NUMBER, @org/team, team:GROUP, role:write; KIND=… for one kind of operation."),
    Option("approval-minimum", Kind.COUNT, "1", "How many of them must approve.", least=1, most=10),
    Option("approval-self", Kind.CHOICE, "auto", "Whether who started the run may approve; auto: only where nobody else may.", ("auto", "yes", "no")),
    Option("approval-timeout", Kind.TEXT, "4h", "How long an approval may take: 30m, 4h, 2d."),
    Option("approval-by", Kind.CHOICE, "comment", "By a comment `/approve HASH`, or by the job's protected environment.", ("comment", "environment")),
    Option("approval-environment", Kind.TEXT, "", "The protected environment whose approval counts."),
    Option("approval-wait", Kind.COUNT, "0", "Minutes to wait in the job for an approval; after them the exit code is 4.", most=360),
)  # fmt: skip

# Of the pipeline-doctor.
DOCTOR = (
    Option("fail-on", Kind.CHOICE, "never", "Which outcome closes the gate; the doctor only advises by default.", ("never", "fail", "inconclusive")),
    Option("run-id", Kind.TEXT, "", "Look at this run instead of our own: run id, pipeline id, or `job/path#number` of Jenkins.", in_file=False),
    Option("job-status", Kind.CHOICE, "", "How the job around us stands; the action fills it in.", ("", "success", "failure", "cancelled"), in_file=False),
    Option("log", Kind.LIST, "", "Diagnose these log files instead of asking the platform.", in_file=False),
    Option("max-jobs", Kind.COUNT, "5", "How many failed jobs of a run are diagnosed.", least=1, most=50),
    Option("max-log-mb", Kind.COUNT, "256", "Largest log, in MiB, that is fetched; of a larger one this much of the end.", least=1, most=4096),
    Option("baseline", Kind.FLAG, "true", "Compare with the log of the last successful run."),
    Option("signatures", Kind.TEXT, "", "Folder with your own signatures, used beside ours; ignored for pull requests from forks.", in_file=False),
    Option("comment", Kind.CHOICE, "auto", "One comment per pull or merge request, updated in place; auto: when there is news.", ("auto", "off")),
    Option("issue", Kind.CHOICE, "off", "Open one issue per kind of failure where there is no pull request.", ("off", "default-branch", "always")),
    Option("issue-labels", Kind.LIST, "ci-failure", "Labels of such an issue; the first one finds it again."),
    Option("annotations", Kind.FLAG, "true", "Annotate the file and line that the failure points to."),
    Option("history", Kind.TEXT, "", "SQLite file that remembers failures; keep it in the CI's cache. Empty: no memory.", in_file=False),
    Option("history-url", Kind.SECRET, "", "PostgreSQL URL for the memory, instead of a file.", in_file=False),
    Option("loki-url", Kind.TEXT, "", "Loki server that holds the logs of CI jobs.", in_file=False),
    Option("loki-query", Kind.TEXT, "", "LogQL stream selector of a job's log; {job}, {job_id}, {run_id} and {repository} are filled in.", in_file=False),
    Option("loki-token", Kind.SECRET, "", "Bearer token for Loki.", in_file=False),
    Option("rerun", Kind.CHOICE, "off", "Start failed jobs again when the cause is transient: off, suggest, or auto.", ("off", "suggest", "auto")),
    Option("rerun-categories", Kind.LIST, "dependency_network,infrastructure_runner", "Categories that may be started again.", CATEGORIES),
    Option("rerun-min-confidence", Kind.SHARE, "0.8", "Least confidence of a diagnosis for it."),
    Option("rerun-max-attempt", Kind.COUNT, "1", "Last attempt that may be started again.", least=1, most=10),
    Option("rerun-per-day", Kind.COUNT, "10", "Re-runs in 24 hours for the repository.", most=1000),
    Option("rerun-per-pull-request", Kind.COUNT, "3", "Re-runs for one pull request.", most=100),
    Option("rerun-deploys", Kind.FLAG, "false", "Also start deploy jobs again."),
    Option("rerun-forks", Kind.FLAG, "false", "Also start runs of forks again; they run a stranger's code.", in_file=False),
)  # fmt: skip

# Of the release-manager.
RELEASES = (
    Option("release-flow", Kind.CHOICE, "direct", "direct: commit, tag and release at once; request: by a pull or merge request.", ("direct", "request")),
    Option("release-branch", Kind.TEXT, "", "The branch that releases, where the checkout does not tell.", in_file=False),
    Option("release-component", Kind.TEXT, "", "Name or folder of the component of a monorepo to release.", in_file=False),
    Option("release-scheme", Kind.TEXT, "", "Calendar versions, such as YYYY.MM.MICRO; empty: semantic ones."),
    Option("release-as", Kind.TEXT, "", "This version, whatever the commits ask for.", in_file=False),
    Option("prerelease", Kind.TEXT, "", "A prerelease of this channel, such as rc.", in_file=False),
    Option("graduate", Kind.FLAG, "false", "Go from 0.x to 1.0.0.", in_file=False),
    Option("version-files", Kind.LINES, "", "Further version files: `PATH`, or `PATH=PATTERN` with one group around the version."),
    Option("changelog-form", Kind.CHOICE, "conventional", "How the changelog looks.", ("conventional", "keep-a-changelog")),
    Option("changelog-sections", Kind.LINES, "", "Sections of the changelog: `feat=New`, `build(deps)=Dependencies`; `docs=` hides."),
    Option("changelog-templates", Kind.LINES, "", "Templates of the changelog: `entry=- ${subject}` (docs/changelog.md); \\n is a line break."),
    Option("verify-tag", Kind.CHOICE, "strict", "A pushed tag that is lower than the commits ask for closes the gate, or is only told.", ("strict", "warn")),
    Option("forge-release", Kind.FLAG, "true", "Make a release on GitHub or GitLab, with notes."),
    Option("release-assets", Kind.LIST, "", "Files for the release, as paths or patterns below the workspace; SHA256SUMS is added."),
    Option("release-comments", Kind.FLAG, "false", "Say in released issues and requests which version has them."),
    Option("release-labels", Kind.LIST, "", "Labels for released issues and requests."),
    Option("known-problems", Kind.TEXT, "", "Text of an issue that tracks known problems of the release.", in_file=False),
    Option("announce", Kind.FLAG, "false", "Announce the release by `slack-webhook`."),
    Option("deploy-workflow", Kind.TEXT, "", "Workflow file that is started on the tag; on GitLab any text starts a pipeline."),
    Option("git-remote", Kind.TEXT, "origin", "The remote that gets commit and tag.", in_file=False),
    Option("git-author", Kind.TEXT, "", "Who makes commit and tag, as `Name <mail>`; default: the platform's bot."),
    Option("checks-wait", Kind.COUNT, "30", "Minutes to wait for the checks of a protected branch.", most=360),
    Option("environments", Kind.LIST, "", "Where a release is promoted to, in order: `dev=argocd:APP`, `prod=workflow:FILE`, `prod=git:PATH`."),
    Option("health-wait", Kind.COUNT, "10", "Minutes to wait until an environment is healthy.", most=360),
    Option("check-command", Kind.TEXT, "", "Command that checks an environment after a promotion; its exit code decides.", in_file=False),
    Option("argocd-url", Kind.TEXT, "", "Argo CD's address.", in_file=False),
    Option("argocd-token", Kind.SECRET, "", "Token for Argo CD.", in_file=False),
    Option("argocd-project", Kind.TEXT, "", "The project of all applications; empty: it is looked up.", in_file=False),
    Option("argocd-prune", Kind.FLAG, "false", "Let Argo CD's syncs delete what left the source.", in_file=False),
    Option("promote-force", Kind.FLAG, "false", "Promote also to an environment that is at a later version.", in_file=False),
)  # fmt: skip

# Of the deployment-guardian.
GUARDIAN = (
    Option("guardian-fail-on", Kind.CHOICE, "inconclusive", "Which outcome closes the gate: never, NO-GO, or also what cannot be told.",
           ("never", "fail", "inconclusive")),
    Option("service", Kind.TEXT, "", "Name of the service that was deployed; default: the workload's or the repository's."),
    Option("deploy-environment", Kind.TEXT, "", "The environment, for the report; default: that of the deployment."),
    Option("strategy", Kind.CHOICE, "canary", "How the new version takes over.", ("canary", "blue-green", "rolling", "a-b")),
    Option("canary-stage", Kind.TEXT, "", "The stage to judge, by its share (`25%`) or number (`2`); default: found by traffic and time.", in_file=False),
    Option("deployed-at", Kind.TEXT, "", "When the new version began to serve, in ISO 8601 or as `15m` ago; default: found.", in_file=False),
    Option("workload", Kind.TEXT, "", "What serves, as `deployment:NAMESPACE/NAME`, statefulset, daemonset or rollout; it tells pods and versions."),
    Option("delivery", Kind.TEXT, "", "By what to act: `argocd:APP`, kustomization, helmrelease, rollout, canary, istio, nginx; default: the workload."),
    Option("canary-selector", Kind.TEXT, "", 'PromQL matchers of the new version, such as `version="v2"`; default: its pods.'),
    Option("baseline-selector", Kind.TEXT, "", "PromQL matchers of the old version; empty: the time before the deployment."),
    Option("metrics-selector", Kind.TEXT, "", 'PromQL matchers of both, such as `namespace="prod"`.'),
    Option("metrics-pack", Kind.TEXT, "auto", "Whose metric names: auto, or one of docs/query-packs.md."),
    Option("queries", Kind.LINES, "", "Own queries, `NAME=PROMQL` with {selector}; docs/query-packs.md."),
    Option("canary-policy", Kind.TEXT, "", "File with metrics, tolerances and stages (docs/canary-policy.md)."),
    Option("analysis-template", Kind.TEXT, "", "Argo Rollouts AnalysisTemplate to judge by instead."),
    Option("template-args", Kind.LINES, "", "Arguments of the template, `NAME=VALUE`."),
    Option("slo-file", Kind.TEXT, "", "Keptn SLO file to judge by instead; `queries` name its indicators."),
    Option("judge", Kind.CHOICE, "always-valid", "Which statistics decide; all but always-valid are for one look (docs/canary.md).",
           ("always-valid", "kayenta", "welch", "fisher", "chi-square", "proportions")),
    Option("metrics-table", Kind.TEXT, "", "Judge this table of numbers (text, JSON, YAML; - is standard input) instead of asking a server.", in_file=False),
    Option("metrics-samples", Kind.TEXT, "", "Judge these recorded samples (JSON; docs/canary-samples.md) instead of asking a server.", in_file=False),
    Option("record-samples", Kind.TEXT, "", "Keep the samples that were judged in this file, to judge them again.", in_file=False),
    Option("watch", Kind.COUNT, "30", "Minutes to watch until it is decided; 0: one look.", most=360),
    Option("look-every", Kind.COUNT, "60", "Seconds between two looks.", least=10, most=3600),
    Option("guardian-state", Kind.TEXT, "", "File that carries a watch from job to job; keep it in the CI's cache or artifacts.", in_file=False),
    Option("rollback", Kind.CHOICE, "suggest", "What to do at NO-GO: off, suggest, or auto.", ("off", "suggest", "auto")),
    Option("rollback-to", Kind.TEXT, "", "Revision to go back to; default: the last one known to be good.", in_file=False),
    Option("freeze", Kind.CHOICE, "auto", "Give the traffic to the old version and keep the new pods; auto: where the change migrates a database.",
           ("auto", "yes", "no")),
    Option("revert", Kind.CHOICE, "off", "After a rollback, revert in Git by a pull or merge request.", ("off", "request")),
    Option("revert-from", Kind.TEXT, "", "Last good commit, where Git should be brought back to; default: the revision that is gone back to.", in_file=False),
    Option("promote", Kind.CHOICE, "off", "What to do at GO: off, suggest, or auto (the next share, or all).", ("off", "suggest", "auto")),
    Option("hold", Kind.CHOICE, "off", "What to do while it cannot be told: off, suggest, or auto (pause a roll-out that would go on by itself).",
           ("off", "suggest", "auto")),
    Option("argocd-good-minutes", Kind.COUNT, "60", "Minutes that a deployment must have stayed in Argo CD to be known as good.", least=1, most=43200),
    Option("argocd-owned", Kind.FLAG, "false", "Roll back also an application that an ApplicationSet or another application makes.", in_file=False),
    Option("argocd-terminate", Kind.FLAG, "false", "End an operation of Argo CD that stands in the way of a rollback.", in_file=False),
    Option("recovery-wait", Kind.COUNT, "5", "Minutes to wait until a rollback shows: new pods healthy, error rate back.", least=1, most=120),
    Option("canary-logs", Kind.TEXT, "", "LogQL selector of the new version's logs, for critical messages.", in_file=False),
    Option("baseline-logs", Kind.TEXT, "", "LogQL selector of the old version's logs.", in_file=False),
    Option("loki-tenant", Kind.TEXT, "", "Tenant of a Loki that serves several.", in_file=False),
    Option("prometheus-url", Kind.TEXT, "", "Address of Prometheus, or of what speaks its API.", in_file=False),
    Option("prometheus-token", Kind.SECRET, "", "Bearer token for Prometheus.", in_file=False),
    Option("prometheus-user", Kind.TEXT, "", "User for basic authentication.", in_file=False),
    Option("prometheus-password", Kind.SECRET, "", "Password for basic authentication.", in_file=False),
    Option("prometheus-tenant", Kind.TEXT, "", "Tenant (X-Scope-OrgID) of Mimir or Cortex.", in_file=False),
    Option("prometheus-ca", Kind.TEXT, "", "File with the authority of the server's certificate.", in_file=False),
    Option("prometheus-cert", Kind.TEXT, "", "File with a client certificate.", in_file=False),
    Option("prometheus-key", Kind.TEXT, "", "File with the key of the client certificate.", in_file=False),
    Option("grafana-url", Kind.TEXT, "", "Grafana: metrics by its data-source proxy where prometheus-url is empty; annotations and links.", in_file=False),
    Option("grafana-token", Kind.SECRET, "", "Service-account token for Grafana.", in_file=False),
    Option("grafana-datasource", Kind.TEXT, "", "Name or uid of the data source; default: the only Prometheus there is.", in_file=False),
    Option("grafana-dashboard", Kind.TEXT, "", "Uid of the dashboard that the report links to."),
    Option("grafana-annotate", Kind.FLAG, "false", "Mark verdicts on the dashboards."),
    Option("kubeconfig", Kind.TEXT, "", "Kubeconfig file; default: KUBECONFIG, or the pod's own account.", in_file=False),
    Option("kube-context", Kind.TEXT, "", "Context in the kubeconfig; default: its current one.", in_file=False),
    Option("kube-exec", Kind.FLAG, "false", "Run the credential plugin that the kubeconfig names.", in_file=False),
)  # fmt: skip

OPTIONS = (*GENERAL, *DOCTOR, *RELEASES, *GUARDIAN)
BY_NAME = {option.name: option for option in OPTIONS}
# Settings of the other agents that the guardian reads too.
_GUARDIAN_TOO = (
    "comment", "annotations", "issue-labels", "history", "history-url", "loki-url", "loki-token", "git-remote", "git-author", "argocd-url", "argocd-token",
    "argocd-project", "argocd-prune",
)  # fmt: skip
OF_GUARDIAN = (*GENERAL, *(BY_NAME[name] for name in _GUARDIAN_TOO), *GUARDIAN)
