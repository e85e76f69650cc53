"""Runs of the guardian as a job of GitHub Actions after a deployment, with a real Prometheus, and Argo CD and GitHub as they are described.

The metrics are those of `tests.agents.guardian_metrics_data`: a service is a namespace; four old pods, and two new ones for the last 20 minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.agents.guardian_metrics_data import KINDS, Text, add
from tests.servers.argocd import TOKEN, App, ArgoCDServer
from tests.servers.clock import FakeClock
from tests.servers.github import GitHub
from tests.servers.prometheus import Prometheus, shared
from tests.wiring.rig import Ran

from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.domain.redaction import Redactor
from cicd_agents.wiring.ci import run_in_ci
from cicd_agents.wiring.world import World

HEALTHY, BROKEN, EMPTY = "healthy", "broken", "empty"
GOOD, BAD = "a" * 40, "b" * 40
HOUR = 3600.0


def prometheus(config: pytest.Config) -> Prometheus:
    """A server with a healthy and a broken deployment."""
    text = Text()
    add(text, KINDS["http"], HEALTHY)
    add(text, KINDS["http"], BROKEN, broken=True)
    return shared(config, text.openmetrics())


def deployed(argocd: ArgoCDServer, *, auto_sync: bool | None = None, good: str = GOOD, bad: str = BAD) -> App:
    """An application whose good version ran for a day, and whose bad one was synced 20 minutes ago."""
    argocd.refs |= {"main": bad, "good": good}
    argocd.images |= {good: ["shop/api:1"], bad: ["shop/api:2"]}
    app = argocd.add("api", "main", auto_sync=auto_sync)
    app.history.clear()
    argocd.deployed(app, [good], argocd.now() - 24 * HOUR)
    argocd.deployed(app, [bad], argocd.now() - 1200)
    for _ in range(3):
        argocd.tick(app)
    return app


@dataclass(slots=True)
class Deployment:
    """A workspace after a deployment; `environment` are the settings of every run in it."""

    folder: Path
    metrics: str
    hub: GitHub | None = None
    environment: dict[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    sha: str = BAD
    state: str = "success"

    def run(self, service: str, /, **settings: str) -> Ran:
        """One run for the service; settings are named as in Python (`rollback`, `delivery`, …)."""
        (self.folder / "work").mkdir(exist_ok=True)
        for name in ("output", "summary"):
            (self.folder / name).unlink(missing_ok=True)
        out: list[str] = []
        said: list[str] = []
        given = {
            "prometheus_url": self.metrics, "metrics_selector": f'namespace="{service}"', "canary_selector": 'pod=~"api-new-.*"',
            "baseline_selector": 'pod=~"api-old-.*"', "deployed_at": "20m", "service": "api", "watch": "0", "allow_http": "127.0.0.1",
        }  # fmt: skip
        variables = self._variables() | {f"CICD_AGENTS_{name.upper()}": value for name, value in {**given, **self.environment, **settings}.items()}
        secrets = tuple(value for name, value in variables.items() if "TOKEN" in name and value)
        code = run_in_ci({}, None, World(variables, out.append, said.append, Redactor(secrets), lambda _: bundled(), self.clock))
        return Ran(code, "".join(out), said, self.folder)

    @property
    def audit(self) -> list[Mapping[str, object]]:
        """The lines of the audit log."""
        path = self.folder / "work/cicd-agents-report/audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _variables(self) -> dict[str, str]:
        event = {
            "deployment": {"sha": self.sha, "environment": "prod"}, "deployment_status": {"state": self.state},
            "repository": {"id": 1, "full_name": "octo/shop", "default_branch": "main"},
        }  # fmt: skip
        (self.folder / "event.json").write_text(json.dumps(event))
        forge = {"GITHUB_API_URL": self.hub.api_url, "GITHUB_SERVER_URL": self.hub.server.url, "GITHUB_TOKEN": "token-of-the-job"} if self.hub else {}
        return {
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "deployment_status", "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": self.hub.repository.full_name if self.hub else "octo/shop", "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "guard", "GITHUB_SHA": self.sha, "GITHUB_REF": "refs/heads/main", "GITHUB_WORKFLOW": "Deploy",
            "GITHUB_WORKSPACE": str(self.folder / "work"), "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"), "GITHUB_ACTOR": "mona", "CICD_AGENTS_AGENT": "deployment-guardian", **forge,
        }  # fmt: skip


def by_argocd(server: ArgoCDServer, **more: str) -> dict[str, str]:
    """Settings that act by Argo CD."""
    return {"delivery": "argocd:api", "argocd_url": server.url, "argocd_token": TOKEN, "argocd_project": "shop", **more}
