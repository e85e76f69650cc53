"""Where we run and why: what every CI platform's variables and event payload are read into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cicd_agents.domain.ci import RunRef, Status


class Platform(StrEnum):
    """The CI platforms whose environment we know; `local` is a person's machine or any other CI."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"
    LOCAL = "local"


class Kind(StrEnum):
    """What happened that made us run, in words that all platforms share."""

    RUN_FINISHED = "run-finished"  # another run ended (GitHub workflow_run)
    JOB = "job"  # we are a job or a step of the run that we look at
    TAG = "tag"
    RELEASE = "release"
    DEPLOYMENT = "deployment"
    SCHEDULE = "schedule"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request; `number` is the one that people see (GitLab: iid)."""

    number: int
    head_sha: str
    head_ref: str
    base_ref: str
    base_sha: str = ""
    from_fork: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where we run and why. Empty text means: the platform does not say.

    `target` is the run to look at, `own_run` the one that we are part of (they are the same for a job of the failing run); `sha`, `branch`, `tag` and
    `workflow` are the target's. `config_ref` is the trusted commit or branch from which the settings file is read; None: the workspace is trusted.
    `trusted` is false where the code that ran may be a stranger's (a fork): such a run writes no memory and proposes no write.
    """

    platform: Platform
    event: str
    kind: Kind = Kind.OTHER
    repository: str = ""
    project: str = ""
    server_url: str = ""
    api_url: str = ""
    own_run: RunRef | None = None
    own_job: str = ""
    target: RunRef | None = None
    target_status: Status = Status.UNKNOWN
    workflow: str = ""
    sha: str = ""
    branch: str = ""
    tag: str = ""
    default_branch: str = ""
    pull_request: PullRequest | None = None
    trusted: bool = True
    actor: str = ""
    run_url: str = ""
    workspace: str = ""
    config_ref: str | None = None
    summary_file: str = ""
    output_file: str = ""
    own_runner: str = ""
    environment: str = ""  # of a deployment, as the platform names it

    @property
    def on_default_branch(self) -> bool:
        """Whether the target ran on the default branch itself, not on a pull request or a fork's branch of the same name."""
        return bool(self.branch) and self.branch == self.default_branch and self.pull_request is None and self.trusted
