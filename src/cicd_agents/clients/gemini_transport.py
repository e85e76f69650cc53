"""The way of google-genai to the network: our own transport below its client, so that time, size, addresses, proxies and CAs are those of all our calls.

The client's own limit of time is per read: a server that drips would hold it for minutes. It follows redirects with the key. Neither is left to it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.clients.gemini_failures import NAME, WebPage
from cicd_agents.clients.http_addresses import AddressRules
from cicd_agents.clients.http_bodies import TooLarge
from cicd_agents.clients.http_transport import Timeouts, Transport
from cicd_agents.domain.errors import Refused, UsageError

_OK = 200


class Guard(httpx.BaseTransport):
    """Sends by our transport. `begun` tells whether a part of a good answer has come, `asked` whether the question may have reached a model.

    Raises TooLarge, WebPage and what our transport raises.
    """

    def __init__(self, budget: Budget, allow_http: Sequence[str], most: int) -> None:
        self.begun = False
        self.asked = False
        self._inner = Transport(NAME, budget)
        self._rules = AddressRules(NAME, allow_http)
        self._connect = Timeouts().connect
        self._most = most

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and give the answer, whose body is counted as it is read."""
        self._rules.check(request.url)
        request.headers["accept-encoding"] = "identity"  # what is not packed cannot swell
        request.extensions["timeout"] = {"connect": self._connect, "pool": self._connect, "read": None, "write": None}  # the budget bounds the rest
        self.asked = True  # a time that ends while we wait leaves it so
        try:
            answer = self._inner.handle_request(request)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError, Refused, UsageError):
            self.asked = False
            raise
        kind = answer.headers.get("content-type", "").lower()
        packed = answer.headers.get("content-encoding", "identity").lower() != "identity"
        if packed or (answer.status_code == _OK and "html" in kind):
            answer.close()
            raise WebPage
        body = _Counted(cast(httpx.SyncByteStream, answer.stream), self, self._most, good=answer.status_code == _OK)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, guard: Guard, most: int, *, good: bool) -> None:
        self._inner = inner
        self._guard = guard
        self._left = most
        self._good = good

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._left -= len(piece)
            if self._left < 0:
                raise TooLarge
            self._guard.begun |= self._good
            yield piece

    def close(self) -> None:
        self._inner.close()


@contextmanager
def opened(access: GeminiAccess, guard: Guard, credentials: Any) -> Iterator[Any]:
    """google-genai's client above our transport; the first use of it imports google."""
    from google.genai import Client
    from google.genai.client import DebugConfig
    from google.genai.types import HttpOptions, HttpRetryOptions

    # Both clients are given, so that it makes none of its own with other rules; the second is never used.
    with httpx.Client(transport=guard, trust_env=False) as ours:
        options = HttpOptions(
            base_url=access.address, api_version=access.version, httpx_client=ours,
            httpx_async_client=httpx.AsyncClient(transport=_Closed(), trust_env=False), retry_options=HttpRetryOptions(attempts=1),
        )  # fmt: skip
        # All that it would else take from the environment is said: which service, and that it neither records nor replays.
        debug = DebugConfig(client_mode=None, replays_directory=None, replay_id=None)
        if access.vertex:
            place = {"project": access.project, "location": access.location, "credentials": credentials}
            yield Client(vertexai=True, debug_config=debug, http_options=options, **place)
        else:
            yield Client(vertexai=False, api_key=access.key.strip(), debug_config=debug, http_options=options)


def cloud_credentials() -> Any:
    """The environment's credentials of Google Cloud. Raises GoogleAuthError."""
    import google.auth

    return google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])[0]


def silence() -> None:
    """Keep google's warnings and notes off the output of the job: they quote what a server sent, and what matters is said by us."""
    warnings.filterwarnings("ignore", module=r"google\.")
    for name in ("google", "google_genai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Closed(httpx.AsyncBaseTransport):
    """Leads nowhere."""
