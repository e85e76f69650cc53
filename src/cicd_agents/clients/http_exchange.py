"""One try of a request: sent, redirects followed, the answer read within bounds, and everything that goes wrong said as a Trouble."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

import httpcore
import httpx

from cicd_agents import __version__
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http_addresses import AddressRules, host, origin, parsed, same_origin
from cicd_agents.clients.http_bodies import ACCEPTED, FileBody, TooLarge, Unsendable, WrongEncoding, beginning, unpacked
from cicd_agents.clients.http_retry import Failed
from cicd_agents.clients.http_service import Service
from cicd_agents.clients.http_tls import Tls, refusal
from cicd_agents.clients.http_transport import Timeouts, Transport
from cicd_agents.domain.errors import BadAnswer, Refused, ServiceError, Unavailable

MAX_REDIRECTS = 5
_MAX_ERROR_BODY = 64 << 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# These repeat the request as it is; the others turn a write into a read (RFC 9110).
_VERBATIM = frozenset({307, 308})
_HEADERS = {"user-agent": f"cicd-agents/{__version__}", "accept": "application/json, */*;q=0.5", "accept-encoding": ACCEPTED}
_NETWORK = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
# Nothing was sent yet when these are raised.
_NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.ProxyError)

# At its lower levels it prints addresses with queries, and headers.
logging.getLogger("httpcore").setLevel(logging.WARNING)

Result = TypeVar("Result")
Reader = Callable[[httpx.Response, Iterator[bytes]], Result]


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `path` is the one below the base URL, for messages; `own` are headers for the service's origin only, before those of the service."""

    method: str
    path: str
    url: httpx.URL = field(repr=False)
    own: Mapping[str, str] = field(repr=False)
    content: bytes | FileBody | None = field(default=None, repr=False)
    foreign: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether its body can be sent (once more)."""
        return not isinstance(self.content, FileBody) or self.content.rewindable


class Trouble(Exception):
    """A try that failed: the error to raise if it was the last, why in short, the answer if there was one, whether the request may have been sent.

    `final`: another try would end the same way.
    """

    def __init__(self, error: ServiceError, reason: str, *, failed: Failed | None = None, sent: bool = True, final: bool = False) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.failed = failed
        self.sent = sent
        self.final = final


class Exchange:
    """Sends requests to one service."""

    def __init__(self, service: Service, budget: Budget, allow_http: Sequence[str], timeouts: Timeouts, tls: Tls | None = None) -> None:
        self._service = service
        self._budget = budget
        self._rules = AddressRules(service.name, allow_http)
        self._host = ""
        # No httpx.Client: it would keep cookies, print addresses to its log and look at redirects by itself.
        self._transport = Transport(service.name, budget, parsed(service.base_url, service.name) if tls else None, tls)
        self._ca_advice = (tls.advice if tls else "") or "If it is your own CA, name its file in SSL_CERT_FILE."
        self._timeout = {"connect": timeouts.connect, "read": timeouts.read, "write": timeouts.write, "pool": timeouts.connect}

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def run(self, call: Call, read: Reader[Result], good: Sequence[int] = ()) -> Result:
        """What `read` makes of the successful answer (2xx or in `good`) and its unpacked body. Raises Trouble, and Refused for what we don't do."""
        if self._budget.left() <= 0:
            raise Trouble(self._out_of_time(call), "no time left", final=True)
        trouble: Trouble
        try:
            with self._opened(call) as (last, response):
                if not (response.is_success or response.status_code in good):
                    raise self._failure(last, response)
                return read(response, _body(response))
        except _NETWORK as problem:
            trouble = self._network_trouble(call, problem)
        except Unsendable as problem:
            raise Refused(f"{self._start(call)} was given up: the file to send {problem}.") from None
        except OSError as problem:
            # Of the network all are httpcore's; this is our own disk.
            text = f"{self._start(call)} was answered, but the answer cannot be kept: {problem.strerror}. Is the folder for temporary files full?"
            trouble = Trouble(Unavailable(text), "no room", final=True)
        except WrongEncoding:
            trouble = Trouble(Unavailable(f"{self._start(call)} was answered with a body that is cut or damaged. Try again later."), "damaged body")
        except TooLarge:
            raise Refused(f"{self._start(call)} was answered with more than may be read; the answer is dropped.") from None
        # Raised out here so that nothing of the cause, which may hold headers, hangs on it.
        raise trouble

    @contextmanager
    def _opened(self, call: Call) -> Iterator[tuple[Call, httpx.Response]]:
        """The answer after redirects, its body unread, and the call that led to it."""
        for _ in range(MAX_REDIRECTS + 1):
            self._rules.check(call.url)
            self._host = host(call.url)
            request = self._request(call)
            response = self._transport.handle_request(request)
            response.request = request
            try:
                if response.status_code not in _REDIRECTS:
                    yield call, response
                    return
                call = self._redirected(call, response)
            finally:
                response.close()
        raise BadAnswer(f"{self._start(call)} was redirected more than {MAX_REDIRECTS} times.")

    def _request(self, call: Call) -> httpx.Request:
        own = {} if call.foreign else {name.lower(): value for name, value in (*self._service.headers.items(), *call.own.items())}
        return httpx.Request(call.method, call.url, headers={**_HEADERS, **own}, content=call.content, extensions={"timeout": self._timeout})

    def _redirected(self, call: Call, response: httpx.Response) -> Call:
        """The call that a redirect asks for; on another origin it goes without our headers and never back to them."""
        target = self._target(call, response.headers.get("location", ""))
        foreign = call.foreign or not same_origin(call.url, target)
        if call.url.scheme == "https" and target.scheme != "https":
            raise Refused(f"{self._start(call)} was redirected from https to {origin(target)}, which is not followed.")
        if call.method not in ("GET", "HEAD") and (foreign or response.status_code not in _VERBATIM):
            raise Refused(f"{self._start(call)} was redirected to {origin(target)}; what we write is not sent on. Set the address to the final one.")
        return replace(call, url=target, foreign=foreign)

    def _target(self, call: Call, location: str) -> httpx.URL:
        target = parsed(location, self._service.name)
        if not location:
            raise BadAnswer(f"{self._start(call)} was redirected without an address.")
        try:
            return call.url.join(target)
        except httpx.InvalidURL:
            pass
        raise BadAnswer(f"{self._start(call)} was redirected to something that is no address.")

    def _failure(self, call: Call, response: httpx.Response) -> Trouble:
        status = response.status_code
        try:
            body = beginning(_body(response), _MAX_ERROR_BODY)
        except (*_NETWORK, WrongEncoding):
            body = b""  # the status says enough
        failed = Failed(status, header_texts(response), body)
        if call.foreign and status in (401, 403):
            # A signed address that ran out: the first server gives a new one. Our token has nothing to do with it.
            return Trouble(Unavailable(f"{self._start(call)} was refused by {origin(call.url)} ({status}), to which it was redirected."), f"status {status}")
        return Trouble(self._service.failure(call.method, call.path, failed), f"status {status}", failed=failed)

    def _network_trouble(self, call: Call, problem: Exception) -> Trouble:
        sent = not isinstance(problem, _NOT_SENT)
        if self._budget.left() <= 0:
            return Trouble(self._out_of_time(call), "no time left", final=True)
        for cause in problem.args:
            if isinstance(cause, ssl.SSLCertVerificationError):
                why = self._service.said(cause.verify_message).rstrip(".")
                text = f"{self._start(call)} failed: the certificate of {self._host} is not trusted ({why}). {self._ca_advice}"
                return Trouble(Unavailable(text), "certificate", sent=False, final=True)
        if refused := refusal(problem):
            return Trouble(Unavailable(f"{self._start(call)} failed at {self._host}: {refused}."), "certificate", sent=False, final=True)
        if isinstance(problem, httpcore.LocalProtocolError):
            return Trouble(Refused(f"{self._start(call)} cannot be sent as it is."), "not sendable", sent=False, final=True)
        reason = _reason(problem)
        # Texts of the other errors may quote what was sent.
        detail = f": {words}" if not sent and (words := self._service.said(str(problem))) else ""
        text = f"{self._start(call)} failed: {reason}{detail}. Is the network up, and {self._host} reachable from here?"
        return Trouble(Unavailable(text), reason, sent=sent)

    def _out_of_time(self, call: Call) -> Unavailable:
        spent = f"the {self._budget.seconds:.0f} s for all calls are used up"
        return Unavailable(f"{self._start(call)} was given up: {spent}. Raise `time-limit` if that is too short.")

    def _start(self, call: Call) -> str:
        return f"{self._service.name}: {self._service.asked(call.method, call.path)}"


def _body(response: httpx.Response) -> Iterator[bytes]:
    return unpacked(response.iter_raw(), response.headers.get("content-encoding", ""))


def header_texts(response: httpx.Response) -> dict[str, str]:
    """The headers with names in lower case."""
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(problem: Exception) -> str:
    """What happened on the network, in words of our own."""
    if isinstance(problem, httpcore.ConnectError | httpcore.ConnectTimeout):
        return "no connection"
    if isinstance(problem, httpcore.TimeoutException):
        return "no answer in time"
    if isinstance(problem, httpcore.ProxyError):
        return "the proxy refused"
    return "the connection broke off"
