"""How queries are sent: short ones by GET, long ones as a form by POST, and what is made of refusals.

Source: Prometheus, "HTTP API" (docs/querying/api.md): errors are {"status":"error","errorType","error"} with 400 (bad_data), 422 (execution) and 503 (timeout);
what stands before it (basic authentication, proxies) answers in plain text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import TIMEOUTS, Answer, Http, Retry, Service, Timeouts, Tls, ignore
from cicd_agents.clients.http_exchange import Call, Trouble
from cicd_agents.clients.http_retry import Failed, Jitter, no_jitter
from cicd_agents.domain.errors import BadAnswer, NotAllowed, Refused, Rejected, ServiceError, Unavailable, UsageError
from cicd_agents.domain.ports import Clock

# A window of raw counters of sixteen pods with their buckets is about 2 MiB.
MAX_ANSWER = 64 << 20
# What stands before a server often takes 4 KiB of address and no more.
_LONGEST_ADDRESS = 2000
_LONGEST_QUERY = 500
_MAX_ERROR_BODY = 64 << 10
# Answers that are read here, since their words say what is wrong.
_TOLD = (400, 422, 503)
# A second try would take as long.
_OUT_OF_TIME = ("timeout", "canceled")
# Go's words where the time was over while series were still looked up: the kind of that error is `execution`.
_OVER = ("context deadline exceeded", "context canceled")
# Go's server, and nginx, to plain http on a port with TLS.
_WANTS_TLS = (b"HTTP request to an HTTPS server", b"plain HTTP request was sent to HTTPS port")
# OpenSSL, to a port without TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
_SOURCE_REFUSED = b"Authentication to data source failed"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Wording:
    """How errors are said: the service's name, the setting of its address, what to do where it wants a client certificate, what stands behind it,
    and the settings that name files of certificates."""

    name: str
    url: str
    client: str
    behind: str = ""
    files: str = ""


class QueryHttp(Http):
    """Asks a server of PromQL; several threads may do so at once.

    The pool of connections is made for that (httpcore); what of Http is not, its memory of ETags and the pauses between writes, is not used here.
    """

    def __init__(
        self, service: Service, clock: Clock, budget: Budget, wording: Wording, *,
        allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, timeouts: Timeouts = TIMEOUTS, jitter: Jitter = no_jitter,
        tls: Tls | None = None,
    ) -> None:  # fmt: skip
        super().__init__(service, clock, budget, allow_http=allow_http, note=note, timeouts=timeouts, jitter=jitter, tls=tls)
        self._wording = wording
        # Below the time that we wait for an answer, so that the server says it itself, and ends its work.
        self._patience = max(1.0, timeouts.read * 0.8)
        self._first = threading.Lock()
        self._begun = False

    def ask(self, path: str, form: Mapping[str, str]) -> Any:
        """The JSON of an answer; `form` holds the query and its times. Raises ServiceError; Rejected and Unavailable tell the query."""
        form = {**form, "timeout": f"{self._patience:g}s"}
        with self.mended():
            if len(urlencode(form)) <= _LONGEST_ADDRESS:
                call = self._call("GET", path, form)
            else:
                call = self._call("POST", path, None, {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode())
            return self._tried(call, True, lambda: self._told(call, form.get("query", ""))).json()

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Errors within say which setting to mend."""
        try:
            yield
        except BadAnswer as problem:
            raise BadAnswer(f"{problem} Check `{self._wording.url}`.") from None
        except Refused as problem:
            raise Refused(f"{problem} Check `{self._wording.url}`.") from None
        except UsageError as problem:  # a file of certificates that cannot be used
            raise UsageError(f"{problem} Check {self._wording.files or self._wording.url}.") from None
        except Unavailable as problem:
            raise Unavailable(f"{problem}{self._mending(str(problem))}") from None

    def _tried(self, call: Call, safe: bool, once: Callable[[], Result]) -> Result:
        """The first request is made alone: it builds the pool of connections, which then serves all threads."""
        if not self._begun:
            with self._first:
                if not self._begun:
                    try:
                        return super()._tried(call, safe, once)
                    finally:
                        self._begun = True
        return super()._tried(call, safe, once)

    def _told(self, call: Call, query: str) -> Answer:
        """One try. Raises Trouble for a refusal; it is final where the server ran out of time."""
        answer = self._answer(call, MAX_ANSWER, _TOLD)
        if answer.status < 400:
            return answer
        failed = Failed(answer.status, answer.headers, answer.body[:_MAX_ERROR_BODY])
        late = _is_late(failed.body)
        raise Trouble(self._refusal(call, failed, query, late), f"status {failed.status}", failed=None if late else failed, final=late)

    def _refusal(self, call: Call, failed: Failed, query: str, late: bool) -> ServiceError:
        start = f"{self._wording.name}: {self._service.asked(call.method, call.path)}"
        if any(words in failed.body for words in _WANTS_TLS):
            return Rejected(f"{start} was rejected: the server speaks TLS. Begin `{self._wording.url}` with https://.")
        if self._wording.behind and _SOURCE_REFUSED in failed.body:
            return NotAllowed(f"{start} was refused: {self._wording.behind} holds a credential that its server does not accept. Mend it there.")
        error = self._service.failure(call.method, call.path, failed)
        asked = f" The query: {self._service.said(query[:_LONGEST_QUERY])}"
        if late:
            return Unavailable(f"{start} took the server too long{self._words_of(failed)}. Ask for a shorter window or fewer series.{asked}")
        return Rejected(f"{error}{asked}") if isinstance(error, Rejected) else error

    def _mending(self, text: str) -> str:
        """The setting to mend, where a connection failed for it."""
        if "client certificate" in text:
            return f" {self._wording.client}"
        if any(words in text for words in _NO_TLS):
            return f" Does it speak TLS at all? If not, begin `{self._wording.url}` with http://."
        if "was redirected" in text:
            return f" Set `{self._wording.url}` to the address that it leads to: credentials are not sent on."
        return f" Check `{self._wording.url}`." if "no connection" in text else ""

    def _words_of(self, failed: Failed) -> str:
        words = self._service.said(str(_field(failed.body, "error")))
        return f" ({words})" if words else ""


def _is_late(body: bytes) -> bool:
    """Whether the server says that its time for the query was over."""
    kind = str(_field(body, "errorType"))
    return kind in _OUT_OF_TIME or (kind == "execution" and str(_field(body, "error")).endswith(_OVER))


def _field(body: bytes, key: str) -> Any:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return data.get(key) or "" if isinstance(data, dict) else ""
