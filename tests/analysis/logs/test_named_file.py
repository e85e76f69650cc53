"""The file that a message names without a line."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.named_file import named_file


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("MAX_HOURS is missing in .batch-limits. It is mandatory.", ".batch-limits"),
        ("FAIL golden/nl_NL.txt", "golden/nl_NL.txt"),
        ("tests/unit/test_cart.py::test_total", "tests/unit/test_cart.py"),
        ("make: *** No rule to make target 'gen/build_id.h', needed by 'app.o'.", "gen/build_id.h"),
        ("Root composer.json requires php ^9", "composer.json"),
        ("cannot open ‘conf/app.tpl’: No such file", "conf/app.tpl"),
        ("❌ CHANGELOG.md was not updated", "CHANGELOG.md"),
        ("Invalid YAML in .github/workflows/ci.yml", ".github/workflows/ci.yml"),
        ("your Gemfile specified 3.9", "Gemfile"),
        ("mount /home/runner/work/shop/shop/nginx.conf: not a directory", "/home/runner/work/shop/shop/nginx.conf"),
        ("README.md says so, and README.md is right.", "README.md"),
    ],
)
def test_the_one_file_of_the_project_that_is_named(text: str, path: str) -> None:
    found = named_file(text.encode())
    assert found
    assert (found.path, found.line) == (path, None)


@pytest.mark.parametrize(
    "text",
    [
        "nothing is named here",
        "package.json and package-lock.json are not in sync",  # which of the two?
        "Unable to locate package python3.11",
        "Node.js 20 is deprecated",
        "/usr/share/app/schema.xml is not valid",
        "cannot read dist/app.js",
        "see https://example.com/docs/setup.md",
        "Could not resolve host: registry.example.com",
        "can't fill 256 bytes in section .data of /scratch/t4.o",
        "--report=out.html is not known",
        "version 1.2.3 of v8.x",
        "",
    ],
)
def test_what_is_no_file_of_the_project_or_more_than_one(text: str) -> None:
    assert named_file(text.encode()) is None


def test_only_the_beginning_of_a_long_message_is_read() -> None:
    assert named_file(b"x " * 400 + b"src/a.py") is None
