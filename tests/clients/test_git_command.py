"""How git is run: its environment, limits, errors, and credentials for remotes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.http_server import Reply, Server
from tests.servers.repositories import ENVIRONMENT, Repository, released

from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_command import LOCAL_SECONDS, Access, Git, clean_environment, git_in
from cicd_agents.clients.git_errors import LONGEST, remote_problem, usage_problem
from cicd_agents.clients.git_writes import push, remote_commits
from cicd_agents.domain.errors import NotAllowed, NotFound, Rejected, ServiceError, Unavailable, UsageError
from cicd_agents.domain.git import RefUpdate


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    return released(tmp_path / "project")


def fake_git(folder: Path, script: str, seconds: float = LOCAL_SECONDS) -> Git:
    folder.mkdir()
    file = folder / "git"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return git_in(folder, {"PATH": f"{folder}:/usr/bin:/bin"}, seconds)


def test_variables_that_lead_git_elsewhere_are_dropped_and_those_for_credentials_stay() -> None:
    given = {
        "GIT_DIR": "/elsewhere", "GIT_WORK_TREE": "/elsewhere", "GIT_INDEX_FILE": "/x", "GIT_EXTERNAL_DIFF": "/x", "GIT_TRACE": "/x", "GIT_BRANCH": "main",
        "GIT_PAGER": "less", "GIT_CONFIG_PARAMETERS": "'core.pager'='x'", "GIT_SSH_COMMAND": "ssh -i key", "GIT_ASKPASS": "/ask",
        "HOME": "/home/me", "LANG": "de_DE",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c",
    }  # fmt: skip
    kept = clean_environment(given)
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_BRANCH", "GIT_CONFIG_PARAMETERS"} & set(kept)
    assert (kept["GIT_SSH_COMMAND"], kept["GIT_ASKPASS"], kept["HOME"], kept["GIT_CONFIG_VALUE_0"]) == ("ssh -i key", "/ask", "/home/me", "c")
    assert (kept["GIT_TERMINAL_PROMPT"], kept["LC_ALL"], kept["GIT_PAGER"]) == ("0", "C", "cat")


def test_another_git_dir_in_the_environment_does_not_lead_elsewhere(project: Repository, tmp_path: Path) -> None:
    other = released(tmp_path / "other")
    other.commit("feat: only here")
    repository = open_repository(project.folder, {**ENVIRONMENT, "GIT_DIR": str(other.folder / ".git")})
    assert repository.head().commit == project.git("rev-parse", "HEAD")


@pytest.mark.parametrize("path", ["", ".", "bin:.", "/nonexistent"])
def test_git_is_looked_for_in_absolute_folders_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        (folder / "git").write_text("#!/bin/sh\n")
        (folder / "git").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="git is not installed or not on PATH; install it"):
        git_in(tmp_path, {"PATH": path})


def test_a_command_that_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"git log in .* did not end within"):
        fake_git(tmp_path / "bin", "sleep 600 & sleep 600", 0.2).output("log")


def test_a_stream_that_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git log failed"):
        list(fake_git(tmp_path / "bin", "printf begun; sleep 600 & sleep 600", 0.2).stream("log"))


def test_a_remote_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="git fetch: the remote did not answer within"):
        fake_git(tmp_path / "bin", "sleep 600").remote("fetch", seconds=0.1)


def test_a_reader_that_stops_early_ends_git(tmp_path: Path) -> None:
    pieces = fake_git(tmp_path / "bin", f"echo $$ > {tmp_path}/pid; while :; do echo more; done").stream("log")
    assert next(iter(pieces))
    pieces.close()  # type: ignore[attr-defined]
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()


def test_a_flood_of_warnings_neither_blocks_nor_fills_memory(tmp_path: Path) -> None:
    flood = "head -c 3000000 /dev/zero | tr '\\0' 'w' >&2; echo output; echo 'fatal: too late' >&2; exit 1"
    git = Git(tmp_path, fake_git(tmp_path / "bin", flood).binary, {"PATH": "/usr/bin:/bin"})
    pieces = git.stream("log")
    assert next(pieces) == b"output\n"
    with pytest.raises(UsageError) as told:
        list(pieces)
    assert len(str(told.value)) < LONGEST + 200


# Verbatim from git 2.39, curl and OpenSSH.
@pytest.mark.parametrize(("kind", "said"), [
    (NotAllowed, "remote: Permission to org/app.git denied to github-actions[bot].\nfatal: unable to access 'https://github.com/org/app.git/': …"),
    (NotAllowed, "fatal: could not read Username for 'https://github.com': terminal prompts disabled"),
    (NotAllowed, "git@github.com: Permission denied (publickey).\r\nfatal: Could not read from remote repository."),
    (NotAllowed, "Host key verification failed.\r\nfatal: Could not read from remote repository."),
    (NotAllowed, "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://gitlab.com/group/app.git/'"),
    (NotFound, "remote: Repository not found.\nfatal: repository 'https://github.com/org/none/' not found"),
    (NotFound, "fatal: 'nowhere' does not appear to be a git repository\nfatal: Could not read from remote repository."),
    (NotFound, "remote: \nremote: ERROR: The project you were looking for could not be found or you don't have permission to view it."),
    (Unavailable, "fatal: unable to access 'https://github.invalid/x/': Could not resolve host: github.invalid"),
    (Unavailable, "fatal: unable to access 'https://127.0.0.1:9/x/': Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server"),
    (Unavailable, "ssh: connect to host example.com port 22: Connection timed out\r\nfatal: Could not read from remote repository."),
    (Unavailable, "fatal: unable to access 'https://x/': The requested URL returned error: 503"),
    (Rejected, "fatal: the receiving end does not support --atomic push"),
    (Rejected, ""),
])  # fmt: skip
def test_what_a_remote_says_is_sorted_by_what_can_be_done(kind: type[ServiceError], said: str) -> None:
    told = remote_problem(said, "push")
    assert type(told) is kind
    assert "\n" not in str(told)


@pytest.mark.parametrize(("said", "told"), [
    ("fatal: detected dubious ownership in repository at '/srv/app'\nTo add an exception …", "git config --global --add safe.directory /srv/app"),
    ("fatal: unsafe repository ('/srv/app' is owned by someone else)\nTo add an exception …", "git config --global --add safe.directory /srv/app"),
    ("fatal: not a git repository (or any of the parent directories): .git", "no git repository"),
    ("error: gpg failed to sign the data\nfatal: failed to write commit object", "git is set to sign"),
    ("fatal: empty ident name (for <x@example.com>) not allowed", "set user.name and user.email"),
    ("warning: something\nfatal: bad object refs/tags/x\n", "git log failed in /srv/app: bad object refs/tags/x"),
])  # fmt: skip
def test_what_git_says_becomes_one_sentence_with_what_to_do(said: str, told: str) -> None:
    sentence = str(usage_problem(said, 128, "log", "/srv/app"))
    assert told in sentence
    assert "\n" not in sentence


def test_an_option_that_git_does_not_know_means_that_it_is_too_old() -> None:
    assert "this git is too old; 2.31 or newer is needed" in str(usage_problem("error: unknown option `diff-merges'\nusage: git log", 129, "log", "/x"))


@given(st.text())
def test_no_words_of_git_break_the_reading_of_them(said: str) -> None:
    assert str(remote_problem(said, "push"))
    assert str(usage_problem(said, 128, "log", "/x"))


def test_secrets_in_what_git_says_are_hidden() -> None:
    said = "fatal: unable to access 'https://user:hunter2hunter2@example.com/x/': Could not resolve host"
    assert "hunter2" not in str(remote_problem(said, "push"))


@pytest.mark.parametrize(("status", "kind"), [(401, NotAllowed), (403, NotAllowed), (404, NotFound), (500, Unavailable)])
def test_answers_of_a_real_server_are_sorted(project: Repository, status: int, kind: type[ServiceError]) -> None:
    with Server(lambda _: Reply(status, headers={"www-authenticate": "Basic"} if status == 401 else {})) as server:
        project.git("remote", "add", "origin", f"{server.url}/org/app.git")
        with pytest.raises(kind):
            remote_commits(open_repository(project.folder, ENVIRONMENT), "origin", ["refs/heads/main"])


def test_a_credential_is_sent_to_its_server_only_and_replaces_the_one_in_the_configuration(project: Repository) -> None:
    value = f"basic {base64.b64encode(b'x-access-token:t0ken').decode()}"
    with Server(lambda _: Reply(404)) as ours, Server(lambda _: Reply(404)) as other:
        project.git("remote", "add", "origin", f"{ours.url}/org/app.git")
        project.git("remote", "add", "other", f"{other.url}/org/app.git")
        project.git("config", f"http.{ours.url}/.extraheader", "Authorization: basic b2xk")
        repository = open_repository(project.folder, ENVIRONMENT)
        for remote in ("origin", "other"):
            with pytest.raises(NotFound):
                push(repository, remote, [RefUpdate("refs/heads/main", "refs/heads/main")], Access(f"{ours.url}/", value))
        assert [request.headers["authorization"] for request in ours.requests] == [value] * len(ours.requests)
        assert other.requests
        assert all("authorization" not in request.headers for request in other.requests)
    assert value not in repr(Access(ours.url, value))


def test_a_remote_that_would_run_a_command_is_refused(project: Repository, tmp_path: Path) -> None:
    project.git("remote", "add", "origin", f"ext::touch {tmp_path}/sprung")
    with pytest.raises(ServiceError):
        remote_commits(open_repository(project.folder, {**ENVIRONMENT}), "origin", ["refs/heads/main"])
    assert not (tmp_path / "sprung").exists()
