"""The words of the doctor: what a diagnosis of a failed log is made of (contract `cicd-agents/report/v1`, details)."""

from __future__ import annotations

from dataclasses import dataclass

from cicd_agents.domain.finding import Evidence, Fix, Location

PHASES = ("build", "test", "deploy", "infrastructure")

CATEGORIES = (
    "compile", "lint_format", "type_check", "dependency_resolution", "dependency_network", "test_failure", "test_flaky",
    "timeout", "out_of_memory", "disk_full", "permission", "missing_tool_or_file", "configuration", "auth_secret",
    "docker_image", "kubernetes_deploy", "infrastructure_runner", "git_checkout", "resource_quota", "database_migration",
    "coverage_threshold", "security_audit", "other",
)  # fmt: skip

PLATFORMS = ("github", "gitlab", "jenkins", "raw")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Cleaned lines around a root cause; `first` is the number of the first one (from 1, in the file given)."""

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One independent failure of a log: the line that explains it, what it means, what to do."""

    line: int
    offset: int
    text: str
    step: str | None
    location: Location | None
    signature: str | None
    tool: str | None
    category: str
    phase: str
    score: float
    confidence: float
    title: str
    cause: str
    docs: str | None
    transient: bool
    fixes: tuple[Fix, ...]
    excerpt: Excerpt
    fingerprint: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that was considered as the root cause."""

    line: int
    score: float
    signature: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the engine says of one log. `failures` is best first and empty when nothing is good enough or the run did not fail."""

    platform: str
    lines: int
    size: int
    failed: bool | None
    reason: str
    failures: tuple[Failure, ...]
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RootCause:
    """The line that explains the failure; `line` counts from 1 in the file given, lines end at LF only."""

    line: int
    text: str
    step: str | None
    location: Location | None


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """A candidate as the contract prints it."""

    line: int
    score: float
    signature: str | None


@dataclass(frozen=True, slots=True)
class Flaky:
    """Whether the failure comes and goes on the same commit; a single log cannot tell.

    `verdict`: yes, no or unknown; `pass_rate` of the `runs` that were looked at, with its 95 % Wilson interval.
    """

    verdict: str = "unknown"
    pass_rate: float | None = None
    runs: int = 0
    reason: str = "One log cannot tell; it needs other runs of the same commit."
    interval: tuple[float, float] | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A dependency whose locked version changed; `old` is None where it was added, `new` where it was removed."""

    file: str
    package: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A commit that may have broken the build, best first, with the reasons why."""

    sha: str
    subject: str
    author: str
    reasons: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last good run: `commits` is their number, `files` the paths (cut where there are many), `ci_files` those that configure CI."""

    good_sha: str
    bad_sha: str
    good_url: str
    commits: int
    files: tuple[str, ...]
    packages: tuple[PackageChange, ...]
    ci_files: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    bisect: str | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Similar:
    """The same failure earlier: how often, first and last (ISO 8601, UTC), on which branches, and the newest run's link."""

    fingerprint: str
    count: int
    first_seen: str
    last_seen: str
    branches: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Another failed job of the same run: `same` where its failure is the one that the report explains."""

    job: str
    title: str
    line: int | None
    text: str
    category: str | None
    confidence: float
    same: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class DoctorDetails:
    """`details` of a doctor's report (contract `cicd-agents/report/v1`)."""

    platform: str
    log: str
    lines: int
    bytes: int
    phase: str | None
    category: str | None
    signature: str | None
    confidence: float
    root_cause: RootCause | None
    candidates: tuple[ScoredLine, ...]
    fixes: tuple[Fix, ...]
    excerpt: Excerpt | None
    further_failures: tuple[RootCause, ...] = ()
    transient: bool = False
    docs: str | None = None
    flaky: Flaky = Flaky()
    fingerprint: str = ""
    job: str | None = None
    run_url: str | None = None
    job_url: str | None = None
    other_jobs: tuple[JobFailure, ...] = ()
    changes: Changes | None = None
    similar: Similar | None = None
