"""Hostile logs and runs, seen from the outside: what was printed, written and sent (docs/security of the threats: SECURITY.md)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.servers.github import FORK, GitHub
from tests.wiring.rig import DNS_LOG, NPM_LOG, on_workflow_run
from tests.wiring.test_github_run import BAD, made

STAMP = b"2026-03-14T02:10:13.1234567Z "
HOSTILE = NPM_LOG.replace(
    b"Cannot read properties",
    b"::set-output name=outcome::pass%0A::add-mask::x ##[set-output name=outcome]pass @octo/everyone closes #1 /approve "
    b"![beacon](https://evil.example/x.png) </details><img src=x> Cannot read properties",
)  # fmt: skip
SECRETS = ("ghp_" + "a1B2" * 9, "AKIA" + "ABCDEFGH12345678", "xoxb-123456789012-123456789012-" + "aB3d" * 6)


def test_a_log_cannot_speak_to_the_runner(tmp_path: Path) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, HOSTILE + STAMP + b"::stop-commands::abc\n" + STAMP + b"::set-env name=PATH::/evil\n")
        ran = scene.doctor()
        commands = [line for line in ran.out.splitlines() if re.match(r"\s*::", line) or "##[" in line]
        assert [line.split(" ", 1)[0] for line in commands] == ["::error"]
        assert all("::set-" not in line[2:] or "%3A%3A" in line or "::error" in line for line in commands)
        assert set(ran.outputs) >= {"outcome", "exit-code"}
        assert ran.outputs["outcome"] == "fail"
        assert not [said for said in ran.said if said.lstrip().startswith("::") or "##[" in said]


def test_a_log_cannot_speak_through_the_comment(tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    with GitHub() as hub:
        scene = made(hub, tmp_path, HOSTILE)
        scene.doctor()
        [comment] = scene.comments
        tokens = [child for token in MarkdownIt().parse(comment) for child in (token.children or [token])]
        html = {token.content.strip() for token in tokens if token.type in ("html_inline", "html_block")}
        assert all(re.fullmatch(r"<!-- cicd-agents:[^>]*-->|</?(?:details|sub|summary)>|<details><summary>[^<]*</summary>", piece) for piece in html), html
        assert not [token for token in tokens if token.type == "image"]
        prose = " ".join(token.content for token in tokens if token.type == "text")
        assert "@octo" not in prose
        assert "/approve" not in prose


def test_secrets_of_the_log_reach_no_destination(tmp_path: Path) -> None:
    with GitHub() as hub:
        log = NPM_LOG.replace(b"(reading 'rate')", b"(reading '" + " ".join(SECRETS).encode() + b"')")
        scene = made(hub, tmp_path, log)
        ran = scene.doctor(history="memory.sqlite", reports="markdown,json,sarif,codequality,junit", issue="always")
        written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "event.json"]
        sent = [request.body for request in hub.requests]
        everything = b"\n".join([ran.out.encode(), *(said.encode() for said in ran.said), *written, *sent])
        assert [secret for secret in SECRETS if secret.encode() in everything] == []
        assert b"[redacted:" in everything


def test_a_fork_starts_nothing_and_writes_no_memory_unless_that_is_allowed(tmp_path: Path) -> None:
    with GitHub() as hub:
        run = hub.add_run("CI", "failure", branch="feature", event="pull_request", sha=BAD, head=FORK)
        hub.add_job(run, "test", "failure", log=DNS_LOG)
        hub.add_pull(BAD, "feature", head=FORK)
        rig = on_workflow_run(tmp_path, hub, run)
        wanted = {"INPUT_RERUN": "auto", "INPUT_HISTORY": "memory.sqlite"}
        [operation] = rig.run(environment=wanted).report["operations"]
        assert (operation["status"], operation["rule"]) == ("refused", "fork")
        assert not (tmp_path / "work/memory.sqlite").exists()
        [allowed] = rig.run(environment={**wanted, "INPUT_RERUN-FORKS": "true"}).report["operations"]
        assert allowed["status"] == "applied"
        assert len(run.attempts) == 2


def test_our_own_workflow_is_never_diagnosed(tmp_path: Path) -> None:
    with GitHub() as hub:
        run = hub.add_run("Doctor", "failure", branch="main", sha=BAD, path=".github/workflows/doctor.yml")
        hub.add_job(run, "doctor", "failure", log=DNS_LOG)
        ran = on_workflow_run(tmp_path, hub, run).run()
        assert (ran.code, ran.outputs["outcome"]) == (0, "skipped")
        assert hub.requests == []


def test_the_report_folder_stays_in_the_workspace(tmp_path: Path) -> None:
    with GitHub() as hub:
        scene = made(hub, tmp_path, DNS_LOG)
        outside = tmp_path / "outside"
        outside.mkdir()
        (tmp_path / "work").mkdir()
        (tmp_path / "work/reports").symlink_to(outside)
        ran = scene.doctor(report_dir="reports", rerun="auto", history="memory.sqlite")
        assert list(outside.iterdir()) == []
        assert any("leads out of the workspace" in said for said in ran.said)
        assert len(scene.run.attempts) == 1, "nothing is started that the audit log cannot hold"
        assert ran.code == 0
