"""The doctor with a model beside it, from the event to the exit code: google-genai's real client, stand-ins for the platforms and for Gemini, real Git."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tests.servers.clock import FakeClock
from tests.servers.gemini import KEY, Drip, GeminiServer, Turn, answers, call, calls, error, refuses, says, sse, stops, stream
from tests.servers.github import FORK, GitHub
from tests.servers.gitlab import GitLab
from tests.servers.http_server import Reply, Request
from tests.servers.loki import LokiServer
from tests.wiring.rig import NPM_LOG, Ran, Rig, on_workflow_run
from tests.wiring.test_github_run import BAD, Scene, made
from tests.wiring.test_gitlab_run import SHA, TRACE, variables_of

from cicd_agents.domain.errors import UsageError

STAMP = b"2026-03-14T02:10:12.1234567Z "
HEADING = "### Explanation (written by a model"
PRICE = "export function tax(item) {\n  // in percent\n  const table = tables[item.kind]\n  return item.net\n}\n\nexport const rate = table.rate\n"
PATCH = "--- a/src/price.js\n+++ b/src/price.js\n@@ -5,3 +5,3 @@\n }\n \n-export const rate = table.rate\n+export const rate = table?.rate\n"
LINE = {"item": "log:test", "line": 8, "quote": "Cannot read properties of undefined"}
ANSWER: dict[str, Any] = {
    "narrative": "The table is undefined for this kind, so reading its rate throws.",
    "citations": [LINE],
    "confidence": 0.8,
    "hypotheses": [{"candidate": "", "why": "No table is there for the kind.", "confidence": 0.6, "citations": [LINE]}],
    "suggestions": [{"title": "Ask for the rate only where there is a table", "patch": PATCH}],
}


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as github:
        yield github


def keyed(gemini: GeminiServer, **inputs: str) -> dict[str, str]:
    """The inputs of a run that may ask the stand-in."""
    given = {"gemini_key": KEY, "model_url": gemini.url, "allow_http": "127.0.0.1", **inputs}
    return {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in given.items()}


def explained(scene: Scene, *script: Turn, **inputs: str) -> tuple[Ran, GeminiServer]:
    with GeminiServer(*script) as gemini:
        ran = scene.rig().run(environment=keyed(gemini, **inputs))
        assert gemini.problems == []
        return ran, gemini


def checkout(folder: Path, files: Mapping[str, str]) -> None:
    """A repository in the workspace."""
    for name, text in files.items():
        path = folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for arguments in (("init", "-q"), ("add", "-f", ".")):
        subprocess.run(["git", "-C", str(folder / "work"), *arguments], check=True, capture_output=True)


def asked(gemini: GeminiServer, turn: int = 0) -> str:
    """The text of a request's last turn."""
    return json.dumps(gemini.bodies[turn]["contents"][-1], ensure_ascii=False)


# What people see


def test_the_explanation_stands_in_every_place_for_people_and_in_none_for_machines(hub: GitHub, tmp_path: Path) -> None:
    checkout(tmp_path, {"src/price.js": PRICE})
    scene = made(hub, tmp_path, NPM_LOG)
    ran, _ = explained(scene, answers(ANSWER), reports="markdown,json,sarif,codequality,junit", issue="always")
    [comment] = scene.comments
    written = (tmp_path / "work/cicd-agents-report/report.md").read_text()
    for text in (comment, ran.summary, written):
        assert HEADING in text
        assert "The table is undefined for this kind" in text
        assert "+export const rate = table?.rate" in text
        assert "the explanation is a model's" in text
    assert "The table is undefined for this kind" in ran.out
    advice = ran.report["advice"]
    assert (advice["problem"], advice["dropped"], advice["calls"], advice["model"]) == ("", [], 1, "gemini-2.5-flash")
    assert advice["suggestions"][0]["patch"] == PATCH
    machines = [(tmp_path / "work/cicd-agents-report" / name).read_text() for name in ("report.sarif", "gl-code-quality-report.json", "report-junit.xml")]
    machines += [(tmp_path / "output").read_text(), *(line for line in ran.out.splitlines() if line.startswith("::"))]
    assert not [text for text in machines if "table is undefined" in text or "table?.rate" in text]


