"""Which part of a log belongs to the step that failed."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs import structure
from cicd_agents.analysis.logs.finders import EveryLine
from cicd_agents.analysis.logs.reader import Log
from cicd_agents.analysis.logs.scan import catalogue, scan
from cicd_agents.analysis.logs.steps import Shape, shape

GITHUB = """\
2026-06-08T14:47:03.6281400Z Current runner version: '2.326.0'
2026-06-08T14:47:04.6281400Z ##[group]Run actions/checkout@v4
2026-06-08T14:47:04.6281400Z ##[endgroup]
2026-06-08T14:47:05.6281400Z ##[group]Run make test
2026-06-08T14:47:05.6281400Z ##[endgroup]
2026-06-08T14:47:06.6281400Z boom
2026-06-08T14:47:06.6281400Z ##[error]Process completed with exit code 2.
2026-06-08T14:47:07.6281400Z ##[group]Run cat report
2026-06-08T14:47:07.6281400Z cat: report: No such file
2026-06-08T14:47:08.6281400Z Post job cleanup.
2026-06-08T14:47:08.6281400Z Cleaning up orphan processes
"""
GITLAB = """\
Running with gitlab-runner 18.2.1 (cc489270)
section_start:1778405072:get_sources\r\x1b[0K\x1b[36;1mGetting source\x1b[0;m
section_end:1778405073:get_sources\r\x1b[0Ksection_start:1778405073:step_script\r\x1b[0K
\x1b[32;1m$ make build\x1b[0;m
fine
\x1b[32;1m$ make test\x1b[0;m
boom
section_end:1778405074:step_script\r\x1b[0K
section_start:1778405074:after_script\r\x1b[0K
cat: report: No such file
section_end:1778405075:after_script\r\x1b[0K
\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m
"""
JENKINS = """\
Started by timer
[Pipeline] stage
[Pipeline] { (Build)
+ make build
fine
[Pipeline] }
[Pipeline] // stage
[Pipeline] stage
[Pipeline] { (Test)
+ make test
boom
[Pipeline] }
[Pipeline] // stage
[Pipeline] { (Deploy)
Stage "Deploy" skipped due to earlier failure(s)
[Pipeline] { (Declarative: Post Actions)
cleaning
[Pipeline] End of Pipeline
ERROR: script returned exit code 1
Finished: FAILURE
"""
TRAVIS = """\
travis_fold:start:git.checkout\r
travis_fold:end:git.checkout\r
$ make build
fine
The command "make build" exited with 0.
$ make test
boom
The command "make test" exited with 1.
$ cat report
cat: report: No such file
Done. Your build exited with 1.
"""


def shape_of(text: str) -> Shape:
    data = text.encode()
    found = scan(Log(data), catalogue([]), EveryLine())
    return shape(found.events, structure.platform_of(data, data), found.lines)


@pytest.mark.parametrize(
    ("text", "platform"),
    [(GITHUB, "github"), (GITLAB, "gitlab"), (JENKINS, "jenkins"), (TRAVIS, "raw"), ("hello\n", "raw")],
    ids=["github", "gitlab", "jenkins", "travis", "raw"],
)
def test_the_platform_is_known_by_its_marks(text: str, platform: str) -> None:
    assert structure.platform_of(text.encode(), b"") == platform


@pytest.mark.parametrize("text", [GITHUB, GITLAB, JENKINS, TRAVIS], ids=["github", "gitlab", "jenkins", "travis"])
def test_the_failing_place_is_where_it_went_wrong(text: str) -> None:
    job = shape_of(text)
    lines = text.splitlines() if "\r" not in text else text.split("\n")
    boom = next(number for number, line in enumerate(lines, 1) if line.endswith("boom"))
    others = [number for number, line in enumerate(lines, 1) if line.endswith(("fine", "No such file", "cleaning"))]
    assert job.failed is True
    assert others
    assert job.place(boom) == 1.0
    assert all(job.place(number) < 1.0 for number in others)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        (GITHUB.replace("##[error]Process completed with exit code 2.", "fine"), False),
        (GITLAB.replace("ERROR: Job failed: exit code 2", "Job succeeded"), False),
        (JENKINS.replace("Finished: FAILURE", "Finished: SUCCESS"), False),
        (JENKINS.replace("Finished: FAILURE", "Finished: ABORTED"), True),
        (JENKINS.replace("Finished: FAILURE", "Finished: UNSTABLE"), True),
        (TRAVIS.replace("exited with 1", "exited with 0"), False),
        ("nothing is said here\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_the_platform_says_of_the_job(text: str, failed: bool | None) -> None:
    assert shape_of(text).failed is failed


def test_steps_have_names() -> None:
    job = shape_of(GITHUB)
    step = job.step_at(6)
    assert step is not None
    assert (step.name, step.failed) == ("make test", True)


def test_an_annotation_without_exit_code_marks_its_step() -> None:
    job = shape_of(GITHUB.replace("##[error]Process completed with exit code 2.", "##[error]Artifact not found"))
    assert [step.name for step in job.steps if step.failed] == ["make test"]
