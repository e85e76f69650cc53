"""Notes and labels of GitLab's issues and merge requests, and the requests of a commit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, project

from cicd_agents.clients.platforms.gitlab_code import MAX_BODY
from cicd_agents.clients.platforms.gitlab_threads import GitLabThreads
from cicd_agents.domain.errors import NotAllowed, NotFound
from cicd_agents.domain.forge import Thread, ThreadKind, Threads

SHA, MERGED = "a" * 40, "c" * 40
ISSUE, REQUEST = Thread(ThreadKind.ISSUE, 1), Thread(ThreadKind.REQUEST, 4)
BOTH = pytest.mark.parametrize("thread", [ISSUE, REQUEST], ids=["issue", "request"])


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        running.add_issue("It fails", labels=["bug"])
        running.add_merge_request(4, SHA)
        yield running


def threads(server: Rig, *, job: str = "", access: str | None = None) -> GitLabThreads:
    return GitLabThreads(project(server, access=access, job=job))


@BOTH
def test_a_note_is_written_and_found_again(server: Rig, thread: Thread) -> None:
    port: Threads = threads(server)
    made = port.comment(thread, "Released in v1.0.0.")
    kind = "issues" if thread is ISSUE else "merge_requests"
    assert made.url == f"{server.web_url}/-/{kind}/{thread.number}#note_{made.id}"
    found = list(port.comments(thread))
    assert [(note.id, note.body, note.author.login) for note in found] == [(made.id, "Released in v1.0.0.", "project_7_bot")]


@BOTH
def test_notes_come_oldest_first_from_all_pages_without_gitlabs_own(server: Rig, thread: Thread) -> None:
    to = server.issues[1] if thread is ISSUE else server.merge_requests[4]
    for index in range(130):
        server.add_note(to, f"note {index}", system=index == 7)
    assert [note.body for note in threads(server).comments(thread)] == [f"note {index}" for index in range(130) if index != 7]


@BOTH
def test_labels_are_added_and_those_that_were_there_stay(server: Rig, thread: Thread) -> None:
    port = threads(server)
    before = port.labels(thread)
    port.add_labels(thread, ["released", "on v1"])
    port.add_labels(thread, ["released"])
    assert port.labels(thread) == (*before, "released", "on v1")


def test_no_labels_ask_nothing(server: Rig) -> None:
    threads(server).add_labels(ISSUE, [])
    assert not server.requests


@pytest.mark.parametrize("kind", list(ThreadKind))
def test_a_thread_that_is_not_there_is_told(server: Rig, kind: ThreadKind) -> None:
    gone = Thread(kind, 99)
    with pytest.raises(NotFound, match="99"):
        list(threads(server).comments(gone))
    with pytest.raises(NotFound, match="99"):
        threads(server).labels(gone)


@BOTH
def test_a_job_token_writes_no_notes_and_says_what_it_takes(server: Rig, thread: Thread) -> None:
    with pytest.raises(NotAllowed, match=r"The job token may not do this: put a project access token .* CICD_AGENTS_GITLAB_TOKEN"):
        threads(server, job=server.job_token()).comment(thread, "Released.")
    assert not server.issues[1].notes + server.merge_requests[4].notes


def test_a_note_that_is_too_long_is_cut_to_what_gitlab_takes(server: Rig) -> None:
    assert len(threads(server).comment(ISSUE, "x" * (MAX_BODY + 1)).body) == MAX_BODY


@pytest.mark.parametrize("how", ["merge", "squash", "fast-forward"])
def test_merged_requests_of_a_commit_are_found_however_they_were_merged(server: Rig, how: str) -> None:
    server.add_merge_request(5, MERGED)
    server.add_merge_request(6, MERGED, state="closed")
    server.forge.merge(4, MERGED, how)
    assert threads(server).of_commit(MERGED) == (4,)


def test_a_gitlab_that_does_not_know_the_filter_gives_no_open_request(server: Rig) -> None:
    server.knows_state_filter = False
    assert threads(server).of_commit(SHA) == ()


def test_a_job_token_finds_the_requests_of_a_commit(server: Rig) -> None:
    server.forge.merge(4, MERGED)
    assert threads(server, job=server.job_token()).of_commit(MERGED) == (4,)
