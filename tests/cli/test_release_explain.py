"""`cicd-agents release plan --explain`, and that without a key nothing of a model is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.servers.gemini import KEY, GeminiServer, answers
from tests.servers.obeying_model import cited
from tests.servers.repositories import ENVIRONMENT, Repository, bare_remote, new_repository

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parent.parent.parent
NARRATIVE = "Zebra carts are summed in one step."
LOADED = """
import sys
from cicd_agents.cli import main
code = main(sys.argv[1:])
print("LOADED", sorted(name for name in sys.modules if name.startswith(("google", "pydantic", "cicd_agents.advisor")) or "gemini" in name or "dossier" in name))
sys.exit(code)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "app")
    made.commit("feat: begin", {"package.json": '{\n  "name": "app",\n  "version": "1.2.0"\n}\n'})
    made.tag("v1.2.0", "first")
    bare_remote(tmp_path / "remote.git", made)
    made.commit("feat!: sum up\n\nBREAKING CHANGE: call sum", {"cart.js": "sum\n"})
    made.git("push", "--quiet", "origin", "main")
    return made


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    def turn(body: Mapping[str, Any]) -> list[dict[str, Any]]:
        citation = cited(body)
        concern = {"concern": {"text": "A zebra function is gone without a mark.", "citations": [citation]}} if CONCERNED in json.dumps(body) else {}
        return answers({"narrative": NARRATIVE, "citations": [citation], "confidence": 0.5, "extra": {"title": "Zebra carts"}, **concern})

    with GeminiServer(turn) as server:
        monkeypatch.setenv("CICD_AGENTS_MODEL_URL", server.url)
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        yield server
        assert server.problems == []


CONCERNED = "take the zebra away"


def test_a_plan_is_explained_where_that_is_asked_for(cicd_agents: Run, repository: Repository, gemini: GeminiServer) -> None:
    code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--explain", "auto")
    assert code == 0
    assert out.startswith("PASS  1.2.0 → 2.0.0 (major)")
    assert NARRATIVE in out
    assert "+sum" in json.dumps(gemini.bodies[0])
    assert repository.git("status", "--porcelain") == ""


def test_a_concern_makes_the_plan_inconclusive_and_the_code_stays_0(cicd_agents: Run, repository: Repository, gemini: GeminiServer) -> None:
    repository.commit(f"fix: {CONCERNED}")
    code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--explain", "required", "--format", "json")
    report = json.loads(out)
    assert (code, report["outcome"], report["exit_code"]) == (0, "inconclusive", 0)
    assert "zebra" in report["advice"]["concern"]
    assert len(gemini.bodies) == 1


def test_a_plan_asks_nobody_of_its_own_accord(cicd_agents: Run, repository: Repository, gemini: GeminiServer) -> None:
    (repository.folder / ".cicd-agents.yml").write_text("explain: required\n")
    for options in ((), ("--explain", "off")):
        code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--format", "json", *options)
        assert code == 0
        assert json.loads(out)["advice"] is None
    assert gemini.requests == []


def test_where_nothing_is_released_nobody_is_asked(cicd_agents: Run, repository: Repository, gemini: GeminiServer) -> None:
    repository.tag("v2.0.0")
    repository.commit("docs: more words")
    code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--explain", "required")
    assert (code, out.partition(" ")[0]) == (0, "SKIPPED")
    assert gemini.requests == []


def test_an_explanation_that_is_required_needs_a_key(cicd_agents: Run, repository: Repository) -> None:
    for what in ("plan", "apply"):
        code, out, error = cicd_agents("release", what, "--repo", repository.folder, "--explain", "required")
        assert (code, out) == (2, "")
        assert "GEMINI_API_KEY" in error
    assert repository.git("tag") == "v1.2.0"


def test_a_run_of_strangers_asks_no_model_for_its_plan(
    cicd_agents: Run, repository: Repository, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = {"sha": "a" * 40, "ref": "x", "repo": {"id": 2}}
    pull = {"number": 1, "head": head, "base": {"sha": "b" * 40, "ref": "main", "repo": {"id": 1}}}
    event = {"pull_request": pull, "repository": {"id": 1, "full_name": "octo/app", "default_branch": "main"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    for name, value in (("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REPOSITORY", "octo/app"), ("GITHUB_SHA", "a" * 40)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    code, out, _ = cicd_agents("release", "plan", "--repo", repository.folder, "--explain", "auto", "--format", "json")
    assert (code, json.loads(out)["advice"]) == (0, None)
    assert gemini.requests == []


def test_apply_takes_the_option_as_well(cicd_agents: Run, repository: Repository, gemini: GeminiServer) -> None:
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder, "--dry-run", "--explain", "off")
    assert code == 0, out
    assert gemini.requests == []
    code, out, _ = cicd_agents("release", "apply", "--repo", repository.folder, "--dry-run")
    assert code == 0, out
    assert NARRATIVE in out


@pytest.mark.parametrize("command", [("plan",), ("plan", "--explain", "auto"), ("apply", "--dry-run")])
def test_without_a_key_nothing_of_a_model_is_loaded(repository: Repository, command: tuple[str, ...]) -> None:
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "src")}
    arguments = [sys.executable, "-c", LOADED, "release", *command, "--repo", str(repository.folder)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert "1.2.0 → 2.0.0" in done.stdout
    assert done.stdout.splitlines()[-1] == "LOADED []"
