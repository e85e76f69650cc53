"""History as git has it: messages of any kind, encodings, merges, files, ranges and paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers.repositories import AUTHOR, ENVIRONMENT, START, Repository, new_repository, released, signed

from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_history import Range, history
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import HistoryCommit


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    return released(tmp_path / "project")


@pytest.fixture
def empty(tmp_path: Path) -> Repository:
    return new_repository(tmp_path / "empty")


def read(
    repository: Repository, until: str = "HEAD", *since: str, paths: tuple[str, ...] = (), excluded: tuple[str, ...] = (), files: bool = False
) -> list[HistoryCommit]:
    return list(open_repository(repository.folder, ENVIRONMENT).history(until, since, paths=paths, excluded=excluded, files=files))


def subjects(commits: list[HistoryCommit]) -> list[str]:
    return [commit.message.partition("\n")[0] for commit in commits]


def test_a_commit_tells_id_parents_author_time_and_message(project: Repository) -> None:
    newest, merge, *_ = read(project)
    assert newest == HistoryCommit(project.git("rev-parse", "HEAD"), (merge.sha,), "Ada", "ada@example.com", project.clock, "fix: last")
    assert merge.parents == (project.git("rev-parse", "HEAD~1^1"), project.git("rev-parse", "HEAD~1^2"))
    assert newest.files is None


def test_the_history_begins_with_the_newest_commit_and_ends_with_the_first(project: Repository) -> None:
    assert subjects(read(project)) == ["fix: last", "Merge branch 'fix'", "chore: meanwhile", "fix: on a branch", "feat(api): second", "feat: first"]


def test_a_range_holds_what_its_end_reaches_and_its_beginnings_do_not(project: Repository) -> None:
    assert subjects(read(project, "HEAD", "v1.1.0")) == ["fix: last"]
    assert subjects(read(project, "v1.1.0", "v1.0.0", "fix")) == ["Merge branch 'fix'", "chore: meanwhile"]
    assert read(project, "v1.0.0", "HEAD") == []


def test_the_whole_body_comes_as_it_was_written(empty: Repository) -> None:
    message = "feat: x\n\n\n  indented\n\ttab\r\n# no comment\n\nRefs: #1\nBREAKING CHANGE: all of it"
    empty.commit(message + "\n\n")
    assert [commit.message for commit in read(empty)] == [message]


def test_an_empty_message_is_a_commit_too(empty: Repository) -> None:
    empty.commit("")
    empty.commit("fix: after it", {"a": "1"})
    assert [(commit.message, commit.files) for commit in read(empty, files=True)] == [("fix: after it", ("a",)), ("", ())]
    assert [commit.message for commit in read(empty)] == ["fix: after it", ""]


def test_messages_in_other_encodings_are_read_as_they_were_meant(empty: Repository) -> None:
    empty.git("config", "i18n.commitEncoding", "ISO-8859-1")
    empty.commit("fix: Größe".encode("latin-1"), author="Jörg <j@example.com>")
    empty.git("config", "i18n.logOutputEncoding", "ISO-8859-1")
    assert [commit.message for commit in read(empty)] == ["fix: Größe"]


def test_bytes_that_are_no_text_become_replacement_characters(empty: Repository) -> None:
    empty.git("config", "i18n.commitEncoding", "UTF-8")
    tree = empty.git("write-tree")
    raw = f"tree {tree}\nauthor A\xff <a@b> 5 +0000\ncommitter C <c@d> 7 +0000\n\nfix: \xff\xfe bytes\n".encode("latin-1")
    sha = empty.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw)
    assert read(empty, sha) == [HistoryCommit(sha, (), "A\ufffd", "a@b", 7, "fix: \ufffd\ufffd bytes")]


@pytest.mark.parametrize("committer", ["C <c@d> nonsense", "C <c@d>", "<> 99999999999999999999 +0000", ""])
def test_a_commit_with_a_broken_date_or_name_does_not_stop_the_reading(empty: Repository, committer: str) -> None:
    tree = empty.git("write-tree")
    raw = f"tree {tree}\nauthor {committer}\ncommitter {committer}\n\nfix: odd\n".encode()
    sha = empty.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=raw)
    (commit,) = read(empty, sha)
    assert (commit.message, commit.time) == ("fix: odd", 0)


def test_a_message_of_megabytes_comes_whole(empty: Repository) -> None:
    message = "feat: large\n\n" + "line of a squash\n" * 200_000
    empty.commit("fix: before")
    empty.commit(message)
    empty.commit("fix: after")
    assert [commit.message for commit in read(empty)] == ["fix: after", message.rstrip("\n"), "fix: before"]


def test_names_follow_the_mailmap_as_in_git_log(project: Repository) -> None:
    project.commit("chore: mailmap", {".mailmap": "Ada Lovelace <ada@example.com>\nBo <bo@new.example> <bo@example.com>\n"})
    assert {(commit.author, commit.email) for commit in read(project)} == {("Ada Lovelace", "ada@example.com"), ("Bo", "bo@new.example")}


def test_files_are_those_that_a_commit_changes_and_of_a_merge_what_it_brought(project: Repository) -> None:
    project.commit("feat: odd names", {"-x": "1", "ü\n\x01.txt": "2", "\nfirst": "3"})
    found = {commit.message.partition("\n")[0]: commit.files for commit in read(project, files=True)}
    assert found == {
        "feat: first": ("app.py", "docs/index.md"), "feat(api): second": ("app.py",), "fix: on a branch": ("docs/index.md",),
        "chore: meanwhile": ("lib/a.txt",), "Merge branch 'fix'": ("docs/index.md",), "fix: last": ("lib/a.txt",),
        "feat: odd names": ("\nfirst", "-x", "ü\n\x01.txt"),
    }  # fmt: skip


def test_a_renamed_file_tells_both_names(empty: Repository) -> None:
    empty.commit("feat: x", {"old/a.txt": "some content\n" * 20})
    empty.git("config", "diff.renames", "copies")
    (empty.folder / "new").mkdir()
    empty.git("mv", "old/a.txt", "new/a.txt")
    empty.commit("refactor: move")
    assert read(empty, files=True)[0].files == ("new/a.txt", "old/a.txt")


@pytest.mark.parametrize("files", [False, True])
def test_a_path_limits_the_history_to_commits_that_change_it(project: Repository, files: bool) -> None:
    assert subjects(read(project, paths=("lib",), files=files)) == ["fix: last", "chore: meanwhile"]
    assert subjects(read(project, paths=("docs", "app.py"), files=files)) == ["Merge branch 'fix'", "fix: on a branch", "feat(api): second", "feat: first"]


def test_excluded_paths_do_not_count(project: Repository) -> None:
    assert subjects(read(project, excluded=("docs", "lib"))) == ["feat(api): second", "feat: first"]
    project.commit("test: only tests", {"lib/tests/t.txt": "1"})
    assert subjects(read(project, paths=("lib",), excluded=("lib/tests",))) == ["fix: last", "chore: meanwhile"]


def test_both_sides_of_a_merge_are_kept_where_they_changed_the_path_alike(empty: Repository) -> None:
    empty.commit("feat: begin", {"lib/a": "1"})
    empty.branch("side")
    empty.commit("fix: here", {"lib/a": "2"})
    empty.checkout("main")
    empty.commit("fix: there", {"lib/a": "2", "lib/b": "2"})
    empty.merge("side", "Merge side")
    assert subjects(read(empty, paths=("lib",))) == ["fix: there", "fix: here", "feat: begin"]


@pytest.mark.parametrize("path", ["*", "l?b", ":(glob)**", "-p", ":!docs", "./*"])
def test_paths_are_names_and_no_patterns(project: Repository, path: str) -> None:
    assert read(project, paths=(path,)) == []


def test_a_path_outside_of_the_repository_is_refused(project: Repository) -> None:
    with pytest.raises(UsageError, match="must lie inside the repository"):
        read(project, paths=("../lib",))


@pytest.mark.parametrize("path", ["", ".", "./", "/"])
def test_the_top_of_the_repository_is_a_path_too(project: Repository, path: str) -> None:
    assert read(project, paths=(path,)) == read(project)


def test_the_configuration_of_the_repository_changes_nothing(project: Repository) -> None:
    plain = read(project, files=True)
    order = project.folder / ".git" / "order"
    order.write_text("docs/*\n")
    for key, value in {
        "log.follow": "true", "log.showSignature": "true", "log.decorate": "full", "log.abbrevCommit": "true", "log.date": "relative", "diff.relative": "true",
        "diff.orderFile": str(order), "log.diffMerges": "off", "format.pretty": "oneline", "format.notes": "true", "diff.noPrefix": "true",
        "diff.renames": "copies", "color.ui": "always", "log.showRoot": "false",
    }.items():  # fmt: skip
        project.git("config", key, value)
    project.git("notes", "add", "-m", "a note", variables=signed(AUTHOR, START))
    assert read(project, files=True) == plain


def test_replaced_commits_are_read_as_they_really_are(project: Repository) -> None:
    before = read(project)
    project.git("replace", "HEAD~1", "v1.0.0^{commit}")
    assert read(project) == before


def test_the_pieces_in_which_git_answers_make_no_difference(project: Repository) -> None:
    repository = open_repository(project.folder, ENVIRONMENT)
    until = repository.commit("HEAD")

    class OneByte:
        """Git as it would be on a pipe that holds one byte."""

        folder = repository.git.folder

        def stream(self, *arguments: str) -> object:
            return (bytes([byte]) for piece in repository.git.stream(*arguments) for byte in piece)

    for files in (False, True):
        wanted = Range(until, files=files)
        assert list(history(OneByte(), wanted)) == list(history(repository.git, wanted))  # type: ignore[arg-type]


# Without NUL (git ends a message there) and surrogates (no text).
_MESSAGES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_MESSAGES, min_size=1, max_size=5))
def test_every_message_comes_back_as_it_was_committed(tmp_path: Path, messages: list[str]) -> None:
    folder = tmp_path / "repository"
    repository = Repository(folder) if folder.exists() else new_repository(folder)
    tree, sha = repository.git("write-tree"), ""
    for message in messages:
        parent = ["-p", sha] if sha else []
        sha = repository.git("commit-tree", tree, *parent, "-F", "-", given=message.encode(), variables=signed(AUTHOR, START))
    assert [commit.message for commit in read(repository, sha)] == [message.rstrip("\n") for message in reversed(messages)]
