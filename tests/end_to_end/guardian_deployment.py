"""A deployment of the present: a real Prometheus that has watched it, and Argo CD that has made it, both on 127.0.0.1, where containers reach them too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.agents.guardian_metrics_data import KINDS, NOW, SINCE, Text, add
from tests.servers.argocd import TOKEN, App, ArgoCDServer
from tests.servers.prometheus import running
from tests.wiring.guardian_rig import BAD, BROKEN, HEALTHY, deployed


@dataclass(frozen=True, slots=True)
class Deployment:
    """Two services, one healthy and one broken, and the application by which the broken one is rolled back. `since` is when the new version began to serve."""

    metrics: str
    since: str
    argocd: ArgoCDServer
    app: App

    def inputs(self, service: str, **more: str) -> dict[str, str]:
        """The inputs of a run for the service; `more` are further ones, with _ for -. Secrets are not among them."""
        known = {
            "prometheus-url": self.metrics, "metrics-selector": f'namespace="{service}"', "canary-selector": 'pod=~"api-new-.*"',
            "baseline-selector": 'pod=~"api-old-.*"', "deployed-at": self.since, "service": "api", "deploy-environment": "prod", "watch": "0",
            "allow-http": "127.0.0.1", "delivery": "argocd:api", "argocd-url": self.argocd.url, "argocd-project": "shop",
        }  # fmt: skip
        return known | {name.replace("_", "-"): value for name, value in more.items()}


@contextmanager
def deployment(minutes: float = 18.0, bad: str = BAD) -> Iterator[Deployment]:
    """One of so many minutes ago, 20 at most; where it is younger, its metrics go on by themselves: for as long as a busy machine may need to begin.

    `bad` is its commit.
    """
    text = Text()
    add(text, KINDS["http"], HEALTHY)
    add(text, KINDS["http"], BROKEN, broken=True)
    since = time.time() - 60 * minutes
    server = ArgoCDServer()
    server.now = time.time
    with running(text.openmetrics(later=since - SINCE)) as prometheus, server:
        assert since - SINCE + NOW >= time.time() - 30, "metrics that are older than a scrape are no present ones"
        app = deployed(server, auto_sync=True, bad=bad)
        yield Deployment(prometheus.url, datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), server, app)
    assert server.problems == []


__all__ = ["BROKEN", "HEALTHY", "TOKEN", "Deployment", "deployment"]
