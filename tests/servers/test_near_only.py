"""The suite can call this machine and nobody else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.servers.gemini import GeminiServer, says


def tried(call: str) -> subprocess.CompletedProcess[str]:
    """A call in a process of its own: what forbids others cannot be undone."""
    code = f"import socket; from tests.servers.near_only import forbid_other_hosts; forbid_other_hosts(); {call}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "call",
    [
        "socket.getaddrinfo('generativelanguage.googleapis.com', 443)",
        "socket.getaddrinfo(b'github.com', 443)",
        "socket.create_connection(('142.250.0.1', 443), timeout=1)",
        "socket.socket().connect(('169.254.169.254', 80))",
        "socket.socket(socket.AF_INET6).connect(('2607:f8b0::1', 443))",
        "__import__('urllib.request').request.urlopen('https://oauth2.googleapis.com/token', timeout=1)",
    ],
)
def test_another_host_cannot_be_called(call: str) -> None:
    assert "CalledElsewhere: A test may not call" in tried(call).stderr


def test_gemini_without_an_address_cannot_be_asked() -> None:
    call = (
        "from cicd_agents.clients.gemini import Gemini; from cicd_agents.clients.gemini_access import GeminiAccess;"
        "from cicd_agents.clients.clock import SystemClock; from cicd_agents.domain.advice import ModelRequest, Turn;"
        "Gemini(GeminiAccess('a-key'), SystemClock()).reply(ModelRequest('gemini-2.5-flash', 's', (Turn('user', 'x'),), (), {}, 0.1, 99, 20.0))"
    )
    assert "(CalledElsewhere)" in tried(call).stderr


def test_this_machine_can_be_called() -> None:
    with GeminiServer(says("x")) as server:
        port = server.url.rpartition(":")[2]
        assert tried(f"socket.create_connection(('localhost', {port})); print('well')").stdout == "well\n"


def test_names_that_nobody_owns_may_be_looked_up() -> None:
    assert "gaierror" in tried("socket.getaddrinfo('nobody.invalid', 443)").stderr
