"""Slack's incoming webhooks (and what speaks like them): one message, by a URL whose path is the secret.

Source: Slack's "Sending messages using incoming webhooks": 200 `ok`, else an error word as plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http, Retry, Service, ignore
from cicd_agents.clients.http_addresses import AddressRules, origin, parsed
from cicd_agents.domain.errors import BadAnswer
from cicd_agents.domain.ports import Clock


class Slack:
    """Posts messages by one webhook. The URL is a secret: no error holds more of it than the host."""

    def __init__(
        self, webhook_url: str, clock: Clock, budget: Budget, *, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore
    ) -> None:  # fmt: skip
        self._url = url = parsed(webhook_url.strip(), "Slack")
        self._rules = AddressRules("Slack", allow_http)
        pieces = tuple(piece for piece in (url.raw_path.decode("ascii"), url.path, *url.path.split("/")) if piece)
        service = Service("Slack", origin(url), advice=_advice, naming=lambda _method, _path: "posting the message", secrets=pieces)
        self._http = Http(service, clock, budget, allow_http=allow_http, note=note)

    def post(self, payload: Mapping[str, Any]) -> None:
        """Post a message (`text`, `blocks`). Raises ServiceError; a second message is never risked."""
        self._rules.check(self._url)
        answer = self._http.send("POST", self._url.raw_path.decode("ascii"), dict(payload))
        if answer.body.lstrip()[:1] == b"<":
            raise BadAnswer("Slack: posting the message was answered with a web page. Is `slack-webhook` the URL of an incoming webhook?")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def _advice(_method: str, _path: str, status: int) -> str:
    if status == 403:
        return "The workspace does not let this webhook post; ask who administers it."
    return "The webhook or its channel is gone. Make a new incoming webhook and put its URL into `slack-webhook`."
