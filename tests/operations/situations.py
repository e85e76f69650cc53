"""Runs with failed jobs as the tests of re-runs need them: one that may be started again, and changes to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cicd_agents.domain.ci import Job, RunRef, Status
from cicd_agents.domain.doctor import DoctorDetails, Flaky
from cicd_agents.domain.finding import Evidence, Finding
from cicd_agents.domain.verdict import Outcome, Verdict
from cicd_agents.operations.policy import Mode, RerunPolicy
from cicd_agents.operations.rerun import FailedJob, RerunFacts

RUN = RunRef("7", 1)
LINE = Evidence("log-line", "41", "npm ERR! network socket hang up")
RULE = "npm.network"
POLICY = RerunPolicy(Mode.AUTO, ("dependency_network", "infrastructure_runner"), 0.8, 1, 10, 3, deploys=False, forks=False)


def verdict(**details: Any) -> Verdict:
    """A connection that broke off, diagnosed with confidence."""
    told = {"category": "dependency_network", "signature": RULE, "confidence": 0.93, "transient": True, "fingerprint": "f1", "phase": "build", **details}
    base = DoctorDetails("github", "build", 90, 4000, None, None, None, 0.0, None, (), (), None)
    finding = Finding(RULE, "The connection broke off", "error", 0.93, (LINE,))
    return Verdict("pipeline-doctor", Outcome.FAIL, "The connection broke off", "A download was cut.", replace(base, **told), (finding,))


def failed_job(name: str = "build", found: Verdict | None = None, *, flaky: Flaky | None = None, **job: Any) -> FailedJob:
    """A failed job with a transient cause."""
    told = {"status": Status.FAILURE, **job}
    return FailedJob(Job(f"id-{name}", name, run=RUN, **told), found or verdict(), flaky or Flaky())


def situation(*jobs: FailedJob, **facts: Any) -> RerunFacts:
    """Facts that nothing speaks against."""
    told = {"trusted": True, "today": 0, **facts}
    return RerunFacts("org/app", told.pop("run", RUN), jobs or (failed_job(),), **told)
