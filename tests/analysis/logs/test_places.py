"""The place in the project that a failure points to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cicd_agents.analysis.logs.places import place_of, shown
from cicd_agents.analysis.logs.reader import Line
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.domain.finding import Location

RULE = Signature(id="t.x", tool="t", category="configuration", weight=80, match="x", title="t", cause="c")


def window(*texts: str) -> list[Line]:
    """`##[group]` before a text makes it a marker, as cleaning does."""
    marked = (text.removeprefix("##[group]") for text in texts)
    return [Line(at + 1, at, b"group" if texts[at].startswith("##[group]") else b"", text.encode()) for at, text in enumerate(marked)]


def place(rule: Signature, *texts: str, at: int = 0, **captures: str) -> Location | None:
    return place_of(rule, captures, window(*texts), at)


FRAME = "\tat com.acme.Shop.run(Shop.java:7)"


def test_a_frame_of_the_same_step_is_the_place() -> None:
    assert place(RULE, "it broke", FRAME) == Location("Shop.java", 7)


@pytest.mark.parametrize(
    "border",
    ["[Pipeline] // stage", "[Pipeline] { (Declarative: Post Actions)", 'Stage "Deploy" skipped due to earlier failure(s)', "##[group]Run cat report",
     "Post job cleanup.", "Process completed with exit code 1.", "Cleaning up project directory and file based variables"],
)  # fmt: skip
def test_a_frame_of_another_step_is_not(border: str) -> None:
    assert place(RULE, "it broke", border, FRAME) is None
    traceback = ['  File "src/a.py", line 3, in run', "ValueError: 3"]
    assert place(RULE, *traceback, border, "it broke", at=3) is None
    assert place(RULE, *traceback, "##[group]more output", "it broke", at=3) == Location("src/a.py", 3)


def test_what_the_message_names_comes_before_the_file_that_the_rule_knows_and_that_before_what_stands_beside() -> None:
    rule = replace(RULE, place="app.toml")
    assert place(rule, "src/b.toml:3: bad key") == Location("src/b.toml", 3)
    assert place(rule, "bad key", path="src/b.toml") == Location("src/b.toml")
    assert place(rule, "bad key", FRAME) == Location("Shop.java", 7)
    assert place(rule, "bad key", "src/c.toml:3: note") == Location("app.toml")
    assert place(rule, "bad key", "\tat Object.<anonymous> (/app/node_modules/x/index.js:3:4)") == Location("app.toml")
    assert place(rule, "bad key", line="4") == Location("app.toml", 4)


def test_the_one_file_that_a_message_names_is_its_place_where_no_better_one_is_known() -> None:
    assert place(RULE, "NAME is missing in .app-limits") == Location(".app-limits")
    assert place(RULE, "NAME is missing in .app-limits", FRAME) == Location("Shop.java", 7)


@pytest.mark.parametrize("category", ["disk_full", "out_of_memory", "auth_secret", "dependency_network", "timeout"])
def test_a_file_that_was_at_hand_when_the_machine_or_a_service_failed_is_no_place(category: str) -> None:
    assert place(replace(RULE, category=category), "python train.py was killed") is None


@pytest.mark.parametrize("category", ["infrastructure_runner", "git_checkout"])
def test_a_message_of_the_platform_has_only_the_place_that_it_names(category: str) -> None:
    rule = replace(RULE, category=category)
    assert place(rule, "agent lost", FRAME) is None
    assert place(rule, "no url for submodule", FRAME, path="lib/x") == Location("lib/x")


@pytest.mark.parametrize(
    ("given", "commands", "path"),
    [
        ("Dockerfile", ["docker build -f docker/Dockerfile ."], "docker/Dockerfile"),
        ("Dockerfile", ["cd x\ndocker build --file=./img/Dockerfile ."], "img/Dockerfile"),
        ("Dockerfile", ["docker build ."], "Dockerfile"),
        ("Dockerfile", ["docker build -f docker/Dockerfile.dev ."], "Dockerfile"),
        ("src/main.c", ["cc lib/src/main.c"], "src/main.c"),
        (r"D:\a\shop\shop\src\App.cs", [], "D:/a/shop/shop/src/App.cs"),
        (r"src\App.cs", [], "src/App.cs"),
        (r"/home/me/odd\name.c", [], r"/home/me/odd\name.c"),
    ],
)
def test_a_path_is_shown_as_the_project_writes_it(given: str, commands: list[str], path: str) -> None:
    assert shown(Location(given, 7), commands) == Location(path, 7)


def test_no_place_is_shown_as_none() -> None:
    assert shown(None, ["docker build ."]) is None
