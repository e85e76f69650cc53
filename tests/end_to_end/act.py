"""act runs a workflow of GitHub Actions on this machine: the same expressions, files and commands, without GitHub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.alone import alone

BINARY = Path(sys.executable).parent / "act"
TIMEOUT = 600  # seconds; a run takes two to five, and many times that on a busy machine


@dataclass(frozen=True, slots=True)
class Run:
    """What a workflow did: the exit code of act, and what it said line by line."""

    code: int
    events: tuple[dict[str, Any], ...]

    def outputs(self, job: str) -> dict[str, str]:
        """The outputs that the steps of a job set, by file or by command."""
        return {event["name"]: event["arg"] for event in self._of(job) if event.get("command") == "set-output"}

    def summary(self, job: str) -> str:
        """The job summary."""
        return "\n".join(event["content"] for event in self._of(job) if event.get("command") == "summary")

    def printed(self, job: str) -> str:
        """What the steps themselves printed."""
        return "".join(event["msg"] for event in self._of(job) if event.get("raw_output"))

    def commands(self, job: str) -> set[str]:
        """The workflow commands that were obeyed."""
        return {event["command"] for event in self._of(job) if "command" in event}

    def result(self, job: str) -> str:
        """success or failure; empty where the job did not run."""
        return next((event["jobResult"] for event in self._of(job) if "jobResult" in event), "")

    def step(self, job: str, name: str) -> str:
        """success or failure of a step."""
        return next((event["stepResult"] for event in self._of(job) if event.get("step") == name and "stepResult" in event), "")

    def _of(self, job: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("jobID") == job]

    def __str__(self) -> str:
        return f"exit code {self.code}\n" + "\n".join(str(event.get("msg", "")).rstrip() for event in self.events)


@dataclass(frozen=True, slots=True)
class Act:
    """The tool with its own home. `runner` is the image in which jobs run."""

    runner: str
    home: Path

    def run(
        self, repository: Path, workflow: str, event_name: str, event: Mapping[str, Any], environment: Mapping[str, str], *,
        in_container: bool = True, never_run: Sequence[str] = (), actions: Mapping[str, Path] | None = None,
    ) -> Run:  # fmt: skip
        """Run a workflow file of a repository for an event.

        `environment` overrides what act would set; its GITHUB_TOKEN is a secret. `never_run` names actions that act would fetch although no step runs them.
        `actions` are repositories of actions (`owner/name@ref`) and the folders in which they lie here.
        """
        payload = self.home / "event.json"
        payload.write_text(json.dumps(event), encoding="utf-8")
        arguments = [
            BINARY, event_name, "--json", "--workflows", f".github/workflows/{workflow}", "--eventpath", payload, "--pull=false", "--no-cache-server",
            "--action-offline-mode", "--rm", "--platform", f"ubuntu-latest={self.runner if in_container else '-self-hosted'}",
            "--secret", f"GITHUB_TOKEN={environment['GITHUB_TOKEN']}",
        ]  # fmt: skip
        for name, value in environment.items():
            arguments += ["--env", f"{name}={value}"] if name != "GITHUB_TOKEN" else []
        for action, folder in {**dict.fromkeys(never_run, self._empty_action()), **(actions or {})}.items():
            arguments += ["--local-repository", f"{action}={folder}"]
        own = {**os.environ, "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache")}
        with alone("act"):  # it names its containers by workflow and job, so that two runs would take each other's
            done = subprocess.run([str(part) for part in arguments], cwd=repository, env=own, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        return Run(done.returncode, tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")))

    def _empty_action(self) -> Path:
        folder = self.home / "empty-action"
        folder.mkdir(exist_ok=True)
        (folder / "action.yml").write_text("{name: empty, description: none, runs: {using: composite, steps: []}}", encoding="utf-8")
        return folder
