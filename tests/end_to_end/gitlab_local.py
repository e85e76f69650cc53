"""gitlab-ci-local runs a pipeline of GitLab CI on this machine, without GitLab."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 600  # seconds; a pipeline of two jobs takes about ten, and many times that on a busy machine


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a pipeline did: the exit code and all that was printed."""

    code: int
    printed: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.printed}"


@dataclass(frozen=True, slots=True)
class GitLabLocal:
    """The tool with its own home. `helper` is an image with rsync, which it needs to hand files over."""

    command: Path
    helper: str
    home: Path

    def run(self, repository: Path, variables: Mapping[str, str]) -> Pipeline:
        """Run the pipeline of a repository; `variables` are those of the project."""
        arguments = ["--pull-policy", "if-not-present", "--helper-image", self.helper, "--network", "host", "--cleanup", "--no-umask", "--no-color"]
        for name, value in variables.items():
            arguments += ["--variable", f"{name}={value}"]
        own = {**os.environ, "HOME": str(self.home)}
        done = subprocess.run([str(self.command), *arguments], cwd=repository, env=own, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        return Pipeline(done.returncode, done.stdout + done.stderr)
