"""What several tests of the guardian begin with: Argo CD with a new version of an application, a workspace beside a real Prometheus, GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.argocd import App, ArgoCDServer
from tests.servers.clock import START
from tests.servers.github import GitHub
from tests.servers.github_state import Account
from tests.wiring.guardian_rig import Deployment, by_argocd, deployed, prometheus


@pytest.fixture
def argocd() -> Iterator[ArgoCDServer]:
    """Argo CD; at the end no request was one that it does not describe."""
    server = ArgoCDServer()
    with server:
        yield server
    assert server.problems == []


@pytest.fixture
def app(argocd: ArgoCDServer) -> App:
    """An application with a new version."""
    return deployed(argocd)


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path, argocd: ArgoCDServer) -> Deployment:
    """A workspace whose runs act by Argo CD."""
    found = Deployment(tmp_path, prometheus(request.config).url, environment=by_argocd(argocd))
    argocd.now = found.clock.now
    return found


@pytest.fixture
def hub() -> Iterator[GitHub]:
    """GitHub, where a person starts the runs."""
    with GitHub("octo/shop") as server:
        server.now = START
        server.people["mona"] = Account(4711, "mona")
        yield server
