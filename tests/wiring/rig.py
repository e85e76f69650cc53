"""Runs `cicd-agents run` in process with chosen variables, against the stand-ins for the platforms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.clock import FakeClock
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.github_state import FakeRun

from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.clients.http import Timeouts
from cicd_agents.domain.redaction import Redactor
from cicd_agents.wiring.ci import run_in_ci
from cicd_agents.wiring.world import World

NPM_LOG = b"""2026-03-14T02:10:11.1234567Z ##[group]Run npm test
2026-03-14T02:10:11.1234567Z \x1b[36;1mnpm test\x1b[0m
2026-03-14T02:10:11.1234567Z shell: /usr/bin/bash -e {0}
2026-03-14T02:10:11.1234567Z ##[endgroup]
2026-03-14T02:10:13.1234567Z  FAIL  src/price.test.js
2026-03-14T02:10:13.1234567Z   \xe2\x97\x8f price > adds tax
2026-03-14T02:10:13.1234567Z
2026-03-14T02:10:13.1234567Z     TypeError: Cannot read properties of undefined (reading 'rate')
2026-03-14T02:10:13.1234567Z
2026-03-14T02:10:13.1234567Z       at tax (src/price.js:7:21)
2026-03-14T02:10:13.1234567Z
2026-03-14T02:10:13.1234567Z Tests:       1 failed, 4 passed, 5 total
2026-03-14T02:10:14.1234567Z ##[error]Process completed with exit code 1.
"""
DNS_LOG = b"""2026-03-14T02:10:11.1234567Z ##[group]Run npm ci
2026-03-14T02:10:11.1234567Z \x1b[36;1mnpm ci\x1b[0m
2026-03-14T02:10:11.1234567Z shell: /usr/bin/bash -e {0}
2026-03-14T02:10:11.1234567Z ##[endgroup]
2026-03-14T02:10:13.1234567Z npm error code EAI_AGAIN
2026-03-14T02:10:13.1234567Z npm error syscall getaddrinfo
2026-03-14T02:10:13.1234567Z npm error errno EAI_AGAIN
2026-03-14T02:10:13.1234567Z npm error request to https://registry.example/lodash failed, reason: getaddrinfo EAI_AGAIN registry.example
2026-03-14T02:10:14.1234567Z ##[error]Process completed with exit code 1.
"""


@dataclass(slots=True)
class Ran:
    """What a run left: the exit code, standard output, what was said beside it, and the files of the step."""

    code: int
    out: str
    said: list[str]
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report file."""
        data: dict[str, Any] = json.loads((self.folder / "work/cicd-agents-report/report.json").read_text())
        return data

    @property
    def outputs(self) -> dict[str, str]:
        """The step outputs, read as the runner reads them."""
        values: dict[str, str] = {}
        lines = iter((self.folder / "output").read_text().splitlines())
        for line in lines:
            name, _, border = line.partition("<<")
            block = []
            while (text := next(lines)) != border:
                block.append(text)
            values[name] = "\n".join(block)
        return values

    @property
    def summary(self) -> str:
        """The job summary."""
        path = self.folder / "summary"
        return path.read_text() if path.exists() else ""


@dataclass(slots=True)
class Rig:
    """A workspace, and the variables that every run in it gets. `timeouts` are those of the program; only a test that lets a server hang makes them short."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def run(self, *, environment: Mapping[str, str] | None = None, command_line: Mapping[str, str] | None = None) -> Ran:
        """One run; outputs and summary are of this run alone."""
        (self.folder / "work").mkdir(exist_ok=True)
        for name in ("output", "summary"):
            (self.folder / name).unlink(missing_ok=True)
        out: list[str] = []
        said: list[str] = []
        variables = {**self.environment, **(environment or {})}
        secret = tuple(value for name, value in variables.items() if "TOKEN" in name)
        code = run_in_ci(command_line or {}, None, World(variables, out.append, said.append, Redactor(secret), lambda _: bundled(), self.clock, self.timeouts))
        return Ran(code, "".join(out), said, self.folder)


def on_workflow_run(folder: Path, hub: GitHub, run: FakeRun, *, action: str = "completed") -> Rig:
    """A rig for the workflow that GitHub starts when another one has ended."""
    event = {
        "action": action,
        "workflow_run": {**run.json(len(run.attempts), hub.url), "pull_requests": []},
        "workflow": {"name": run.name, "path": run.path},
        "repository": {"id": hub.repository.id, "full_name": hub.repository.full_name, "default_branch": hub.default_branch},
    }
    (folder / "event.json").write_text(json.dumps(event))
    return Rig(folder, {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": hub.repository.full_name, "GITHUB_REPOSITORY_ID": str(hub.repository.id), "GITHUB_API_URL": hub.api_url,
        "GITHUB_SERVER_URL": hub.server.url,
        "GITHUB_RUN_ID": "99999", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "doctor", "GITHUB_SHA": "d" * 40, "GITHUB_REF": "refs/heads/main",
        "GITHUB_WORKFLOW": "Doctor", "GITHUB_WORKFLOW_REF": f"{hub.repository.full_name}/.github/workflows/doctor.yml@refs/heads/main",
        "GITHUB_WORKSPACE": str(folder / "work"), "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_TOKEN": WORKFLOW_TOKEN, "INPUT_TOKEN": WORKFLOW_TOKEN, "GITHUB_ACTOR": "mona",
    })  # fmt: skip
