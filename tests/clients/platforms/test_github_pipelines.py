"""Checks of commits, workflows that are started, and what people said for environments, on GitHub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.github_connection import connect
from tests.servers.github import PERSON, STRANGER, GitHub
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_pipelines import GitHubPipelines, GitHubReviews
from cicd_agents.domain.ci import Author, Status
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Rejected, ServiceError, Unavailable
from cicd_agents.domain.forge import EnvironmentApproval, Pipelines, Reviews

SHA = "c" * 40


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


def pipelines(hub: GitHub) -> GitHubPipelines:
    made = GitHubPipelines(connect(hub), hub.repository.full_name)
    port: Pipelines = made
    assert port is made
    return made


def reviews(hub: GitHub) -> GitHubReviews:
    made = GitHubReviews(connect(hub), hub.repository.full_name)
    port: Reviews = made
    assert port is made
    return made


@pytest.mark.parametrize(
    ("checks", "states", "expected"),
    [
        ([], [], Status.UNKNOWN),
        (["success"], [], Status.SUCCESS),
        ([], ["success"], Status.SUCCESS),
        (["success", "neutral", "skipped"], ["success"], Status.SUCCESS),
        (["success", None], ["success"], Status.RUNNING),
        (["success"], ["pending"], Status.RUNNING),
        (["failure", None], [], Status.RUNNING),
        (["success", "failure"], ["success"], Status.FAILURE),
        (["success"], ["error", "success"], Status.FAILURE),
        (["success"], ["failure"], Status.FAILURE),
        (["timed_out"], [], Status.FAILURE),
        (["cancelled", "success"], [], Status.FAILURE),
        (["action_required"], [], Status.FAILURE),
    ],
)
def test_all_checks_and_statuses_of_a_commit_count(hub: GitHub, checks: list[str | None], states: list[str], expected: Status) -> None:
    for number, conclusion in enumerate(checks):
        hub.add_check(SHA, f"check {number}", conclusion)
    for number, state in enumerate(states):
        hub.add_status(SHA, f"ci/{number}", state)
    hub.add_check("d" * 40, "of another commit", "failure")
    assert pipelines(hub).checks(SHA) is expected


@pytest.mark.parametrize("word", ["stale", "brand_new_word", ""])
def test_a_conclusion_that_we_do_not_know_is_neither_green_nor_red(hub: GitHub, word: str) -> None:
    shown = [{**hub.add_check(SHA, name, "success").json(hub.url), "conclusion": given} for name, given in (("a", "success"), ("b", word))]
    hub.faults[0] = json_reply({"total_count": 2, "check_runs": shown})
    assert pipelines(hub).checks(SHA) is Status.UNKNOWN


def test_a_failure_on_a_later_page_counts(hub: GitHub) -> None:
    for number in range(201):
        hub.add_check(SHA, f"check {number}", "failure" if number == 200 else "success")
    assert pipelines(hub).checks(SHA) is Status.FAILURE
    for number in range(101):
        hub.add_status("d" * 40, f"ci/{number}", "error" if number == 100 else "success")
    assert pipelines(hub).checks("d" * 40) is Status.FAILURE


@pytest.mark.parametrize(("taken", "named"), [("checks: read", "checks: read"), ("statuses: read", "statuses: read")])
def test_checks_that_may_not_be_read_are_no_success(hub: GitHub, taken: str, named: str) -> None:
    hub.add_check(SHA, "a")
    hub.permissions.remove(taken)
    with pytest.raises(NotAllowed, match=f"`{named}`"):
        pipelines(hub).checks(SHA)


@pytest.mark.parametrize("workflow", ["deploy.yml", ".github/workflows/deploy.yml"])
def test_a_workflow_is_started_and_its_page_told(hub: GitHub, workflow: str) -> None:
    page = pipelines(hub).start(workflow, "v1.0.0", {"environment": "staging", "version": "1.0.0"})
    assert hub.dispatches == [("deploy.yml", "v1.0.0", {"environment": "staging", "version": "1.0.0"})]
    assert page == f"{hub.url}/actions/runs/{hub.runs[0].id}"


@pytest.mark.parametrize("tells", [False, None], ids=["answers without", "does not know the question"])
def test_an_older_server_starts_it_once_and_tells_no_page(hub: GitHub, tells: bool | None) -> None:
    hub.tells_runs = tells
    assert pipelines(hub).start("deploy.yml", "main", {}) == ""
    assert len(hub.dispatches) == len(hub.runs) == 1


def test_a_start_that_is_rejected_for_another_reason_is_not_sent_again(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"message": 'Unexpected inputs provided: ["x"]'}, 422)
    with pytest.raises(Rejected, match="Unexpected inputs"):
        pipelines(hub).start("deploy.yml", "main", {"x": "1"})
    assert len(hub.requests) == 1


def test_a_workflow_that_is_not_there_is_said(hub: GitHub) -> None:
    with pytest.raises(NotFound, match=r"starting workflow no\.yml found nothing"):
        pipelines(hub).start("no.yml", "main", {})


def test_a_start_whose_answer_is_lost_is_found_among_the_started(hub: GitHub) -> None:
    hub.now = 1_750_000_100.0
    hub.lost[0] = Reply(502)
    with pytest.raises(Unavailable):
        pipelines(hub).start("deploy.yml", "main", {})
    [run] = pipelines(hub).started("deploy.yml", "main", 1_750_000_100.9)
    assert (run.status, run.event, run.branch, run.created) == (Status.RUNNING, "workflow_dispatch", "main", 1_750_000_100.0)


def test_only_runs_by_hand_of_this_workflow_and_branch_since_then_count_newest_first(hub: GitHub) -> None:
    since = 1_750_000_000.0
    for name, branch, event, created in (
        ("Deploy", "main", "workflow_dispatch", since - 1), ("Deploy", "main", "push", since + 1), ("Deploy", "1.x", "workflow_dispatch", since + 1),
        ("Test", "main", "workflow_dispatch", since + 1), ("Deploy", "main", "workflow_dispatch", since), ("Deploy", "main", "workflow_dispatch", since + 60),
    ):  # fmt: skip
        hub.add_run(name, "success", branch=branch, event=event, created=created)
    assert [run.created for run in pipelines(hub).started("deploy.yml", "main", since)] == [since + 60, since]


def test_what_people_said_for_environments_is_told_by_their_numbers(hub: GitHub) -> None:
    run = hub.add_run("Deploy", None)
    hub.review(run, "production", "approved", PERSON, "Ship it")
    hub.review(run, "staging", "rejected", STRANGER)
    hub.review(run, "staging", "pending", PERSON)
    hub.review(run, "production", "approved", None)
    hub.review(hub.add_run("Deploy", None), "production")
    assert reviews(hub).of_run(str(run.id)) == (
        EnvironmentApproval("production", Author(str(PERSON.id), PERSON.login), True, "Ship it"),
        EnvironmentApproval("staging", Author(str(STRANGER.id), STRANGER.login), False),
        EnvironmentApproval("production", Author("", "ghost"), True),
    )


def test_a_word_that_is_neither_yes_nor_no_is_nothing(hub: GitHub) -> None:
    hub.faults[0] = json_reply([{"state": "waved", "environments": [{"name": "production"}], "user": PERSON.json(), "comment": ""}])
    assert reviews(hub).of_run("1") == ()


def test_a_run_that_is_not_there_is_not_found(hub: GitHub) -> None:
    with pytest.raises(NotFound, match="environments of run 12"):
        reviews(hub).of_run("12")


@pytest.mark.parametrize("answer", [{}, ["x"], [{"state": "approved"}], [{"state": 1, "environments": []}], [{"state": "approved", "environments": [{}]}]])
def test_reviews_of_another_shape_are_a_bad_answer(hub: GitHub, answer: object) -> None:
    hub.faults[0] = json_reply(answer)
    with pytest.raises(BadAnswer):
        reviews(hub).of_run("1")


@pytest.mark.parametrize(
    "fault", [Reply(500), Reply(200, b'{"a"', {"content-type": "application/json"}, cut=2), json_reply({"m": 1}, 429, {"retry-after": "2"})]
)
def test_reads_overcome_a_passing_fault(hub: GitHub, fault: Reply) -> None:
    hub.add_check(SHA, "a")
    run = hub.add_run("Deploy", None, event="workflow_dispatch")
    hub.review(run, "production")
    for index in (0, 2, 4, 6):
        hub.faults[index] = fault
    assert pipelines(hub).checks(SHA) is Status.SUCCESS
    assert len(reviews(hub).of_run(str(run.id))) == 1
    assert len(pipelines(hub).started("deploy.yml", "main", 0)) == 1


@pytest.mark.parametrize("answer", [[], {}, {"check_runs": [1]}, {"check_runs": [{"status": None}]}])
def test_checks_of_another_shape_are_no_success(hub: GitHub, answer: object) -> None:
    hub.faults[0] = json_reply(answer)
    with pytest.raises(ServiceError):
        pipelines(hub).checks(SHA)
