"""The doctor at work in a GitLab pipeline, from the variables to the exit code, against the stand-in for GitLab; nothing of ours is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.gitlab import GitLab
from tests.servers.http_server import Reply, json_reply
from tests.wiring.rig import Ran, Rig

from cicd_agents.domain.errors import UsageError

SHA = "b" * 40
SETTINGS_CALL = 0  # the first call reads the settings file of the base branch
TRACE = (
    b"\x1b[0KRunning with gitlab-runner 18.2.1 (abc)\x1b[0;m\n"
    b'section_start:1760000000:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting "step_script" stage of the job script\x1b[0;m\x1b[0;m\n'
    b"\x1b[32;1m$ cargo build\x1b[0;m\n"
    b"error[E0425]: cannot find value `totl` in this scope\n"
    b"  --> src/main.rs:12:5\n"
    b"   |\n"
    b"12 |     totl + 1\n"
    b"   |     ^^^^ help: a local variable with a similar name exists: `total`\n"
    b'error: could not compile `app` (bin "app") due to 1 previous error\n'
    b"section_end:1760000009:step_script\r\x1b[0K\x1b[31;1mERROR: Job failed: exit code 101\n\x1b[0;m\n"
)


@dataclass(slots=True)
class Scene:
    """A merge request pipeline whose job failed; our own job runs in it."""

    lab: GitLab
    pipeline: int
    rig: Rig

    def doctor(self, **variables: str) -> Ran:
        return self.rig.run(environment=variables)

    @property
    def dotenv(self) -> dict[str, str]:
        text = (self.rig.folder / "work/cicd-agents-report/cicd-agents.env").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    lab = GitLab()
    with lab:
        pipeline = lab.add_pipeline("running", ref="topic", sha=SHA, source="merge_request_event")
        lab.add_job(pipeline, "build", "failed", trace=TRACE)
        own = lab.add_job(pipeline, "pipeline-doctor", "running", stage=".post")
        lab.add_merge_request(3, SHA)
        lab.add_commit(SHA, files=["src/main.rs"])
        yield Scene(lab, pipeline, Rig(tmp_path, variables_of(lab, pipeline, own, tmp_path / "work")))
    assert lab.problems == []


def variables_of(lab: GitLab, pipeline: int, own: int, workspace: Path) -> dict[str, str]:
    return {
        "GITLAB_CI": "true", "CI_SERVER_URL": lab.url, "CI_API_V4_URL": lab.api_url, "CI_PROJECT_ID": str(lab.project_id), "CI_PROJECT_PATH": lab.project,
        "CI_PROJECT_URL": lab.web_url, "CI_PIPELINE_ID": str(pipeline), "CI_PIPELINE_SOURCE": "merge_request_event", "CI_JOB_ID": str(own),
        "CI_JOB_NAME": "pipeline-doctor", "CI_JOB_STATUS": "running", "CI_COMMIT_SHA": SHA, "CI_DEFAULT_BRANCH": "main",
        "CI_PROJECT_DIR": str(workspace), "CI_MERGE_REQUEST_IID": "3", "CI_MERGE_REQUEST_PROJECT_ID": str(lab.project_id),
        "CI_MERGE_REQUEST_PROJECT_PATH": lab.project, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(lab.project_id),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "a" * 40,
        "CI_JOB_TOKEN": lab.job_token(), "CICD_AGENTS_GITLAB_TOKEN": lab.access_token(), "CICD_AGENTS_AGENT": "pipeline-doctor",
    }  # fmt: skip


def test_a_failed_pipeline_gets_one_note_that_is_updated_and_resolved(scene: Scene) -> None:
    first = scene.doctor()
    [note] = scene.lab.notes(3)
    assert note.startswith("<!-- cicd-agents:pipeline-doctor:")
    assert [text for text in ("cannot find value", "src/main.rs:12:5") if text not in note] == []
    assert (first.code, first.report["outcome"], first.report["details"]["category"]) == (0, "fail", "compile")
    assert (scene.dotenv["CICD_AGENTS_RESULT_OUTCOME"], scene.dotenv["CICD_AGENTS_RESULT_LOCATION"]) == ("fail", "src/main.rs:12:5")

    scene.doctor()
    assert scene.lab.notes(3) == [note], "the same failure changes nothing"

    for number, job in scene.lab.jobs.items():
        if job["name"] == "build":
            scene.lab.traces[number] = TRACE.replace(b"totl", b"sume")
    scene.doctor()
    [updated] = scene.lab.notes(3)
    assert "`sume`" in updated

    for job in scene.lab.jobs.values():
        job["status"] = "success" if job["name"] == "build" else "running"
    last = scene.doctor()
    [resolved] = scene.lab.notes(3)
    assert "Resolved" in resolved
    assert (last.code, last.report["outcome"]) == (0, "pass")


def test_with_the_job_token_alone_the_missing_variable_is_named_and_the_exit_code_stays(scene: Scene) -> None:
    ran = scene.doctor(CICD_AGENTS_GITLAB_TOKEN="", CICD_AGENTS_FAIL_ON="inconclusive")
    assert scene.lab.notes(3) == []
    assert any("CICD_AGENTS_GITLAB_TOKEN" in said for said in (*ran.said, ran.report["summary"], *ran.report["notes"]))
    assert (ran.code, ran.report["outcome"]) == (3, "inconclusive")


def test_a_time_limit_is_known_from_the_failure_reason(scene: Scene) -> None:
    for number, job in scene.lab.jobs.items():
        if job["name"] == "build":
            job["failure_reason"] = "job_execution_timeout"
            scene.lab.traces[number] = b"$ make\nworking\n"
    assert scene.doctor().report["details"]["category"] == "timeout"


def test_a_job_that_may_fail_is_no_failure(scene: Scene) -> None:
    for job in scene.lab.jobs.values():
        job["allow_failure"] = job["name"] == "build"
    assert scene.doctor().report["outcome"] == "pass"


@pytest.mark.parametrize(
    "fault",
    [Reply(reset=True), json_reply({"message": "401 Unauthorized"}, 401), json_reply({"message": "403 Forbidden"}, 403), json_reply({"message": "404"}, 404),
     json_reply({}, 429, {"retry-after": "3"}), Reply(500), Reply(200, b"[{", {"content-type": "application/json"}, cut=1), json_reply("wrong")],
    ids=["reset", "401", "403", "404", "429", "500", "cut", "wrong"],
)  # fmt: skip
def test_a_wrong_answer_at_any_call_leaves_the_verdict_and_the_next_run_finishes(tmp_path: Path, fault: Reply) -> None:
    index, calls = 0, 2
    while index < calls:
        folder = tmp_path / str(index)
        folder.mkdir()
        lab = GitLab()
        with lab:
            pipeline = lab.add_pipeline("running", ref="topic", sha=SHA, source="merge_request_event")
            lab.add_job(pipeline, "build", "failed", trace=TRACE)
            lab.add_merge_request(3, SHA)
            rig = Rig(folder, variables_of(lab, pipeline, 1, folder / "work"))
            lab.faults[index] = fault
            if index == SETTINGS_CALL and fault.body == b'"wrong"':
                with pytest.raises(UsageError, match="must be a mapping of settings"):  # a file that says so would be refused as well
                    rig.run()
                index += 1
                continue
            ran = rig.run()
            assert ran.code in (0, 3), index
            assert ran.report["outcome"] in ("fail", "inconclusive"), index
            calls = max(calls, len(lab.requests))
            lab.faults.clear()
            assert rig.run().report["outcome"] == "fail", index
            assert len(lab.notes(3)) == 1, index
        index += 1
    assert calls > 8


def test_a_run_with_nothing_to_do_tells_later_jobs_so(scene: Scene) -> None:
    ran = scene.doctor(CICD_AGENTS_AGENT="auto", CI_PIPELINE_SOURCE="schedule", CI_JOB_STATUS="success")
    assert ran.code == 0
    told = (scene.rig.folder / "work/cicd-agents-report/cicd-agents.env").read_text()
    assert "CICD_AGENTS_RESULT_OUTCOME=skipped\n" in told
