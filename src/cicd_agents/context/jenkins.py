"""The context of a Jenkins build, read from its environment variables.

Sources: the list of global variables that every Jenkins shows under `/env-vars.html`, and the plugins Git (GIT_…), Branch API (BRANCH_…, CHANGE_…, TAG_…)
and Build User Vars (BUILD_USER_ID). Jenkins tells a running build neither how it stands nor who started it, so the status stays unknown here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cicd_agents.domain.ci import RunRef
from cicd_agents.domain.context import Kind, Platform, PullRequest, RunContext

# scheme://user:password@host:port/path.git or user@host:path.git; only the path names the repository, and what stands before it may hold a secret.
_REMOTE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://(?:[^/]*@)?(?:\[[^\]/@]*\]|[^/:@\[]+)(?::[0-9]+)?/+|(?:[^/@:]+@)?[^/:@]+:(?!//))(?P<path>[^@:]+?)(?:\.git)?/*", re.IGNORECASE
)
_REMOTE_BRANCH = re.compile(r"^(?:(?:refs/)?(?:remotes/)?origin/|refs/heads/)")


def read(environment: Mapping[str, str]) -> RunContext:
    """The context of the build around us; of a Jenkins URL without a build, only where the server is.

    A build is one job, so there is no `own_job` among others that could be left out.
    """
    number, job = environment.get("BUILD_NUMBER", ""), environment.get("JOB_NAME", "")
    ref = RunRef(f"{job}#{number}") if job and number.isdecimal() else None
    change = _change(environment)
    server = environment.get("JENKINS_URL", "").rstrip("/")
    branch = _branch(environment)
    return RunContext(
        Platform.JENKINS, _event(environment), _kind(environment, ref), _repository(environment), job, server, server, ref, target=ref, workflow=job,
        sha=environment.get("GIT_COMMIT", ""), branch=branch, tag=environment.get("TAG_NAME", ""),
        default_branch=branch if environment.get("BRANCH_IS_PRIMARY") == "true" else "",
        pull_request=change, trusted=not _from_fork(environment), actor=environment.get("BUILD_USER_ID") or environment.get("CHANGE_AUTHOR", ""),
        run_url=environment.get("BUILD_URL", ""), workspace=environment.get("WORKSPACE", ""), config_ref=change.base_ref if change else None,
    )  # fmt: skip


def _event(environment: Mapping[str, str]) -> str:
    if environment.get("CHANGE_ID"):
        return "change"
    return "tag" if environment.get("TAG_NAME") else "build"


def _kind(environment: Mapping[str, str], ref: RunRef | None) -> Kind:
    if ref is None:
        return Kind.OTHER
    return Kind.TAG if environment.get("TAG_NAME") else Kind.JOB


def _change(environment: Mapping[str, str]) -> PullRequest | None:
    """The change request that a multibranch job builds; None where there is none, or where it has no number."""
    number = environment.get("CHANGE_ID", "")
    if not (number.isascii() and number.isdecimal()):
        return None
    return PullRequest(
        int(number[:18]), environment.get("GIT_COMMIT", ""), environment.get("CHANGE_BRANCH", ""), environment.get("CHANGE_TARGET", ""),
        from_fork=_from_fork(environment), url=environment.get("CHANGE_URL", ""),
    )  # fmt: skip


def _from_fork(environment: Mapping[str, str]) -> bool:
    """Branch API sets the variable for changes that come from another repository, and only for those."""
    return bool(environment.get("CHANGE_FORK"))


def _branch(environment: Mapping[str, str]) -> str:
    if environment.get("TAG_NAME"):
        return ""  # BRANCH_NAME is the tag then
    return environment.get("CHANGE_BRANCH") or environment.get("BRANCH_NAME") or _REMOTE_BRANCH.sub("", environment.get("GIT_BRANCH", ""))


def _repository(environment: Mapping[str, str]) -> str:
    """What memory is kept under: the path of the Git URL, else the job without its branch, so that all branches share it."""
    remote = _REMOTE.fullmatch(environment.get("GIT_URL", ""))
    if remote:
        return remote["path"]
    job = environment.get("JOB_NAME", "")
    return job.rpartition("/")[0] or job if environment.get("BRANCH_NAME") else job
