"""Files, outputs, summary, annotations and Slack: read back by readers of our own, with links and values that mean harm."""

from __future__ import annotations

import os
import resource
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cicd_agents.domain.errors import Unavailable
from cicd_agents.publish.annotations import publish_annotations
from cicd_agents.publish.dotenv import publish_dotenv
from cicd_agents.publish.outcome import Published, PublishStatus
from cicd_agents.publish.report_files import publish_files
from cicd_agents.publish.slack import publish_slack
from cicd_agents.publish.step_outputs import block, publish_outputs
from cicd_agents.publish.step_summary import publish_summary


def read_outputs(text: str) -> dict[str, str]:
    """The runner's reading of an output file, written from its description: `name=value` lines and `name<<delimiter` blocks, lines end at LF."""
    values: dict[str, str] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
            values[name] = value
            continue
        name, mark, delimiter = line.partition("<<")
        if not (mark and name and delimiter):
            raise ValueError(line)
        body = []
        while (line := lines.pop(0)) != delimiter:
            body.append(line)
        values[name] = "\n".join(body)
    return values


NAMES = st.from_regex("[a-z][a-z-]{0,20}", fullmatch=True)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.lists(st.sampled_from(["a<<b", "\n", "\r\n", "x=y", "cicd-agents-0", "cicd-agents-1", "\n\n", "EOF", "::set-output name=a::b"]), max_size=6).map(
        "".join
    ),
)


def counter() -> Callable[[], str]:
    """Delimiters that can be foreseen, so that a value can be made to hold one."""
    numbers = iter(range(100))
    return lambda: str(next(numbers))


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=6))
@example({"a": "x\ncicd-agents-0\nevil<<E\n1\nE", "b": "second"})
def test_the_runner_reads_back_what_was_written(values: dict[str, str]) -> None:
    numbers = counter()
    assert read_outputs("".join(block(name, value, numbers) or "" for name, value in values.items())) == values


def test_outputs_are_appended_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("earlier=1\n")
    values = {"outcome": "fail", "root-cause": "evil\nother<<X\nset\nX", "title": "naïve 🩺", "url": ""}
    assert publish_outputs(str(file), values, lambda: secrets.token_hex(16)).status is PublishStatus.CREATED
    assert read_outputs(file.read_text(encoding="utf-8")) == {"earlier": "1", **values}


def test_a_value_that_holds_every_delimiter_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "output"
    published = publish_outputs(str(file), {"a": "x", "b": "1\ncicd-agents-7\nevil=1"}, lambda: "7")
    assert published.status is PublishStatus.FAILED
    assert not file.exists()


def test_without_a_file_there_are_no_outputs_and_no_summary() -> None:
    assert publish_outputs("", {"a": "b"}, lambda: "1").status is PublishStatus.SKIPPED
    assert publish_summary("", "text").status is PublishStatus.SKIPPED


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    missing = str(tmp_path / "no" / "folder")
    assert publish_outputs(missing, {"a": "b"}, lambda: "1") == Published(
        "outputs", PublishStatus.FAILED, why=f"{missing}: cannot be written: No such file or directory."
    )
    assert publish_summary(str(tmp_path), "text").status is PublishStatus.FAILED


def test_the_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"earlier")
    assert publish_summary(str(file), "# ours 🩺\n").status is PublishStatus.CREATED
    assert file.read_text(encoding="utf-8") == "earlier\n# ours 🩺\n"
    other = tmp_path / "new"
    publish_summary(str(other), "ours\n")
    assert other.read_bytes() == b"ours\n"


def test_a_summary_over_the_limit_of_the_step_is_left_out_whole(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * 600_000)
    assert publish_summary(str(file), "y" * 500_000).status is PublishStatus.SKIPPED
    assert file.stat().st_size == 600_000
    assert publish_summary(str(file), "y" * 400_000).status is PublishStatus.CREATED


def test_annotations_are_printed_each_on_its_line() -> None:
    printed: list[str] = []
    published = publish_annotations(("::error::a", "::error::b"), printed.append)
    assert published == Published("annotations", PublishStatus.CREATED, why="Printed 2 annotations.")
    assert printed == ["::error::a\n", "::error::b\n"]
    assert publish_annotations((), printed.append).status is PublishStatus.SKIPPED


def test_report_files_are_written_below_the_workspace_and_readable_by_others(tmp_path: Path) -> None:
    done = publish_files(Path("out/reports"), tmp_path, {"report.md": "# 🩺\n", "report.json": "{}\n"})
    assert done.published == Published("files", PublishStatus.CREATED, why="Written to out/reports.")
    assert dict(done.paths) == {"report.md": Path("out/reports/report.md"), "report.json": Path("out/reports/report.json")}
    assert (tmp_path / "out/reports/report.md").read_text(encoding="utf-8") == "# 🩺\n"
    assert stat.S_IMODE((tmp_path / "out/reports/report.json").stat().st_mode) == 0o644
    assert sorted(file.name for file in (tmp_path / "out/reports").iterdir()) == ["report.json", "report.md"]


def test_an_older_report_is_replaced_whole(tmp_path: Path) -> None:
    publish_files(Path("out"), tmp_path, {"report.md": "long " * 1000})
    publish_files(Path("out"), tmp_path, {"report.md": "short"})
    assert (tmp_path / "out/report.md").read_text() == "short"


