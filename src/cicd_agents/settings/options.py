"""Every setting, once: its name, kind, default and meaning. Action inputs, component inputs, the file's schema and the docs follow from this table.

A name is kebab-case. As an action input it is read from `INPUT_NAME` (the hyphen is kept), as an environment variable from `CICD_AGENTS_NAME` (underscores).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.domain.doctor import CATEGORIES

AGENTS = ("pipeline-doctor",)
# What the plan holds but this release does not.
COMING = ("release-manager", "deployment-guardian", "drift-detector")


class Kind(StrEnum):
    """How a setting's text is read."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 a kind of setting
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"
    SHARE = "share"
    LIST = "list"


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
    falls_back_to: tuple[tuple[str, str], ...] = ()  # (platform, environment variable): a token goes to its own platform only

    @property
    def field(self) -> str:
        """The name in Python and in the environment (there in capitals)."""
        return self.name.replace("-", "_")


OPTIONS = (
    Option("agent", Kind.CHOICE, "auto", "Which agent to run; auto chooses by what happened.", ("auto", *AGENTS, *COMING), in_file=False),
    Option("token", Kind.SECRET, "", "Token for the platform's API; GitLab: a project access token with the scope api.", in_file=False,
           falls_back_to=(("github", "GITHUB_TOKEN"), ("gitlab", "CICD_AGENTS_GITLAB_TOKEN"), ("jenkins", "JENKINS_API_TOKEN"))),
    Option("user", Kind.TEXT, "", "Jenkins: the user whose API token it is.", in_file=False, falls_back_to=(("jenkins", "JENKINS_API_USER"),)),
    Option("run-id", Kind.TEXT, "", "Look at this run instead of our own: run id, pipeline id, or `job/path#number` of Jenkins.", in_file=False),
    Option("job-status", Kind.CHOICE, "", "How the job around us stands; the action fills it in.", ("", "success", "failure", "cancelled"), in_file=False),
    Option("log", Kind.LIST, "", "Diagnose these log files instead of asking the platform.", in_file=False),
    Option("fail-on", Kind.CHOICE, "never", "Which outcome closes the gate; the doctor only advises by default.", ("never", "fail", "inconclusive")),
    Option("fail-on-publish-error", Kind.FLAG, "false", "Fail with code 3 when a comment or another publication failed."),
    Option("dry-run", Kind.FLAG, "false", "Write nothing to the outside world; say what would be written."),
    Option("max-jobs", Kind.COUNT, "5", "How many failed jobs of a run are diagnosed.", least=1, most=50),
    Option("max-log-mb", Kind.COUNT, "256", "Largest log, in MiB, that is fetched; of a larger one this much of the end.", least=1, most=4096),
    Option("time-limit", Kind.COUNT, "300", "Seconds that all calls of one run may take together.", least=10, most=3600),
    Option("baseline", Kind.FLAG, "true", "Compare with the log of the last successful run."),
    Option("signatures", Kind.TEXT, "", "Folder with your own signatures, used beside ours; ignored for pull requests from forks.", in_file=False),
    Option("comment", Kind.CHOICE, "auto", "One comment per pull or merge request, updated in place; auto: when there is news.", ("auto", "off")),
    Option("issue", Kind.CHOICE, "off", "Open one issue per kind of failure where there is no pull request.", ("off", "default-branch", "always")),
    Option("issue-labels", Kind.LIST, "ci-failure", "Labels of such an issue; the first one finds it again."),
    Option("summary", Kind.FLAG, "true", "Write the report to the job summary."),
    Option("annotations", Kind.FLAG, "true", "Annotate the file and line that the failure points to."),
    Option("reports", Kind.LIST, "markdown,json", "Report files to write.", ("markdown", "json", "sarif", "codequality", "junit")),
    Option("report-dir", Kind.TEXT, "cicd-agents-report", "Folder for report files, the audit log and the dotenv file."),
    Option("slack-webhook", Kind.SECRET, "", "Incoming webhook of Slack that is told of failures.", in_file=False),
    Option("history", Kind.TEXT, "", "SQLite file that remembers failures; keep it in the CI's cache. Empty: no memory.", in_file=False),
    Option("history-url", Kind.SECRET, "", "PostgreSQL URL for the memory, instead of a file.", in_file=False),
    Option("loki-url", Kind.TEXT, "", "Loki server that holds the logs of CI jobs.", in_file=False),
    Option("loki-query", Kind.TEXT, "", "LogQL stream selector of a job's log; {job}, {job_id}, {run_id} and {repository} are filled in.", in_file=False),
    Option("loki-token", Kind.SECRET, "", "Bearer token for Loki.", in_file=False),
    Option("allow-http", Kind.LIST, "", "Hosts that may be called by plain http.", in_file=False),
    Option("rerun", Kind.CHOICE, "off", "Start failed jobs again when the cause is transient: off, suggest, or auto.", ("off", "suggest", "auto")),
    Option("rerun-categories", Kind.LIST, "dependency_network,infrastructure_runner", "Categories that may be started again.", CATEGORIES),
    Option("rerun-min-confidence", Kind.SHARE, "0.8", "Least confidence of a diagnosis for it."),
    Option("rerun-max-attempt", Kind.COUNT, "1", "Last attempt that may be started again.", least=1, most=10),
    Option("rerun-per-day", Kind.COUNT, "10", "Re-runs in 24 hours for the repository.", most=1000),
    Option("rerun-per-pull-request", Kind.COUNT, "3", "Re-runs for one pull request.", most=100),
    Option("rerun-deploys", Kind.FLAG, "false", "Also start deploy jobs again."),
    Option("rerun-forks", Kind.FLAG, "false", "Also start runs of forks again; they run a stranger's code.", in_file=False),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
