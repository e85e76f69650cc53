"""The audit log: one JSON object per line, appended whole, without secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.operation import Operation, OperationStatus
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.audit import AuditEntry, AuditFailed, Phase

SECRET = "s3cr3t-value-of-ours"
OPERATION = Operation(
    "RerunJobs", "org/app run 7", "Job build: a lost connection.", "Cancel it.", "RerunJobs:org/app:7:1", "npm.network",
    (Evidence("log-line", "41", "socket hang up"),), (("run", "7"),), OperationStatus.APPLIED, "Started 1 failed job again.",
)  # fmt: skip
ENTRY = AuditEntry(1_750_000_000.25, Phase.RESULT, OPERATION)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_holds_what_why_by_which_rule_and_what_came_of_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "audit.jsonl"
    AuditFile(file, Redactor(), "ada", "https://ci.example/7").write(ENTRY)
    assert lines(file) == [{
        "time": "2025-06-15T15:06:40.250+00:00", "phase": "result", "operation": "RerunJobs", "target": "org/app run 7", "key": "RerunJobs:org/app:7:1",
        "parameters": {"run": "7"}, "why": "Job build: a lost connection.", "rule": "npm.network",
        "evidence": [{"kind": "log-line", "where": "41", "text": "socket hang up"}], "reverse": "Cancel it.", "status": "applied",
        "result": "Started 1 failed job again.", "dry_run": False, "actor": "ada", "run_url": "https://ci.example/7",
    }]  # fmt: skip


def test_entries_are_appended(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    for phase in (Phase.INTENT, Phase.RESULT):
        AuditFile(file, Redactor()).write(replace(ENTRY, phase=phase, dry_run=True))
    assert [(line["phase"], line["dry_run"]) for line in lines(file)] == [("intent", True), ("result", True)]


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    hostile = replace(
        OPERATION, why=f"why {SECRET}", target=f"target {SECRET}", key=f"key {SECRET}", rule=f"rule {SECRET}", reverse=f"reverse {SECRET}",
        result=f"result {SECRET}", evidence=(Evidence("log-line", f"where {SECRET}", f"Bearer {SECRET}"),), parameters=(("run", SECRET),),
    )  # fmt: skip
    AuditFile(file, Redactor((SECRET,)), f"actor {SECRET}", f"https://ada:{SECRET}@ci.example/").write(replace(ENTRY, operation=hostile))
    assert SECRET.encode() not in file.read_bytes()


def test_hostile_texts_stay_on_their_line(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    text = 'a\n::error::x\r\n{"operation": "forged"}\u2028\u202e\ud800"' + "x" * 100_000
    AuditFile(file, Redactor()).write(replace(ENTRY, operation=replace(OPERATION, why=text, evidence=OPERATION.evidence * 500)))
    (line,) = lines(file)
    assert (line["operation"], len(line["why"]), len(line["evidence"])) == ("RerunJobs", 2000, 20)
    assert file.read_bytes().isascii()


def test_no_half_of_a_secret_is_left_where_a_text_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    AuditFile(file, Redactor((SECRET,))).write(replace(ENTRY, operation=replace(OPERATION, why="x" * 1995 + SECRET)))
    assert SECRET[:4] not in lines(file)[0]["why"]


def test_a_line_that_a_killed_run_left_unfinished_spoils_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b'{"time": "2025')
    AuditFile(file, Redactor()).write(ENTRY)
    first, second = file.read_bytes().splitlines()
    assert first == b'{"time": "2025'
    assert json.loads(second)["operation"] == "RerunJobs"


@pytest.mark.parametrize("kind", ["folder", "link", "below a file"])
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / "audit.jsonl", tmp_path / "other"
    if kind == "folder":
        file.mkdir()
    elif kind == "link":
        file.symlink_to(other)
    else:
        other.write_text("")
        file = other / "audit.jsonl"
    with pytest.raises(AuditFailed, match=r"The audit log .*audit\.jsonl could not be written: "):
        AuditFile(file, Redactor()).write(ENTRY)
    assert not (kind == "link" and other.exists())


APPENDING = """
import sys
from pathlib import Path
from cicd_agents.clients.audit_file import AuditFile
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.audit import AuditEntry, Phase
log = AuditFile(Path(sys.argv[1]), Redactor(), sys.argv[2])
for _ in range(40):
    log.write(AuditEntry(0.0, Phase.RESULT, Operation("RerunJobs", "t" * 900, "w" * 900, "r", "k")))
"""


def test_processes_that_write_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    running = [subprocess.Popen([sys.executable, "-c", APPENDING, file, actor]) for actor in ("ada", "grace")]
    assert [process.wait() for process in running] == [0, 0]
    assert sorted(line["actor"] for line in lines(file)) == ["ada"] * 40 + ["grace"] * 40