def test_what_is_sent_is_the_question_the_log_the_code_and_what_changed(hub: GitHub, tmp_path: Path) -> None:
    checkout(tmp_path, {"src/price.js": PRICE})
    sent = asked(explained(made(hub, tmp_path, NPM_LOG), answers(ANSWER))[1])
    for text in (
        "Rules found the cause: the first candidate.", "8|     TypeError: Cannot read properties of undefined (reading 'rate')", "id| source:src/price.js",
        "3|   const table = tables[item.kind]", "id| diff:src/price.js", "id| commit:bbbbbbbbbb", "touches the failing file src/price.js at the failing line 7",
        "id| table:flaky",
    ):  # fmt: skip
        assert text in sent, text
    assert "/actions/runs/" not in sent


def test_on_gitlab_the_note_has_it_and_the_dotenv_file_has_not(tmp_path: Path) -> None:
    lab = GitLab()
    with lab, GeminiServer(answers(ANSWER | {"citations": [{"item": "log:build", "line": 4, "quote": "cannot find value"}]})) as gemini:
        pipeline = lab.add_pipeline("running", ref="topic", sha=SHA, source="merge_request_event")
        lab.add_job(pipeline, "build", "failed", trace=TRACE)
        lab.add_merge_request(3, SHA)
        lab.add_commit(SHA, files=["src/main.rs"])
        rig = Rig(tmp_path, variables_of(lab, pipeline, 1, tmp_path / "work"))
        ran = rig.run(environment={"GEMINI_API_KEY": KEY, "CICD_AGENTS_MODEL_URL": gemini.url, "CICD_AGENTS_ALLOW_HTTP": "127.0.0.1"})
        [note] = lab.notes(3)
        assert HEADING in note
        assert "The table is undefined" in note
        assert "The table is undefined" not in (tmp_path / "work/cicd-agents-report/cicd-agents.env").read_text()
        assert ran.code == 0
        assert lab.problems == gemini.problems == []


NOT_KNOWN = b"".join(
    STAMP + line + b"\n"
    for line in (
        b"##[group]Run ./tool", b"##[endgroup]", b"frobnicator: widget 7 refused to turn", b"giving up", b"##[error]Process completed with exit code 3.",
    )
)  # fmt: skip


def test_of_an_unknown_failure_the_best_candidates_are_read(hub: GitHub, tmp_path: Path) -> None:
    ran, gemini = explained(made(hub, tmp_path, NOT_KNOWN), answers(ANSWER))
    assert ran.report["details"]["signature"].startswith("generic.")
    sent = asked(gemini)
    assert "Read the best three candidates" in sent
    lines = [candidate["line"] for candidate in ran.report["details"]["candidates"]]
    assert 1 <= sent.count("candidate| ") <= 3
    assert [line for line in lines[:3] if f"log:test, line {line} |" not in sent] == []


