"""The command line in a build of Jenkins, as docs/jenkins.md has it, against a stand-in for Jenkins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.servers.jenkins import TOKEN, USER, JenkinsServer, build, stage

LOG = (
    "Started by user Ada\n[Pipeline] { (Test)\n[Pipeline] sh\n+ npm ci\nnpm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write\n"
    "[Pipeline] }\nERROR: script returned exit code 228\n"
)


def run(jenkins: JenkinsServer, workspace: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in the environment of build app#8."""
    environment = {
        "PATH": os.environ["PATH"], "JENKINS_URL": jenkins.root, "JOB_NAME": "app", "BUILD_NUMBER": "8", "BUILD_URL": f"{jenkins.root}job/app/8/",
        "WORKSPACE": str(workspace), "GIT_URL": "https://git.example/org/app.git", "JENKINS_API_USER": USER, "JENKINS_API_TOKEN": TOKEN, **variables,
    }  # fmt: skip
    command = [sys.executable, "-m", "cicd_agents", "run", "--agent", "pipeline-doctor", *arguments]
    return subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=False)


def server() -> JenkinsServer:
    """A build that fails while we run in its `post` section, after one that went well."""
    jenkins = JenkinsServer()
    jenkins.jobs["app"] = [build(8, "FAILURE", sha="b" * 40, building=True), build(7, "SUCCESS", sha="a" * 40)]
    jenkins.logs = {"app#8": LOG.encode(), "app#7": b"Started by user Ada\nFinished: SUCCESS\n"}
    jenkins.stages["app#8"] = [stage("Build"), stage("Test", "FAILED", 9)]
    return jenkins


def test_the_build_around_us_is_diagnosed(tmp_path: Path) -> None:
    with server() as jenkins:
        done = run(jenkins, tmp_path)
        assert jenkins.problems == []
    assert done.returncode == 0, done.stderr
    assert "no space left on device" in done.stdout
    report = json.loads((tmp_path / "cicd-agents-report" / "report.json").read_text(encoding="utf-8"))
    assert (report["outcome"], report["details"]["category"]) == ("fail", "disk_full")
    assert TOKEN not in done.stdout + done.stderr


def test_the_gate_closes_when_it_is_asked_to(tmp_path: Path) -> None:
    with server() as jenkins:
        assert run(jenkins, tmp_path, "--fail-on", "fail").returncode == 1


def test_a_wrong_login_says_what_to_set_and_fails_nothing(tmp_path: Path) -> None:
    with server() as jenkins:
        done = run(jenkins, tmp_path, JENKINS_API_TOKEN="of-yesterday")
    assert done.returncode == 0
    assert "JENKINS_API_TOKEN" in done.stdout + done.stderr
    assert json.loads((tmp_path / "cicd-agents-report" / "report.json").read_text(encoding="utf-8"))["outcome"] == "inconclusive"
