"""Commits, files, pull requests, comments and issues of GitHub, asked of the stand-in over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.clients.platforms.github_connection import FORKS_PULL, connect
from tests.servers.github import BOT, FORK, PERSONAL_TOKEN, STRANGER, WORKFLOW_TOKEN, GitHub
from tests.servers.http_server import Reply, Request, json_reply

from cicd_agents.clients.platforms.github_code import ACTIONS_BOT, GitHubCodeHost, GitHubRepository
from cicd_agents.domain.ci import Author, Comment, FileChange, Issue
from cicd_agents.domain.context import PullRequest
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused, Rejected, ServiceError
from cicd_agents.domain.ports import CodeHost, Repository

SHA = "c" * 40


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "Enterprise Server"])
def any_hub(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    with GitHub(prefix=request.param) as hub:
        yield hub


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as hub:
        yield hub


def code(hub: GitHub, token: str = WORKFLOW_TOKEN, **options: Any) -> GitHubCodeHost:
    host = GitHubCodeHost(connect(hub, token), hub.repository.full_name, **{"api_url": hub.api_url, **options})
    port: CodeHost = host
    assert port is host
    return host


def repository(hub: GitHub) -> GitHubRepository:
    source = GitHubRepository(connect(hub), hub.repository.full_name)
    port: Repository = source
    assert port is source
    return source


# Commits and files


def test_a_comparison_holds_commits_oldest_first_and_changed_files(any_hub: GitHub) -> None:
    good = any_hub.add_commit("good")
    one = any_hub.add_commit("one: a thing\n\nbody", {"a.py": "@@ -1 +1 @@\n-a\n+b"})
    two = any_hub.add_commit("two", {"logo.png": None})
    found = repository(any_hub).compare(good.sha, two.sha)
    assert [(commit.sha, commit.subject, commit.author, commit.time) for commit in found.commits] == [
        (one.sha, "one: a thing", "Mona", one.time), (two.sha, "two", "Mona", two.time),
    ]  # fmt: skip
    assert found.files == (FileChange("a.py", patch="@@ -1 +1 @@\n-a\n+b"), FileChange("logo.png"))
    assert (found.base, found.head, found.complete) == (good.sha, two.sha, True)
    assert found.url == f"{any_hub.url}/compare/{good.sha}...{two.sha}"
    assert found.commits[0].files is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("added", "added"),
        ("copied", "added"),
        ("modified", "modified"),
        ("changed", "modified"),
        ("removed", "removed"),
        ("renamed", "renamed"),
        ("unchanged", "modified"),
    ],
)
def test_githubs_words_for_a_changed_file(hub: GitHub, word: str, expected: str) -> None:
    files = [{"filename": "b", "status": word, "previous_filename": "a"}]
    hub.faults[0] = json_reply({"commits": [], "total_commits": 0, "files": files})
    assert repository(hub).compare("x", "y").files == (FileChange("b", expected, "a" if expected == "renamed" else ""),)


@pytest.mark.parametrize(("commits", "files", "complete"), [(250, 299, True), (251, 1, False), (1, 300, False)])
def test_a_comparison_that_github_cut_is_not_complete(hub: GitHub, commits: int, files: int, complete: bool) -> None:
    good = hub.add_commit("good")
    for _ in range(commits - 1):
        hub.add_commit("more")
    last = hub.add_commit("last", {f"f{number}": None for number in range(files)})
    found = repository(hub).compare(good.sha, last.sha)
    assert (len(found.commits), len(found.files), found.complete) == (min(commits, 250), files, complete)


def test_commits_that_are_gone_are_not_found(hub: GitHub) -> None:
    with pytest.raises(NotFound, match=r"comparing aaa\.\.\.bbb"):
        repository(hub).compare("aaa", "bbb")


def test_a_commit_lists_its_files(hub: GitHub) -> None:
    made = hub.add_commit("fix: it\n\nmore", {"src/a b.py": None, "c": None})
    found = repository(hub).commit(made.sha)
    assert (found.subject, found.files, found.url) == ("fix: it", ("src/a b.py", "c"), f"{hub.url}/commit/{made.sha}")


@pytest.mark.parametrize(
    ("author", "expected"),
    [({"login": "mona", "id": 1}, "mona"), ({}, "Mona"), (None, "Mona")],
    ids=["account", "empty account", "no account"],
)
def test_the_author_is_the_account_or_gits_name(hub: GitHub, author: Any, expected: str) -> None:
    hub.faults[0] = json_reply({"sha": SHA, "author": author, "commit": {"message": "", "author": {"name": "Mona"}, "committer": None}})
    found = repository(hub).commit(SHA)
    assert (found.author, found.subject, found.time, found.files) == (expected, "", None, ())


def test_a_commit_without_author_and_message_is_read(hub: GitHub) -> None:
    hub.faults[0] = json_reply({"sha": SHA, "commit": {"author": None}})
    assert repository(hub).commit(SHA).author == ""


def test_a_file_is_read_as_it_is(any_hub: GitHub) -> None:
    any_hub.add_file(".cicd-agents.yml", b"fail-on: fail\r\n\xff", "main")
    any_hub.add_file("a b/ü#?.txt", b"odd", SHA)
    source = repository(any_hub)
    assert source.read_file(".cicd-agents.yml", "main", 1000) == b"fail-on: fail\r\n\xff"
    assert source.read_file("a b/ü#?.txt", SHA, 1000) == b"odd"


def test_a_json_file_is_no_folder(hub: GitHub) -> None:
    hub.add_file("package.json", b'[{"name": "x"}]')
    assert repository(hub).read_file("package.json", "main", 1000) == b'[{"name": "x"}]'


@pytest.mark.parametrize("path", ["missing", "src", "src/../../../user", "/etc", "src//x", "./x"])
def test_where_there_is_no_file_there_is_none(hub: GitHub, path: str) -> None:
    hub.add_file("src/a.py", b"x")
    assert repository(hub).read_file(path, "main", 1000) is None


def test_a_file_that_is_too_large_is_refused(hub: GitHub) -> None:
    hub.add_file("big", b"x" * 1001)
    with pytest.raises(Refused, match="the file big"):
        repository(hub).read_file("big", "main", 1000)


# Who we are


def test_a_persons_token_has_an_account(any_hub: GitHub) -> None:
    assert code(any_hub, PERSONAL_TOKEN).me() == Author("583231", "octocat")


def test_the_account_of_the_workflows_token_is_asked_by_graphql(any_hub: GitHub) -> None:
    assert code(any_hub).me() == Author("41898282", "github-actions[bot]")
    assert [request.path for request in any_hub.requests] == [
        "/api/v3/user" if any_hub.api_url.endswith("v3") else "/user",
        "/api/graphql" if any_hub.api_url.endswith("v3") else "/graphql",
    ]


def refused_everywhere(hub: GitHub, api_url: str, *, workflow_token: bool) -> GitHubCodeHost:
    """A code host whose GraphQL address cannot be called, for it lies on another host than the stand-in."""
    return code(hub, api_url=api_url, workflow_token=workflow_token)


def test_without_graphql_the_workflows_token_on_github_com_has_its_known_account(hub: GitHub) -> None:
    assert refused_everywhere(hub, "https://api.github.com", workflow_token=True).me() == ACTIONS_BOT


@pytest.mark.parametrize(
    ("api_url", "workflow_token"),
    [("https://api.github.com", False), ("https://git.example.com/api/v3", True), ("https://api.github.com.evil.example", True)],
    ids=["another app's token", "Enterprise Server", "another host"],
)
def test_no_account_is_guessed_elsewhere(hub: GitHub, api_url: str, workflow_token: bool) -> None:
    with pytest.raises(NotAllowed, match="asking whose token this is was refused"):
        refused_everywhere(hub, api_url, workflow_token=workflow_token).me()


@pytest.mark.parametrize("answer", [{"data": None, "errors": [{"message": "x"}]}, {"data": {"viewer": {"login": "x"}}}, []])
def test_a_graphql_answer_of_another_shape_names_nobody(hub: GitHub, answer: Any) -> None:
    hub.faults[1] = json_reply(answer)
    with pytest.raises(NotAllowed):
        code(hub).me()


# The pull request of a commit


def test_the_pull_request_of_a_commit_is_the_open_one_with_that_head(any_hub: GitHub) -> None:
    any_hub.add_pull(SHA, state="closed")
    any_hub.add_pull("d" * 40)
    pull = any_hub.add_pull(SHA, "feature")
    assert code(any_hub).pull_request_of(SHA, "feature") == PullRequest(
        pull.number, SHA, "feature", "main", "b" * 40, from_fork=False, url=f"{any_hub.url}/pull/{pull.number}"
    )


@pytest.mark.parametrize("ties", [True, False], ids=["tied by GitHub", "found among the open ones"])
@pytest.mark.parametrize("deleted", [False, True], ids=["fork", "deleted fork"])
def test_a_forks_pull_request_is_found(hub: GitHub, ties: bool, deleted: bool) -> None:
    hub.ties_forks = ties
    pull = hub.add_pull(SHA, "patch-1", head=FORK, deleted_head=deleted)
    for number in range(120):
        hub.add_pull(f"{number:040x}")
    found = code(hub).pull_request_of(SHA, "patch-1")
    assert found is not None
    assert (found.number, found.from_fork) == (pull.number, True)


def test_a_pull_request_that_only_contains_the_commit_is_not_its(hub: GitHub) -> None:
    hub.faults[0] = json_reply([hub.add_pull("d" * 40).json(hub.url)])
    assert code(hub).pull_request_of(SHA, "feature") is None


def test_a_commit_that_github_does_not_know_has_no_pull_request(hub: GitHub) -> None:
    hub.add_pull("d" * 40)
    assert code(hub).pull_request_of(SHA, "feature") is None


def test_of_several_the_one_of_the_branch_is_taken_then_the_oldest(hub: GitHub) -> None:
    other = hub.add_pull(SHA, "other")
    hub.add_pull(SHA, "feature", base="release")
    host = code(hub)
    assert [getattr(host.pull_request_of(SHA, branch), "head_ref", None) for branch in ("feature", "other", "")] == ["feature", "other", "other"]
    assert other.number < max(hub.issues)


def test_no_more_than_three_pages_of_pull_requests_are_looked_through(hub: GitHub) -> None:
    hub.add_pull(SHA, head=FORK)
    for number in range(400):
        hub.add_pull(f"{number:040x}")
    assert code(hub).pull_request_of(SHA, "feature") is None
    assert len(hub.requests) == 4


# Comments


def test_all_comments_are_read_oldest_first(any_hub: GitHub) -> None:
    number = any_hub.add_pull(SHA).number
    for index in range(150):
        any_hub.add_comment(number, f"comment {index}", STRANGER)
    last = any_hub.add_comment(number, "ours", BOT)
    found = list(code(any_hub).comments(number))
    assert [comment.body for comment in found] == [*(f"comment {index}" for index in range(150)), "ours"]
    page = f"{any_hub.url}/issues/{number}#issuecomment-{last.id}"
    assert found[-1] == Comment(str(last.id), Author("41898282", "github-actions[bot]"), "ours", page, last.created, last.created)
    assert found[0].author == Author("66600", "mallory")


def test_a_comment_that_was_changed_says_when(hub: GitHub) -> None:
    number, hub.now = hub.add_pull(SHA).number, 1_750_000_100.0
    made = code(hub).create_comment(number, "first")
    hub.now = 1_750_000_160.0
    code(hub).update_comment(number, made, "second")
    (found,) = code(hub).comments(number)
    assert (found.created, found.updated) == (1_750_000_100.0, 1_750_000_160.0)


def test_a_page_that_fails_is_said_in_the_words_of_the_first(hub: GitHub) -> None:
    number = hub.add_pull(SHA).number
    for index in range(101):
        hub.add_comment(number, str(index))
    hub.faults[1] = json_reply({"message": "Resource not accessible by integration"}, 403)
    with pytest.raises(NotAllowed, match=rf"reading the comments of #{number} was refused.*`pull-requests: read`"):
        list(code(hub).comments(number))


def test_a_comment_of_a_deleted_account_is_nobodys(hub: GitHub) -> None:
    number = hub.add_pull(SHA).number
    hub.add_comment(number, "old", None)
    assert next(code(hub).comments(number)).author.id == ""


def test_a_comment_is_written_changed_and_deleted(any_hub: GitHub) -> None:
    number = any_hub.add_pull(SHA).number
    host = code(any_hub)
    made = host.create_comment(number, "first … ✓")
    assert (made.body, made.author.id) == ("first … ✓", "41898282")
    changed = host.update_comment(number, made, "second")
    assert (changed.id, changed.body) == (made.id, "second")
    assert [comment.body for comment in any_hub.comments_on(number)] == ["second"]
    host.delete_comment(number, made)
    host.delete_comment(number, made)
    assert any_hub.comments_on(number) == []


def test_a_comment_that_is_gone_cannot_be_changed(hub: GitHub) -> None:
    number = hub.add_pull(SHA).number
    with pytest.raises(NotFound):
        code(hub).update_comment(number, Comment("1", Author("1"), "x"), "y")


def test_a_comment_that_is_too_long_is_rejected_with_githubs_words(hub: GitHub) -> None:
    number = hub.add_pull(SHA).number
    with pytest.raises(Rejected, match="body is too long"):
        code(hub).create_comment(number, "x" * 65537)


def test_a_comment_is_not_written_twice_when_its_answer_is_lost(hub: GitHub) -> None:
    number = hub.add_pull(SHA).number
    earlier = hub.server.handler

    def lost(request: Request) -> Reply:
        earlier(request)
        return Reply(502)

    hub.server.handler = lost
    with pytest.raises(ServiceError):
        code(hub).create_comment(number, "once")
    assert len(hub.comments_on(number)) == 1


# Issues


def test_issues_are_listed_by_label_newest_first_without_pull_requests(any_hub: GitHub) -> None:
    old = any_hub.add_issue("old", "text", labels=["ci-failure", "x"], author=BOT, state="closed")
    any_hub.add_issue("other", labels=["bug"])
    pull = any_hub.add_pull(SHA)
    any_hub.issues[pull.number].labels = ("ci-failure",)
    for number in range(120):
        any_hub.add_issue(f"new {number}", labels=["ci-failure"])
    found = list(code(any_hub).issues("ci-failure"))
    assert [issue.title for issue in found] == [*(f"new {number}" for number in reversed(range(120))), "old"]
    assert found[-1] == Issue(
        old.number, Author("41898282", "github-actions[bot]"), "old", "text", False, f"{any_hub.url}/issues/{old.number}", ("ci-failure", "x"), old.created
    )


def test_an_issue_is_opened_changed_closed_reopened_and_commented(any_hub: GitHub) -> None:
    host = code(any_hub)
    made = host.create_issue("CI fails", "body", ["ci-failure"])
    assert (made.title, made.labels, made.open, made.author.id) == ("CI fails", ("ci-failure",), True, "41898282")
    assert host.update_issue(made, open=False).open is False
    assert any_hub.issues[made.number].body == "body"
    assert host.update_issue(made, body="again", open=True) == replace(made, body="again", open=True)
    assert host.comment_issue(made, "seen again").body == "seen again"


def test_labels_may_be_plain_texts(hub: GitHub) -> None:
    issue = hub.add_issue("x").json(hub.url)
    hub.faults[0] = json_reply([{**issue, "labels": ["a", "b"]}])
    assert next(code(hub).issues("a")).labels == ("a", "b")


@pytest.mark.parametrize("status", [404, 410])
def test_issues_that_are_turned_off_are_not_found(hub: GitHub, status: int) -> None:
    hub.faults[0] = json_reply({"message": "Issues are disabled for this repo"}, status)
    with pytest.raises(NotFound, match="Issues are disabled"):
        code(hub).create_issue("x", "", [])


# Refusals and other shapes

Call = Callable[[GitHubCodeHost, GitHubRepository, int], object]


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        (lambda _host, source, _number: source.compare("a", "b"), "contents: read"),
        (lambda _host, source, _number: source.commit(SHA), "contents: read"),
        (lambda _host, source, _number: source.read_file("x", "main", 9), "contents: read"),
        (lambda host, _source, _number: host.pull_request_of(SHA, "x"), "pull-requests: read"),
        (lambda host, _source, number: host.create_comment(number, "x"), "pull-requests: write"),
        (lambda host, _source, _number: next(host.issues("x")), "issues: read"),
        (lambda host, _source, _number: host.create_issue("x", "", []), "issues: write"),
        (lambda host, _source, number: host.update_issue(Issue(number, Author("1"), "", "", True), open=False), "issues: write"),
    ],
)
def test_each_refusal_names_the_permission(hub: GitHub, call: Call, permission: str) -> None:
    number = hub.add_pull(SHA).number
    hub.permissions.clear()
    with pytest.raises(NotAllowed, match=f"Add `{permission}`"):
        call(code(hub), repository(hub), number)


@pytest.mark.parametrize("call", [lambda host, number, old: host.update_comment(number, old, "x"), lambda host, number, old: host.delete_comment(number, old)])
def test_changing_and_deleting_a_comment_name_the_permission(hub: GitHub, call: Callable[[GitHubCodeHost, int, Comment], object]) -> None:
    number = hub.add_pull(SHA).number
    host = code(hub)
    made = host.create_comment(number, "x")
    hub.permissions.clear()
    with pytest.raises(NotAllowed, match="Add `pull-requests: write` \\(on an issue: `issues: write`\\)"):
        call(host, number, made)


def test_a_forks_token_is_told_to_write_from_a_second_workflow(hub: GitHub) -> None:
    number = hub.add_pull(SHA, head=FORK).number
    hub.permissions -= {"pull-requests: write", "issues: write"}
    host = GitHubCodeHost(connect(hub, event="pull_request", pull_request=FORKS_PULL), hub.repository.full_name, hub.api_url)
    with pytest.raises(NotAllowed, match=r"only read\. Do this in a second workflow, started by `workflow_run`"):
        host.create_comment(number, "x")


def test_a_wrong_token_is_said_and_not_shown(hub: GitHub) -> None:
    with pytest.raises(NotAllowed, match="token is set, complete and not expired") as problem:
        list(code(hub, "ghp_wrong0123456789").comments(1))
    assert "ghp_" not in str(problem.value)


@pytest.mark.parametrize(
    "answer",
    [{"message": "x"}, ["x"], [{"id": "7", "body": ""}], [{"id": 7, "user": "mona"}], [{"id": 7, "user": {"login": "mona"}}], [{"id": 7, "body": 1}], None],
)
def test_comments_of_another_shape_are_a_bad_answer(hub: GitHub, answer: Any) -> None:
    hub.faults[0] = json_reply(answer)
    with pytest.raises(BadAnswer):
        list(code(hub).comments(1))


@pytest.mark.parametrize("labels", [5, [{"name": 5}], ["a", {"name": "b"}], {"a": 1}])
def test_labels_of_another_shape_are_a_bad_answer(hub: GitHub, labels: Any) -> None:
    hub.faults[0] = json_reply([{**hub.add_issue("x").json(hub.url), "labels": labels}])
    with pytest.raises(BadAnswer):
        list(code(hub).issues("a"))


@pytest.mark.parametrize("change", [{"head": None}, {"base": {"sha": "x", "ref": "y"}}, {"number": "1"}, {"state": None}])
def test_a_pull_request_of_another_shape_is_a_bad_answer(hub: GitHub, change: dict[str, Any]) -> None:
    hub.faults[0] = json_reply([{**hub.add_pull(SHA).json(hub.url), **change}])
    with pytest.raises(BadAnswer):
        code(hub).pull_request_of(SHA, "x")


@pytest.mark.parametrize("change", [{"total_commits": None}, {"commits": None}, {"files": [{"status": "added"}]}, {"commits": [{"sha": SHA}]}])
def test_a_comparison_of_another_shape_is_a_bad_answer(hub: GitHub, change: dict[str, Any]) -> None:
    hub.faults[0] = json_reply({"commits": [], "total_commits": 0, "files": [], **change})
    with pytest.raises(BadAnswer):
        repository(hub).compare("a", "b")
