"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings

from cicd_agents.cli import main

# No test fails for being slow: speed is measured in benchmarks/.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cicd_agents(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in process: (exit code, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse ends --help so
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
