"""Commits, files, notes and issues of GitLab, over real sockets; every request is checked against GitLab's description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.platforms.gitlab_rig import Rig, gitlab, host, repository
from tests.servers.gitlab import diff
from tests.servers.http_server import Reply, json_reply

from cicd_agents.clients.platforms.gitlab_code import MAX_BODY, capped
from cicd_agents.domain.ci import Author, Comment, FileChange, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import NotAllowed, NotFound, RateLimited, Refused, Unavailable

BASE, HEAD = "a" * 40, "b" * 40


@pytest.fixture
def server() -> Iterator[Rig]:
    with gitlab() as running:
        yield running


def test_a_comparison_has_commits_oldest_first_and_files_with_patches(server: Rig) -> None:
    server.add_commit("1" * 40, "First")
    server.add_commit("2" * 40, "Second")
    server.add_comparison(BASE, HEAD, ["1" * 40, "2" * 40], [
        diff("new.py", new_file=True), diff("gone.py", deleted_file=True), diff("now.py", old="then.py", renamed_file=True),
        diff("big.lock", too_large=True), diff("folded.lock", collapsed=True, patch=""), diff("same.py"),
    ])  # fmt: skip
    found = repository(server).compare(BASE, HEAD)
    patch = "@@ -1 +1 @@\n-a\n+b\n"
    assert [item.subject for item in found.commits] == ["First", "Second"]
    assert found.commits[0].files is None
    assert found.files == (
        FileChange("new.py", "added", "", patch), FileChange("gone.py", "removed", "", patch), FileChange("now.py", "renamed", "then.py", patch),
        FileChange("big.lock"), FileChange("folded.lock"), FileChange("same.py", patch=patch),
    )  # fmt: skip
    assert found.complete
    assert server.requests[0].query == {"from": BASE, "to": HEAD, "straight": "false"}


def test_a_comparison_newest_first_is_turned_round(server: Rig) -> None:
    server.add_commit("1" * 40, "First")
    server.add_commit("2" * 40, "Second")
    server.add_comparison(BASE, HEAD, ["2" * 40, "1" * 40], [])
    assert [item.subject for item in repository(server).compare(BASE, HEAD).commits] == ["First", "Second"]


def test_a_comparison_that_took_too_long_is_not_complete(server: Rig) -> None:
    server.add_comparison(BASE, HEAD, [], [], timeout=True)
    assert not repository(server).compare(BASE, HEAD).complete


def test_a_commit_comes_with_the_files_of_all_pages(server: Rig) -> None:
    server.add_commit(HEAD, "Change", [f"file {index}.py" for index in range(150)])
    found = repository(server).commit(HEAD)
    assert (found.sha, found.subject, found.author, found.url) == (HEAD, "Change", "Ada", f"{server.web_url}/-/commit/{HEAD}")
    assert found.time == 1_750_000_000.0
    assert found.files is not None
    assert len(found.files) == 150


def test_a_commit_of_countless_files_is_bounded(server: Rig) -> None:
    server.add_commit(HEAD, "Change", [f"file {index}.py" for index in range(1200)])
    found = repository(server).commit(HEAD)
    assert found.files is not None
    assert len(found.files) == 1000


def test_with_a_job_token_a_commit_comes_without_files(server: Rig) -> None:
    server.add_commit(HEAD, "Change", ["a.py"])
    found = repository(server, job=server.job_token()).commit(HEAD)
    assert (found.subject, found.files) == ("Change", None)


def test_a_file_is_read_at_a_ref_by_its_whole_path(server: Rig) -> None:
    server.files["release/1.x", "dir/sub dir/ü?.yml"] = b"\xffraw"
    assert repository(server).read_file("dir/sub dir/ü?.yml", "release/1.x", 100) == b"\xffraw"
    assert server.requests[0].path.endswith("/repository/files/dir%2Fsub%20dir%2F%C3%BC%3F.yml/raw")


def test_a_file_that_is_not_there_is_none(server: Rig) -> None:
    assert repository(server).read_file("a.yml", "main", 100) is None


def test_a_file_of_a_project_that_cannot_be_seen_is_not_taken_for_missing(server: Rig) -> None:
    with pytest.raises(NotFound, match="project group/other is not there"):
        repository(server, name="group/other").read_file("a.yml", "main", 100)
    with pytest.raises(NotAllowed, match="project group/other is not there"):
        repository(server, job=server.job_token(), name="group/other").read_file("a.yml", "main", 100)


def test_a_missing_file_told_in_other_words_is_none(server: Rig) -> None:
    server.faults = {0: Reply(404, b"<html>"), 1: json_reply({"message": ["odd"]}, 404)}
    assert repository(server).read_file("a.yml", "main", 100) is None
    assert repository(server).read_file("a.yml", "main", 100) is None


def test_a_file_over_the_limit_is_refused(server: Rig) -> None:
    server.files["main", "a.yml"] = b"x" * 101
    with pytest.raises(Refused):
        repository(server).read_file("a.yml", "main", 100)


def test_a_job_token_reads_files(server: Rig) -> None:
    server.files["main", ".cicd-agents.yml"] = b"comment: off\n"
    assert repository(server, job=server.job_token()).read_file(".cicd-agents.yml", "main", 100) == b"comment: off\n"


def test_the_project_may_be_named_by_its_path(server: Rig) -> None:
    server.files["main", "a.yml"] = b"a"
    assert repository(server, name="group/app").read_file("a.yml", "main", 100) == b"a"
    assert "/projects/group%2Fapp/" in server.requests[0].path


def test_me_is_the_account_of_the_token(server: Rig) -> None:
    token = server.access_token()
    user = server.tokens[token].user
    assert host(server, access=token).me() == Author(str(user["id"]), "project_7_bot")


def test_a_job_token_has_no_account(server: Rig) -> None:
    with pytest.raises(NotAllowed, match=r"reading the account of the token was refused.*CICD_AGENTS_GITLAB_TOKEN"):
        host(server, job=server.job_token()).me()


def test_the_merge_request_of_a_commit_is_the_open_one_whose_head_it_is(server: Rig) -> None:
    server.add_merge_request(1, HEAD, state="merged")
    server.add_merge_request(2, BASE).data["earlier"] = [HEAD]
    server.add_merge_request(3, HEAD, branch="fix")
    assert host(server).pull_request_of(HEAD, "fix") == PullRequest(3, HEAD, "fix", "main", url=f"{server.web_url}/-/merge_requests/3")


@pytest.mark.parametrize("knows_filter", [True, False])
def test_a_merge_request_that_is_closed_is_left_out_by_every_gitlab(server: Rig, knows_filter: bool) -> None:
    server.knows_state_filter = knows_filter
    server.add_merge_request(1, HEAD, state="closed")
    assert host(server).pull_request_of(HEAD, "topic") is None


def test_of_several_merge_requests_that_of_the_branch_is_taken(server: Rig) -> None:
    server.add_merge_request(1, HEAD, branch="one")
    server.add_merge_request(2, HEAD, branch="two")
    found = [host(server).pull_request_of(HEAD, branch) for branch in ("two", "elsewhere")]
    assert [request.number for request in found if request] == [2, 1]


def test_a_merge_request_from_a_fork_is_known_as_such(server: Rig) -> None:
    server.add_merge_request(1, HEAD, source_project_id=99)
    server.add_merge_request(2, BASE).data["source_project_id"] = None  # the fork was deleted
    found = [host(server).pull_request_of(sha, "topic") for sha in (HEAD, BASE)]
    assert [request.from_fork for request in found if request] == [True, True]


def test_a_job_token_finds_the_merge_request(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    assert host(server, job=server.job_token()).pull_request_of(HEAD, "topic") is not None


def test_all_notes_come_oldest_first_without_gitlabs_own(server: Rig) -> None:
    request = server.add_merge_request(1, HEAD)
    for index in range(120):
        server.add_note(request, f"note {index}")
        server.add_note(request, "added 1 commit", system=True)
    notes = list(host(server).comments(1))
    assert [note.body for note in notes] == [f"note {index}" for index in range(120)]
    assert notes[0].url == f"{server.web_url}/-/merge_requests/1#note_{notes[0].id}"
    assert len(server.requests) == 2


def test_gitlabs_own_notes_are_left_out_even_where_the_filter_is_not_known(server: Rig) -> None:
    author = {"id": 1, "username": "root"}
    server.faults = {0: json_reply([{"id": 1, "body": "b", "author": author, "system": True}, {"id": 2, "body": "mine", "author": author, "system": False}])}
    assert list(host(server).comments(1)) == [Comment("2", Author("1", "root"), "mine", f"{server.web_url}/-/merge_requests/1#note_2")]


def test_a_note_that_was_changed_says_when(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    client, server.now = host(server), 1_750_000_100.0
    made = client.create_comment(1, "first")
    server.now = 1_750_000_160.5
    client.update_comment(1, made, "second")
    found = list(client.comments(1))[-1]
    assert (found.created, found.updated) == (1_750_000_100.0, 1_750_000_160.5)


def test_a_note_without_an_author_does_not_hide_the_others(server: Rig) -> None:
    server.faults = {0: json_reply([{"id": 1, "body": None, "author": None}, {"id": 2, "body": "b", "author": {"id": 5, "username": "u"}}])}
    assert [(note.author.id, note.body) for note in host(server).comments(1)] == [("", ""), ("5", "b")]


def test_a_note_is_written_changed_and_deleted(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    client = host(server)
    written = client.create_comment(1, "first")
    assert (written.author, written.body) == (client.me(), "first")
    assert written.url == f"{server.web_url}/-/merge_requests/1#note_{written.id}"
    assert client.update_comment(1, written, "second").body == "second"
    assert server.notes(1) == ["second"]
    client.delete_comment(1, written)
    assert server.notes(1) == []
    client.delete_comment(1, written)


def test_the_note_of_somebody_else_is_not_ours_to_change(server: Rig) -> None:
    request = server.add_merge_request(1, HEAD)
    server.add_note(request, "hers")
    client = host(server)
    (note,) = client.comments(1)
    with pytest.raises(NotAllowed, match="changing a note of merge request 1 was refused"):
        client.update_comment(1, note, "mine")
    with pytest.raises(NotAllowed, match="deleting a note of merge request 1 was refused"):
        client.delete_comment(1, note)
    assert server.notes(1) == ["hers"]


def test_a_job_token_reads_notes_but_cannot_write_them(server: Rig) -> None:
    request = server.add_merge_request(1, HEAD)
    server.add_note(request, "hers")
    client = host(server, job=server.job_token())
    assert [note.body for note in client.comments(1)] == ["hers"]
    with pytest.raises(NotAllowed, match=r"writing a note on merge request 1 was refused.*role Reporter into the variable CICD_AGENTS_GITLAB_TOKEN, masked"):
        client.create_comment(1, "mine")
    assert server.notes(1) == ["hers"]


def test_without_any_token_the_variable_is_named(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    with pytest.raises(NotAllowed, match=r"There is no token: put .* into the variable CICD_AGENTS_GITLAB_TOKEN"):
        host(server, access="").create_comment(1, "mine")


def test_a_role_that_does_not_suffice_is_named(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    with pytest.raises(NotAllowed, match=r"\(403\).*does not suffice: it takes a project access token with the scope `api` and the role Reporter"):
        host(server, access=server.access_token("guest", "weak")).create_comment(1, "mine")


def test_a_note_that_is_too_long_is_cut_to_what_gitlab_takes(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    written = host(server).create_comment(1, "ü" * (MAX_BODY + 1))
    assert len(written.body) == MAX_BODY
    assert written.body.endswith("ü\n\n…")
    assert capped("x" * MAX_BODY) == "x" * MAX_BODY


def test_a_note_is_not_written_twice_where_the_first_may_have_worked(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    server.faults = {0: Reply(502)}
    with pytest.raises(Unavailable):
        host(server).create_comment(1, "once")
    assert len(server.requests) == 1


def test_a_limit_on_notes_is_waited_for(server: Rig) -> None:
    server.add_merge_request(1, HEAD)
    server.faults = {0: Reply(429, b"Retry later\n", {"retry-after": "30"})}
    assert host(server).create_comment(1, "later").body == "later"
    server.faults = {2: Reply(429, b"Retry later\n", {"retry-after": "3000"})}
    with pytest.raises(RateLimited):
        host(server).create_comment(1, "too late")


def test_issues_with_a_label_come_newest_first_open_and_closed(server: Rig) -> None:
    for index in range(130):
        server.add_issue(f"Issue {index}", labels=["ci-failure"], state="closed" if index % 2 else "opened")
    server.add_issue("Other", labels=["bug"])
    found = list(host(server).issues("ci-failure"))
    assert [issue.title for issue in found[:2]] == ["Issue 129", "Issue 128"]
    assert [issue.open for issue in found[:2]] == [False, True]
    assert len(found) == 130
    assert found[0].labels == ("ci-failure",)


def test_an_issue_is_opened_changed_closed_and_opened_again(server: Rig) -> None:
    client = host(server)
    issue = client.create_issue("It fails", "why", ["ci-failure", "infra"])
    assert issue == Issue(1, client.me(), "It fails", "why", True, f"{server.web_url}/-/issues/1", ("ci-failure", "infra"), 1_750_000_001.0)
    closed = client.update_issue(issue, open=False)
    assert not closed.open
    again = client.update_issue(closed, body="again", open=True)
    assert (again.open, again.body) == (True, "again")
    assert client.update_issue(again) == again
    note = client.comment_issue(again, "seen again")
    assert note.url == f"{server.web_url}/-/issues/1#note_{note.id}"
    assert [item["body"] for item in server.issues[1].notes] == ["seen again"]


def test_the_title_of_an_issue_is_cut_to_what_gitlab_takes(server: Rig) -> None:
    assert len(host(server).create_issue("t" * 400, "", []).title) == 255


def test_an_install_below_a_path_is_written_to_there() -> None:
    with gitlab(relative="/gitlab") as server:
        server.add_merge_request(1, HEAD)
        assert host(server).create_comment(1, "here").url.startswith(f"{server.url}/gitlab/group/app/-/merge_requests/1#note_")
