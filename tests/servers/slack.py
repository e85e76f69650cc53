"""A stand-in for Slack's incoming webhooks: one path takes JSON messages and answers as Slack does."""

from __future__ import annotations

from typing import Any

from tests.servers.http_server import Reply, Request, Server

PATH = "/services/T0000/B0000/s3cr3t-of-the-webhook"


def _text(status: int, word: str) -> Reply:
    return Reply(status, word.encode(), {"content-type": "text/plain; charset=utf-8"})


class SlackServer:
    """Keeps what was posted in `messages`."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.http = Server(self._answer)

    @property
    def webhook_url(self) -> str:
        """The URL that is kept secret."""
        return self.http.url + PATH

    def __enter__(self) -> SlackServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _answer(self, request: Request) -> Reply:
        if request.method != "POST" or request.path != PATH:
            return _text(404, "no_service")
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _text(400, "invalid_payload")
        message = request.json()
        if not message.get("text") and not message.get("blocks"):
            return _text(400, "no_text")
        self.messages.append(message)
        return _text(200, "ok")
