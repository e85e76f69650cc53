"""`cicd-agents doctor LOG --explain`: a model beside the doctor on a person's machine; keys and settings come from the environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Run
from tests.servers.gemini import KEY, GeminiServer, answers, call, calls, error

NOISE = b"".join(b"compiled file %d\n" % number for number in range(1, 500))
LOG = (
    NOISE
    + b"Traceback (most recent call last):\n  File \"src/app.py\", line 2, in <module>\n    import requests\nModuleNotFoundError: No module named 'requests'\n"
)
CITED = {"item": "log:ci.log", "line": 503, "quote": "No module named 'requests'"}
PATCH = "--- a/src/app.py\n+++ b/src/app.py\n@@ -1,3 +1,3 @@\n # app\n-import requests\n+import httpx\n print(1)\n"
ANSWER = {
    "narrative": "The module is imported and not installed.",
    "citations": [CITED],
    "confidence": 0.9,
    "suggestions": [{"title": "Swap it", "patch": PATCH}],
}
ASKS = calls(call("log_lines", {"item": "log:ci.log", "first": 7, "last": 8}))


@pytest.fixture
def gemini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    """The stand-in, and a repository that is the current folder, with a log in it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("# app\nimport requests\nprint(1)\n")
    (tmp_path / "ci.log").write_bytes(LOG)
    for arguments in (("init", "-q"), ("add", "src")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    with GeminiServer(ASKS, answers(ANSWER)) as server:
        monkeypatch.setenv("CICD_AGENTS_MODEL_URL", server.url)
        monkeypatch.setenv("CICD_AGENTS_ALLOW_HTTP", "127.0.0.1")
        yield server
        assert server.problems == []


@pytest.mark.parametrize("variable", ["GEMINI_API_KEY", "GOOGLE_API_KEY", "CICD_AGENTS_GEMINI_KEY"])
def test_with_a_key_the_explanation_is_told_with_what_the_checkout_and_the_log_say(
    cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, KEY)
    code, out, _ = cicd_agents("doctor", "ci.log", "--explain", "auto")
    assert code == 0
    assert "Explanation (written by a model" in out
    assert "The module is imported and not installed." in out
    assert "+import httpx" in out
    first, second = (json.dumps(body) for body in gemini.bodies)
    assert "source:src/app.py" in first
    assert "7| compiled file 7" in second


@pytest.mark.parametrize("form", ["markdown", "json", "jsonl", "sarif"])
def test_every_format_but_sarif_has_it(cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    _, out, _ = cicd_agents("doctor", "ci.log", "--explain", "required", "--format", form)
    assert gemini.requests
    assert ("imported and not installed" in out) == (form != "sarif")


def test_each_of_several_logs_is_explained_and_a_good_one_is_not(
    cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    gemini.script[:] = [answers(ANSWER)]
    (tmp_path / "good.log").write_text("##[group]Run make\nall good\nBuild succeeded\n")
    _, out, _ = cicd_agents("doctor", "ci.log", "good.log", "ci.log", "--explain", "auto", "--format", "jsonl", "--baseline", "good.log")
    advices = [json.loads(line)["advice"] for line in out.splitlines()]
    assert [bool(advice) for advice in advices] == [True, False, True]
    assert len(gemini.requests) == 2


def test_where_there_is_a_memory_answer_and_costs_are_remembered(cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("CICD_AGENTS_EXPLAIN_MONTH_USD", "1")
    assert "set `history`" in cicd_agents("doctor", "ci.log", "--explain", "auto")[1]
    assert gemini.requests == []
    monkeypatch.setenv("CICD_AGENTS_HISTORY", "memory.sqlite")
    first, again = (
        json.loads(cicd_agents("doctor", "ci.log", "ci.log", "--explain", "auto", "--format", "jsonl")[1].splitlines()[at])["advice"] for at in (0, 1)
    )
    assert (first["problem"], first["remembered"], again["remembered"]) == ("", False, True)
    assert again["narrative"] == "The module is imported and not installed."
    assert len(gemini.requests) == 2, "one question in two turns"


@pytest.mark.parametrize("arguments", [(), ("--explain", "off")])
def test_nobody_is_asked_unless_that_is_said(cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    _, out, _ = cicd_agents("doctor", "ci.log", *arguments)
    assert "Explanation" not in out
    assert gemini.requests == []


def test_auto_without_a_key_is_quiet_and_required_is_wrong_usage(cicd_agents: Run, gemini: GeminiServer) -> None:
    code, out, err = cicd_agents("doctor", "ci.log", "--explain", "auto")
    assert (code, "Explanation" in out, err) == (0, False, "")
    code, out, err = cicd_agents("doctor", "ci.log", "--explain", "required")
    assert (code, out) == (2, "")
    assert err == "cicd-agents: explain is `required`, and there is no key: set gemini-key (or GEMINI_API_KEY), or vertex-project.\n"
    assert gemini.requests == []


def test_a_model_that_fails_changes_neither_verdict_nor_exit_code(cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    gemini.script[:] = [error(403)]
    code, out, _ = cicd_agents("doctor", "ci.log", "--explain", "required", "--fail-on", "fail")
    assert (code, out.splitlines()[0].startswith("FAIL")) == (1, True)
    assert "There is no explanation: " in out
    assert KEY not in out


def test_a_wrong_setting_is_one_sentence(cicd_agents: Run, gemini: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("CICD_AGENTS_EXPLAIN_SECONDS", "many")
    code, out, err = cicd_agents("doctor", "ci.log", "--explain", "auto")
    assert (code, out) == (2, "")
    assert "CICD_AGENTS_EXPLAIN_SECONDS: 'many' is not a whole number" in err
    assert gemini.requests == []
