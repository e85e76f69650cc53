"""What is remembered of earlier failures. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PastFailure:
    """One failed job as it was diagnosed. (repository, run_id, attempt, job, fingerprint) identify it: recording it twice changes nothing."""

    repository: str
    fingerprint: str
    signature: str
    category: str
    title: str
    workflow: str
    job: str
    branch: str
    sha: str
    run_id: str
    attempt: int
    time: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class Sightings:
    """How often a fingerprint was seen in a repository; `latest` are its newest failures, newest first, at most 5."""

    count: int
    first: float
    last: float
    branches: tuple[str, ...]
    latest: tuple[PastFailure, ...]


@dataclass(frozen=True, slots=True)
class PastRerun:
    """A re-run that we started. `helped` is None until the attempt has ended. (repository, run_id, attempt) identify it; `attempt` is the one that failed."""

    repository: str
    run_id: str
    attempt: int
    signature: str
    pull_request: int | None
    time: float
    helped: bool | None = None


@dataclass(frozen=True, slots=True)
class RerunRecord:
    """How the re-runs of a signature went: those that ended, and those among them that helped."""

    tried: int
    helped: int


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What the guardian decided of one version at one stage. (repository, service, environment, version, stage, run_id) identify it: the newest stays.

    `since` is when the version began to serve; `canary`, `baseline` and `common` are the selectors that it was judged by, so that it can be judged again.
    """

    repository: str
    service: str
    environment: str
    version: str
    stage: int
    run_id: str
    time: float
    since: float
    status: str
    decision: str
    reason: str
    risk: float
    canary: str = ""
    baseline: str = ""
    common: str = ""


@dataclass(frozen=True, slots=True)
class PastAdvice:
    """One question that was put to a model, and what came of it. (repository, key, run_id, time) identify it.

    `key` is the question's (advisor.memory.question_key); `text` the checked answer in the form that is kept, empty where there is none: what it cost still
    counts. `usd` is its price in US dollars, None: not known; `tokens` are all of it, in and out. What is reserved for a question has the same
    form, without text and tokens, until it is settled.
    """

    repository: str
    key: str
    run_id: str
    time: float
    agent: str
    model: str
    text: str
    usd: float | None
    tokens: int
