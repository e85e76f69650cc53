"""Jenkins by a real socket: builds, consoles, stages, earlier builds, changes, and starting a build again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.http_server import Reply, json_reply
from tests.servers.jenkins import FREESTYLE, START, TOKEN, USER, JenkinsServer, build, checkout, commit, stage

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms.jenkins import Jenkins
from cicd_agents.clients.platforms.jenkins_changes import JenkinsChanges
from cicd_agents.clients.platforms.jenkins_service import service
from cicd_agents.domain.ci import Commit, Job, RunRef, Status
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError, Unavailable, UsageError

A, B, C = "a" * 40, "b" * 40, "c" * 40
TIMEOUT = {"_class": "org.jenkinsci.plugins.workflow.steps.TimeoutStepExecution$ExceededTimeout", "shortDescription": "Timeout has been exceeded"}
BY_HAND = {"_class": "jenkins.model.CauseOfInterruption$UserInterruption", "shortDescription": "Aborted by Ada"}


OPEN: list[Http] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def server() -> Iterator[JenkinsServer]:
    with JenkinsServer() as running:
        yield running
        assert running.problems == []


def http(server: JenkinsServer, user: str = USER, token: str = TOKEN) -> Http:
    clock = FakeClock()
    OPEN.append(Http(service(server.root, user, token), clock, Budget(clock, 300)))
    return OPEN[-1]


def jenkins(server: JenkinsServer, **options: Any) -> Jenkins:
    return Jenkins(http(server), **options)


def only_job(server: JenkinsServer, ref: str = "app#3") -> Job:
    (job,) = jenkins(server).jobs(RunRef(ref))
    return job


# A build


def test_a_build_is_read_as_a_run(server: JenkinsServer) -> None:
    cause = {"_class": "hudson.triggers.TimerTrigger$TimerTriggerCause", "shortDescription": "Started by timer"}
    server.jobs["app"] = [build(3, sha=A, branch="feature/x", causes=[cause])]
    run = jenkins(server).run(RunRef("app#3"))
    assert (run.ref, run.status, run.sha, run.branch, run.event) == (RunRef("app#3"), Status.FAILURE, A, "feature/x", "schedule")
    assert (run.name, run.url, run.created, run.workflow) == ("app #3", "https://ci.example/job/app/3/", (START + 3 * 600_000) / 1000, "app")


def test_only_what_is_needed_is_asked_for(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, sha=A)]
    jenkins(server).run(RunRef("app#3"))
    assert all(request.query["tree"] and "artifacts" not in request.query["tree"] for request in server.requests)


def test_the_user_and_the_token_go_as_basic_authentication(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    jenkins(server).run(RunRef("app#3"))
    assert server.requests[0].headers["authorization"] == "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


def test_a_server_below_a_path_and_jobs_in_folders_are_found() -> None:
    with JenkinsServer("/jenkins") as server:
        server.jobs["team/my app/feature%2Fx"] = [build(3, sha=A)]
        run = jenkins(server).run(RunRef("team/my app/feature%2Fx#3"))
        assert run.workflow == "team/my app/feature%2Fx"
        assert server.problems == []


@pytest.mark.parametrize("name", ["", "app", "app#", "app#x", "#3", "a//b#3", "app#3#", f"{'a' * 3000}#1", "app#1234567890"])
def test_what_names_no_build_is_told_to_the_user(server: JenkinsServer, name: str) -> None:
    with pytest.raises(UsageError, match="job/path#number"):
        jenkins(server).run(RunRef(name))
    assert server.requests == []


@pytest.mark.parametrize(
    ("result", "building", "interrupted", "status"),
    [
        ("SUCCESS", False, [], Status.SUCCESS),
        ("FAILURE", False, [], Status.FAILURE),
        ("UNSTABLE", False, [], Status.FAILURE),
        ("ABORTED", False, [BY_HAND], Status.CANCELLED),
        ("ABORTED", False, [TIMEOUT], Status.TIMED_OUT),
        ("NOT_BUILT", False, [], Status.SKIPPED),
        ("FAILURE", True, [], Status.FAILURE),  # in the post section of a Pipeline
        (None, True, [], Status.RUNNING),
        (None, False, [], Status.UNKNOWN),
        ("ODD", False, [], Status.UNKNOWN),
    ],
)
def test_results_are_told_in_our_words(server: JenkinsServer, result: str | None, building: bool, interrupted: list[Any], status: Status) -> None:
    action = {"_class": "jenkins.model.InterruptedBuildAction", "causes": interrupted}
    server.jobs["app"] = [build(3, result, building=building, actions=[action])]
    assert jenkins(server).run(RunRef("app#3")).status is status


def test_the_code_of_the_repository_is_told_from_that_of_a_library(server: JenkinsServer) -> None:
    library = checkout(B, "main", "https://git.example/org/library.git")
    server.jobs["team/app/feature%2Fx"] = [build(3, sha=A, branch="feature/x", actions=[library])]
    assert jenkins(server).run(RunRef("team/app/feature%2Fx#3")).sha == A  # by the job's name
    server.jobs["app"] = [build(3, actions=[checkout(A, "main"), library])]
    assert jenkins(server).run(RunRef("app#3")).sha == B  # the last one, where nothing else is known
    assert jenkins(server, remote="https://git.example/org/app.git").run(RunRef("app#3")).sha == A


def test_nulls_among_the_actions_do_no_harm(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, sha=A, actions=[None, {}])]
    assert jenkins(server).run(RunRef("app#3")).sha == A


# Attempts


def test_builds_of_the_same_commit_that_failed_before_are_attempts(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(6, sha=A), build(5, sha=B), build(4, "ABORTED", sha=A), build(3, sha=A), build(2, "SUCCESS", sha=A), build(1, sha=A)]
    assert jenkins(server).run(RunRef("app#6")).ref.attempt == 2
    assert jenkins(server).run(RunRef("app#3")).ref.attempt == 1


def test_builds_with_other_parameters_are_no_attempts(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(2, sha=A, parameters={"OS": "linux"}), build(1, sha=A, parameters={"OS": "windows"})]
    assert jenkins(server).run(RunRef("app#2")).ref.attempt == 1


def test_a_replayed_build_is_an_attempt_also_when_the_change_was_merged_anew(server: JenkinsServer) -> None:
    cause = {"_class": "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause", "shortDescription": "Replayed #1"}
    server.jobs["app"] = [build(2, sha=B, causes=[cause]), build(1, sha=A)]
    run = jenkins(server).run(RunRef("app#2"))
    assert (run.ref.attempt, run.event) == (2, "replay")


def test_builds_without_a_checkout_count_failures_in_a_row(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(4), build(3), build(2, "SUCCESS"), build(1)]
    assert jenkins(server).run(RunRef("app#4")).ref.attempt == 2


def test_repetitions_that_name_each_other_end(server: JenkinsServer) -> None:
    causes = [{"_class": "com.sonyericsson.rebuild.RebuildCause", "shortDescription": f"Rebuilds build #{number}"} for number in (2, 1, 3)]
    server.jobs["app"] = [build(3, causes=[causes[0]]), build(2, causes=[causes[2]]), build(1, causes=[causes[1]])]
    assert jenkins(server).run(RunRef("app#3")).ref.attempt == 3


# Jobs and logs


def test_a_build_is_one_job_with_its_stages_as_steps(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, sha=A)]
    server.stages["app#3"] = [stage("Build"), stage("Test", "FAILED"), stage("Report", "NOT_EXECUTED"), stage("Odd", "SOMETHING")]
    job = only_job(server)
    assert (job.id, job.name, job.status, job.stage, job.deploys) == ("app#3", "app", Status.FAILURE, "Test", False)
    assert [(step.number, step.name, step.status) for step in job.steps] == [
        (1, "Build", Status.SUCCESS), (2, "Test", Status.FAILURE), (3, "Report", Status.SKIPPED), (4, "Odd", Status.UNKNOWN),
    ]  # fmt: skip
    assert job.started is not None
    assert job.completed == job.started + 61.5


@pytest.mark.parametrize(("stages", "status"), [(["SUCCESS", "IN_PROGRESS"], Status.RUNNING), (["SUCCESS", "FAILED", "IN_PROGRESS"], Status.FAILURE)])
def test_a_running_build_has_failed_when_a_stage_has(server: JenkinsServer, stages: list[str], status: Status) -> None:
    server.jobs["app"] = [build(3, None, building=True)]
    server.stages["app#3"] = [stage(f"Stage {number}", said) for number, said in enumerate(stages)]
    assert only_job(server).status is status


@pytest.mark.parametrize(
    ("job", "stages", "deploys"),
    [
        ("app", ["Build"], False),
        ("app", ["Build", "Deploy to production"], True),
        ("app", ["Release"], True),
        ("shop-deploy", ["Run"], True),
        ("app", ["Roll-out"], True),
        ("team/app/release%2F1.2", ["Build"], False),
        ("team/app/deploy-fix", ["Build"], False),
    ],
)
def test_builds_that_deploy_are_known_by_their_names(server: JenkinsServer, job: str, stages: list[str], deploys: bool) -> None:
    server.jobs[job] = [build(3, sha=A, branch=job.rpartition("/")[2].replace("%2F", "/"))]
    server.stages[f"{job}#3"] = [stage(name) for name in stages]
    assert only_job(server, f"{job}#3").deploys is deploys


def test_a_pipeline_whose_stages_are_not_known_counts_as_one_that_deploys(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    job = only_job(server)
    assert (job.steps, job.deploys) == ((), True)
    server.faults[len(server.requests) + 1] = json_reply({"stages": "odd"})
    assert only_job(server).deploys


def test_a_freestyle_build_is_not_asked_for_stages(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, kind=FREESTYLE)]
    job = only_job(server)
    assert (job.deploys, job.runner) == (False, "agent-7")
    assert not any("wfapi" in request.path for request in server.requests)


def test_the_jobs_of_two_branches_have_the_same_name(server: JenkinsServer) -> None:
    server.jobs["team/app/main"] = [build(1, sha=A, branch="main")]
    server.jobs["team/app/PR-7"] = [build(1, sha=B, branch="PR-7")]
    assert {only_job(server, f"team/app/{name}#1").name for name in ("main", "PR-7")} == {"team/app"}


def test_the_console_of_an_ended_build_is_read_whole(server: JenkinsServer) -> None:
    server.jobs["app"], server.logs["app#3"] = [build(3)], b"line\nFinished: FAILURE"
    with jenkins(server).open_log(only_job(server)) as log:
        assert (log.stream.read(), log.notes) == (b"line\nFinished: FAILURE", ())


def test_of_a_long_console_the_end_is_kept(server: JenkinsServer) -> None:
    server.jobs["app"], server.logs["app#3"] = [build(3)], b"x" * (3 << 20) + b"the end\n"
    with jenkins(server, max_log=8).open_log(only_job(server)) as log:
        assert log.stream.read() == b"the end\n"
        assert log.notes == ("The log's first 3 MiB were left out; line numbers count from there.",)


def test_the_console_of_a_running_build_ends_with_a_whole_line(server: JenkinsServer) -> None:
    server.jobs["app"], server.logs["app#3"] = [build(3, building=True)], b"whole\nhal"
    with jenkins(server).open_log(only_job(server)) as log:
        assert (log.stream.read(), log.notes) == (b"whole\n", ("The build was still running when its log was read.",))


def test_there_are_no_annotations(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    assert jenkins(server).annotations(only_job(server)) == ()


# Earlier builds


def test_the_last_success_is_the_newest_stable_one_of_the_branch_before(server: JenkinsServer) -> None:
    server.jobs["app"] = [
        build(6, "SUCCESS", sha=C), build(5, sha=C), build(4, "UNSTABLE", sha=B), build(3, "SUCCESS", sha=B, branch="other"), build(2, "SUCCESS", sha=A),
    ]  # fmt: skip
    server_side = jenkins(server)
    good = server_side.last_success(server_side.run(RunRef("app#5")))
    assert good is not None
    assert (good.ref.id, good.sha) == ("app#2", A)


def test_a_success_beyond_the_listed_builds_is_found(server: JenkinsServer) -> None:
    server.jobs["app"] = [*(build(number, sha=C) for number in range(150, 20, -1)), build(7, "SUCCESS", sha=A)]
    server_side = jenkins(server)
    good = server_side.last_success(server_side.run(RunRef("app#150")))
    assert good is not None
    assert good.ref.id == "app#7"


def test_a_change_request_without_a_success_is_compared_with_its_base_branch(server: JenkinsServer) -> None:
    server.jobs["team/app/PR-7"] = [build(1, sha=B, branch="PR-7")]
    server.jobs["team/app/release%2F1"] = [build(9, sha=C, branch="release/1"), build(8, "SUCCESS", sha=A, branch="release/1")]
    server_side = jenkins(server, base_branch="release/1")
    good = server_side.last_success(server_side.run(RunRef("team/app/PR-7#1")))
    assert good is not None
    assert good.ref.id == "team/app/release%2F1#8"


def test_without_any_success_there_is_none(server: JenkinsServer) -> None:
    server.jobs["team/app/PR-7"] = [build(1, sha=B, branch="PR-7")]
    for base in ("", "main", "PR-7"):
        server_side = jenkins(server, base_branch=base)
        assert server_side.last_success(server_side.run(RunRef("team/app/PR-7#1"))) is None


def test_other_builds_of_the_commit_with_the_same_parameters_are_results(server: JenkinsServer) -> None:
    linux, windows = {"OS": "linux", "FAST": True}, {"OS": "windows", "FAST": True}
    server.jobs["app"] = [
        build(6, None, sha=A, parameters=linux, building=True), build(5, "SUCCESS", sha=A, parameters=linux), build(4, "SUCCESS", sha=B, parameters=linux),
        build(3, sha=A, parameters=linux), build(2, "SUCCESS", sha=A, parameters=windows), build(1, sha=A, parameters=linux),
    ]  # fmt: skip
    server_side = jenkins(server)
    (job,) = server_side.jobs(RunRef("app#3"))
    results = server_side.results_on_commit(server_side.run(RunRef("app#3")), job)
    assert [(item.run, item.status, item.sha) for item in results] == [
        (RunRef("app#5", 3), Status.SUCCESS, A), (RunRef("app#1", 1), Status.FAILURE, A),
    ]  # fmt: skip


def test_a_replay_is_no_result_for_its_script_may_be_another(server: JenkinsServer) -> None:
    replay = {"_class": "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause", "shortDescription": "Replayed #1"}
    rebuild = {"_class": "com.sonyericsson.rebuild.RebuildCause", "shortDescription": "Rebuilds build #1"}
    server.jobs["app"] = [build(3, "SUCCESS", sha=A, causes=[replay]), build(2, "SUCCESS", sha=B, causes=[rebuild]), build(1, sha=A)]
    server_side = jenkins(server)
    found = {}
    for number in (1, 3):
        ref = RunRef(f"app#{number}")
        (job,) = server_side.jobs(ref)
        found[number] = [item.run.id for item in server_side.results_on_commit(server_side.run(ref), job)]
    assert found == {1: ["app#2"], 3: []}


def test_results_on_a_branch_come_from_its_own_job_in_a_multibranch_project(server: JenkinsServer) -> None:
    server.jobs["team/app/PR-7"] = [build(2, sha=B, branch="PR-7"), build(1, "SUCCESS", sha=C, branch="PR-7")]
    server.jobs["team/app/main"] = [build(9, "NOT_BUILT", sha=A), build(8, sha=A), build(7, "SUCCESS", sha=A), build(6, "SUCCESS", sha=A)]
    server_side = jenkins(server)
    run = server_side.run(RunRef("team/app/PR-7#2"))
    assert [item.run.id for item in server_side.results_on_branch(run, "main", 2)] == ["team/app/main#8", "team/app/main#7"]
    assert [item.run.id for item in server_side.results_on_branch(run, "PR-7", 5)] == ["team/app/PR-7#1"]
    assert server_side.results_on_branch(run, "gone", 5) == ()


def test_results_on_a_branch_of_a_job_for_all_branches_are_its_own(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, sha=C), build(2, "SUCCESS", sha=B, branch="other"), build(1, "SUCCESS", sha=A)]
    server_side = jenkins(server)
    run = server_side.run(RunRef("app#3"))
    assert [item.run.id for item in server_side.results_on_branch(run, "main", 5)] == ["app#1"]
    assert [item.run.id for item in server_side.results_on_branch(run, "other", 5)] == ["app#2"]


# Changes


def changes(server: JenkinsServer) -> JenkinsChanges:
    return JenkinsChanges(http(server), "app")


@pytest.mark.parametrize("kind", [FREESTYLE, "org.jenkinsci.plugins.workflow.job.WorkflowRun"])
def test_the_commits_of_all_builds_since_the_base_are_compared(server: JenkinsServer, kind: str) -> None:
    server.jobs["app"] = [
        build(4, sha="d" * 40, kind=kind, changes=[commit("d" * 40)]),
        build(3, sha=C, kind=kind, changes=[commit(C, "Third", files={"poetry.lock": "edit", "new.py": "edit"})]),
        build(2, sha=B, kind=kind, changes=[commit("e" * 40, "Second", files={"new.py": "add", "gone.py": "add"}), commit(B, files={"gone.py": "delete"})]),
        build(1, "SUCCESS", sha=A, kind=kind, changes=[commit(A)]),
    ]
    found = changes(server).compare(A, C)
    assert [item.sha for item in found.commits] == ["e" * 40, B, C]
    assert found.commits[2] == Commit(C, "Third", "Ada", START / 1000, files=("poetry.lock", "new.py"))
    assert [(item.path, item.status) for item in found.files] == [("new.py", "added"), ("poetry.lock", "modified")]
    assert found.complete


def test_a_changelog_with_the_newest_commit_first_is_turned(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(2, sha=C, changes=[commit(C), commit(B)]), build(1, sha=A)]
    assert [item.sha for item in changes(server).compare(A, C).commits] == [B, C]


@pytest.mark.parametrize(
    "builds",
    [
        [build(3, sha=C, changes=[commit(C)]), build(1, sha=A)],  # build 2 was deleted
        [build(3, sha=C, changes=[commit(C)]), build(2, sha=B)],  # the base is not there
        [build(2, sha=C, changes=[commit(f"{number:040x}") for number in range(1024)]), build(1, sha=A)],  # Git's plugin cut the list
    ],
)
def test_a_comparison_with_a_gap_says_so(server: JenkinsServer, builds: list[Any]) -> None:
    server.jobs["app"] = builds
    found = changes(server).compare(A, C)
    assert found.commits
    assert not found.complete


def test_a_commit_is_known_by_the_build_that_brought_it(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(2, sha=B, changes=[commit(B, "Second", author="Grace")])]
    assert changes(server).commit(B).author == "Grace"
    with pytest.raises(NotFound, match="no build of app"):
        changes(server).commit(C)
    with pytest.raises(NotFound, match="no build of app"):
        changes(server).compare(A, C)


def test_contents_of_files_are_not_there(server: JenkinsServer) -> None:
    with pytest.raises(NotFound, match="names of changed files"):
        changes(server).read_file("poetry.lock", A, 100)


# Starting again


def test_a_build_without_parameters_is_started_again(server: JenkinsServer) -> None:
    server.jobs["team/app"] = [build(3, sha=A)]
    jenkins(server).rerun_failed(RunRef("team/app#3"), [])
    assert server.started == [("team/app", {})]


def test_a_build_is_started_with_the_parameters_that_it_had(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3, sha=A, parameters={"TARGET": "a & b=c\nd", "FAST": True, "COUNT": 3})]
    jenkins(server).rerun_failed(RunRef("app#3"), [])
    assert server.started == [("app", {"TARGET": "a & b=c\nd", "FAST": "true", "COUNT": "3"})]


def test_a_crumb_is_brought_along_where_one_is_wanted(server: JenkinsServer) -> None:
    server.jobs["app"], server.crumb = [build(3, parameters={"TARGET": "x"})], "c0ffee"
    jenkins(server).rerun_failed(RunRef("app#3"), [])
    assert server.started == [("app", {"TARGET": "x"})]


@pytest.mark.parametrize(("parameters", "reason"), [({"PASSWORD": None}, "value of its parameter PASSWORD"), ({"TEXT": "ä" * 1001}, "too long")])
def test_what_cannot_be_repeated_is_not_started(server: JenkinsServer, parameters: dict[str, Any], reason: str) -> None:
    server.jobs["app"] = [build(3, parameters=parameters)]
    with pytest.raises(Rejected, match=reason):
        jenkins(server).rerun_failed(RunRef("app#3"), [])
    assert server.started == []


def test_a_start_whose_answer_is_lost_is_not_sent_twice(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    server.faults[2] = Reply(502)  # after the build and the crumb
    with pytest.raises(Unavailable, match="starting app failed"):
        jenkins(server).rerun_failed(RunRef("app#3"), [])
    assert [request.method for request in server.requests] == ["GET", "GET", "POST"]


# Refusals and odd answers


def test_a_wrong_token_names_the_variables_and_never_the_token(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    with pytest.raises(NotAllowed, match=r"reading build app#3 was refused \(401\).*JENKINS_API_USER and JENKINS_API_TOKEN") as caught:
        Jenkins(http(server, token="wrong-token-12345")).run(RunRef("app#3"))
    assert "wrong-token" not in str(caught.value)


def test_without_a_login_the_variables_are_named(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    with pytest.raises(NotAllowed, match=r"\(403\).*JENKINS_API_USER"):
        Jenkins(http(server, user="", token="")).run(RunRef("app#3"))


def test_a_missing_permission_is_named(server: JenkinsServer) -> None:
    server.jobs["app"] = [build(3)]
    server.may = {"read"}
    with pytest.raises(NotAllowed, match=r"starting app was refused \(403\).*Give the user doctor the permission Job/Build"):
        jenkins(server).rerun_failed(RunRef("app#3"), [])
    server.may = set()
    with pytest.raises(NotAllowed, match="Give the user doctor the permissions Overall/Read and Job/Read"):
        jenkins(server).run(RunRef("app#3"))


def test_a_build_that_is_gone_says_what_to_check(server: JenkinsServer) -> None:
    with pytest.raises(NotFound, match=r"reading build team/app#9 found nothing.*Job/Read"):
        jenkins(server).run(RunRef("team/app#9"))
    server.jobs["app"] = [build(3)]
    server_side = jenkins(server)
    (job,) = server_side.jobs(RunRef("app#3"))
    server.jobs["app"] = []
    with pytest.raises(NotFound, match=r"reading the log of build app#3 found nothing.*may have been deleted"), server_side.open_log(job):
        pass


ODD = [
    [], {}, {"number": "3"}, {"number": 3, "actions": [{"lastBuiltRevision": 7}]}, {"number": 3, "result": 1}, {"number": 3, "timestamp": "now"},
    {"number": 3, "actions": [{"parameters": [{"name": 4}]}]}, {"number": 3, "actions": [{"lastBuiltRevision": {"branch": [{"name": {}}]}}]},
]  # fmt: skip


@pytest.mark.parametrize("answer", ODD)
def test_answers_of_another_shape_are_told_and_never_crash(server: JenkinsServer, answer: Any) -> None:
    server.jobs["app"] = [build(3)]
    server.faults[0] = json_reply(answer)
    with pytest.raises(BadAnswer, match="Jenkins"):
        jenkins(server).run(RunRef("app#3"))
    server.faults[len(server.requests) + 1] = json_reply({"builds": [answer]})
    with pytest.raises(BadAnswer, match="Jenkins"):
        jenkins(server).run(RunRef("app#3"))


@pytest.mark.parametrize("changelog", [[7], {"items": 7}, [{"items": [{"commitId": 7}]}], [{"items": [{"commitId": C, "paths": [{}]}]}]])
def test_changes_of_another_shape_are_told_and_never_crash(server: JenkinsServer, changelog: Any) -> None:
    server.faults[0] = json_reply({"builds": [{"number": 1, "changeSets": changelog}]})
    with pytest.raises(BadAnswer, match="Jenkins: the changes of app"):
        changes(server).compare(A, C)


FAULTS = {
    "reset": Reply(reset=True), "401": Reply(401), "403": Reply(403), "404": Reply(404), "429": Reply(429), "500": Reply(500), "502": Reply(502),
    "cut": Reply(200, b'{"number": 3, "act', cut=10), "page": Reply(200, b"<html>"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("index", range(5))
def test_a_fault_at_any_call_ends_as_a_service_error_or_not_at_all(server: JenkinsServer, fault: str, index: int) -> None:
    server.jobs["app"] = [build(3, sha=B), build(2, "SUCCESS", sha=A)]
    server.stages["app#3"] = [stage("Build", "FAILED")]
    server.faults[index] = FAULTS[fault]
    server_side = jenkins(server)
    said = ""
    try:
        run = server_side.run(RunRef("app#3"))
        (job,) = server_side.jobs(RunRef("app#3"))
        good = server_side.last_success(run)
        with server_side.open_log(job):
            said = f"Jenkins: the last success is {good.ref.id}" if good else ""
    except ServiceError as problem:
        said = str(problem)
    assert said.startswith("Jenkins: ")
    assert TOKEN not in said
