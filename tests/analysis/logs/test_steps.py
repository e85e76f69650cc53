"""Which part of a log belongs to the step that failed."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs import structure
from cicd_agents.analysis.logs.diagnosis import diagnose
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


def test_what_follows_a_closed_section_is_no_part_of_it() -> None:
    """Travis: caches are restored in sections of their own, and the script runs outside of any."""
    job = shape_of("""\
travis_fold:start:cache.1
restore
travis_fold:end:cache.1
$ make check
it must be blue
The command "make check" exited with 1.
""")
    step = job.step_at(5)
    assert step is not None
    assert (step.name, step.failed, step.cleanup, step.command_text) == ("", True, False, "make check")


def test_the_last_word_of_the_platform_belongs_to_the_step_that_failed() -> None:
    job = shape_of("""\
section_start:1:step_script\r
$ ./soak.sh
waiting
section_end:2:step_script\r
section_start:2:cleanup_file_variables\r
ERROR: Job failed: exit code 124
""")
    step = job.working_step(6)
    assert step is not None
    assert step.name == "step_script"


def test_a_log_that_the_runner_cut_is_told_as_cut() -> None:
    notice = "\x1b[33;1m\nJob's log exceeded limit of 4194304 bytes.\nJob execution will continue but no more output will be collected.\n\x1b[0;m"
    log = GITLAB.replace("\x1b[32;1m$ make build\x1b[0;m\n", "\x1b[32;1m$ make build\x1b[0;m\nit must be blue" + notice + "\n")
    diagnosis = diagnose(log.encode())
    assert diagnosis.notes == ("The runner cut the log at line 6, its size limit: the cause may stand in what is missing.",)
    assert all("exceeded limit" not in failure.text for failure in diagnosis.failures)


ACT = """\
[CI/build] 🚀  Start image=node:20
[CI/build] ⭐ Run Main npm ci
[CI/build]   | added 3 packages
[CI/build]   ✅  Success - Main npm ci [1.2s]
[CI/build] ⭐ Run Main ./gate.sh
[CI/build]   | it must be blue
[CI/build]   ❌  Failure - Main ./gate.sh [12ms]
[CI/build] exitcode '1': failure
[CI/build] 🏁  Job failed
"""


def test_steps_of_act() -> None:
    job = shape_of(ACT)
    assert job.failed is True
    assert [step.name for step in job.steps if step.failed] == ["./gate.sh"]
    (failure,) = diagnose(ACT.encode()).failures
    assert (failure.line, failure.text, failure.step) == (6, "it must be blue", "./gate.sh")
    assert shape_of(ACT.replace("failed", "succeeded").replace("❌  Failure", "✅  Success")).failed is False


@pytest.mark.parametrize(("command", "lower"), [("cat report || true", True), ("cat report || echo none", True), ("cat report", False), ("a || b", False)])
def test_a_command_that_may_fail_is_seldom_the_cause(command: str, lower: bool) -> None:
    log = f'travis_fold:start:x\n$ {command}\ncat: report: No such file\nThe command "x" exited with 1.\n'
    assert (shape_of(log).place(3) < 1) is lower


def test_gitlabs_words_after_the_work_begin_the_clean_up_without_sections_too() -> None:
    log = "Running with gitlab-runner 18.2.1 (x)\n$ make\nboom: file missing\nUploading artifacts for failed job\n00:01\nERROR: No files to upload\n"
    seen = shape_of(log + "Cleaning up project directory and file based variables\nERROR: Job failed: exit code 1\n")
    assert seen.place(3) == 1.0
    assert seen.place(6) < 0.5


def test_the_stage_before_the_first_one_that_is_skipped_failed() -> None:
    log = (
        "+ npm ci\nnpm error code EACCES\n[Pipeline] }\n[Pipeline] stage\n[Pipeline] { (Push)\n"
        'Stage "Push" skipped due to earlier failure(s)\n[Pipeline] }\n[Pipeline] stage\n[Pipeline] { (Deploy)\n'
        'Stage "Deploy" skipped due to earlier failure(s)\nERROR: script returned exit code 243\nFinished: FAILURE\n'
    )
    seen = shape_of(log)
    assert [step.first for step in seen.steps if step.failed] == [1]
