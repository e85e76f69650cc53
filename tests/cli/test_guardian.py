"""`cicd-agents guardian` as people meet it: help, mistakes in the options, and places that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cicd_agents.settings.options import OF_GUARDIAN, Kind

Run = Callable[..., tuple[int, str, str]]
COMMANDS = ("check", "watch", "rollback", "resume", "backtest", "policy")


def test_the_help_names_each_command_with_what_it_does(cicd_agents: Run) -> None:
    code, out, _ = cicd_agents("guardian", "--help")
    assert code == 0
    assert "GO or NO-GO" in out
    for command, words in zip(
        COMMANDS, ("one verdict now", "until it is decided", "without a judgement", "switch on again", "false-alarm rate", "print the policy")
    ):
        assert command in out
        assert words in " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_each_setting_and_no_secret(cicd_agents: Run, command: str) -> None:
    code, out, _ = cicd_agents("guardian", command, "--help")
    assert code == 0
    for option in OF_GUARDIAN:
        assert (f"--{option.name} " in out) is (option.kind is not Kind.SECRET), option.name
    assert "--prometheus-token" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "WHAT"),
        (("judge",), "invalid choice: 'judge'"),
        (("check", "--prometheus"), "--prometheus"),
        (("check", "--metric-table", "x"), "--metric-table"),
        (("check", "--prometheus-token", "s3cr3t"), "--prometheus-token"),
        (("check", "--format", "pdf"), "invalid choice: 'pdf'"),
        (("rollback",), "--reason"),
        (("resume",), "--reason"),
        (("policy", "extra"), "extra"),
        (("policy", "--foresight"), "metrics-selector"),
        (("policy", "--foresight", "--metrics-selector", 'a="b"'), "prometheus-url"),
        (("check", "--foresight"), "--foresight"),
        (("watch", "--watch", "soon", "--metrics-table", "x"), "watch"),
        (("check", "--rollback", "maybe", "--metrics-table", "x"), "rollback"),
        (("check", "--judge", "coin", "--metrics-table", "x"), "judge"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_option_and_exit_code_2(cicd_agents: Run, arguments: tuple[str, ...], words: str) -> None:
    code, out, said = cicd_agents("guardian", *arguments)
    assert (code, out) == (2, "")
    assert len(said.splitlines()) == 1
    assert said.startswith("cicd-agents: ")
    assert words in said


@pytest.mark.parametrize("given", [("--prometheus-token", "s3cr3t-word"), ("--prometheus-token=s3cr3t-word",), ("--argocd-token", "s3cr3t-word", "--dry-run")])
def test_a_secret_that_is_given_as_an_option_is_not_printed(cicd_agents: Run, given: tuple[str, ...]) -> None:
    code, out, said = cicd_agents("guardian", "check", *given)
    assert code == 2
    assert given[0].partition("=")[0] in said
    assert "s3cr3t" not in out + said


def test_without_anything_to_judge_the_settings_are_named(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, said = cicd_agents("guardian", "check")
    assert code == 2
    assert "workload" in said
    assert "canary-selector" in said
    code, _, said = cicd_agents("guardian", "check", "--canary-selector", 'version="2"', "--baseline-selector", 'version="1"')
    assert code == 2
    assert "prometheus-url" in said
    assert "metrics-table" in said


def test_by_hand_the_setting_of_what_to_act_by_is_named(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, said = cicd_agents("guardian", "rollback", "--reason", "customers call")
    assert code == 2
    assert "set delivery" in said


def test_the_report_goes_to_a_file_where_that_is_wished(cicd_agents: Run, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("Error rate: 0.12% (baseline: 0.10%)")
    code, out, _ = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "numbers.txt", "--format", "html", "--output", tmp_path / "report.html")
    assert (code, out) == (0, "")
    assert (tmp_path / "report.html").read_text().startswith("<!")
    code, _, said = cicd_agents("guardian", "check", "--metrics-table", tmp_path / "numbers.txt", "--output", tmp_path)
    assert code == 2
    assert "cannot be written" in said
