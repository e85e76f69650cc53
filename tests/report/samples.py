"""Reports that the tests of several formats share: one with everything in it, and one whose every free text is the given one."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.domain.doctor import (
    Changes,
    DoctorDetails,
    Excerpt,
    Flaky,
    JobFailure,
    PackageChange,
    RootCause,
    ScoredLine,
    Similar,
    Suspect,
)
from cicd_agents.domain.finding import Evidence, Finding, Fix, Location
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.verdict import Outcome
from cicd_agents.report.document import Report

HOST = "git.example"
RUN, JOB = f"https://{HOST}/run/1", f"https://{HOST}/job/2"
DOCS = "https://docs.example/rule#anchor"
SCHEMA = "cicd-agents/report/v1"
NOTHING = DoctorDetails("raw", "ci.log", 1234567, 90, None, None, None, 0.0, None, (), (), None)

CHANGES = Changes(
    "a" * 40, "b" * 40, f"https://{HOST}/run/0", 3, ("src/app.py", "yarn.lock"),
    (
        PackageChange("yarn.lock", "lodash", "4.17.20", "4.17.21"),
        PackageChange("yarn.lock", "left-pad", None, "1.3.0"),
        PackageChange("go.sum", "x/y", "v1", None),
    ),
    (".github/workflows/ci.yml",),
    (Suspect("c" * 40, "Bump lodash", "Ann", ("it changes `yarn.lock`", "it is the newest"), f"https://{HOST}/commit/c"), Suspect("d" * 40, "Tidy", "", ())),
    "git bisect start bbbb aaaa\ngit bisect run make test", complete=False,
)  # fmt: skip
FLAKY = Flaky("yes", 0.7, 10, "It passed and failed on the same commit.", (0.4, 0.89), (Evidence("run", "41", "attempt 1 failed, attempt 2 passed"),))
SIMILAR = Similar("abcdef0123456789", 4, "2026-01-02T03:04:05Z", "2026-03-04T05:06:07Z", ("main", "dev"), f"https://{HOST}/run/9")
OTHER_JOBS = (
    JobFailure("lint", "ruff: E501", 5, " line too long", "lint_format", 0.8, False, f"https://{HOST}/job/3"),
    JobFailure("test (3.12)", "", None, "", None, 0.0, True),
)
OPERATIONS = (
    Operation("RerunJobs", "run 1", "The network was down.", "cancel the run", "k1", status=OperationStatus.APPLIED, result="Started 1 job."),
    Operation("CreateIssue", "repo", "The budget is spent.", "close it", "k2", status=OperationStatus.REFUSED),
)
PLACE = Location("src/app.py", 7, 3)
FIX = Fix("quick", "Update `yarn.lock`", "It is older than package.json.", ("yarn install", "git add yarn.lock"), 0.7)
PROOF = Evidence("log-line", "12", "error Your lockfile needs to be updated.")
FULL = Report(
    SCHEMA, "pipeline-doctor", Outcome.FAIL, 0, "yarn: lockfile is old", "package.json asks for more.",
    (Finding("yarn.frozen_lockfile", "yarn: lockfile is old", "error", 0.87, (PROOF, Evidence("annotation", JOB, "exit code 1")), PLACE, (FIX,)),),
    OPERATIONS,
    DoctorDetails(
        "github", "build", 40, 400, "build", "dependency_resolution", "yarn.frozen_lockfile", 0.87,
        RootCause(12, "  error Your lockfile needs to be updated.", "Run yarn", PLACE), (ScoredLine(12, 0.9, "yarn.frozen_lockfile"),), (FIX,),
        Excerpt(11, ("yarn install v1", "  error Your lockfile", "exit 1")), (RootCause(30, " another", None, None),), docs=DOCS, flaky=FLAKY,
        fingerprint="abcdef0123456789", job="build", run_url=RUN, job_url=JOB, other_jobs=OTHER_JOBS, changes=CHANGES, similar=SIMILAR,
    ),
    ("2 secrets redacted.",), 0.1,
)  # fmt: skip
# What the platform alone knows has no line in a log.
ANNOTATED = replace(
    FULL,
    findings=(Finding("github.lost_runner", "The runner was lost", "error", 0.9, (Evidence("annotation", JOB, "The hosted runner lost communication"),)),),
    details=replace(NOTHING, lines=0, log=JOB, category="infrastructure_runner", signature="github.lost_runner", confidence=0.9, job="build", job_url=JOB),
    operations=(),
    notes=(),
)
SKIPPED = Report(SCHEMA, "pipeline-doctor", Outcome.SKIPPED, 0, "Nothing to diagnose", "It passed.", (), (), NOTHING, (), 0.1)


def of_text(text: str, docs: str | None = None) -> Report:
    """A report whose every text that can come from a log, a platform, a rule or a file name is the given one."""
    root = RootCause(2, text, text, Location(text, 3, 4))
    fix = Fix("quick", text, text, (text, text), 0.5)
    proof = Evidence(text, text, text)
    details = DoctorDetails(
        "github", text, 9, 90, "test", "test_failure", text, 0.9, root, (ScoredLine(2, 0.9, text),), (fix,), Excerpt(1, (text, text, text)), (root, root),
        docs=docs, flaky=Flaky("yes", 0.5, 4, text, (0.1, 0.9), (proof,)), fingerprint=text, job=text, run_url=text, job_url=text,
        other_jobs=(JobFailure(text, text, 3, text, "other", 0.5, False, text), JobFailure(text, text, None, text, None, 0.0, True, text)),
        changes=Changes(text, text, text, 2, (text,), (PackageChange(text, text, text, text),), (text,), (Suspect(text, text, text, (text,), text),), text),
        similar=Similar(text, 2, text, text, (text,), text),
    )  # fmt: skip
    finding = Finding(text, text, "error", 0.9, (Evidence("log-line", "2", text), proof), Location(text, 3, 4), (fix,))
    operation = Operation(text, text, text, text, text, text, (proof,), ((text, text),), OperationStatus.APPLIED, text)
    return Report(SCHEMA, "pipeline-doctor", Outcome.INCONCLUSIVE, 0, text, text, (finding, finding), (operation,), details, (text, text), 0.1)
