"""Slack gets one message; the webhook's URL stays secret whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply
from tests.servers.slack import SlackServer

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.slack import Slack
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, RateLimited, Refused, Rejected, ServiceError, Unavailable

SECRET = "s3cr3t-of-the-webhook"


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as slack:
        yield slack


def post(url: str, payload: dict[str, str] | None = None, *, seconds: float = 300) -> FakeClock:
    clock = FakeClock()
    slack = Slack(url, clock, Budget(clock, seconds))
    try:
        slack.post({"text": "The build of main failed."} if payload is None else payload)
    finally:
        slack.close()
    return clock


def test_a_message_arrives_as_json(server: SlackServer) -> None:
    post(server.webhook_url)
    assert server.messages == [{"text": "The build of main failed."}]


def test_a_line_break_after_the_url_does_no_harm(server: SlackServer) -> None:
    post(server.webhook_url + "\n")
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Reply(400, b"invalid_payload", {"content-type": "text/plain"}), Rejected, "invalid_payload"),
        (Reply(403, b"action_prohibited", {"content-type": "text/plain"}), NotAllowed, "who administers it"),
        (Reply(404, b"no_service", {"content-type": "text/plain"}), NotFound, "Make a new incoming webhook"),
        (Reply(410, b"channel_is_archived", {"content-type": "text/plain"}), NotFound, "channel_is_archived"),
        (Reply(429, headers={"retry-after": "3600"}), RateLimited, "3600 s"),
        (Reply(500, b"rollup_error", {"content-type": "text/plain"}), Unavailable, "rollup_error"),
        (Reply(200, b"<html>Log in</html>"), BadAnswer, "incoming webhook"),
        (Reply(302, headers={"location": f"https://login.example/{SECRET}?to={SECRET}"}), Refused, "login.example"),
        (Reply(500, f"/services/T0000/B0000/{SECRET} is broken".encode(), {"content-type": "text/plain"}), Unavailable, "is broken"),
        (Reply(reset=True), Unavailable, "broke off"),
    ],
)  # fmt: skip
def test_a_fault_is_said_without_the_url_and_no_second_message_is_risked(server: SlackServer, fault: Reply, error: type[ServiceError], words: str) -> None:
    server.http.faults[0] = fault
    with pytest.raises(error) as caught:
        post(server.webhook_url)
    assert words in str(caught.value)
    assert "Slack: posting the message" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "/services" not in str(caught.value)
    assert len(server.http.requests) == 1


def test_a_limit_within_the_budget_is_waited_for(server: SlackServer) -> None:
    server.http.faults[0] = Reply(429, headers={"retry-after": "30"})
    clock = post(server.webhook_url)
    assert 30.0 in clock.slept
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    "url", [f"http://hooks.example/{SECRET}", f"ftp://hooks.example/{SECRET}", f"https://169.254.169.254/{SECRET}", f"https://{SECRET}@hooks.example/x", SECRET]
)
def test_an_unfit_url_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(Refused) as caught:
        post(url)
    assert SECRET not in str(caught.value)
