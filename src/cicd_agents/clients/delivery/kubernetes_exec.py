"""Credentials from a plugin that a kubeconfig names: run without a shell, bounded in time and output.

Source: Kubernetes docs, reference/access-authn-authz/authentication, "client-go credential plugins" (ExecCredential of client.authentication.k8s.io).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from cicd_agents.clients.delivery.kubernetes_kubeconfig import Command
from cicd_agents.clients.http import Tls
from cicd_agents.clients.processes import listened_to
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, UsageError
from cicd_agents.domain.ports import Clock
from cicd_agents.domain.redaction import redact

SECONDS = 60.0
MOST_OUTPUT = 1 << 20
# A token is renewed so many seconds before it ends.
_MARGIN = 60.0
# For the rest of what it printed.
_GRACE = 1.0
_LONGEST_WORDS = 300
_CHUNK = 64 << 10


class ExecToken:
    """Gives the token of a plugin, and runs it again when the token is about to end. A certificate is asked for once: it holds for the run.

    `variables` is the environment that the plugin sees, as under kubectl.
    """

    def __init__(self, command: Command, variables: Mapping[str, str], clock: Clock, cluster: Mapping[str, Any], *, seconds: float = SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        spec = {"interactive": False, **({"cluster": dict(cluster)} if command.cluster_wanted else {})}
        info = {"apiVersion": command.api_version, "kind": "ExecCredential", "spec": spec}
        self._variables = {**variables, **dict(command.variables), "KUBERNETES_EXEC_INFO": json.dumps(info)}
        self._clock = clock
        self._status = self._asked()

    @property
    def has_token(self) -> bool:
        """Whether the plugin gives a token; else it gives a certificate only."""
        return bool(self._status.text("token", ""))

    def __call__(self) -> str:
        """The token. Raises UsageError where the plugin fails."""
        ends = self._status.time("expirationTimestamp")
        if ends is not None and ends - _MARGIN <= self._clock.now():
            self._status = self._asked()
        return self._status.text("token", "")

    def with_certificate(self, tls: Tls) -> Tls:
        """The settings with the plugin's certificate, where it gives one."""
        cert, key = self._status.text("clientCertificateData", ""), self._status.text("clientKeyData", "")
        return replace(tls, cert_file="", key_file="", cert_data=cert, key_data=key) if cert and key else tls

    def _asked(self) -> Shape:
        where = f"The plugin {self._command.shown}"
        try:
            answer = Shape.of(json.loads(self._run(where)), where)
            status = answer.inner("status")
            if answer.text("kind", "") != "ExecCredential" or not (status.text("token", "") or status.text("clientCertificateData", "")):
                raise UsageError(f"{where} gave no ExecCredential with a token or a certificate.")
            status.time("expirationTimestamp")
        except (ValueError, RecursionError):
            raise UsageError(f"{where} printed something that is no ExecCredential in JSON.") from None
        except BadAnswer as problem:
            raise UsageError(str(problem)) from None
        return status

    def _run(self, where: str) -> bytes:
        with TemporaryFile() as errors:
            process = self._started(where, errors)
            kept = _Head()
            code = listened_to(process, kept.listen, self._seconds, _GRACE)
            said = _words(errors)
        if code is None:
            raise UsageError(f"{where} did not end within {self._seconds:.0f} s{said}.")
        if code or kept.too_much:
            raise UsageError(f"{where} {f'failed with exit code {code}' if code else 'printed too much'}{said}.")
        return kept.text

    def _started(self, where: str, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 the kubeconfig's own command, allowed by setting, without a shell
                self._command.words, env=self._variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it holds a character that no command may hold"
            hint = f" {' '.join(self._command.hint.split())[:_LONGEST_WORDS]}" if self._command.hint else ""
            raise UsageError(f"{where} cannot be started: {reason}. Is {Path(self._command.shown).name} installed here?{hint}") from None


class _Head:
    """The beginning of a stream, read by another thread; what is too much is read and dropped, so that the command can end."""

    def __init__(self) -> None:
        self.text = b""
        self.too_much = False

    def listen(self, stream: IO[bytes]) -> None:
        """Read to the end."""
        with stream:
            while piece := os.read(stream.fileno(), _CHUNK):
                self.too_much = self.too_much or len(self.text) + len(piece) > MOST_OUTPUT
                self.text = b"" if self.too_much else self.text + piece


def _words(errors: IO[bytes]) -> str:
    """What the plugin said, redacted, as `: words`."""
    errors.seek(0)
    text = " ".join(redact(errors.read(_CHUNK).decode(errors="replace")).split())[:_LONGEST_WORDS].rstrip(".")
    return f": {text}" if text else ""