@pytest.mark.parametrize("folder", ["link", "link/inner", "inner/link", "../other", "a/../../other"])
def test_a_folder_that_leads_out_of_the_workspace_is_refused(folder: str, tmp_path: Path) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "other"
    (workspace / "inner").mkdir(parents=True)
    outside.mkdir()
    (workspace / "link").symlink_to(outside)
    (workspace / "inner" / "link").symlink_to(outside)
    done = publish_files(Path(folder), workspace, {"report.md": "x"})
    assert done.published.status is PublishStatus.FAILED
    assert "leads out of the workspace" in done.published.why
    assert done.paths == {}
    assert publish_dotenv(Path(folder), workspace, {"outcome": "fail"}).status is PublishStatus.FAILED
    assert list(outside.iterdir()) == []


def test_a_link_inside_the_workspace_is_followed_and_a_link_in_the_files_place_is_replaced(tmp_path: Path) -> None:
    workspace, precious = tmp_path / "workspace", tmp_path / "precious"
    (workspace / "real").mkdir(parents=True)
    precious.write_text("keep me")
    (workspace / "out").symlink_to(workspace / "real")
    (workspace / "real" / "report.md").symlink_to(precious)
    assert publish_files(Path("out"), workspace, {"report.md": "ours"}).published.status is PublishStatus.CREATED
    assert precious.read_text() == "keep me"
    assert (workspace / "real" / "report.md").read_text() == "ours"
    assert not (workspace / "real" / "report.md").is_symlink()


def test_an_absolute_folder_is_the_users_choice(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "deep"
    done = publish_files(folder, tmp_path / "workspace", {"report.md": "x"})
    assert done.paths["report.md"] == folder / "report.md"
    assert (folder / "report.md").read_text() == "x"


def test_a_folder_that_is_a_file_is_told_and_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert publish_files(Path("file"), tmp_path, {"report.md": "x"}).published.status is PublishStatus.FAILED
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    done = publish_files(Path("out"), tmp_path, {"report.md": "x"})
    assert done.published.status is PublishStatus.FAILED
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["report.md"]


def test_no_formats_are_no_files(tmp_path: Path) -> None:
    assert publish_files(Path("out"), tmp_path, {}).published.status is PublishStatus.SKIPPED
    assert list(tmp_path.iterdir()) == []


def test_the_dotenv_file_has_a_line_for_each_output(tmp_path: Path) -> None:
    published = publish_dotenv(Path("out"), tmp_path, {"outcome": "fail", "exit-code": "1"})
    assert published == Published("dotenv", PublishStatus.CREATED, why="Written to out/cicd-agents.env.")
    assert (tmp_path / "out/cicd-agents.env").read_text() == "CICD_AGENTS_RESULT_OUTCOME=fail\nCICD_AGENTS_RESULT_EXIT_CODE=1\n"


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def nobody() -> Iterator[None]:
    """Rights of a user who owns nothing: root may write anywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def earlier(folder: Path) -> Path:
    """The outputs of an earlier run."""
    folder.mkdir()
    path = folder / "cicd-agents.env"
    path.write_text("CICD_AGENTS_RESULT_DECISION=promote\n")
    return path


def test_outputs_that_cannot_be_written_leave_none_of_an_earlier_run(tmp_path: Path) -> None:
    old = earlier(tmp_path / "out")
    with full_disk():
        published = publish_dotenv(Path("out"), tmp_path, {"decision": "rollback"})
    assert published.status is PublishStatus.FAILED
    assert "cannot be written" in published.why
    assert not old.exists()


def test_outputs_of_an_earlier_run_are_emptied_where_their_folder_is_read_only() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        old = earlier(folder / "out")
        old.chmod(0o666)
        old.parent.chmod(0o555)
        with nobody():
            published = publish_dotenv(Path("out"), folder, {"decision": "rollback"})
        assert published.status is PublishStatus.FAILED
        assert old.read_text() == ""
        old.parent.chmod(0o755)


def test_what_can_be_neither_removed_nor_emptied_is_named_as_not_to_be_used(tmp_path: Path) -> None:
    (tmp_path / "out/cicd-agents.env").mkdir(parents=True)
    published = publish_dotenv(Path("out"), tmp_path, {"decision": "rollback"})
    assert published.status is PublishStatus.FAILED
    assert "out/cicd-agents.env is of an earlier run and cannot be removed" in published.why


def test_a_link_in_the_place_of_the_outputs_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / "out/cicd-agents.env").symlink_to(target)
    with full_disk():
        publish_dotenv(Path("out"), tmp_path, {"decision": "rollback"})
    assert target.read_text() == "kept"
    assert not (tmp_path / "out/cicd-agents.env").is_symlink()


def test_slack_is_posted_to_once_and_its_failure_is_told() -> None:
    posted: list[dict[str, Any]] = []
    assert publish_slack(posted.append, {"text": "x"}, dry_run=True).status is PublishStatus.PLANNED
    assert posted == []
    assert publish_slack(posted.append, {"text": "x"}) == Published("slack", PublishStatus.CREATED)
    assert posted == [{"text": "x"}]

    def down(_: dict[str, Any]) -> None:
        raise Unavailable("Slack: posting the message failed (500).")

    assert publish_slack(down, {"text": "x"}) == Published("slack", PublishStatus.FAILED, why="Slack: posting the message failed (500).")
