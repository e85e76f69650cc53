"""What tests of several rooms share."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from tests.servers.near_only import forbid_other_hosts

from cicd_agents.cli import main

forbid_other_hosts()
# A model that this machine has a key for must not be asked by a test.
_OF_MODELS = (
    "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
)  # fmt: skip
# What the CI that runs the tests says of itself, and what a hook of git does: a test says itself where it is. By a pull request of a fork, for one, nothing is
# released, so that tests of a release would fail there alone.
_OF_CI = ("CI_", "GITHUB_", "GITLAB_", "JENKINS_", "BUILD_", "JOB_", "CICD_AGENTS_", "INPUT_", "GIT_")
# The stand-ins are on this machine: a proxy that it is behind does not know them.
_OF_PROXIES = tuple(spelled for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for spelled in (name, name.lower()))

# No test fails for being slow: speed is measured in benchmarks/. CI tries the same examples each time, so that a change is judged by what it changed; new ones
# are looked for by hand.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI")))
settings.load_profile("steady")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _environment_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name in _OF_MODELS + _OF_PROXIES or name.startswith(_OF_CI):
            monkeypatch.delenv(name)


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
