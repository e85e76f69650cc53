"""The settings file and the event payload as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cicd_agents.clients.settings_file import MAX_SETTINGS, parse_settings, read_event, read_settings_file
from cicd_agents.domain.errors import UsageError


def test_a_mapping_is_read(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text("fail-on: fail\nissue-labels: [a, b]\n")
    assert read_settings_file(tmp_path / "s.yml", required=True) == {"fail-on": "fail", "issue-labels": ["a", "b"]}


def test_no_file_is_no_settings_unless_it_was_named(tmp_path: Path) -> None:
    assert read_settings_file(tmp_path / "none.yml", required=False) is None
    with pytest.raises(UsageError, match=r"none\.yml: no such file"):
        read_settings_file(tmp_path / "none.yml", required=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a: [", "s.yml, line 1: is not YAML"),
        (b"a: 1\nb: 2\na: 3\n", "s.yml, line 3: a stands there twice."),
        (b"- a\n", "s.yml: must be a mapping"),
        (b"!!python/object/apply:os.system ['true']\n", "is not YAML"),
        (b"a: \xff\n", "s.yml: is not UTF-8."),
        (b"[" * 5000, "is not YAML"),
        (b"a: 1\n" + b"#" * MAX_SETTINGS, "s.yml: is larger than 64 KiB"),
        (b"a: &x [1]\nb: *y\n", "s.yml, line 2: is not YAML"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: bytes, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_settings(text, "s.yml")
    assert says in str(refused.value)


def test_an_empty_file_sets_nothing() -> None:
    assert parse_settings(b"# nothing yet\n", "s.yml") == {}


def test_an_event_is_a_json_object(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text('{"action": "completed"}')
    assert read_event(str(tmp_path / "e.json")) == {"action": "completed"}
    assert read_event("") == {}


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000])
def test_another_event_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(UsageError, match="is not the JSON object of an event"):
        read_event(str(tmp_path / "e.json"))
