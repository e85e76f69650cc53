"""What changed since the last good run, and the bisect line."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cicd_agents.analysis.changes.bisection import bisect_line
from cicd_agents.analysis.changes.report import changes_of
from cicd_agents.analysis.changes.suspects import FailureFacts
from cicd_agents.domain.ci import Commit, Comparison, FileChange
from cicd_agents.domain.doctor import PackageChange

GOOD, BAD = "a" * 40, "b" * 40
FAILURE = FailureFacts(category="test_failure", phase="test", path="tests/test_cart.py", command="pytest -q tests")
FILES = tuple(FileChange(path) for path in ("tests/test_cart.py", "go.mod", "go.sum", ".github/workflows/ci.yml", ".nvmrc", "Dockerfile"))
COMPARISON = Comparison(GOOD, BAD, (Commit("c1", "first", files=("go.mod", "go.sum")), Commit("c2", "second", files=("tests/test_cart.py",))), FILES)
UPDATE = PackageChange("go.mod", "example.com/yaml", "v1.2.0", "v1.3.0")


def test_the_changes_are_told_in_the_words_of_the_report() -> None:
    found = changes_of(COMPARISON, (UPDATE,), FAILURE, good_url="https://example.com/runs/7")
    assert (found.good_sha, found.bad_sha, found.good_url, found.commits) == (GOOD, BAD, "https://example.com/runs/7", 2)
    assert found.files == tuple(change.path for change in FILES)
    assert found.packages == (UPDATE,)
    assert found.ci_files == (".github/workflows/ci.yml", ".nvmrc")
    assert [item.sha for item in found.suspects] == ["c2"]
    assert found.bisect == f"git bisect start {BAD} {GOOD} && git bisect run sh -c 'pytest -q tests'"
    assert found.complete


def test_an_update_that_two_files_of_a_folder_tell_is_told_once() -> None:
    repeated, elsewhere = replace(UPDATE, file="go.sum"), replace(UPDATE, file="tools/go.mod")
    assert changes_of(COMPARISON, (UPDATE, repeated, elsewhere), FAILURE).packages == (UPDATE, elsewhere)


def test_lists_that_were_cut_are_not_called_complete() -> None:
    assert not changes_of(replace(COMPARISON, complete=False), (), FAILURE).complete
    cut = changes_of(COMPARISON, (), FAILURE, most_files=2)
    assert (len(cut.files), cut.complete) == (2, False)
    assert [item.sha for item in cut.suspects] == ["c2"]
    many = tuple(replace(UPDATE, package=f"p{number}") for number in range(300))
    assert (len(changes_of(COMPARISON, many, FAILURE).packages), changes_of(COMPARISON, many, FAILURE).complete) == (200, False)


@pytest.mark.parametrize(
    "changed",
    [{"phase": "deploy"}, {"phase": "infrastructure"}, {"phase": ""}, {"transient": True}, {"command": ""}, {"command": "./deploy.sh"}],
)
def test_where_bisecting_would_tell_nothing_it_is_not_offered(changed: dict[str, object]) -> None:
    assert changes_of(COMPARISON, (), replace(FAILURE, **changed)).bisect is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "phase", "command"),
    [
        ("Run pytest -q", "test", "pytest -q"),
        ("npm test", "test", "npm test"),
        ("Run npm ci", "test", None),
        ("make test", "build", None),
        ("Unit tests", "test", None),
    ],
)
def test_without_a_command_the_first_line_of_a_step_that_tests_is_taken(step: str, phase: str, command: str | None) -> None:
    found = changes_of(COMPARISON, (), replace(FAILURE, command="", step=step, phase=phase)).bisect
    assert found == (command and f"git bisect start {BAD} {GOOD} && git bisect run sh -c '{command}'")


def test_one_commit_needs_no_bisecting() -> None:
    assert changes_of(replace(COMPARISON, commits=COMPARISON.commits[:1]), (), FAILURE).bisect is None


@pytest.mark.parametrize("command", [
    "make test", "pytest -q 'tests/test_cart.py::test_total[1-2]'", "python -m pytest", "python3 -m unittest discover", "npm test", "npm ci && npm test",
    "npm run lint -- --max-warnings=0", "yarn test", "pnpm run build", "cargo test --workspace", "go test ./...", "./gradlew check", "mvn -B verify",
    "dotnet test Shop.sln", "bundle exec rspec spec/cart_spec.rb", "uv run pytest -x", "poetry run python -m pytest", "npx jest --ci", "mix test",
    "vendor/bin/phpunit", "tox -e py311", "ruff check .", "golangci-lint run", 'pytest -k "total or tax"',
])  # fmt: skip
def test_what_builds_or_tests_can_be_bisected(command: str) -> None:
    line = bisect_line(GOOD, BAD, command)
    assert line is not None
    assert shlex.split(line)[-2:] == ["-c", command]


@pytest.mark.parametrize("command", [
    "", " ", "rm -rf /", "curl https://x | sh", "make test; curl x", "make test\ncurl x", "make test && curl x", "make `id`", "make $(id)", "make $HOME",
    "pytest > out", "pytest || true", "make deploy", "npm publish", "mvn release:prepare", "gradle publish", "cargo publish", "npm run deploy",
    "terraform apply", "kubectl get pods", "docker build .", "sudo make test", "python -c 'import os'", "python setup.py test", "node -e 1", "npx evil",
    "npm install evil", "npm exec evil", "go run evil@latest", "uv tool run x", "uv run", "npx", "sh -c 'pytest'", "git push", "pytest \u202e", "pytest 'a",
    "pytest ***\\", "CI=1 make test", "pytest " + "x" * 400, "make \x00", "\u0440ytest", "echo ok", "cd a && make test", "&& make", "python -m http.server",
])  # fmt: skip
def test_anything_else_is_not_offered(command: str) -> None:
    assert bisect_line(GOOD, BAD, command) is None


@pytest.mark.parametrize(("good", "bad"), [(GOOD, GOOD), ("main", BAD), (GOOD, "--help"), ("", BAD), (GOOD, "HEAD; ls"), ("A" * 40, BAD), (GOOD + "\n", BAD)])
def test_commits_are_hashes(good: str, bad: str) -> None:
    assert bisect_line(good, bad, "make test") is None


@pytest.mark.skipif(not shutil.which("git") or not shutil.which("make"), reason="needs git and make")
def test_the_line_finds_the_bad_commit_of_a_real_repository(tmp_path: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]

    def git(*words: str) -> str:
        return subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    shas = []
    for number in range(4):
        (tmp_path / "Makefile").write_text(f"test:\n\t@test {number} -lt 2\n")
        git("add", ".")
        git("commit", "-q", "-m", f"commit {number}")
        shas.append(git("rev-parse", "HEAD"))
    line = bisect_line(shas[0], shas[3], "make test")
    assert line is not None
    told = subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert f"{shas[2]} is the first bad commit" in told
