"""Runs the user's own check of an environment: no shell, bounded in time and output, without our credentials; exit code 0 means passed."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cicd_agents.clients.processes import listened_to
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.promotion import CheckResult, Environment

SECONDS = 600.0
# Of what the command prints the last so many bytes are kept, and so many lines are shown.
MOST_OUTPUT = 16 << 10
_SHOWN_LINES, _LONGEST_LINE = 20, 500
_CHUNK = 64 << 10
# How long a process that left the command's group may keep the pipe open before it is left behind.
_LAST_WORDS_SECONDS = 1.0
# What CI servers and our settings call their credentials; the check is the user's, and brings its own under other names.
_OURS = frozenset({
    "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", "CI_JOB_TOKEN", "CI_JOB_JWT", "CI_JOB_JWT_V1", "CI_JOB_JWT_V2",
    "CI_REPOSITORY_URL", "CI_REGISTRY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_DEPLOY_PASSWORD", "JENKINS_API_TOKEN", "ARGOCD_AUTH_TOKEN",
})  # fmt: skip
_OUR_PREFIXES = ("INPUT_", "CICD_AGENTS_", "ACTIONS_", "GIT_CONFIG_")
_SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class CheckCommand:
    """A check (operations.promotion.Check). `{environment}` and `{revision}` in the command stand for those; they are also in its environment variables.

    `variables` is the environment that it may inherit from, `secrets` the values that it must not see, `folder` where it runs.
    """

    command: str
    variables: Mapping[str, str] = field(repr=False)
    folder: Path
    secrets: Sequence[str] = field(default=(), repr=False)
    seconds: float = SECONDS

    def __call__(self, environment: Environment, revision: str) -> CheckResult:
        """How the command ended. Raises UsageError where it cannot be started."""
        values = {"environment": environment.name, "revision": revision}
        own = {f"CICD_AGENTS_{name.upper()}": value for name, value in values.items()}
        code, output = self._run(self.arguments(values), {**self._inherited(), **own})
        shown = self._shown(output)
        last = f": {shown[-1]}" if shown else ""
        if code is None:
            return CheckResult(False, f"it did not end within {self.seconds:.0f} s{last}", "\n".join(shown))
        return CheckResult(code == 0, f"it ended with exit code {code}{last if code else ''}", "\n".join(shown))

    def arguments(self, values: Mapping[str, str]) -> list[str]:
        """The program and its arguments; values are filled in after the splitting, so they stay inside one argument. Raises UsageError."""
        try:
            parts = shlex.split(self.command)
        except ValueError as problem:
            raise UsageError(f"check-command: cannot be read: {problem}. Is a quote missing?") from None
        if not parts:
            raise UsageError("check-command: is empty.")
        for name, value in values.items():
            parts = [part.replace(f"{{{name}}}", value) for part in parts]
        return parts

    def _inherited(self) -> dict[str, str]:
        hidden = [secret for secret in self.secrets if len(secret) >= _SHORTEST_SECRET]
        return {
            name: value
            for name, value in self.variables.items()
            if name not in _OURS and not name.startswith(_OUR_PREFIXES) and not any(secret in value for secret in hidden)
        }

    def _run(self, arguments: list[str], variables: Mapping[str, str]) -> tuple[int | None, bytes]:
        """The exit code, None where the time was up, and the end of what was printed."""
        try:
            process = subprocess.Popen(  # noqa: S603 the user's own command, split without a shell
                arguments, cwd=self.folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it holds a character that no command may hold"
            raise UsageError(f"check-command: {arguments[0][:80]} cannot be started: {reason}.") from None
        kept = _Tail()
        return listened_to(process, kept.listen, self.seconds, _LAST_WORDS_SECONDS), kept.text

    def _shown(self, output: bytes) -> list[str]:
        """The last lines, redacted. Where the beginning was cut its first line goes too: half a secret is not recognised."""
        text = output.decode("utf-8", "replace")
        if len(output) >= MOST_OUTPUT:
            text = text.partition("\n")[2]
        redacted = Redactor(tuple(self.secrets)).redact(text).text
        lines = [line.rstrip()[:_LONGEST_LINE] for line in redacted.splitlines()]
        return [line for line in lines if line][-_SHOWN_LINES:]


class _Tail:
    """The end of a stream, read by another thread."""

    def __init__(self) -> None:
        self.text = b""

    def listen(self, stream: IO[bytes]) -> None:
        """Read to the end; a full pipe would stop the command."""
        with stream:
            while piece := os.read(stream.fileno(), _CHUNK):
                self.text = (self.text + piece)[-MOST_OUTPUT:]
