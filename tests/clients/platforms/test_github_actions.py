"""Runs, jobs, logs, results and re-runs of GitHub Actions, asked of the stand-in over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.clients.platforms.github_connection import FORKS_PULL, connect
from tests.servers.github import FORK, GitHub
from tests.servers.github_state import FakeRun
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_actions import MOST_ANNOTATIONS, GitHubActions
from cicd_agents.domain.ci import Annotation, Job, JobResult, RunRef, Status, Step
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError, Unavailable
from cicd_agents.domain.ports import CIServer


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def any_hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as hub:
        yield hub


def actions(hub: GitHub, max_log: int = 1 << 20) -> GitHubActions:
    server = GitHubActions(connect(hub), hub.repository.full_name, max_log)
    port: CIServer = server
    assert port is server
    return server


def ref(run: FakeRun, attempt: int = 1) -> RunRef:
    return RunRef(str(run.id), attempt)


def job_of(hub: GitHub, run: FakeRun, name: str = "build", attempt: int = 1) -> Job:
    return next(job for job in actions(hub).jobs(ref(run, attempt)) if job.name == name)


def test_a_run_is_read_as_it_stands_in_the_attempt(any_hub: GitHub) -> None:
    run = any_hub.add_run("CI", "failure", branch="feature", event="pull_request", sha="c" * 40, head=FORK, created=1_750_000_000)
    any_hub.add_attempt(run, "success")
    first, second = actions(any_hub).run(ref(run)), actions(any_hub).run(ref(run, 2))
    assert (first.status, second.status) == (Status.FAILURE, Status.SUCCESS)
    assert first.ref == ref(run)
    assert (first.name, first.sha, first.branch, first.event, first.created) == ("CI", "c" * 40, "feature", "pull_request", 1_750_000_000)
    assert (first.workflow, first.path, first.head_repository) == (str(run.workflow_id), ".github/workflows/ci.yml", "mallory/app")
    assert first.url == f"{any_hub.url}/actions/runs/{run.id}"


def test_an_attempt_below_one_is_the_newest(hub: GitHub) -> None:
    run = hub.add_run()
    hub.add_attempt(run, "success")
    hub.add_job(run, "second")
    assert actions(hub).run(ref(run, 0)).ref == ref(run, 2)
    assert [job.run for job in actions(hub).jobs(ref(run, 0))] == [ref(run, 2)]


def test_a_run_whose_repository_was_deleted_has_none(hub: GitHub) -> None:
    assert actions(hub).run(ref(hub.add_run(deleted_head=True))).head_repository == ""


def test_all_pages_of_jobs_are_read(any_hub: GitHub) -> None:
    run = any_hub.add_run()
    for number in range(205):
        any_hub.add_job(run, f"test ({number})", "success")
    assert [job.name for job in actions(any_hub).jobs(ref(run))] == [f"test ({number})" for number in range(205)]
    assert len(any_hub.requests) == 3


def test_a_job_has_its_steps_times_and_page(hub: GitHub) -> None:
    run = hub.add_run()
    hub.add_job(run, "build", "timed_out", steps=[("Set up job", "success"), ("Run make", "failure")], started=1_750_000_100)
    job = job_of(hub, run)
    assert (job.status, job.started, job.completed, job.runner) == (Status.TIMED_OUT, 1_750_000_100, 1_750_000_160, "GitHub Actions 7")
    assert job.steps == (
        Step(1, "Set up job", Status.SUCCESS, 1_750_000_100, 1_750_000_105),
        Step(2, "Run make", Status.FAILURE, 1_750_000_100, 1_750_000_105),
    )
    assert job.url == f"{hub.url}/actions/runs/{run.id}/job/{job.id}"


@pytest.mark.parametrize(
    ("workflow", "name", "expected"),
    [
        ("CI", "build", False),
        ("CI", "deploy-prod", True),
        ("CI", "Deployment to staging", True),
        ("CI", "release / npm (18)", True),
        ("CI", "publish_image", True),
        ("Release", "run", True),
        ("CI", "redeploy", False),
        ("CI", "test unpublished data", False),
    ],
)
def test_a_job_deploys_by_the_words_of_its_name_and_workflow(hub: GitHub, workflow: str, name: str, expected: bool) -> None:
    run = hub.add_run(workflow)
    hub.add_job(run, name)
    assert actions(hub).jobs(ref(run))[0].deploys is expected


def test_the_log_is_fetched_from_another_host_without_the_token(any_hub: GitHub) -> None:
    run = any_hub.add_run()
    any_hub.add_job(run, "build", log=b"first\nerror: no\n")
    with actions(any_hub).open_log(job_of(any_hub, run)) as log:
        assert log.stream.read() == b"first\nerror: no\n"
        assert log.notes == ()
    assert [request.path for request in any_hub.blobs.requests] == [f"/logs/{run.attempts[0].jobs[0].id}"]
    assert "authorization" not in any_hub.blobs.requests[0].headers  # closing the stand-in checks it, too


def test_of_a_long_log_the_end_is_kept_and_it_is_said(hub: GitHub) -> None:
    run = hub.add_run()
    hub.add_job(run, "build", log=b"0123456789" * 1000)
    with actions(hub, max_log=95).open_log(job_of(hub, run)) as log:
        assert log.stream.read() == (b"0123456789" * 10)[5:]
        assert log.notes == ("The log is too long: the first 9,905 bytes were left out (setting `max-log-mb`).",)


@pytest.mark.parametrize("status", [404, 410])
def test_a_log_that_is_gone_is_not_found_and_the_reasons_are_said(hub: GitHub, status: int) -> None:
    run = hub.add_run()
    hub.add_job(run, "build")
    job = job_of(hub, run)
    hub.faults[len(hub.requests)] = json_reply({"message": "Gone"}, status)
    with pytest.raises(NotFound) as problem, actions(hub).open_log(job):
        pass
    assert f"reading the log of job {job.id}" in str(problem.value)
    assert "still runs" in str(problem.value)
    assert "retention" in str(problem.value)


def test_annotations_are_read_and_those_without_a_file_have_no_place(hub: GitHub) -> None:
    run = hub.add_run()
    job = hub.add_job(run, "build")
    hub.annotate(job, "The runner has received a shutdown signal.")
    hub.annotate(job, "unused", level="warning", path="src/a.c", line=7, title="cc")
    assert actions(hub).annotations(job_of(hub, run)) == (
        Annotation("failure", "The runner has received a shutdown signal."),
        Annotation("warning", "unused", "cc", "src/a.c", 7),
    )


def test_annotations_are_bounded(hub: GitHub) -> None:
    run = hub.add_run()
    job = hub.add_job(run, "build")
    for number in range(450):
        hub.annotate(job, str(number))
    assert len(actions(hub).annotations(job_of(hub, run))) == MOST_ANNOTATIONS


def test_the_last_success_is_the_newest_earlier_one_of_the_workflow_and_branch(hub: GitHub) -> None:
    hub.add_run("CI", "success")
    good = hub.add_run("CI", "success")
    hub.add_run("Lint", "success")
    hub.add_run("CI", "success", branch="other")
    hub.add_run("CI", "cancelled")
    failed = hub.add_run("CI", "failure")
    hub.add_run("CI", "success")
    server = actions(hub)
    found = server.last_success(server.run(ref(failed)))
    assert found is not None
    assert (found.ref, found.sha, found.status) == (ref(good), good.sha, Status.SUCCESS)


def test_a_forks_branch_of_the_same_name_is_no_baseline(hub: GitHub) -> None:
    good = hub.add_run("CI", "success")
    for _ in range(35):
        hub.add_run("CI", "success", head=FORK, event="pull_request")
    hub.add_run("CI", "success", deleted_head=True)
    server = actions(hub)
    found = server.last_success(server.run(ref(hub.add_run("CI", "failure"))))
    assert found is not None
    assert found.ref == ref(good)


def test_a_fork_has_its_own_branch_as_baseline(hub: GitHub) -> None:
    good = hub.add_run("CI", "success", head=FORK, branch="patch-1", event="pull_request")
    hub.add_run("CI", "success", branch="patch-1")
    server = actions(hub)
    found = server.last_success(server.run(ref(hub.add_run("CI", "failure", head=FORK, branch="patch-1", event="pull_request"))))
    assert found is not None
    assert found.ref == ref(good)


@pytest.mark.parametrize("deleted", [False, True], ids=["new branch", "deleted fork"])
def test_without_a_success_on_the_branch_the_default_branch_is_the_baseline(any_hub: GitHub, deleted: bool) -> None:
    any_hub.default_branch = "trunk"
    good = any_hub.add_run("CI", "success", branch="trunk")
    server = actions(any_hub)
    found = server.last_success(server.run(ref(any_hub.add_run("CI", "failure", branch="feature", deleted_head=deleted))))
    assert found is not None
    assert found.ref == ref(good)


def test_a_run_of_unknown_time_has_the_newest_success_as_baseline(hub: GitHub) -> None:
    server = actions(hub)
    failed_run = server.run(ref(hub.add_run("CI", "failure")))
    good = hub.add_run("CI", "success")
    found = server.last_success(replace(failed_run, created=None))
    assert found is not None
    assert found.ref == ref(good)


def test_a_workflow_that_never_passed_has_no_baseline(hub: GitHub) -> None:
    hub.add_run("CI", "failure")
    server = actions(hub)
    assert server.last_success(server.run(ref(hub.add_run("CI", "failure")))) is None


def results(hub: GitHub, run: FakeRun, attempt: int = 1) -> list[tuple[RunRef, Status]]:
    server = actions(hub)
    found = server.results_on_commit(server.run(ref(run, attempt)), job_of(hub, run, attempt=attempt))
    return sorted(((result.run, result.status) for result in found), key=lambda item: (int(item[0].id), item[0].attempt))


def test_results_on_the_commit_are_those_of_other_attempts_and_runs(hub: GitHub) -> None:
    sha = "c" * 40
    earlier = hub.add_run("CI", "success", sha=sha)
    hub.add_job(earlier, "build", "success")
    hub.add_job(earlier, "other", "failure")
    elsewhere = hub.add_run("CI", "success")
    hub.add_job(elsewhere, "build", "success")
    another = hub.add_run("Lint", "success", sha=sha)
    hub.add_job(another, "build", "success")
    run = hub.add_run("CI", "failure", sha=sha)
    hub.add_job(run, "build", "failure")
    hub.restart(run)
    hub.finish(run, "failure")
    hub.restart(run)
    hub.finish(run, "success")
    assert results(hub, run, attempt=2) == [(ref(earlier), Status.SUCCESS), (ref(run), Status.FAILURE), (ref(run, 3), Status.SUCCESS)]


def test_a_job_that_was_taken_over_into_a_later_attempt_counts_once(hub: GitHub) -> None:
    run = hub.add_run("CI", "failure")
    hub.add_job(run, "build", "success")
    hub.add_job(run, "test", "failure")
    hub.restart(run)
    hub.finish(run, "success")
    assert results(hub, run) == []  # attempt 2 holds a copy of the job itself
    assert len(results(hub, run, attempt=2)) == 0
    server = actions(hub)
    assert [result.status for result in server.results_on_commit(server.run(ref(run)), job_of(hub, run, "test"))] == [Status.SUCCESS]


def test_other_runs_for_a_pull_request_prove_nothing_for_its_base_may_have_moved(hub: GitHub) -> None:
    sha = "c" * 40
    for event in ("push", "pull_request"):
        hub.add_job(hub.add_run("CI", "success", sha=sha, event=event), "build", "success")
    run = hub.add_run("CI", "failure", sha=sha, event="pull_request")
    hub.add_job(run, "build", "failure")
    assert results(hub, run) == []
    pushed = hub.add_run("CI", "failure", sha=sha)
    hub.add_job(pushed, "build", "failure")
    assert results(hub, pushed) == [(ref(hub.runs[0]), Status.SUCCESS)]


def test_a_job_that_runs_or_was_skipped_is_no_result(hub: GitHub) -> None:
    run = hub.add_run("CI", "failure")
    hub.add_job(run, "build", "failure")
    for conclusion in ("skipped", None):
        hub.add_attempt(run, conclusion)
        hub.add_job(run, "build", conclusion)
    assert results(hub, run) == []


def test_results_on_a_branch_are_its_newest_finished_runs(hub: GitHub) -> None:
    old = [hub.add_run("CI", conclusion) for conclusion in ("success", "failure", "success")]
    hub.add_run("CI", "success", head=FORK)
    hub.add_run("CI", None)
    hub.add_run("CI", "success", branch="feature")
    run = hub.add_run("CI", "failure")
    server = actions(hub)
    found = server.results_on_branch(server.run(ref(run)), "main", 2)
    assert found == tuple(
        JobResult(ref(one), one.sha, status, one.created, f"{hub.url}/actions/runs/{one.id}")
        for one, status in ((old[2], Status.SUCCESS), (old[1], Status.FAILURE))
    )  # fmt: skip


def failed(hub: GitHub) -> tuple[FakeRun, Job]:
    run = hub.add_run()
    hub.add_job(run, "build", "failure")
    hub.add_job(run, "lint", "success")
    return run, job_of(hub, run)


def posts(hub: GitHub) -> int:
    return sum(request.method == "POST" for request in hub.requests)


def test_failed_jobs_are_started_again(any_hub: GitHub) -> None:
    run, job = failed(any_hub)
    actions(any_hub).rerun_failed(ref(run), [job])
    assert [(one.name, one.status) for one in run.attempts[1].jobs] == [("build", "queued"), ("lint", "completed")]
    assert posts(any_hub) == 1


def test_what_others_started_again_is_not_started_once_more(hub: GitHub) -> None:
    run, job = failed(hub)
    hub.restart(run)
    hub.finish(run, "failure")
    with pytest.raises(Rejected, match="started again already: it is at attempt 2"):
        actions(hub).rerun_failed(ref(run), [job])
    assert posts(hub) == 0


def test_a_run_that_goes_on_is_not_started_again(hub: GitHub) -> None:
    run = hub.add_run("CI", None)
    hub.add_job(run, "build", "failure")
    with pytest.raises(Rejected, match="still runs"):
        actions(hub).rerun_failed(ref(run), [job_of(hub, run)])
    assert posts(hub) == 0


def test_a_failed_job_that_was_not_asked_for_is_not_started(hub: GitHub) -> None:
    run, job = failed(hub)
    hub.add_job(run, "deploy", "failure")
    with pytest.raises(Rejected, match="would also start deploy"):
        actions(hub).rerun_failed(ref(run), [job])
    assert posts(hub) == 0


def test_a_refused_rerun_names_the_permission(hub: GitHub) -> None:
    run, job = failed(hub)
    hub.permissions.remove("actions: write")
    with pytest.raises(NotAllowed) as problem:
        actions(hub).rerun_failed(ref(run), [job])
    assert str(problem.value).startswith(f"GitHub: starting the failed jobs of run {run.id} again was refused (403): Resource not accessible by integration.")
    assert "`actions: write`" in str(problem.value)


def test_when_somebody_else_is_faster_it_is_said_so(hub: GitHub) -> None:
    run, job = failed(hub)
    server = actions(hub)
    earlier = hub.server.handler

    def overtaken(request: Any) -> Reply:
        if request.method == "POST":
            hub.restart(run)
        return earlier(request)

    hub.server.handler = overtaken
    with pytest.raises(Rejected, match="started again already"):
        server.rerun_failed(ref(run), [job])
    assert (posts(hub), len(run.attempts)) == (1, 2)


@pytest.mark.parametrize("wrong", [Reply(502), Reply(reset=True)], ids=["502", "reset"])
def test_a_rerun_whose_answer_is_lost_is_sent_once_and_looked_up(hub: GitHub, wrong: Reply) -> None:
    run, job = failed(hub)
    server = actions(hub)
    earlier = hub.server.handler

    def lost(request: Any) -> Reply:
        reply = earlier(request)
        return wrong if request.method == "POST" else reply

    hub.server.handler = lost
    server.rerun_failed(ref(run), [job])
    assert (posts(hub), len(run.attempts)) == (1, 2)


def test_a_rerun_that_failed_without_effect_is_said_and_not_repeated(hub: GitHub) -> None:
    run, job = failed(hub)
    hub.faults[len(hub.requests) + 2] = Reply(502)
    with pytest.raises(Unavailable):
        actions(hub).rerun_failed(ref(run), [job])
    assert (posts(hub), len(run.attempts)) == (1, 1)


@pytest.mark.parametrize(
    ("method", "permission"),
    [("run", "actions: read"), ("jobs", "actions: read"), ("log", "actions: read"), ("annotations", "checks: read"), ("last_success", "actions: read")],
)
def test_each_refusal_names_the_permission(hub: GitHub, method: str, permission: str) -> None:
    run, job = failed(hub)
    server = actions(hub)
    found = server.run(ref(run))
    hub.permissions.remove(permission)

    def log() -> None:
        with server.open_log(job):
            pass

    calls: dict[str, Callable[[], object]] = {
        "run": lambda: server.run(ref(run)), "jobs": lambda: server.jobs(ref(run)), "log": log, "annotations": lambda: server.annotations(job),
        "last_success": lambda: server.last_success(found),
    }  # fmt: skip
    with pytest.raises(NotAllowed, match=f"Add `{permission}` to the job's permissions"):
        calls[method]()


def test_a_forks_token_is_told_of_the_other_way(hub: GitHub) -> None:
    run, job = failed(hub)
    hub.permissions.remove("actions: write")
    http = connect(hub, event="pull_request", pull_request=FORKS_PULL)
    with pytest.raises(NotAllowed, match="second workflow, started by `workflow_run`"):
        GitHubActions(http, hub.repository.full_name).rerun_failed(ref(run), [job])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "12"}, "`id` should be a whole number"),
        ({"id": None}, "`id` should be a whole number"),
        ({"head_sha": 3}, "`head_sha` should be a text"),
        ({"created_at": "yesterday"}, "`created_at` should be a time"),
        ({"head_repository": []}, "`head_repository` should be an object"),
        ({"conclusion": {"a": 1}}, "`conclusion` should be a text"),
    ],
)
def test_a_run_of_another_shape_is_a_bad_answer(hub: GitHub, change: dict[str, Any], said: str) -> None:
    run = hub.add_run()
    hub.faults[0] = json_reply({**run.json(1, hub.url), **change})
    with pytest.raises(BadAnswer, match=said):
        actions(hub).run(ref(run))


@pytest.mark.parametrize("answer", [[], {}, {"jobs": None}, {"jobs": ["x"]}, {"jobs": [{"id": 1, "name": "x", "run_id": 1, "steps": 5}]}, "text", 3])
def test_jobs_of_another_shape_are_a_bad_answer(hub: GitHub, answer: Any) -> None:
    hub.faults[0] = json_reply(answer)
    with pytest.raises(BadAnswer):
        actions(hub).jobs(RunRef("1"))


def test_no_error_holds_the_token(hub: GitHub) -> None:
    run, job = failed(hub)
    server = actions(hub)
    echoed = json_reply({"message": f"bad {connect(hub)._service.headers['authorization']}"}, 403)
    hub.faults[len(hub.requests)] = echoed
    with pytest.raises(ServiceError) as problem:
        server.run(ref(run))
    assert "ghs_" not in str(problem.value)
    assert "ghs_" not in repr(server) + repr(replace(job))
