"""The doctor at work beside Jenkins, and on a person's machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.jenkins import TOKEN, USER, JenkinsServer, build, commit
from tests.wiring.rig import NPM_LOG, Rig

from cicd_agents.domain.errors import UsageError

GOOD, BAD = "a" * 40, "b" * 40
CONSOLE = b"""Started by user Ada
[Pipeline] Start of Pipeline
[Pipeline] node
Running on agent-7 in /var/lib/jenkins/workspace/app
[Pipeline] {
[Pipeline] stage
[Pipeline] { (Build)
[Pipeline] sh
+ make
cc -c -o util.o src/util.c
src/util.c:40:10: fatal error: zlib.h: No such file or directory
   40 | #include <zlib.h>
compilation terminated.
make: *** [Makefile:12: util.o] Error 1
[Pipeline] }
ERROR: script returned exit code 2
Finished: FAILURE
"""


@pytest.fixture
def server() -> Iterator[JenkinsServer]:
    with JenkinsServer() as running:
        running.jobs["app"] = [
            build(12, "FAILURE", sha=BAD, changes=[commit(BAD, "Compress", files={"src/util.c": "edit"})]),
            build(11, "SUCCESS", sha=GOOD),
        ]
        running.logs["app#12"] = CONSOLE
        running.logs["app#11"] = CONSOLE[:260]
        yield running
        assert running.problems == []


def rig(server: JenkinsServer, folder: Path) -> Rig:
    return Rig(folder, {
        "JENKINS_URL": server.root, "JOB_NAME": "app", "BUILD_NUMBER": "12", "BUILD_URL": f"{server.root}job/app/12/", "GIT_COMMIT": BAD,
        "GIT_BRANCH": "origin/main", "WORKSPACE": str(folder / "work"), "JENKINS_API_USER": USER, "JENKINS_API_TOKEN": TOKEN,
    })  # fmt: skip


def test_a_failed_build_is_explained_with_its_changes(server: JenkinsServer, tmp_path: Path) -> None:
    ran = rig(server, tmp_path).run(environment={"CICD_AGENTS_FAIL_ON": "fail"})
    details = ran.report["details"]
    assert (ran.code, ran.report["outcome"], details["category"]) == (1, "fail", "missing_tool_or_file")
    assert details["root_cause"]["location"] == {"path": "src/util.c", "line": 40, "column": 10}
    [suspect] = details["changes"]["suspects"]
    assert suspect["sha"] == BAD


def test_without_a_login_the_variables_are_named(server: JenkinsServer, tmp_path: Path) -> None:
    ran = rig(server, tmp_path).run(environment={"JENKINS_API_TOKEN": "", "CICD_AGENTS_FAIL_ON": "inconclusive"})
    assert ran.code == 3
    assert "JENKINS_API_USER and JENKINS_API_TOKEN" in ran.report["summary"]


def test_log_files_are_enough_anywhere(tmp_path: Path) -> None:
    (tmp_path / "failed.log").write_bytes(NPM_LOG)
    ran = Rig(tmp_path).run(
        command_line={"agent": "pipeline-doctor", "log": str(tmp_path / "failed.log"), "report-dir": str(tmp_path / "work/cicd-agents-report")}
    )
    assert (ran.code, ran.report["details"]["signature"]) == (0, "jest.exception")


def test_where_there_is_nothing_to_look_at_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--log"):
        Rig(tmp_path).run(command_line={"agent": "pipeline-doctor"})


def test_without_a_ci_and_without_a_wish_nothing_is_done(tmp_path: Path) -> None:
    ran = Rig(tmp_path).run()
    assert (ran.code, ran.out.split()[0]) == (0, "SKIPPED")
    assert "no CI that we know" in ran.out


def test_an_agent_that_is_not_there_yet_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The agent drift-detector is not part of this release"):
        Rig(tmp_path).run(command_line={"agent": "drift-detector"})
