"""The value of every setting that is a secret is hidden, under whatever name the environment holds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Run

from cicd_agents.settings.options import OPTIONS, Kind, Option

SECRETS = tuple(option for option in OPTIONS if option.kind is Kind.SECRET)
VALUE = "plainwordsofnoshape"


def names(option: Option) -> tuple[str, ...]:
    return (f"INPUT_{option.name.upper()}", f"CICD_AGENTS_{option.field.upper()}", *(variable for _, variable in option.falls_back_to))


@pytest.mark.parametrize("name", [name for option in SECRETS for name in names(option)])
def test_a_secret_of_the_environment_is_not_printed(cicd_agents: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    log = tmp_path / "build.log"
    log.write_text(f"$ make\nerror: cannot log in with {VALUE}\nmake: *** [all] Error 1\n")
    assert VALUE in cicd_agents("doctor", log)[1], "the log is told as it is"
    monkeypatch.setenv(name, VALUE)
    _, out, err = cicd_agents("doctor", log)
    assert "cannot log in with [redacted:" in out
    assert VALUE not in out + err
