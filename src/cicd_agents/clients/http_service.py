"""A service to call, and how its errors are said: by what the user can do, without tokens, queries or control characters."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cicd_agents.clients.http_retry import Failed, is_rate_limit
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Rejected, ServiceError, Unavailable
from cicd_agents.domain.invisible import INVISIBLE, LINE_BREAK

_MESSAGE_LENGTH = 200
_LONGEST_PLAIN = 4096
_MESSAGE_KEYS = ("message", "error_description", "error")
# Shorter texts are words, not credentials; hiding them would garble the sentence.
_SHORTEST_SECRET = 5
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*")


def plain_advice(_method: str, _path: str, status: int) -> str:
    """What to do about a refusal, where the service's client knows nothing better."""
    if status == 401:
        return "Check that the token is set, complete and not expired."
    if status == 403:
        return "Give the token the permission for it."
    return "Check the name and the address; what a token may not see is often answered this way too."


def plain_naming(method: str, path: str) -> str:
    """What was asked, where the service's client has no words for it."""
    return f"{method} {path}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service to call: its name for messages, base URL, auth headers (sent to that origin only), and what to say when it refuses.

    `advice(method, path, status)` is a sentence on what to do about 401, 403 and 404, such as "Add `actions: read` to the job's permissions.";
    `naming(method, path)` says what was asked, such as "reading the jobs of run 12"; `secrets` are further texts that no message may hold.
    Paths are given without their query.
    """

    name: str
    base_url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    advice: Callable[[str, str, int], str] = plain_advice
    naming: Callable[[str, str], str] = plain_naming
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def check_headers(self) -> None:
        """Raises NotAllowed when a header cannot be sent as it is; a token with a line break would be printed by the layers below."""
        for name, value in self.headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                raise NotAllowed(f"{self.name}: the value of {name} holds characters that cannot be sent. Check the token: was a line break copied with it?")

    def said(self, text: str) -> str:
        """A text from outside for a message: in one visible line, without our secrets, short. In this order, so that no trick keeps a secret whole."""
        text = " ".join(INVISIBLE.sub("", LINE_BREAK.sub(" ", text)).split())
        for secret in sorted(self._all_secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text if len(text) <= _MESSAGE_LENGTH else f"{text[:_MESSAGE_LENGTH]}…"

    def asked(self, method: str, path: str) -> str:
        """What was asked, in words."""
        return self.said(self.naming(method, path.partition("?")[0]))

    def failure(self, method: str, path: str, failed: Failed) -> ServiceError:
        """The error for an answer that is no success and is not asked for again."""
        start = f"{self.name}: {self.asked(method, path)}"
        words = self._words(failed)
        status = failed.status
        if is_rate_limit(failed):
            return RateLimited(f"{start} was refused for a rate limit ({status}){words}. Run again later, or less often.")
        if status in (401, 403):
            return NotAllowed(f"{start} was refused ({status}){words}. {self._advice(method, path, status)}")
        if status in (404, 410):
            return NotFound(f"{start} found nothing ({status}){words}. {self._advice(method, path, status)}")
        if status >= 500 or status in (408, 425):
            return Unavailable(f"{start} failed ({status}){words}. The service has trouble; try again later.")
        if status >= 400:
            return Rejected(f"{start} was rejected ({status}){words}.")
        return BadAnswer(f"{start} was answered with status {status}, which makes no sense here. Is this the address of the API?")

    def rate_limited(self, method: str, path: str, wait: float, left: float) -> RateLimited:
        """The error for a limit beyond the time that is left."""
        return RateLimited(
            f"{self.name}: {self.asked(method, path)} has to wait {wait:.0f} s for the rate limit, and {left:.0f} s are left. "
            f"Run again after that time, or raise `time-limit`."
        )

    def _advice(self, method: str, path: str, status: int) -> str:
        return self.advice(method, path.partition("?")[0], status)

    def _words(self, failed: Failed) -> str:
        """What the service itself says, as `: words`."""
        text = self.said(_message(failed)).rstrip(".")
        return f": {text}" if text else ""

    def _all_secrets(self) -> set[str]:
        plain = {form for value in (*self.headers.values(), *self.secrets) for form in _forms(value)}
        return {form for secret in plain for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]) if len(form) >= _SHORTEST_SECRET}


def _forms(value: str) -> Iterator[str]:
    """A header's value as a whole, its credential alone, and what a Basic credential is made of (RFC 7617)."""
    yield value
    scheme, _, credential = value.partition(" ")
    if not credential:
        return
    yield credential.strip()
    if scheme.lower() == "basic":
        try:
            login = base64.b64decode(credential, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield login
        yield login.partition(":")[2]


def _message(failed: Failed) -> str:
    """The service's own words: `message` or `error` of a JSON answer, else a short plain text; nothing of a page or of a long text, which may be cut."""
    try:
        data: Any = json.loads(failed.body)
    except (ValueError, RecursionError):
        plain = failed.headers.get("content-type", "").startswith("text/plain") and len(failed.body) <= _LONGEST_PLAIN
        return failed.body.decode(errors="replace") if plain else ""
    if not isinstance(data, dict):
        return ""
    for key in _MESSAGE_KEYS:
        value = data.get(key)
        if value:
            return (value if isinstance(value, str) else json.dumps(value)) + _details(data.get("errors"))
    return ""


def _details(errors: Any) -> str:
    """GitHub's list of what was wrong in a 422."""
    if not isinstance(errors, list):
        return ""
    texts = [error if isinstance(error, str) else str(error.get("message") or error.get("code") or "") for error in errors[:3] if isinstance(error, str | dict)]
    return "".join(f"; {text}" for text in texts if text)
