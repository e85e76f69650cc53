"""The doctor at work on GitHub, from the event to the exit code, against the stand-in for GitHub; nothing of ours is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.clock import FakeClock
from tests.servers.github import FORK, STRANGER, GitHub
from tests.servers.github_state import FakePull, FakeRun
from tests.servers.http_server import Reply
from tests.wiring.rig import DNS_LOG, NPM_LOG, Ran, Rig, on_workflow_run

from cicd_agents.clients.history import open_history
from cicd_agents.domain.history import RerunRecord

GOOD, BAD = "a" * 40, "b" * 40


@dataclass(slots=True)
class Scene:
    """A repository with a good run on main and a failed one on a pull request."""

    hub: GitHub
    run: FakeRun
    pull: FakePull
    folder: Path

    def doctor(self, run: FakeRun | None = None, **inputs: str) -> Ran:
        return self.rig(run).run(environment=_inputs(inputs))

    def rig(self, run: FakeRun | None = None) -> Rig:
        return on_workflow_run(self.folder, self.hub, run or self.run)

    @property
    def comments(self) -> list[str]:
        return [comment.body for comment in self.hub.comments_on(self.pull.number)]


def _inputs(inputs: dict[str, str]) -> dict[str, str]:
    return {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with GitHub() as hub:
        yield made(hub, tmp_path, NPM_LOG)


def made(hub: GitHub, folder: Path, log: bytes) -> Scene:
    hub.add_commit("Start", sha=GOOD)
    hub.add_commit("Add tax", {"src/price.js": "@@ -5,3 +5,3 @@\n a\n b\n-c\n+d\n"}, sha=BAD)
    before = hub.add_run("CI", "success", sha=GOOD)
    hub.add_job(before, "test", "success", log=b"all good\n")
    run = hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD)
    hub.add_job(run, "test", "failure", log=log)
    return Scene(hub, run, hub.add_pull(BAD, "feature"), folder)


def test_a_failed_run_gets_one_comment_that_is_updated_and_resolved(scene: Scene) -> None:
    first = scene.doctor()
    [comment] = scene.comments
    assert comment.startswith("<!-- cicd-agents:pipeline-doctor:")
    for text in (
        "Cannot read properties of undefined",
        "src/price.js:7",
        "touches the failing file src/price.js at the failing line 7",
        "npx jest src/price.js",
    ):
        assert text in comment
    assert (first.code, first.outputs["outcome"], first.outputs["category"], first.outputs["location"]) == (0, "fail", "test_failure", "src/price.js:7:21")
    assert first.outputs["comment-url"].endswith(f"#issuecomment-{scene.hub.comments_on(scene.pull.number)[0].id}")
    assert "Cannot read properties of undefined" in first.summary
    assert first.out.startswith("FAIL  ")

    scene.doctor()
    assert scene.comments == [comment], "the same failure changes nothing"

    scene.hub.add_attempt(scene.run, "failure")
    scene.hub.add_job(scene.run, "test", "failure", log=NPM_LOG.replace(b"'rate'", b"'total'"))
    scene.doctor()
    [updated] = scene.comments
    assert "(reading 'total')" in updated

    green = scene.hub.add_run("CI", "success", branch="feature", event="pull_request", sha=BAD)
    scene.hub.add_job(green, "test", "success")
    last = scene.doctor(green)
    [resolved] = scene.comments
    assert "Resolved" in resolved
    assert "Cannot read properties" not in resolved
    assert (last.code, last.outputs["outcome"]) == (0, "pass")


def test_a_green_run_says_nothing_where_nothing_was_said(scene: Scene) -> None:
    green = scene.hub.add_run("CI", "success", branch="feature", event="pull_request", sha=BAD)
    scene.hub.add_job(green, "test", "success")
    assert scene.doctor(green).code == 0
    assert scene.comments == []


def test_a_pull_request_of_a_fork_is_found_by_its_commit_and_writes_no_memory(tmp_path: Path) -> None:
    with GitHub() as hub:
        run = hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD, head=FORK)
        hub.add_job(run, "test", "failure", log=NPM_LOG)
        pull = hub.add_pull(BAD, "feature", head=FORK)
        ran = on_workflow_run(tmp_path, hub, run).run(environment=_inputs({"history": "memory.sqlite"}))
        assert ran.code == 0
        [comment] = hub.comments_on(pull.number)
        assert "Cannot read properties of undefined" in comment.body
        assert not (tmp_path / "work/memory.sqlite").exists()


def test_a_planted_marker_of_another_author_is_no_comment_of_ours(scene: Scene) -> None:
    scene.doctor()
    ours = scene.hub.comments_on(scene.pull.number)[0]
    planted = scene.hub.add_comment(scene.pull.number, ours.body, author=STRANGER)
    scene.hub.comments.pop(ours.id)
    scene.doctor()
    bodies = {comment.id: comment.body for comment in scene.hub.comments_on(scene.pull.number)}
    assert bodies[planted.id] == ours.body
    assert len(bodies) == 2


def test_without_the_right_to_comment_all_else_is_done_and_the_permission_is_named(scene: Scene) -> None:
    scene.hub.permissions -= {"pull-requests: write", "issues: write"}
    ran = scene.doctor()
    assert ran.code == 0
    assert any("comment: failed" in said and "pull-requests: write" in said for said in ran.said)
    assert ran.report["title"] in ran.out
    assert "Cannot read properties" in ran.summary
    assert scene.doctor(fail_on_publish_error="true").code == 3


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("fail", 1), ("inconclusive", 1)])
def test_the_gate_follows_the_verdict_alone(scene: Scene, fail_on: str, code: int) -> None:
    ran = scene.doctor(fail_on=fail_on)
    assert (ran.code, ran.outputs["exit-code"]) == (code, str(code))


def test_a_platform_that_does_not_answer_leaves_the_verdict_open(scene: Scene) -> None:
    scene.hub.permissions -= {"actions: read"}
    ran = scene.doctor(fail_on="inconclusive")
    assert (ran.code, ran.report["outcome"]) == (3, "inconclusive")
    assert "Add `actions: read`" in ran.report["summary"]


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(scene: Scene) -> None:
    ran = scene.doctor(dry_run="true", history="memory.sqlite", rerun="auto")
    assert scene.comments == []
    assert any("Would write a new comment" in said for said in ran.said)
    assert {request.method for request in scene.hub.requests} <= {"GET", "POST"}
    assert [request.path for request in scene.hub.requests if request.method == "POST"] in ([], ["/graphql"])


def test_settings_come_from_the_base_and_not_from_the_head(scene: Scene) -> None:
    scene.hub.add_file(".cicd-agents.yml", b"fail-on: fail\n", ref="d" * 40)
    (scene.folder / "work").mkdir()
    (scene.folder / "work/.cicd-agents.yml").write_text("fail-on: never\ncomment: 'off'\n")
    ran = scene.doctor()
    assert ran.code == 1
    assert len(scene.comments) == 1


def test_a_policy_that_cannot_be_read_does_not_open_the_gate(scene: Scene) -> None:
    rig = scene.rig()
    path = "/repos/octo/app/contents/.cicd-agents.yml"

    scene.hub.server.faults.update({index: Reply(500, b"") for index in range(6)})
    ran = rig.run()
    assert ran.code == 3
    assert any("the policy is not known" in note for note in ran.report["notes"]), path


def test_the_memory_knows_the_failure_again(scene: Scene) -> None:
    scene.doctor(history="memory.sqlite")
    other = scene.hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD)
    scene.hub.add_job(other, "test", "failure", log=NPM_LOG)
    similar = scene.doctor(other, history="memory.sqlite").report["details"]["similar"]
    assert (similar["count"], similar["branches"]) == (1, ["feature"])


def test_a_job_that_passed_on_the_same_commit_is_flaky(scene: Scene) -> None:
    failed, passed = (scene.hub.add_run("CI", conclusion, branch="main", sha="e" * 40) for conclusion in ("failure", "success"))
    scene.hub.add_job(passed, "test", "success")
    scene.hub.add_job(failed, "test", "failure", log=NPM_LOG)
    flaky = scene.doctor(failed).report["details"]["flaky"]
    assert flaky["verdict"] == "yes"
    assert "same commit" in flaky["reason"]


def test_a_failure_of_the_base_branch_is_not_from_this_change(scene: Scene) -> None:
    main = scene.hub.add_run("CI", "failure", branch="main", sha="c" * 40)
    scene.hub.add_job(main, "test", "failure", log=NPM_LOG)
    flaky = scene.doctor().report["details"]["flaky"]
    assert (flaky["verdict"], "It also fails on main" in flaky["reason"]) == ("no", True)


def test_changed_packages_are_read_from_lock_files(tmp_path: Path) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, NPM_LOG)
        hub.add_commit("Update lodash", {"package-lock.json": None}, sha="e" * 40)
        run = hub.add_run("CI", "failure", branch="main", sha="e" * 40)
        hub.add_job(run, "test", "failure", log=NPM_LOG)
        lock = '{"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "%s"}}}'
        hub.add_file("package-lock.json", (lock % "4.17.20").encode(), ref=GOOD)
        hub.add_file("package-lock.json", (lock % "4.17.21").encode(), ref="e" * 40)
        changes = scene.doctor(run).report["details"]["changes"]
        assert changes["packages"] == [{"file": "package-lock.json", "package": "lodash", "old": "4.17.20", "new": "4.17.21"}]
        assert changes["commits"] == 2


def test_a_lost_runner_is_known_from_its_annotation(tmp_path: Path) -> None:
    with GitHub() as hub:
        run = hub.add_run("CI", "failure", branch="main", sha=BAD)
        job = hub.add_job(run, "test", "failure", log=None)
        hub.annotate(job, "The self-hosted runner lost communication with the server. Verify the machine is running and has a healthy network connection.")
        report = on_workflow_run(tmp_path, hub, run).run().report
        assert (report["outcome"], report["details"]["category"], report["details"]["root_cause"]) == ("fail", "infrastructure_runner", None)
        assert report["findings"][0]["evidence"][0]["kind"] == "annotation"


def test_several_jobs_with_the_same_failure_are_told_as_one(scene: Scene) -> None:
    scene.hub.add_job(scene.run, "test (20)", "failure", log=NPM_LOG)
    scene.hub.add_job(scene.run, "lint", "failure", log=b"2026-03-14T02:10:11.1234567Z ##[error]Process completed with exit code 1.\n")
    details = scene.doctor().report["details"]
    assert details["job"] == "test"
    assert [(job["job"], job["same"]) for job in details["other_jobs"]] == [("test (20)", True), ("lint", False)]


def test_a_transient_failure_is_started_again_once(tmp_path: Path) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, DNS_LOG)
        wanted = {"rerun": "auto", "history": "memory.sqlite"}
        first = scene.rig().run(environment=_inputs(wanted))
        assert [(item["kind"], item["status"]) for item in first.report["operations"]] == [("RerunJobs", "applied")]
        assert len(scene.run.attempts) == 2
        again = scene.rig()
        event = again.folder / "event.json"
        event.write_text(event.read_text().replace('"run_attempt": 2', '"run_attempt": 1').replace('"conclusion": null', '"conclusion": "failure"'))
        second = again.run(environment=_inputs(wanted))
        assert second.report["operations"][0]["status"] in ("already-done", "failed")
        assert len(scene.run.attempts) == 2
        audit = (tmp_path / "work/cicd-agents-report/audit.jsonl").read_text().splitlines()
        assert '"phase": "intent"' in audit[0]


def test_a_lasting_failure_is_not_started_again_and_the_reason_is_told(scene: Scene) -> None:
    [operation] = scene.doctor(rerun="auto", history="memory.sqlite").report["operations"]
    assert (operation["status"], operation["rule"]) == ("refused", "lasting-cause")
    assert len(scene.run.attempts) == 1


def test_an_issue_is_opened_where_there_is_no_pull_request(tmp_path: Path) -> None:
    with GitHub() as hub:
        run = hub.add_run("CI", "failure", branch="main", sha=BAD)
        hub.add_job(run, "test", "failure", log=NPM_LOG)
        rig = on_workflow_run(tmp_path, hub, run)
        for _ in range(2):
            rig.run(environment=_inputs({"issue": "default-branch"}))
        [issue] = hub.issues.values()
        assert issue.title.startswith("CI: ")
        assert "Cannot read properties" in issue.body
        assert issue.labels == ("ci-failure",)


def test_no_token_is_in_anything_that_was_said_or_written(scene: Scene) -> None:
    ran = scene.doctor()
    everything = "\n".join([ran.out, *ran.said, ran.summary, *scene.comments, (scene.folder / "output").read_text()])
    assert "ghs_workflow" not in everything


def reruns_of(scene: Scene, signature: str) -> RerunRecord:
    with open_history(str(scene.folder / "work/memory.sqlite"), "", False, FakeClock()) as memory:
        return memory.rerun_record(scene.hub.repository.full_name, signature)


@pytest.mark.parametrize(("conclusion", "helped"), [("success", 1), ("failure", 0)])
def test_how_a_rerun_ended_is_remembered(tmp_path: Path, conclusion: str, helped: int) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, DNS_LOG)
        wanted = {"rerun": "auto", "history": "memory.sqlite"}
        [operation] = scene.rig().run(environment=_inputs(wanted)).report["operations"]
        hub.finish(scene.run, conclusion, DNS_LOG)
        scene.rig().run(environment=_inputs(wanted))
        assert reruns_of(scene, operation["rule"]) == RerunRecord(1, helped)


def test_a_spent_budget_calls_people_by_an_issue(tmp_path: Path) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, DNS_LOG)
        wanted = _inputs({"rerun": "auto", "history": "memory.sqlite", "rerun_per_day": "1"})
        scene.rig().run(environment=wanted)
        other = hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD)
        hub.add_job(other, "test", "failure", log=DNS_LOG)
        [operation] = scene.rig(other).run(environment=wanted).report["operations"]
        assert (operation["status"], operation["rule"]) == ("refused", "budget")
        assert len(other.attempts) == 1
        assert [issue.title for issue in hub.issues.values() if issue.labels == ("ci-failure",)] != []