def test_of_a_flaky_failure_the_strategy_is_asked_for_and_shown(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    failed, passed = (hub.add_run("CI", conclusion, branch="main", sha="e" * 40) for conclusion in ("failure", "success"))
    hub.add_job(passed, "test", "success")
    hub.add_job(failed, "test", "failure", log=NPM_LOG)
    with GeminiServer(answers(ANSWER | {"suggestions": [], "extra": {"strategy": "It is the order of the tests: isolate them."}})) as gemini:
        ran = scene.rig(failed).run(environment=keyed(gemini))
        assert "The failure comes and goes on unchanged code." in asked(gemini)
        assert "flaky: yes" in asked(gemini)
        assert "**Strategy:**\n\nIt is the order of the tests: isolate them." in ran.summary


def test_a_log_from_loki_is_kept_too(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    begin = int(scene.run.attempts[0].jobs[0].started * 1e9)
    lines = [*(f"compiled file {number}" for number in range(1, 200)), "E   ModuleNotFoundError: No module named 'requests'", "##[error]exit code 1"]
    with LokiServer() as loki, GeminiServer(calls(call("log_lines", {"item": "log:test", "first": 7, "last": 7})), answers(ANSWER)) as gemini:
        loki.add({"job": "ci"}, *((begin + number, line) for number, line in enumerate(lines)))
        ran = scene.rig().run(environment=keyed(gemini, loki_url=loki.http.url, loki_query='{job="ci"}'))
        assert ran.report["details"]["root_cause"]["line"] == 200
        assert "7| compiled file 7" in asked(gemini, 1)


# Reading on


def test_a_call_reads_on_in_the_log_and_gets_the_right_lines_redacted(hub: GitHub, tmp_path: Path) -> None:
    key = [
        b"-----BEGIN PRIVATE " + b"KEY-----",
        *(b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ%014d" % n for n in range(30)),
        b"-----END PRIVATE " + b"KEY-----",
    ]
    early = [b"starting", b"login with ghp_" + b"a1B2" * 9, *key, b"key written", *(b"compiled file %d" % number for number in range(900))]
    log = b"".join(STAMP + line + b"\n" for line in early) + NPM_LOG
    script = calls(
        call("log_lines", {"item": "log:test", "first": 1, "last": 2}),
        call("log_lines", {"item": "log:test", "first": 20, "last": 36}),
        call("log_lines", {"item": "log:nothing", "first": 1, "last": 2}),
    )
    told = answers(ANSWER | {"citations": [{"item": "log:test", "line": 35, "quote": "key written"}], "hypotheses": [], "suggestions": []})
    scene = made(hub, tmp_path, log)
    scene.doctor(explain="off")
    downloads = len([request for request in hub.requests if request.path.endswith("/logs")])
    ran, gemini = explained(scene, script, told)
    assert ran.report["advice"]["citations"] == [{"item": "log:test", "line": 35, "quote": "key written"}]
    results = asked(gemini, 1)
    assert "1| starting\\n2| login with [redacted:github-token]" in results
    assert "34| [redacted:private-key]" in results
    assert "35| key written" in results
    assert "36| compiled file 0" in results
    assert "no item of the dossier" in results
    assert b"MIIEvQIB" not in gemini.sent()
    assert b"a1B2a1B2" not in gemini.sent()
    assert len([request for request in hub.requests if request.path.endswith("/logs")]) == 2 * downloads, "no log is downloaded once more"


def open_files() -> Iterator[Path]:
    """What this process has open; connections of stand-ins may end while we look."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield descriptor.readlink()


@pytest.mark.parametrize("name", ["ci.log", "ci.zip", "ci.log.gz"])
def test_a_log_file_is_kept_too_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    log = b"".join(b"compiled file %d\n" % number for number in range(1, 500)) + b"E   ModuleNotFoundError: No module named 'requests'\n##[error]exit code 1\n"
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("0_test.txt", log)
    (tmp_path / name).write_bytes({"ci.log": log, "ci.zip": packed.getvalue(), "ci.log.gz": gzip.compress(log)}[name])
    monkeypatch.chdir(tmp_path)
    with GitHub() as hub, GeminiServer(calls(call("log_lines", {"item": f"log:{name}", "first": 7, "last": 8})), answers(ANSWER)) as gemini:
        rig = on_workflow_run(tmp_path, hub, hub.add_run("CI", "failure", branch="main", sha=BAD))
        ran = rig.run(environment=keyed(gemini, log=name))
        assert ran.report["details"]["root_cause"]["line"] == 500
        assert "7| compiled file 7\\n8| compiled file 8\\n" in asked(gemini, 1)
    assert (tmp_path / name).resolve() not in open_files()


def test_a_log_that_is_larger_than_what_may_be_kept_is_shown_by_its_excerpt(tmp_path: Path) -> None:
    log = (
        b"".join(b"compiled file %07d of very many files\n" % number for number in range(1, 40_000)) + b"E   ModuleNotFoundError: No module named 'requests'\n"
    )
    (tmp_path / "ci.log").write_bytes(log + b"##[error]exit code 1\n")
    with GitHub() as hub, GeminiServer(answers(ANSWER)) as gemini:
        rig = on_workflow_run(tmp_path, hub, hub.add_run("CI", "failure", branch="main", sha=BAD))
        ran = rig.run(environment=keyed(gemini, log=str(tmp_path / "ci.log"), max_log_mb="1"))
        assert ran.report["outcome"] == "fail"
        assert "title| excerpt from the log" in asked(gemini)


# Patches


@pytest.mark.parametrize("source", [PRICE.replace("table.rate", "other.rate"), None], ids=["other code", "no checkout"])
def test_a_patch_is_shown_only_where_it_applies_to_the_checkout(hub: GitHub, tmp_path: Path, source: str | None) -> None:
    if source is not None:
        checkout(tmp_path, {"src/price.js": source})
    scene = made(hub, tmp_path, NPM_LOG)
    ran, _ = explained(scene, answers(ANSWER))
    assert ran.report["advice"]["suggestions"] == []
    assert ["does not apply", 1] in ran.report["advice"]["dropped"]
    assert "table?.rate" not in scene.comments[0]
    assert "The table is undefined" in scene.comments[0]


# Whatever goes wrong

BROKEN: dict[str, Callable[[FakeClock], Turn]] = {
    "no time left": lambda clock: Drip(clock=clock, step=10.0, bytes=12),
    "rate limit": lambda _: error(429),
    "server error": lambda _: error(500),
    "wrong key": lambda _: error(401),
    "prompt refused": lambda _: refuses("SAFETY"),
    "answer blocked": lambda _: stops("SAFETY", "HARM_CATEGORY_DANGEROUS_CONTENT"),
    "junk": lambda _: says("I am sorry, but"),
    "wrong shape": lambda _: answers({"narrative": 1}),
    "cut stream": lambda _: stream(sse(answers(ANSWER)), cut=300),
    "a web page": lambda _: Reply(200, b"<html>", {"content-type": "text/html"}),
    "lies": lambda _: answers(ANSWER | {"citations": [LINE | {"line": 1}], "hypotheses": [], "suggestions": []}),
}


def forge_requests(requests: list[Request]) -> list[tuple[str, str, str]]:
    """What the platform was asked, without the explanation, the hash of the body and the time."""
    return [(request.method, request.path, _without(request.body.decode())) for request in requests]


def _without(text: str) -> str:
    text = re.sub(re.escape(HEADING) + r".*?</sub>(?:\\n)*", "", text, flags=re.DOTALL)
    return re.sub(r"(<!-- cicd-agents:[a-z-]+:[0-9a-f]+:)[0-9a-f]{16} -->", r"\1 -->", text)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_model_that_fails_costs_its_explanation_and_nothing_else(tmp_path: Path, kind: str) -> None:
    found = []
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
        with GitHub() as hub:
            scene = made(hub, tmp_path / name, NPM_LOG)
            rig = scene.rig()
            with GeminiServer(BROKEN[kind](rig.clock)) as gemini:
                inputs = {"fail_on": "fail", "issue": "always", "rerun": "auto", "history": "memory.sqlite"}
                given = keyed(gemini, **inputs, explain="auto" if name == "with" else "off")
                ran = rig.run(environment=given)
                assert bool(gemini.requests) == (name == "with")
                found.append((ran, forge_requests(hub.requests), hub.server.url))
    (plain, plain_asked, plain_url), (ran, model_asked, url) = found
    assert ran.code == plain.code == 1
    assert json.dumps(model_asked).replace(url, "HUB") == json.dumps(plain_asked).replace(plain_url, "HUB")
    assert {**ran.outputs, "comment-url": "", "issue-url": ""} == {**plain.outputs, "comment-url": "", "issue-url": ""}
    problem = ran.report["advice"]["problem"]
    assert problem
    assert f"There is no explanation: {problem}" in ran.out
    assert "Diagnosed by rules, without a model." in ran.summary
    same = ("outcome", "exit_code", "title", "summary", "findings", "operations", "notes")
    assert [ran.report[name] for name in same] == [plain.report[name] for name in same]


def test_a_green_run_asks_nobody(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    green = hub.add_run("CI", "success", branch="feature", event="pull_request", sha=BAD)
    hub.add_job(green, "test", "success")
    with GeminiServer(answers(ANSWER)) as gemini:
        ran = scene.rig(green).run(environment=keyed(gemini))
        assert (ran.report["outcome"], ran.report["advice"], gemini.requests) == ("pass", None, [])


def test_where_the_log_could_not_be_read_there_is_nothing_to_explain(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    scene.run.attempts[0].jobs[0].log = None
    ran, gemini = explained(scene, answers(ANSWER))
    assert (ran.report["outcome"], ran.report["advice"], gemini.requests) == ("inconclusive", None, [])


# The same question


def test_the_same_evidence_is_answered_from_memory_without_a_call(hub: GitHub, tmp_path: Path) -> None:
    checkout(tmp_path, {"src/price.js": PRICE})
    scene = made(hub, tmp_path, NPM_LOG)
    script = (calls(call("log_lines", {"item": "log:test", "first": 1, "last": 3})), answers(ANSWER))
    first, gemini = explained(scene, *script, history="memory.sqlite")
    assert len(gemini.requests) == 2
    second, again = explained(scene, error(500), history="memory.sqlite", model_url=gemini.url)
    assert again.requests == []
    kept = ("narrative", "citations", "hypotheses", "suggestions", "confidence", "problem")
    assert {name: second.report["advice"][name] for name in kept} == {name: first.report["advice"][name] for name in kept}
    assert second.report["advice"]["remembered"]
    assert "answered from memory, without a call" in scene.comments[0]


def test_other_evidence_is_another_question(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    explained(scene, answers(ANSWER), history="memory.sqlite")
    hub.add_attempt(scene.run, "failure")
    hub.add_job(scene.run, "test", "failure", log=NPM_LOG.replace(b"'rate'", b"'total'"))
    _, gemini = explained(scene, answers(ANSWER), history="memory.sqlite")
    assert len(gemini.requests) == 1


# Whether anybody is asked


def test_required_without_a_key_ends_before_any_request(hub: GitHub, tmp_path: Path) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    before = len(hub.requests)
    with pytest.raises(UsageError, match="explain is `required`, and there is no key"):
        scene.doctor(explain="required")
    assert hub.requests[before:] == []


def test_of_a_stranger_s_run_no_model_is_asked_unless_that_is_allowed(hub: GitHub, tmp_path: Path) -> None:
    run = hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD, head=FORK)
    hub.add_job(run, "test", "failure", log=NPM_LOG)
    hub.add_pull(BAD, "feature", head=FORK)
    rig = on_workflow_run(tmp_path, hub, run)
    with GeminiServer(answers(ANSWER)) as gemini:
        assert rig.run(environment=keyed(gemini)).report["advice"] is None
        assert gemini.requests == []
        assert rig.run(environment=keyed(gemini, explain_forks="true")).report["advice"]["narrative"]


@pytest.mark.parametrize("explain", ["auto", "off"])
def test_without_a_key_nothing_of_a_model_is_loaded(hub: GitHub, tmp_path: Path, explain: str) -> None:
    scene = made(hub, tmp_path, NPM_LOG)
    (tmp_path / "work").mkdir()
    environment = {**scene.rig().environment, "INPUT_EXPLAIN": explain, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    if explain == "off":
        environment["GEMINI_API_KEY"] = KEY
    ran = subprocess.run([sys.executable, "-X", "importtime", "-m", "cicd_agents", "run"], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "Cannot read properties" in scene.comments[0]
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    assert "cicd_agents.wiring.explaining" in loaded
    unwanted = ("google", "pydantic", "cicd_agents.advisor", "cicd_agents.domain.advice", "cicd_agents.report.advice", "cicd_agents.wiring.doctor_asking",
                "cicd_agents.clients.gemini", "cicd_agents.clients.kept_logs", "cicd_agents.agents.doctor_dossier")  # fmt: skip
    assert [name for name in loaded if name.startswith(unwanted)] == []
