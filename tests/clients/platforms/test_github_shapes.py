"""GitHub's answers: whatever stands in them, they are read or are a bad answer; they never crash us."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.servers import github_state as state

from cicd_agents.clients.platforms import github_shapes as shapes
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer

HUB = "https://github.example/octo/app"
OCTO = state.Repo(100, "octo/app")
JOB = state.FakeJob(5, "build", "completed", "failure", b"", state.START, (("Run make", "failure"),))
RUN = state.FakeRun(
    9, "CI", ".github/workflows/ci.yml@main", 4, "main", "a" * 40, "push", OCTO, OCTO, state.START, [state.Attempt("completed", "failure", [JOB])]
)
COMMIT = state.FakeCommit("c" * 40, "fix: it", "Mona", "b" * 40, state.START, (("a.py", "renamed", "@@", "b.py"),))
COMPARISON = {"commits": [COMMIT.json(HUB, with_files=False)], "files": state.files_json(COMMIT.files), "total_commits": 1, "html_url": HUB}
ANNOTATION = {"annotation_level": "failure", "message": "m", "path": "a.py", "start_line": 1, "end_line": 1, "title": "t"}
CASES: dict[str, tuple[Callable[[Shape], object], dict[str, Any]]] = {
    "run": (shapes.run, RUN.json(1, HUB)),
    "job": (shapes.job, JOB.json(RUN, 1, HUB)),
    "annotation": (shapes.annotation, ANNOTATION),
    "commit": (lambda data: shapes.commit(data, with_files=True), COMMIT.json(HUB, with_files=True)),
    "comparison": (lambda data: shapes.comparison(data, "a", "b"), COMPARISON),
    "comment": (shapes.comment, state.FakeComment(1, 2, state.STRANGER, "text").json(HUB)),
    "issue": (shapes.issue, state.FakeIssue(3, state.BOT, "title", "body", ("a",)).json(HUB)),
    "pull request": (shapes.pull_request, state.FakePull(4, "a" * 40, "x", "main", "b" * 40, OCTO, OCTO).json(HUB)),
}


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value: (container, key)."""
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()):
        yield data, key
        yield from places(value)


@pytest.mark.parametrize("name", CASES)
def test_whatever_stands_in_an_answer_is_read_or_a_bad_answer(name: str) -> None:
    read, good = CASES[name]
    data = json.loads(json.dumps(good))
    outcomes = set()
    for container, key in places(data):
        kept = container[key]
        for wrong in (None, 7, -1.5, True, "x", "\ud800", "9999-12-31T23:59:59Z", [], [3], {}, {"id": "x"}):
            container[key] = wrong
            try:
                read(Shape.of(data, "GitHub: it"))
                outcomes.add("read")
            except BadAnswer as problem:
                outcomes.add("refused" if "`" in str(problem) else str(problem))
        container[key] = kept
    assert outcomes == {"read", "refused"}


def test_the_path_of_a_workflow_has_no_ref() -> None:
    assert shapes.run(Shape.of(RUN.json(1, HUB), "x")).path == ".github/workflows/ci.yml"
