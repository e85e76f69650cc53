"""Runs the `git` binary: no shell, no prompts, no pager, no local hooks, nothing of the caller's GIT_* that could lead it elsewhere, always a time limit.

The binary rather than GitPython: `import git` costs 0.12 s of CPU (subprocess: 0.01 s), it runs this same binary, and values that a user chose have become
options of git, or the wrong `git` was run (CVE-2022-24439, CVE-2023-40267, CVE-2023-40590). Here every argument that a user can choose is checked or goes by
standard input.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread, Timer
from typing import IO, cast

from cicd_agents.clients.git_errors import remote_problem, usage_problem
from cicd_agents.domain.errors import Unavailable, UsageError

LOCAL_SECONDS = 300.0  # a log of a million commits takes about 20 s
REMOTE_SECONDS = 120.0
CHUNK = 1 << 16  # what a pipe of Linux holds
MAX_STDERR = 1 << 16

# How git finds credentials, proxies, certificates, its configuration and who we are. All other GIT_* are dropped: GIT_DIR, GIT_INDEX_FILE and their like
# lead git to another repository, GIT_EXTERNAL_DIFF and GIT_PAGER run programs, GIT_TRACE writes files, and CI servers use the prefix for their own.
_KEPT = frozenset({
    "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_NO_LAZY_FETCH",
})  # fmt: skip
_KEPT_PREFIXES = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSL_", "GIT_PROXY_", "GIT_HTTP_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_FIXED = {
    "LC_ALL": "C",  # error texts are read
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",  # looking must not write
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace would show another history than the one that is released
    "GIT_FLUSH": "0",  # else git log writes each commit to the pipe by itself: 100,000 commits cost 0.5 s more
}
_PROTOCOLS = "file:git:http:https:ssh"  # not ext:, which runs a command
# What a repository's configuration may not change in what we read, nor start.
_SETTINGS = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "log.showSignature=false",
    "-c", "log.follow=false", "-c", "log.showRoot=true", "-c", "diff.relative=false", "-c", "diff.orderFile=/dev/null", "-c", "color.ui=false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """A credential for one server: sent as the header `Authorization: value` to addresses that begin with `url` and to no other; never on a command line."""

    url: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; `said` is what it wrote to standard error."""

    code: int
    output: bytes
    said: str


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git in a folder; `seconds` limits each local command. Made by `git_in`."""

    folder: Path
    binary: str
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = LOCAL_SECONDS

    def output(self, *arguments: str, given: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """What a local command prints. Raises UsageError when it fails."""
        done = self.run(*arguments, given=given, extra=extra)
        if done.code:
            raise usage_problem(done.said, done.code, arguments[0], str(self.folder))
        return done.output

    def run(self, *arguments: str, given: bytes = b"", extra: Mapping[str, str] | None = None) -> Done:
        """A local command to its end, however it ends. Raises UsageError when it takes too long."""
        done = self._run(arguments, given, extra or {}, self.seconds)
        if done is None:
            raise UsageError(f"git {arguments[0]} in {self.folder} did not end within {self.seconds:.0f} s; is the disk or the repository broken?")
        return done

    def remote(self, *arguments: str, access: Access | None = None, seconds: float = REMOTE_SECONDS, fine: str = "") -> Done:
        """A command that speaks with another repository. Raises ServiceError when that cannot be reached or refuses us; a refused push is no error here.

        `fine` are words of git's with which an end that it calls an error is none for us.
        """
        done = self._run(arguments, b"", self._credential(access), seconds)
        if done is None:
            raise Unavailable(f"git {arguments[0]}: the remote did not answer within {seconds:.0f} s; check the network and try again.")
        if done.code and b"\n!\t" not in done.output and not (fine and fine in done.said):
            raise remote_problem(done.said, arguments[0])
        return done

    def stream(self, *arguments: str) -> Iterator[bytes]:
        """What a local command prints, in pieces as they come; the command is ended when the reader stops. Raises UsageError when it fails."""
        process = self._start(arguments, self.environment, subprocess.DEVNULL)
        output, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
        said: list[bytes] = []
        listener = Thread(target=_listen, args=(errors, said), daemon=True)
        limit = Timer(self.seconds, _end, (process,))
        limit.daemon = True
        listener.start()
        limit.start()
        try:
            while piece := output.read(CHUNK):
                yield piece
            code = process.wait()
            listener.join()
            if code:
                raise usage_problem(_text(b"".join(said)), code, arguments[0], str(self.folder))
        finally:
            limit.cancel()
            _end(process)
            output.close()
            listener.join()
            errors.close()

    def _run(self, arguments: Sequence[str], given: bytes, extra: Mapping[str, str], seconds: float) -> Done | None:
        with self._start(arguments, {**self.environment, **extra}, subprocess.PIPE) as process:
            try:
                output, said = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(process)
        return Done(process.returncode, output, _text(said))

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str], given: int) -> subprocess.Popen[bytes]:
        # In a session of its own there is no terminal on which ssh could ask for a password, and all that git starts can be ended together.
        command = [self.binary, "--no-pager", *_SETTINGS, *arguments]
        return subprocess.Popen(  # noqa: S603 a list of checked arguments, no shell
            command, cwd=self.folder, env=environment, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True
        )

    def _credential(self, access: Access | None) -> dict[str, str]:
        if access is None:
            return {}
        count = self.environment.get("GIT_CONFIG_COUNT", "0")
        first = int(count) if count.isdigit() else 0
        # The empty value forgets the header that actions/checkout left for this server: two of them are refused.
        values = {first: "", first + 1: f"Authorization: {access.value}"}
        extra = {"GIT_CONFIG_COUNT": str(first + len(values))}
        for index, value in values.items():
            extra |= {f"GIT_CONFIG_KEY_{index}": f"http.{access.url}.extraHeader", f"GIT_CONFIG_VALUE_{index}": value}
        return extra


def git_in(folder: Path, environment: Mapping[str, str], seconds: float = LOCAL_SECONDS) -> Git:
    """Git for a folder, with what it needs of the environment. Raises UsageError where the folder or git is missing."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; --repo takes the folder of a git repository.")
    return Git(folder, _binary(environment.get("PATH", os.defpath)), clean_environment(environment), seconds)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment that git gets: without prompts, other languages and what would lead it to another repository."""
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return {"GIT_ALLOW_PROTOCOL": _PROTOCOLS, **kept, **_FIXED}


def has_git(environment: Mapping[str, str]) -> bool:
    """Whether there is a git to run: the main image has none."""
    return bool(_found(environment.get("PATH", os.defpath)))


def _binary(path: str) -> str:
    if binary := _found(path):
        return binary
    raise UsageError("git is not installed or not on PATH; install it (Debian, Ubuntu: apt-get install git; Alpine: apk add git).")


def _found(path: str) -> str:
    # Only absolute folders: with `.` in PATH a file `git` in the repository itself would be run.
    for folder in path.split(os.pathsep):
        for name in ("git", "git.exe"):
            candidate = os.path.join(folder, name)  # noqa: PTH118 runs at each start; pathlib is slower
            if os.path.isabs(folder) and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):  # noqa: PTH112, PTH117 as above
                return candidate
    return ""


def _listen(stream: IO[bytes], said: list[bytes]) -> None:
    # A full pipe would stop git, so all is read; only the beginning is kept.
    kept = 0
    while piece := stream.read(CHUNK):
        if kept < MAX_STDERR:
            said.append(piece)
            kept += len(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started; nothing where it has ended."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):  # at its time limit another thread ends it, while it may end by itself
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _text(said: bytes) -> str:
    return said[:MAX_STDERR].decode("utf-8", "replace")
