"""How a service's certificate is checked and what certificate we show it, where a service has settings of its own for that."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cicd_agents.domain.errors import UsageError

# Said by ourselves where OpenSSL asks for it.
_LOCKED = "the key has a passphrase"


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS settings of one service. Data are PEM texts and win over files; with authorities given, no others are trusted.

    `server_name` is the name that the certificate must have, and that is asked for, where it is not that of the address. `advice` is what to mend where the
    certificate is not trusted, one sentence; empty: what the environment offers.
    """

    ca_file: str = ""
    ca_data: str = field(default="", repr=False)
    cert_file: str = ""
    key_file: str = ""
    cert_data: str = field(default="", repr=False)
    key_data: str = field(default="", repr=False)
    server_name: str = ""
    advice: str = ""

    def context(self, usual: Callable[[], ssl.SSLContext], service: str) -> ssl.SSLContext:
        """A context by these settings; `usual` makes one with the usual authorities, for where none are named. Raises UsageError for what cannot be loaded."""
        context = self._trusting(service) if self.ca_file or self.ca_data else usual()
        if self.cert_file or self.cert_data:
            self._show(context, service)
        return context

    def _trusting(self, service: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(None if self.ca_data else self.ca_file, None, self.ca_data or None)
        except (OSError, ValueError, TypeError) as problem:
            raise UsageError(f"{service}: {_place('certificate authority', self.ca_file, self.ca_data)} cannot be used: {_reason(problem)}.") from None
        return context

    def _show(self, context: ssl.SSLContext, service: str) -> None:
        """Load our certificate. OpenSSL takes it from files only, so data go through one that only we can read and that is gone afterwards."""
        made: list[str] = []
        try:
            cert = _spilled(self.cert_data, made) if self.cert_data else self.cert_file
            key = _spilled(self.key_data, made) if self.key_data else self.key_file
            context.load_cert_chain(cert, key or None, password=_no_passphrase)
        except (OSError, ValueError) as problem:
            place = _place("client certificate", self.cert_file, self.cert_data)
            key_place = _place("key", self.key_file, self.key_data) if self.key_file or self.key_data else "key in it"
            raise UsageError(f"{service}: {place} and the {key_place.removeprefix('the ')} cannot be used: {_reason(problem)}.") from None
        finally:
            for path in made:
                with suppress(OSError):
                    Path(path).unlink()


def refusal(problem: BaseException) -> str:
    """What a server says of our certificate, where it ended the connection for that; empty: it was something else."""
    reason = next((cause.reason or "" for cause in problem.args if isinstance(cause, ssl.SSLError)), "")
    if "CERTIFICATE_REQUIRED" in reason:
        return "it asks for a client certificate, and none was shown"
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        words = reason.partition("ALERT_")[2].replace("_", " ").lower()
        return f"it does not accept our client certificate ({words})"
    return ""


def _spilled(text: str, made: list[str]) -> str:
    descriptor, path = tempfile.mkstemp(prefix="cicd-agents-")
    made.append(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text)
    return path


def _no_passphrase() -> str:
    """OpenSSL would ask at the terminal."""
    raise ValueError(_LOCKED)


def _place(what: str, file: str, data: str) -> str:
    return f"the {what} that is given as data" if data else f"the {what} {file}"


def _reason(problem: Exception) -> str:
    """Why it cannot be loaded, without anything of the file itself."""
    if isinstance(problem, ssl.SSLError):
        mismatch = problem.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")
        return "the key does not belong to the certificate" if mismatch else "it is not PEM, or holds no such thing"
    if isinstance(problem, OSError):
        return problem.strerror or "it cannot be read"
    return _LOCKED if str(problem) == _LOCKED else "it is not PEM text"
