"""Checks, pipelines and approvals of deployments of GitLab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project
from tests.servers.clock import START

from cicd_agents.clients.platforms.gitlab_pipelines import GitLabPipelines, GitLabReviews
from cicd_agents.domain.ci import Author, Status
from cicd_agents.domain.errors import NotAllowed, NotFound, Refused
from cicd_agents.domain.forge import EnvironmentApproval, Pipelines, Reviews

SHA = "a" * 40


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        running.add_commit(SHA)
        yield running


def pipelines(server: Rig, *, job: str = "", access: str | None = None) -> GitLabPipelines:
    return GitLabPipelines(project(server, access=access, job=job))


def reviews(server: Rig, *, job: str = "") -> Reviews:
    return GitLabReviews(project(server, job=job))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Status.UNKNOWN),
        (["success"], Status.SUCCESS),
        (["success", "skipped", "manual"], Status.SUCCESS),
        (["skipped", "manual"], Status.UNKNOWN),
        (["success", "failed"], Status.FAILURE),
        (["success", "canceled"], Status.FAILURE),
        (["failed", "running"], Status.RUNNING),
        (["success", "pending"], Status.RUNNING),
        (["success", "created"], Status.RUNNING),
        (["success", "a word of tomorrow"], Status.UNKNOWN),
        (["failed", "a word of tomorrow"], Status.FAILURE),
    ],
)
def test_checks_are_green_when_all_ended_and_none_failed(server: Rig, statuses: list[str], expected: Status) -> None:
    for index, status in enumerate(statuses):
        server.forge.add_status(SHA, f"job {index}", status)
    port: Pipelines = pipelines(server)
    assert port.checks(SHA) is expected


def test_a_failure_that_is_allowed_is_fine(server: Rig) -> None:
    server.forge.add_status(SHA, "lint", "failed", allow_failure=True)
    assert pipelines(server).checks(SHA) is Status.SUCCESS


def test_of_one_name_the_newest_counts_on_each_branch(server: Rig) -> None:
    server.forge.add_status(SHA, "test", "failed")
    server.forge.add_status(SHA, "test", "success")
    assert pipelines(server).checks(SHA) is Status.SUCCESS
    server.forge.add_status(SHA, "test", "failed", ref="release/1.x")
    server.forge.statuses[SHA].reverse()
    assert pipelines(server).checks(SHA) is Status.FAILURE


def test_checks_beyond_the_bound_are_not_taken_for_green(server: Rig) -> None:
    for index in range(2001):
        server.forge.add_status(SHA, f"job {index}", "success")
    with pytest.raises(Refused, match="more than 20 pages"):
        pipelines(server).checks(SHA)


def test_a_commit_that_gitlab_does_not_have_is_told(server: Rig) -> None:
    with pytest.raises(NotFound, match="reading the checks of commit bbbb"):
        pipelines(server).checks("b" * 40)


def test_a_pipeline_is_started_with_variables_and_found_again(server: Rig) -> None:
    url = pipelines(server).start("", "v1.0.0", {"ENVIRONMENT": "staging"})
    assert server.forge.started == [{"ref": "v1.0.0", "variables": [{"key": "ENVIRONMENT", "value": "staging"}]}]
    assert url == f"{server.web_url}/-/pipelines/1001"
    found = pipelines(server).started("", "v1.0.0", START)
    assert [(run.ref.id, run.status, run.event) for run in found] == [("1001", Status.RUNNING, "api")]


def test_without_inputs_no_variables_are_sent(server: Rig) -> None:
    pipelines(server).start("", "main", {})
    assert server.forge.started == [{"ref": "main"}]


def test_only_pipelines_that_somebody_started_since_then_count(server: Rig) -> None:
    server.add_pipeline("success", source="api", created=START - 60)
    server.add_pipeline("success", source="api", ref="other", created=START + 5)
    server.add_pipeline("success", source="push", created=START + 10)
    for index, source in enumerate(("api", "web", "trigger")):
        server.add_pipeline("running", source=source, created=START + 20 + index)
    assert [run.event for run in pipelines(server).started("", "main", START)] == ["trigger", "web", "api"]


def test_an_old_pipeline_that_ended_since_then_was_not_started_since_then(server: Rig) -> None:
    number = server.add_pipeline("success", source="api", created=START - 60)
    server.pipelines[number]["updated_at"] = "2026-01-01T00:00:00.000Z"
    assert pipelines(server).started("", "main", START) == ()


def test_a_job_token_starts_no_pipeline_and_says_what_it_takes(server: Rig) -> None:
    with pytest.raises(NotAllowed, match=r"starting a pipeline was refused .* the role Developer"):
        pipelines(server, job=server.job_token()).start("", "main", {})
    assert not server.forge.started


def test_approvals_of_the_pipelines_own_deployments_are_told_in_order(server: Rig) -> None:
    ada, bob = server.user("ada"), server.user("bob")
    staging, prod, other = (server.forge.add_deployment(pipeline, name) for pipeline, name in ((12, "staging"), (12, "prod"), (13, "prod")))
    server.forge.add_deployment(None, "by hand", "success")
    server.forge.say(prod, bob, "rejected", "not today")
    server.forge.say(staging, ada)
    server.forge.say(other, ada)
    assert reviews(server).of_run("12") == (
        EnvironmentApproval("staging", Author(str(ada["id"]), "ada"), True),
        EnvironmentApproval("prod", Author(str(bob["id"]), "bob"), False, "not today"),
    )


def test_a_word_that_is_neither_yes_nor_no_is_no_verdict(server: Rig) -> None:
    number = server.forge.add_deployment(12, "prod")
    server.forge.say(number, server.user("ada"), "pending")
    assert reviews(server).of_run("12") == ()


def test_a_gitlab_without_approvals_has_none(server: Rig) -> None:
    del server.forge.deployments[server.forge.add_deployment(12, "prod", "success")]["approvals"]
    assert reviews(server).of_run("12") == ()


def test_only_the_newest_deployments_are_looked_through(server: Rig) -> None:
    old = server.forge.add_deployment(12, "prod")
    server.forge.say(old, server.user("ada"))
    for _ in range(300):
        server.forge.add_deployment(13, "review")
    assert reviews(server).of_run("12") == ()
    assert len(server.requests) == 3


def test_a_job_token_reads_approvals(server: Rig) -> None:
    server.forge.say(server.forge.add_deployment(12, "prod"), server.user("ada"))
    assert [said.approved for said in reviews(server, job=server.job_token()).of_run("12")] == [True]
