"""The command line as a user meets it."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schema" / "report-v1.json").read_text())

FAILED = """\
2026-06-08T14:47:04.6281400Z ##[group]Run yarn install --frozen-lockfile
2026-06-08T14:47:04.6281400Z ##[endgroup]
2026-06-08T14:47:05.6281400Z yarn install v1.22.22
2026-06-08T14:47:06.6281400Z error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.
2026-06-08T14:47:06.6281400Z ##[error]Process completed with exit code 1.
2026-06-08T14:47:08.6281400Z Cleaning up orphan processes
"""
PASSED = FAILED.replace("error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.", "Done in 0.1s.").replace(
    "##[error]Process completed with exit code 1.", "ok"
)
UNKNOWN = """\
2026-06-08T14:47:04.6281400Z ##[group]Run ./frobnicate
2026-06-08T14:47:05.6281400Z zork 17
2026-06-08T14:47:06.6281400Z ##[error]Process completed with exit code 9.
"""


@pytest.fixture
def failed(tmp_path: Path) -> Path:
    file = tmp_path / "failed.log"
    file.write_text(FAILED)
    return file


def details(out: str) -> dict[str, Any]:
    report = json.loads(out)
    jsonschema.validate(report, SCHEMA)
    found: dict[str, Any] = report["details"]
    return found


def test_json_is_the_contract(cicd_agents: Run, failed: Path) -> None:
    code, out, err = cicd_agents("doctor", failed, "--format", "json")
    found = details(out)
    assert (code, err) == (0, "")
    assert found["root_cause"]["line"] == 4
    assert found["root_cause"]["step"] == "yarn install --frozen-lockfile"
    assert (found["category"], found["phase"], found["platform"]) == ("dependency_resolution", "build", "github")
    assert found["signature"] == "yarn.frozen_lockfile"
    assert any("yarn install" in command for fix in found["fixes"] for command in fix["commands"])
    assert json.loads(out)["schema"] == "cicd-agents/report/v1"
    assert json.loads(out)["outcome"] == "fail"


def test_text_is_for_people(cicd_agents: Run, failed: Path) -> None:
    code, out, _ = cicd_agents("doctor", failed)
    assert code == 0
    assert out.startswith("FAIL  ")
    assert "line      4: error Your lockfile needs to be updated" in out
    assert "What to do (not tried)" in out
    assert "exit code 0" in out
    assert "\x1b" not in out


def test_markdown_is_for_a_comment(cicd_agents: Run, failed: Path) -> None:
    _, out, _ = cicd_agents("doctor", failed, "--format", "markdown")
    assert out.startswith("## 🩺 pipeline-doctor")
    assert "<details>" in out
    assert "Log line 4 matches rule" in out


def test_sarif_has_a_result(cicd_agents: Run, failed: Path) -> None:
    _, out, _ = cicd_agents("doctor", failed, "--format", "sarif")
    (result,) = json.loads(out)["runs"][0]["results"]
    assert result["ruleId"] == "yarn.frozen_lockfile"
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_jsonl_prints_one_line_per_log(cicd_agents: Run, failed: Path, tmp_path: Path) -> None:
    passed = tmp_path / "passed.log"
    passed.write_text(PASSED)
    _, out, _ = cicd_agents("doctor", failed, passed, "--format", "jsonl")
    first, second = (json.loads(line) for line in out.splitlines())
    assert (first["outcome"], second["outcome"]) == ("fail", "skipped")
    assert second["details"]["root_cause"] is None
    assert [Path(item["details"]["log"]).name for item in (first, second)] == ["failed.log", "passed.log"]


@pytest.mark.parametrize(
    ("text", "option", "expected"),
    [(FAILED, "never", 0), (FAILED, "fail", 1), (FAILED, "inconclusive", 1), (UNKNOWN, "fail", 0), (UNKNOWN, "inconclusive", 3), (PASSED, "inconclusive", 0)],
)
def test_the_exit_code_follows_outcome_and_policy(cicd_agents: Run, tmp_path: Path, text: str, option: str, expected: int) -> None:
    log = tmp_path / "x.log"
    log.write_text(text)
    assert cicd_agents("doctor", log, "--fail-on", option)[0] == expected


def test_an_unknown_failure_is_said_to_be_unsure_and_shows_candidates(cicd_agents: Run, tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text(UNKNOWN)
    _, out, _ = cicd_agents("doctor", log)
    assert out.startswith("INCONCLUSIVE")
    assert "line 2 (score" in out


def test_gzip_and_zip_and_stdin_are_read_alike(cicd_agents: Run, failed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "failed.log.gz"
    packed.write_bytes(gzip.compress(FAILED.encode()))
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("0_build.txt", FAILED)
        zipped.writestr("build/1_Set up job.txt", "never read\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FAILED.encode())))
    for name in (packed, archive, "-"):
        _, out, _ = cicd_agents("doctor", name, "--format", "json")
        assert details(out)["root_cause"]["line"] == 4


def test_a_zip_without_job_files_falls_back_to_steps(cicd_agents: Run, tmp_path: Path) -> None:
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("build/10_later.txt", "fine\n")
        zipped.writestr("build/2_Run yarn.txt", FAILED)
        zipped.writestr("build/system.txt", "never read\n")
    _, out, _ = cicd_agents("doctor", archive, "--format", "json")
    assert details(out)["root_cause"]["line"] == 4


def test_a_good_run_takes_the_blame_off_what_it_prints_too(cicd_agents: Run, tmp_path: Path) -> None:
    noise = "Error: the cache is cold\n"
    bad, good = tmp_path / "bad.log", tmp_path / "good.log"
    bad.write_text(noise + "step one\nError: the ledger does not balance\n##[error]Process completed with exit code 1.\n")
    good.write_text(noise + "step one\nall is well\n")
    lines = [details(cicd_agents("doctor", bad, *more, "--format", "json")[1])["root_cause"]["line"] for more in ([], ["--baseline", good])]
    assert lines == [1, 3]


OWN = """
[[signature]]
id = "acme.zork"
tool = "acme"
category = "other"
weight = 90
match = '''^zork (?P<code>\\d+)'''
title = "zork {code|}"
cause = "acme says so."
examples = ["zork 17"]
near_misses = ["zork"]
"""


def test_own_signatures_stand_beside_ours(cicd_agents: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "acme.toml").write_text(OWN)
    log = tmp_path / "x.log"
    log.write_text(UNKNOWN)
    _, out, _ = cicd_agents("doctor", log, "--signatures", tmp_path / "own", "--format", "json")
    assert details(out)["signature"] == "acme.zork"
    assert json.loads(out)["title"] == "zork 17"


def test_the_report_goes_to_a_file(cicd_agents: Run, failed: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    _, out, _ = cicd_agents("doctor", failed, "--format", "markdown", "--output", target)
    assert out == ""
    assert target.read_text().startswith("## 🩺")


def test_secrets_leave_by_no_format(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    monkeypatch.setenv("DEPLOY_PASSWORD", "correct-horse-battery")
    log = tmp_path / "x.log"
    log.write_text(FAILED.replace("yarn install v1", f"token {token} and correct-horse-battery v1").replace("`--frozen", f"`{token} --frozen"))
    for form in ("text", "markdown", "json", "jsonl", "sarif"):
        code, out, _ = cicd_agents("doctor", log, "--format", form)
        assert code == 0
        assert token not in out
        assert "correct-horse-battery" not in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["doctor"], "the following arguments are required: LOG"),
        (["doctor", "no-such.log"], "no-such.log: no such file"),
        (["doctor", "."], ".: is a folder"),
        (["doctor", "x", "--format", "yaml"], "invalid choice: 'yaml'"),
        (["doctor", "x", "--colour"], "unrecognized arguments: --colour"),
        (["doctor", "x", "--max-candidates", "0"], "'0' is not a number from 1 to 10"),
        (["doctor", "x", "--signatures", "no-such-folder"], "no-such-folder: is not a folder"),
        (["diagnose"], "invalid choice: 'diagnose'"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_use_gets_one_sentence_and_code_2(cicd_agents: Run, arguments: list[str], sentence: str) -> None:
    code, out, err = cicd_agents(*arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.log", b"", "the log is empty"),
        ("cut.gz", gzip.compress(b"x" * 9999)[:40], "damaged or cut short"),
        ("bad.zip", b"PK\x03\x04nonsense", "zip file is damaged"),
        ("empty.gz", gzip.compress(b""), "the log is empty"),
    ],
    ids=["empty", "cut-gzip", "bad-zip", "empty-gzip"],
)
def test_unreadable_logs_get_one_sentence_and_code_2(cicd_agents: Run, tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    code, out, err = cicd_agents("doctor", file)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_bad_signature_file_is_named(cicd_agents: Run, failed: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "acme.toml").write_text(OWN.replace('"zork 17"', '"bork"'))
    code, _, err = cicd_agents("doctor", failed, "--signatures", tmp_path / "own")
    assert code == 2
    assert "acme.toml: rule acme.zork: does not match its example" in err


def test_help_names_every_option(cicd_agents: Run) -> None:
    code, out, _ = cicd_agents("doctor", "--help")
    readme = (ROOT / "README.md").read_text()
    assert code == 0
    for option in ("--format", "--output", "--platform", "--baseline", "--signatures", "--max-candidates", "--fail-on"):
        assert option in out
        assert option in readme


def test_version_imports_nothing_heavy() -> None:
    script = "import sys; from cicd_agents.cli import main; main(['--version']); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    version, modules = out.splitlines()
    assert version.startswith("cicd-agents ")
    assert not {"httpx", "git", "google", "yaml", "hyperscan", "re2", "argparse", "pydantic", "cicd_agents.analysis"} & set(modules.split())


def test_a_log_alone_loads_no_client_of_any_service(failed: Path) -> None:
    script = f"import sys; from cicd_agents.cli import main; main(['doctor', {str(failed)!r}]); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"httpx", "git", "google", "yaml", "pg8000", "pydantic"} & set(out.splitlines()[-1].split())


def test_a_reader_that_leaves_is_no_error(failed: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "cicd_agents", "doctor", str(failed)], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
