"""The user's check runs without a shell, in its time, without our credentials, and what it prints is bounded and redacted."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from cicd_agents.clients.check_command import MOST_OUTPUT, CheckCommand
from cicd_agents.domain.errors import UsageError
from cicd_agents.operations.promotion import Environment, Way

PROD = Environment("prod", Way.ARGOCD, "shop-prod")
TOKEN = "s3cret-of-the-platform"


def command(script: str, *arguments: str) -> str:
    return shlex.join([sys.executable, "-c", script, *arguments])


def check(tmp_path: Path, text: str, variables: dict[str, str] | None = None, seconds: float = 60) -> CheckCommand:
    return CheckCommand(text, variables or {"PATH": "/usr/bin:/bin"}, tmp_path, (TOKEN,), seconds)


def test_exit_code_zero_means_passed(tmp_path: Path) -> None:
    result = check(tmp_path, command("print('all fine')"))(PROD, "v1.2.0")
    assert (result.passed, result.summary, result.output) == (True, "it ended with exit code 0", "all fine")


def test_another_exit_code_means_failed_and_the_last_line_says_why(tmp_path: Path) -> None:
    result = check(tmp_path, command("import sys; print('3 of 9 failed', file=sys.stderr); sys.exit(4)"))(PROD, "v1.2.0")
    assert (result.passed, result.summary) == (False, "it ended with exit code 4: 3 of 9 failed")


def test_the_environment_and_its_revision_are_filled_in_and_stay_one_argument(tmp_path: Path) -> None:
    text = command("import os, sys, json; print(json.dumps([sys.argv[1:], os.environ['CICD_AGENTS_ENVIRONMENT'], os.environ['CICD_AGENTS_REVISION']]))")
    result = check(tmp_path, f"{text} --env={{environment}} '{{revision}} ; echo'")(PROD, "v1.2.0 && reboot")
    assert json.loads(result.output) == [["--env=prod", "v1.2.0 && reboot ; echo"], "prod", "v1.2.0 && reboot"]


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    result = check(tmp_path, "echo $HOME; `id` > made | cat")(PROD, "v1.2.0")
    assert result.output == "$HOME; `id` > made | cat"
    assert list(tmp_path.iterdir()) == []


def test_our_credentials_are_not_handed_on_but_the_users_own_variables_are(tmp_path: Path) -> None:
    variables = {
        "PATH": "/usr/bin:/bin", "SMOKE_TOKEN": "of the user", "GITHUB_TOKEN": "x", "CI_JOB_TOKEN": "x", "INPUT_TOKEN": "x", "CICD_AGENTS_GITLAB_TOKEN": "x",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x", "GIT_CONFIG_VALUE_0": "x", "OTHER_NAME": f"Bearer {TOKEN}",
    }  # fmt: skip
    result = check(tmp_path, command("import os, json; print(json.dumps(sorted(os.environ)))"), variables)(PROD, "v1.2.0")
    assert set(json.loads(result.output)) - {"LC_CTYPE"} == {"PATH", "SMOKE_TOKEN", "CICD_AGENTS_ENVIRONMENT", "CICD_AGENTS_REVISION"}


def test_secrets_are_hidden_in_what_it_prints(tmp_path: Path) -> None:
    result = check(tmp_path, command(f"print('token {TOKEN}'); raise SystemExit(1)"))(PROD, "v1.2.0")
    assert TOKEN not in result.output + result.summary
    assert "redacted" in result.summary


def test_endless_output_is_read_to_its_end_and_only_the_last_lines_are_kept(tmp_path: Path) -> None:
    result = check(tmp_path, command("for n in range(200000): print('line', n)"))(PROD, "v1.2.0")
    assert result.passed
    assert result.output.splitlines() == [f"line {number}" for number in range(199980, 200000)]


def test_a_secret_that_the_cut_halves_is_not_shown(tmp_path: Path) -> None:
    # The cut falls into the secret: what is left of it stands at the beginning of what is kept.
    rest = MOST_OUTPUT - 8
    result = check(tmp_path, command(f"import sys; sys.stdout.write('x' * 100 + '{TOKEN}' + '\\n' + 'y\\n' * {(rest - 1) // 2})"))(PROD, "v1.2.0")
    assert set(result.output.splitlines()) == {"y"}


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    # A shell: on a busy machine Python itself may need longer than this before it prints anything.
    result = check(tmp_path, "sh -c 'echo started; sleep 600 & sleep 600'", seconds=2)(PROD, "v1.2.0")
    assert (result.passed, result.summary) == (False, "it did not end within 2 s: started")


def test_what_it_leaves_running_in_the_background_does_not_hold_us_up(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('done')"
    assert check(tmp_path, command(script))(PROD, "v1.2.0").output == "done"


def test_nothing_is_read_from_standard_input(tmp_path: Path) -> None:
    assert check(tmp_path, "cat")(PROD, "v1.2.0").passed


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    assert check(tmp_path, command("import sys; sys.stdout.buffer.write(b'\\xff\\x00ok')"))(PROD, "v1.2.0").passed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no-such-program --now", "check-command: no-such-program cannot be started: No such file or directory."),
        ("curl 'https://", "check-command: cannot be read: No closing quotation. Is a quote missing?"),
        ("  ", "check-command: is empty."),
    ],
)
def test_a_command_that_cannot_be_started_is_said_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(tmp_path, text)(PROD, "v1.2.0")
    assert str(caught.value) == words
