"""Pipelines, jobs and traces of GitLab, over real sockets; every request is checked against GitLab's description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.clients.platforms.gitlab_rig import Rig, ci, gitlab
from tests.servers.http_server import Reply, json_reply

from cicd_agents.domain.ci import Annotation, Job, Run, RunRef, Status
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, ServiceError, Unavailable, UsageError

SHA = "a" * 40


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        yield running


def ref(number: int, attempt: int = 1) -> RunRef:
    return RunRef(str(number), attempt)


def job(number: int, name: str, pipeline: int, **more: str) -> Job:
    return Job(str(number), name, Status.FAILURE, ref(pipeline), **more)  # type: ignore[arg-type]


def test_a_pipeline_is_a_run(server: Rig) -> None:
    number = server.add_pipeline("failed", ref="main", source="push", name="Nightly", created=1_750_000_000)
    assert ci(server).run(ref(number)) == Run(
        ref(number), "Nightly", Status.FAILURE, SHA, "main", "push", f"{server.web_url}/-/pipelines/{number}", 1_750_000_000.0, "push", ".gitlab-ci.yml"
    )


def test_a_pipeline_without_a_name_is_called_by_its_number(server: Rig) -> None:
    number = server.add_pipeline()
    assert ci(server).run(ref(number)).name == f"Pipeline {number}"


def test_jobs_come_in_the_order_of_the_pipeline_with_all_that_is_known(server: Rig) -> None:
    pipeline = server.add_pipeline()
    lint = server.add_job(pipeline, "lint", "success", stage="check", runner=None)
    test = server.add_job(pipeline, "test", "failed", stage="test", failure_reason="job_execution_timeout", allow_failure=True)
    first, second = ci(server).jobs(ref(pipeline))
    assert (first.id, first.name, first.status, first.stage, first.runner, first.failure_reason) == (str(lint), "lint", Status.SUCCESS, "check", "", "")
    assert second == Job(
        str(test), "test", Status.TIMED_OUT, ref(pipeline), "test", f"{server.web_url}/-/jobs/{test}", second.started, second.completed, (),
        "job_execution_timeout", True, False, "runner-1",
    )  # fmt: skip
    assert second.started is not None


STATUSES = {
    "success": Status.SUCCESS, "failed": Status.FAILURE, "canceled": Status.CANCELLED, "canceling": Status.CANCELLED, "skipped": Status.SKIPPED,
    "manual": Status.SKIPPED, "created": Status.RUNNING, "pending": Status.RUNNING, "running": Status.RUNNING, "waiting_for_callback": Status.RUNNING,
    "something-new": Status.UNKNOWN,
}  # fmt: skip


def test_a_status_that_is_not_known_stays_unknown(server: Rig) -> None:
    pipeline = server.add_pipeline()
    for word in STATUSES:
        server.add_job(pipeline, word, word)
    assert {item.name: item.status for item in ci(server).jobs(ref(pipeline))} == STATUSES


def test_of_a_job_that_was_retried_the_last_try_counts_and_tells_how_many_there_were(server: Rig) -> None:
    pipeline = server.add_pipeline()
    server.add_job(pipeline, "build", "success")
    server.add_job(pipeline, "test", "failed")
    server.jobs[next(reversed(server.jobs))]["retried"] = True
    last = server.add_job(pipeline, "test", "failed")
    jobs = ci(server).jobs(ref(pipeline))
    assert [(item.name, item.run.attempt) for item in jobs] == [("build", 1), ("test", 2)]
    assert jobs[1].id == str(last)
    assert ci(server).run(ref(pipeline)).ref == ref(pipeline, 2)


def test_the_attempt_of_a_pipeline_is_that_of_its_failed_jobs_and_of_all_once_it_is_green(server: Rig) -> None:
    pipeline = server.add_pipeline()
    for status in ("failed", "failed", "success"):
        server.add_job(pipeline, "tried-thrice", status)
    once = server.add_job(pipeline, "once", "failed")
    assert ci(server).run(ref(pipeline)).ref.attempt == 1
    server.jobs[once]["status"] = "success"
    assert ci(server).run(ref(pipeline)).ref.attempt == 3


def test_all_pages_of_jobs_are_read(server: Rig) -> None:
    pipeline = server.add_pipeline()
    for index in range(230):
        server.add_job(pipeline, f"test {index}")
    assert len(ci(server).jobs(ref(pipeline))) == 230
    assert [request.query["page"] for request in server.requests] == ["1", "2", "3"]


def test_pages_are_read_to_the_end_even_where_a_proxy_drops_the_headers(server: Rig) -> None:
    server.paging_headers = False
    pipeline = server.add_pipeline()
    for index in range(200):
        server.add_job(pipeline, f"test {index}")
    assert len(ci(server).jobs(ref(pipeline))) == 200
    assert [request.query["page"] for request in server.requests] == ["1", "2", "3"]


def test_a_page_that_names_an_earlier_one_as_next_ends_the_list(server: Rig) -> None:
    pipeline = server.add_pipeline()
    server.faults = {0: json_reply([], headers={"x-next-page": "1"}), 1: json_reply([], headers={"x-next-page": "-1"})}
    assert ci(server).jobs(ref(pipeline)) == ()
    assert len(server.requests) == 2


def test_the_jobs_of_a_failed_child_pipeline_stand_in_where_the_pipeline_has_no_failed_job_of_its_own(server: Rig) -> None:
    pipeline, child = server.add_pipeline(), server.add_pipeline(source="parent_pipeline")
    good, elsewhere = server.add_pipeline("success"), server.add_pipeline()
    server.add_job(pipeline, "prepare", "success")
    inner = server.add_job(child, "inner", "failed")
    server.add_job(good, "fine", "success")
    server.add_job(elsewhere, "foreign", "failed")
    server.add_child(pipeline, good)
    server.add_child(pipeline, child)
    server.add_child(pipeline, elsewhere, project_id=99)
    jobs = ci(server).jobs(ref(pipeline))
    assert [(item.name, item.run.id) for item in jobs] == [("prepare", str(pipeline)), ("inner", str(child))]
    assert jobs[1].id == str(inner)


def test_child_pipelines_are_not_asked_for_where_a_job_failed(server: Rig) -> None:
    pipeline = server.add_pipeline()
    server.add_job(pipeline, "test")
    ci(server).jobs(ref(pipeline))
    assert [request.path.rsplit("/", 1)[-1] for request in server.requests] == ["jobs"]


def test_a_job_deploys_when_the_words_of_its_name_or_stage_say_so(server: Rig) -> None:
    pipeline = server.add_pipeline()
    deploying = [("deploy", "web"), ("test", "deploy:prod"), ("Production", "x"), ("test", "deployment"), ("release", "notes")]
    for stage, name in [*deploying, ("test", "unit"), ("test", "product-tests"), ("build", "redeployable")]:
        server.add_job(pipeline, name, stage=stage)
    assert [(item.stage, item.name) for item in ci(server).jobs(ref(pipeline)) if item.deploys] == deploying


def test_a_job_with_an_environment_deploys(server: Rig) -> None:
    pipeline = server.add_pipeline()
    server.add_job(pipeline, "unit", environment={"name": "review/1"})
    assert ci(server).jobs(ref(pipeline))[0].deploys


def test_the_log_is_the_trace_as_it_is(server: Rig) -> None:
    trace = b"\x1b[0Ksection_start:1:x\r\x1b[0K\xff raw\r\nbytes\n"
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "test", trace=trace)
    with ci(server).open_log(job(number, "test", pipeline)) as log:
        assert log.stream.read() == trace
        assert log.notes == ()


def test_of_a_long_log_the_end_is_kept_and_the_note_says_so(server: Rig) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "test", trace=b"x" * (2 << 20) + b"the end\n")
    with ci(server, max_log=1 << 20).open_log(job(number, "test", pipeline)) as log:
        text = log.stream.read()
        assert len(text) == 1 << 20
        assert text.endswith(b"xthe end\n")
        assert log.notes == ("The log's first 1 MiB were left out; its lines are counted from there.",)


def test_a_job_without_a_log_says_so(server: Rig) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "test", trace=None)
    with pytest.raises(NotFound, match=f"job {number} has no log"), ci(server).open_log(job(number, "test", pipeline)):
        pass


EXPLANATIONS = {
    "runner_system_failure": "The runner failed outside of the script", "job_execution_timeout": "longer than its timeout",
    "stuck_or_timeout_failure": "waited too long", "stuck_pending_no_matching_runners": "no runner is online that has its tags",
    "no_updates_running": "was not heard of any more", "missing_dependency_failure": "Artifacts of an earlier job are missing",
    "api_failure": "a call between the runner and GitLab failed", "runner_unsupported": "too old", "brand_new_reason": "“brand_new_reason”",
    "x" * 10_000: "x" * 100 + "”",
}  # fmt: skip


def test_the_reason_that_gitlab_gives_is_explained_and_a_new_one_is_quoted(server: Rig) -> None:
    client = ci(server)
    for reason, said in EXPLANATIONS.items():
        (found,) = client.annotations(job(1, "test", 2, failure_reason=reason))
        assert found == Annotation("failure", found.message, reason[:100])
        assert said in found.message
        assert len(found.message) < 200


def test_a_failed_script_is_explained_by_its_log_alone(server: Rig) -> None:
    client = ci(server)
    assert [client.annotations(job(1, "test", 2, failure_reason=reason)) for reason in ("", "script_failure")] == [(), ()]
    assert server.requests == []


def a_run(server: Rig, number: int) -> Run:
    return ci(server).run(ref(number))


def test_the_last_success_is_the_newest_of_the_same_ref_before_the_run(server: Rig) -> None:
    server.add_pipeline("success")
    good = server.add_pipeline("success")
    server.add_pipeline("success", ref="other")
    bad = server.add_pipeline("failed")
    server.add_pipeline("success")
    found = ci(server).last_success(a_run(server, bad))
    assert found is not None
    assert found.ref == ref(good)


def test_without_a_success_of_the_branch_that_of_the_default_branch_counts(server: Rig) -> None:
    good = server.add_pipeline("success", ref="main")
    bad = server.add_pipeline("failed", ref="topic")
    found = ci(server, default_branch="main").last_success(a_run(server, bad))
    assert found is not None
    assert found.ref == ref(good)
    assert ci(server, default_branch="topic").last_success(a_run(server, bad)) is None
    assert ci(server).last_success(a_run(server, bad)) is None


def test_scheduled_pipelines_are_compared_with_scheduled_ones(server: Rig) -> None:
    nightly = server.add_pipeline("success", source="schedule")
    server.add_pipeline("success", source="push")
    bad = server.add_pipeline("failed", source="schedule")
    found = ci(server).last_success(a_run(server, bad))
    assert found is not None
    assert found.ref == ref(nightly)


def test_a_run_without_a_time_is_still_compared_by_number(server: Rig) -> None:
    good, bad = server.add_pipeline("success"), server.add_pipeline("failed")
    server.add_pipeline("success")
    found = ci(server).last_success(replace(a_run(server, bad), created=None))
    assert found is not None
    assert found.ref == ref(good)


def test_results_on_the_commit_are_the_other_tries_in_this_and_in_other_pipelines(server: Rig) -> None:
    earlier = server.add_pipeline(sha=SHA)
    passed = server.add_job(earlier, "test", "success")
    server.add_job(earlier, "lint", "failed")
    server.add_pipeline(sha="b" * 40)
    pipeline = server.add_pipeline(sha=SHA)
    first = server.add_job(pipeline, "test", "failed")
    server.add_job(pipeline, "test", "running")
    last = server.add_job(pipeline, "test", "failed")
    found = ci(server).results_on_commit(a_run(server, pipeline), job(last, "test", pipeline))
    assert [(item.run.id, item.status, item.url.rsplit("/", 1)[-1]) for item in found] == [
        (str(pipeline), Status.FAILURE, str(first)),
        (str(earlier), Status.SUCCESS, str(passed)),
    ]
    assert {item.sha for item in found} == {SHA}


def test_only_so_many_pipelines_of_a_commit_are_looked_at(server: Rig) -> None:
    for _ in range(15):
        server.add_job(server.add_pipeline(sha=SHA), "test", "success")
    pipeline = server.add_pipeline(sha=SHA)
    number = server.add_job(pipeline, "test")
    assert len(ci(server).results_on_commit(a_run(server, pipeline), job(number, "test", pipeline))) == 10


def test_results_on_a_branch_are_those_of_finished_pipelines_newest_first(server: Rig) -> None:
    old, green = server.add_pipeline("failed"), server.add_pipeline("success")
    server.add_pipeline("running")
    server.add_pipeline("success", ref="topic")
    run = a_run(server, server.add_pipeline("failed"))
    newest = server.add_pipeline("canceled")
    found = ci(server).results_on_branch(run, "main", 20)
    assert [(item.run, item.status) for item in found] == [(ref(newest), Status.CANCELLED), (ref(green), Status.SUCCESS), (ref(old), Status.FAILURE)]
    assert [item.run for item in ci(server).results_on_branch(run, "main", 2)] == [ref(newest), ref(green)]


def test_only_the_jobs_given_are_started_again(server: Rig) -> None:
    pipeline = server.add_pipeline()
    one, two, three = (server.add_job(pipeline, name) for name in ("one", "two", "three"))
    ci(server).rerun_failed(ref(pipeline), [job(one, "one", pipeline), job(three, "three", pipeline)])
    assert [server.jobs[number]["name"] for number in server.retried] == ["one", "three"]
    assert not server.jobs[two]["retried"]
    assert [item.run.attempt for item in ci(server).jobs(ref(pipeline))] == [2, 1, 2]


def test_a_retry_that_is_refused_midway_says_what_was_started(server: Rig) -> None:
    pipeline = server.add_pipeline()
    one, two = (server.add_job(pipeline, name) for name in ("one", "two"))
    server.jobs[two]["status"] = "manual"
    with pytest.raises(NotAllowed, match=r"Job is not retryable.*Before that, these were started again: one\."):
        ci(server).rerun_failed(ref(pipeline), [job(one, "one", pipeline), job(two, "two", pipeline)])


def test_a_retry_takes_the_role_developer(server: Rig) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "one")
    with pytest.raises(NotAllowed, match=rf"starting job {number} again was refused \(403\).*CICD_AGENTS_GITLAB_TOKEN.*role Developer"):
        ci(server, access=server.access_token("reporter", "weak")).rerun_failed(ref(pipeline), [job(number, "one", pipeline)])
    assert server.retried == []


def test_a_retry_is_not_sent_twice_where_the_first_may_have_worked(server: Rig) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "one")
    server.faults = {0: Reply(502)}
    with pytest.raises(Unavailable):
        ci(server).rerun_failed(ref(pipeline), [job(number, "one", pipeline)])
    assert len(server.requests) == 1


def test_what_a_job_token_may_not_read_names_the_variable_that_lacks(server: Rig) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "test")
    client = ci(server, job=server.job_token())
    for call in (lambda: client.run(ref(pipeline)), lambda: client.jobs(ref(pipeline)), lambda: client.open_log(job(number, "test", pipeline)).__enter__()):
        with pytest.raises(NotAllowed) as problem:
            call()
        assert "The job token may not do this: put a project access token with the scope `api` and the role Reporter" in str(problem.value)
        assert "into the variable CICD_AGENTS_GITLAB_TOKEN, masked. Pipelines of merge requests from forks do not get it." in str(problem.value)
        assert server.job_token() not in str(problem.value)


def test_a_job_token_reads_the_pipelines_of_a_public_project() -> None:
    with gitlab(public=True) as server:
        pipeline = server.add_pipeline()
        server.add_job(pipeline, "test")
        assert len(ci(server, job=server.job_token()).jobs(ref(pipeline))) == 1


def test_a_pipeline_that_is_not_there_is_not_a_matter_of_rights_with_an_access_token(server: Rig) -> None:
    with pytest.raises(NotFound, match=r"reading pipeline 1 found nothing \(404\)"):
        ci(server).run(ref(1))


def test_a_token_that_expired_is_said_so(server: Rig) -> None:
    with pytest.raises(NotAllowed, match=r"\(401\).*wrong, expired or revoked") as problem:
        ci(server, access="glpat-a-revoked-token").jobs(ref(1))
    assert "glpat-a-revoked-token" not in str(problem.value)


def test_tokens_go_into_the_header_that_gitlab_wants(server: Rig) -> None:
    pipeline = server.add_pipeline()
    ci(server, access=server.access_token()).jobs(ref(pipeline))
    with pytest.raises(NotAllowed):
        ci(server, job=server.job_token()).jobs(ref(pipeline))
    first, last = server.requests[0].headers, server.requests[-1].headers
    assert (first.get("private-token"), first.get("job-token")) == (server.access_token(), None)
    assert (last.get("private-token"), last.get("job-token")) == (None, server.job_token())


def test_an_install_below_a_path_is_called_there() -> None:
    with gitlab(relative="/gitlab") as server:
        pipeline = server.add_pipeline()
        server.add_job(pipeline, "test")
        assert ci(server).jobs(ref(pipeline))[0].url.startswith(f"{server.url}/gitlab/group/app/-/jobs/")
        assert {request.path.split("/projects")[0] for request in server.requests} == {"/gitlab/api/v4"}


def test_an_id_that_is_no_number_is_not_sent(server: Rig) -> None:
    client = ci(server)
    for number in ("", "12/jobs", "../7", "１２", "-1"):
        with pytest.raises(UsageError, match="is no pipeline id"):
            client.jobs(RunRef(number))
    assert server.requests == []


def test_an_answer_of_another_shape_is_no_crash(server: Rig) -> None:
    bodies = (b"<html>sign in</html>", b'{"message": "x"}', b"[1]", b'[{"id": "x"}]', b'[{"id": 1, "name": "n"}]', b"[[]]", b"[")
    client = ci(server)
    server.faults = {index: Reply(200, body, {"content-type": "application/json"}) for index, body in enumerate(bodies)}
    for _ in bodies:
        with pytest.raises(BadAnswer, match="GitLab"):
            client.jobs(ref(1))


@pytest.mark.parametrize(
    "fault",
    [Reply(reset=True), Reply(401), Reply(403), Reply(404), Reply(429), Reply(500), Reply(502), Reply(200, b"[]", cut=1), Reply(200, b"no"), json_reply({})],
)
def test_every_call_that_fails_ends_in_a_service_error(server: Rig, fault: Reply) -> None:
    pipeline = server.add_pipeline()
    number = server.add_job(pipeline, "test")
    run = ci(server).run(ref(pipeline))
    calls = (lambda: ci(server).run(ref(pipeline)), lambda: ci(server).results_on_commit(run, job(number, "test", pipeline)))
    for call in calls:
        for index in (0, 1):
            start = len(server.requests) + index
            server.faults = dict.fromkeys(range(start, start + 20), fault)
            with pytest.raises(ServiceError, match="GitLab"):
                call()
