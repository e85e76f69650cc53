"""What git's own words mean: one sentence each, with what to do. Git runs with LC_ALL=C, so they are in English."""

from __future__ import annotations

import re

from cicd_agents.domain.errors import NotAllowed, NotFound, Rejected, ServiceError, Unavailable, UsageError

LONGEST = 300
# Git 2.35.3 and newer, and 2.35.2.
_NOT_OURS = re.compile(r"(?:dubious ownership in repository at |unsafe repository \()'(?P<place>[^'\n]+)'")
_TELLING = re.compile(r"(?:fatal|error|remote|ERROR): *\S")
_UNKNOWN_OPTION = 129  # exit code of git's own usage message
OLDEST_GIT = "2.31"  # log --diff-merges=first-parent

FULL_HISTORY = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in GitLab CI, no shallow clone in Jenkins, "
    "or `git fetch --unshallow --tags`"
)

# The first that occurs in what git said counts; spellings of git 2.31 to 2.50, curl and OpenSSH, in lower case.
_REMOTE: tuple[tuple[type[ServiceError], str, tuple[str, ...]], ...] = (
    (NotAllowed, "the credential is missing or may not do this: give a token or key with write access to contents", (
        "authentication failed", "could not read username", "could not read password", "permission denied", "returned error: 401", "returned error: 403",
        "access denied", "you are not allowed", "host key verification failed", "terminal prompts disabled", "denied to",
    )),
    (NotFound, "the remote is not there, or may not be seen with this credential", (
        "does not appear to be a git repository", "repository not found", "not found", "no such remote", "does not exist", "returned error: 404",
        "project you were looking for could not be found",
    )),
    (Unavailable, "the remote could not be reached; check the network, proxy and certificates, and try again", (
        "could not resolve", "couldn't resolve", "failed to connect", "couldn't connect", "connection refused", "timed out", "connection reset",
        "network is unreachable", "no route to host", "returned error: 5", "ssl", "certificate", "hung up unexpectedly", "early eof", "early end of file",
        "unable to access", "empty reply",
    )),
)  # fmt: skip


def usage_problem(said: str, code: int, command: str, folder: str) -> UsageError:
    """What a person has to mend when a local command failed."""
    lower = said.lower()
    if owned := _NOT_OURS.search(said):
        place = owned["place"]
        return UsageError(f"{place}: another user owns it, so git does not trust it; run `git config --global --add safe.directory {place}` first.")
    if "not a git repository" in lower or "must be run in a work tree" in lower:
        return UsageError(f"{folder}: no git repository; run it inside one, or give its folder with --repo.")
    if "tell me who you are" in lower or "empty ident name" in lower or "unable to auto-detect email" in lower:
        return UsageError(f"{folder}: git does not know who commits; set user.name and user.email, or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL.")
    if "failed to sign" in lower or "gpg failed" in lower:
        return UsageError(f"{folder}: git is set to sign (commit.gpgSign or tag.gpgSign) and could not: {_first(said)}")
    if code == _UNKNOWN_OPTION:
        return UsageError(f"git {command}: this git is too old; {OLDEST_GIT} or newer is needed ({_first(said)}).")
    return UsageError(f"git {command} failed in {folder}: {_first(said) or f'exit code {code}'}")


def remote_problem(said: str, command: str) -> ServiceError:
    """Why a remote did not do what we asked, named by what can be done about it."""
    lower = said.lower()
    for kind, advice, texts in _REMOTE:
        if any(text in lower for text in texts):
            return kind(f"git {command}: {advice} ({_first(said)}).")
    return Rejected(f"git {command}: the remote refused: {_first(said) or 'it gave no reason'}")


def remote_words(said: str) -> str:
    """What the remote itself said (lines that begin with `remote:`), without secrets and bounded: why a hook or a protected branch refused."""
    lines = [line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("remote:")]
    return _shown(" ".join(line for line in lines if line))


def _first(said: str) -> str:
    """The line that tells: the first of git's own errors, else what stands first. Without secrets, and bounded."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.match(line)] or lines or [""]
    return _shown(telling[0].partition(": ")[2] or telling[0]).rstrip(".")


def _shown(text: str) -> str:
    from cicd_agents.domain.redaction import redact  # 30 ms, which only a failure should cost

    return redact(text)[:LONGEST]
