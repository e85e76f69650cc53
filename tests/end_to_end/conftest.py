"""The rig of the end-to-end tests: a container engine, the image of this tree, act and gitlab-ci-local.

Where a part of it cannot be had, the tests that need it are skipped with the reason; in CI it is installed and started (scripts/rig).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.end_to_end.act import Act
from tests.end_to_end.alone import alone
from tests.end_to_end.gitlab_local import GitLabLocal

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RIG = ROOT / "scripts" / "rig"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests with containers take their time."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


def asked(script: str, *arguments: str) -> str:
    """What a script of the rig prints; skips the test where it says that it cannot (exit code 3), fails it where it breaks."""
    with alone("rig"):
        done = subprocess.run([RIG / script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def built(action: str, *options: str) -> str:
    """The name of the image that the file of an action names, built of this tree."""
    name = str(yaml.safe_load((ROOT / action).read_text(encoding="utf-8"))["runs"]["image"]).removeprefix("docker://")
    with alone("rig"):
        done = subprocess.run(["docker", "build", *options, "--tag", name, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return name


@pytest.fixture(scope="session")
def engine() -> str:
    """The address of a container engine."""
    address = asked("docker_engine.sh", "start")
    os.environ["DOCKER_HOST"] = address
    return address


@pytest.fixture(scope="session")
def base_image(engine: str) -> str:
    """An image with Python, in the place of the official one."""
    return asked("base_image.sh")


@pytest.fixture(scope="session")
def docker_image(base_image: str) -> str:
    """The image that action.yml names, built of this tree by the Dockerfile as it is."""
    return built("action.yml", "--network", "host", "--build-arg", f"BASE_IMAGE={base_image}")


@pytest.fixture(scope="session")
def release_image(docker_image: str) -> str:
    """The image that release/action.yml names, built of the other one by release.Dockerfile as it is."""
    return built("release/action.yml", "--network", "host", "--build-arg", f"IMAGE={docker_image}", "--file", str(ROOT / "release.Dockerfile"))


@pytest.fixture(scope="session")
def act(base_image: str, tmp_path_factory: pytest.TempPathFactory) -> Act:
    """Runs workflows of GitHub Actions, in containers of the base image."""
    return Act(base_image, tmp_path_factory.mktemp("act"))


@pytest.fixture(scope="session")
def gitlab_ci_local(base_image: str, tmp_path_factory: pytest.TempPathFactory) -> GitLabLocal:
    """Runs pipelines of GitLab CI, in containers."""
    return GitLabLocal(Path(asked("gitlab_ci_local.sh")), base_image, tmp_path_factory.mktemp("gitlab-ci-local"))
