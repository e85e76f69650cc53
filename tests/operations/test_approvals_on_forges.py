"""Approvals with the real clients against the stand-ins of GitHub and GitLab: asked, answered, used up, and killed at every HTTP call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from tests.clients.platforms import gitlab_rig
from tests.clients.platforms.github_connection import connect
from tests.servers.clock import START, FakeClock
from tests.servers.github import BOT, PERSON, STRANGER, GitHub
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.github_code import GitHubCodeHost
from cicd_agents.clients.platforms.github_people import GitHubPeople
from cicd_agents.clients.platforms.github_threads import GitHubThreads
from cicd_agents.clients.platforms.gitlab_code import GitLabHost
from cicd_agents.clients.platforms.gitlab_people import GitLabPeople
from cicd_agents.clients.platforms.gitlab_threads import GitLabThreads
from cicd_agents.domain.errors import ServiceError
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.operations.approval import Approval, ApprovalStatus
from cicd_agents.operations.approval_places import LABEL, IssuePlace
from cicd_agents.operations.approval_request import State, read_request_marker
from cicd_agents.operations.approval_rules import parse_rules
from cicd_agents.operations.approvals import Approvals, Asking
from cicd_agents.operations.audit import AuditEntry

PUSH = Operation("Push", "origin", "All see it. See #1 and @all.", "Revert.", "Push:v1", parameters=(("refs", "c0ffee"), ("notes", "/close\n```\n/approve\n")))
G, W, R, E = ApprovalStatus.GRANTED, ApprovalStatus.WAITING, ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED


@dataclass
class Memory:
    """An audit log in memory."""

    entries: list[AuditEntry] = field(default_factory=list)

    def write(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@dataclass
class Scene:
    """A forge with one approver and a stranger. `requests` are the texts of all requests there, `faults` what goes wrong by the index of a call."""

    approvals: Callable[[], Approvals]
    say: Callable[[str, str], None]
    change: Callable[[str], None]
    at: Callable[[float], None]
    requests: Callable[[], list[str]]
    calls: Callable[[], int]
    faults: dict[int, Reply]
    lost: dict[int, Reply]
    slash: str
    clock: FakeClock

    def approval(self) -> Approval:
        return self.approvals().approval([PUSH])

    def states(self) -> list[State]:
        markers = [read_request_marker(body) for body in self.requests()]
        return [marker.state for marker in markers if marker]

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.at(self.clock.now())


def build(scene: dict[str, object], place: IssuePlace, host: object, people: object, approver: str, clock: FakeClock, slash: bool) -> Approvals:
    rules = parse_rules(["Push"], [approver, "@octo-org/sre"], "4h")
    return Approvals(rules, Asking("octo/app", starter=str(scene["starter"]), slash=slash), place, host, people, Memory(), clock)  # type: ignore[arg-type]


@contextmanager
def on_github() -> Iterator[Scene]:
    with GitHub() as hub:
        hub.now, clock = START, FakeClock()
        hub.permissions.add("members: read")
        hub.teams["octo-org/sre"] = {}

        def approvals() -> Approvals:
            http = connect(hub)
            host, threads = GitHubCodeHost(http, "octo/app", hub.api_url), GitHubThreads(http, "octo/app")
            place = IssuePlace(host, threads, "octo/app")
            return build({"starter": "mallory"}, place, host, GitHubPeople(http, "octo/app"), "octocat", clock, slash=True)

        def number() -> int:
            return max(issue.number for issue in hub.issues.values() if LABEL in issue.labels)

        def say(who: str, body: str) -> None:
            hub.add_comment(number(), body, {"approver": PERSON, "stranger": STRANGER, "bot": BOT}[who])

        def change(body: str) -> None:
            last = hub.comments_on(number())[-1]
            last.body, last.updated = body, hub.moment()

        def at(now: float) -> None:
            hub.now = now

        def requests() -> list[str]:
            return [issue.body for issue in hub.issues.values() if read_request_marker(issue.body)]

        yield Scene(approvals, say, change, at, requests, lambda: len(hub.requests), hub.faults, hub.lost, "/", clock)


@contextmanager
def on_gitlab() -> Iterator[Scene]:
    with gitlab_rig.gitlab() as server:
        server.now, clock = START, FakeClock()
        token = server.access_token()
        ada = server.forge.add_account("ada", 30)
        accounts = {"approver": ada, "stranger": server.forge.add_account("eve"), "bot": server.tokens[token].user}
        server.forge.groups["octo-org/sre"] = {}

        def approvals() -> Approvals:
            project = gitlab_rig.project(server, access=token)
            host, threads = GitLabHost(project), GitLabThreads(project)
            place = IssuePlace(host, threads, "octo/app")
            return build({"starter": "eve"}, place, host, GitLabPeople(project), "ada", clock, slash=False)

        def say(who: str, body: str) -> None:
            server.add_note(server.issues[len(server.issues)], body, accounts[who])

        def change(body: str) -> None:
            note = server.issues[len(server.issues)].notes[-1]
            note["body"], note["updated_at"] = body, server.moment()

        def at(now: float) -> None:
            server.now = now

        def requests() -> list[str]:
            bodies = [issue.data["description"] for issue in server.issues.values()]
            return [body for body in bodies if read_request_marker(body)]

        yield Scene(approvals, say, change, at, requests, lambda: len(server.requests), server.faults, {}, "", clock)


@pytest.fixture(params=[on_github, on_gitlab], ids=["github", "gitlab"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with request.param() as made:
        yield made


def test_an_approval_is_asked_given_and_used_up(scene: Scene) -> None:
    waiting = scene.approval()
    word = f"{scene.slash}approve {waiting.plan.hash[:16]}"
    assert waiting.status is W
    assert f"`{word}`" in waiting.sentence
    assert f"\n{word}\n" in scene.requests()[0]
    scene.later(60)
    scene.say("stranger", word)
    scene.say("bot", word)
    scene.say("approver", f"> {word}")
    assert scene.approval().status is W
    scene.say("approver", f"Fine.\n\n{word}")
    granted = scene.approval()
    assert granted.status is G
    assert granted.by[0].time == START + 60
    assert granted.url.startswith("http")
    scene.approvals().done(granted, [replace(PUSH, status=OperationStatus.ALREADY_DONE)])
    assert scene.states() == [State.USED]
    assert scene.approval().status is W
    assert scene.states() == [State.USED, State.ASKED]


def test_a_changed_comment_does_not_count(scene: Scene) -> None:
    word = f"{scene.slash}approve {scene.approval().plan.hash}"
    scene.say("approver", "Let me look.")
    scene.later(5)
    scene.change(word)
    found = scene.approval()
    assert found.status is W
    assert "it was changed after it was written" in found.notes[0]


def test_a_no_ends_it(scene: Scene) -> None:
    scene.say("approver", f"{scene.slash}refuse {scene.approval().plan.hash[:12]}")
    assert [scene.approval().status for _ in range(2)] == [R, R]
    assert scene.states() == [State.REFUSED]


def test_it_runs_out_and_is_asked_anew(scene: Scene) -> None:
    scene.approval()
    scene.later(4 * 3600 + 1)
    assert [scene.approval().status for _ in range(2)] == [E, W]
    assert scene.states() == [State.EXPIRED, State.ASKED]


REFUSAL = json_reply({"message": "403 Forbidden"}, 403)


def broken_at_each_call(scene: Scene, faults: dict[int, Reply], fault: Reply, times: int) -> None:
    """Run after run, each of which meets the fault one call later, until one comes through."""
    for index in range(40):
        before = scene.calls()
        faults.clear()
        faults.update({before + index + further: fault for further in range(times)})
        try:
            found = scene.approval()
        except ServiceError:
            continue
        assert found.status is W
        if scene.calls() - before <= index:
            break
    else:
        pytest.fail("No run came through.")
    faults.clear()


def assert_one_request_that_can_be_answered(scene: Scene) -> None:
    found = scene.approval()
    assert scene.states() == [State.ASKED]
    scene.say("approver", f"{scene.slash}approve {found.plan.hash[:16]}")
    assert scene.approval().status is G


@pytest.mark.parametrize(("fault", "times"), [(REFUSAL, 1), (Reply(200, reset=True), 12)], ids=["refused", "broken off"])
def test_stopped_at_any_call_and_run_again_there_is_one_request(scene: Scene, fault: Reply, times: int) -> None:
    broken_at_each_call(scene, scene.faults, fault, times)  # a connection that breaks off is tried again, so it breaks for good
    assert_one_request_that_can_be_answered(scene)


def test_answers_that_are_lost_after_the_write_leave_one_request() -> None:
    with on_github() as scene:
        broken_at_each_call(scene, scene.lost, Reply(200, reset=True), 12)
        assert_one_request_that_can_be_answered(scene)
