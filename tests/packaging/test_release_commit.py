"""The commit of a release of this project: beside main, with the images named by digest, made once."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.servers.repositories import ENVIRONMENT, Repository, new_repository
from tests.wiring.release_rig import project as released_project

from cicd_agents import __version__

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".github" / "release_commit.sh"
PLAIN = ("action.yml", "gitlab-component/templates/pipeline-doctor.yml")
WITH_GIT = (
    "release/action.yml", "guardian/action.yml", "gitlab-component/templates/release-manager.yml", "gitlab-component/templates/deployment-guardian.yml",
)  # fmt: skip
FILES = (*PLAIN, *WITH_GIT)
TAG = f"v{__version__}"
DIGEST, GIT_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@dataclass
class Project:
    """A copy of what the script changes, in a repository of its own."""

    repository: Repository

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.repository, *arguments)

    def shown(self, path: str, at: str = TAG) -> str:
        return self.repository.git("show", f"{at}:{path}")


def run(repository: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], cwd=repository.folder, env=dict(ENVIRONMENT), capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    repository = new_repository(tmp_path / "project")
    for name in (*FILES, ".github/workflows/doctor.yml"):
        (repository.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository.folder / name)
    repository.git("add", "--all")
    repository.commit("feat: all of it")
    return Project(repository)


def test_the_tagged_commit_names_each_image_by_its_own_digest_and_changes_nothing_else(project: Project) -> None:
    main = project.repository.git("rev-parse", "main")
    done = project.run(__version__, DIGEST, GIT_DIGEST)
    assert done.returncode == 0, done.stderr
    image = f"ghcr.io/org/cicd-agents:{TAG}"
    assert tuple(name for name in FILES if f"{image}@{DIGEST}" in project.shown(name)) == PLAIN
    assert tuple(name for name in FILES if f"{image}-git@{GIT_DIGEST}" in project.shown(name)) == WITH_GIT
    assert project.repository.git("diff", "--name-only", main, TAG).splitlines() == sorted(FILES)
    assert project.repository.git("rev-parse", "main") == main


def test_each_release_knows_the_one_before_it_though_both_stand_beside_main(project: Project) -> None:
    project.run(__version__, DIGEST, GIT_DIGEST)
    project.repository.checkout("main")
    project.repository.commit("feat: more")
    done = project.run("99.0.0")
    assert done.returncode == 0, done.stderr
    parents = project.repository.git("show", "--no-patch", "--format=%P", "v99.0.0^{commit}").split()
    assert parents == [project.repository.git("rev-parse", name) for name in ("main", f"{TAG}^{{commit}}")]
    assert project.repository.git("rev-parse", "HEAD") == project.repository.git("rev-parse", "v99.0.0^{commit}")


def test_a_second_attempt_takes_the_tag_that_is_there(project: Project) -> None:
    project.run(__version__, DIGEST, GIT_DIGEST)
    made = project.repository.git("rev-parse", TAG)
    project.repository.checkout("main")
    again = project.run(__version__, DIGEST, GIT_DIGEST)
    assert again.returncode == 0, again.stderr
    assert project.repository.git("rev-parse", TAG) == made
    assert project.repository.git("status", "--porcelain") == ""


def test_a_tag_of_another_commit_stops_it(project: Project) -> None:
    project.run(__version__, DIGEST, GIT_DIGEST)
    made = project.repository.git("rev-parse", TAG)
    project.repository.checkout("main")
    project.repository.commit("feat: more")
    stopped = project.run(__version__, DIGEST, GIT_DIGEST)
    assert stopped.returncode == 1
    assert f"{TAG} exists, and is of another commit" in stopped.stderr
    assert project.repository.git("rev-parse", TAG) == made


def test_what_is_no_digest_is_refused_before_anything_is_made(project: Project) -> None:
    stopped = project.run(__version__, DIGEST, "latest")
    assert stopped.returncode == 1
    assert "latest is no digest" in stopped.stderr
    assert project.repository.git("tag") == ""


def test_the_release_manager_makes_the_release_of_that_commit_and_its_notes_begin_at_the_one_before(tmp_path: Path) -> None:
    with GitHub() as hub:
        app = released_project(tmp_path, hub)
        for version in ("1.3.0", "1.4.0"):
            main, work = hub.branches["main"], app.checkout()
            assert run(work, version).returncode == 0
            dry = app.run(at=work, environment={"INPUT_DRY-RUN": "true"})
            assert (dry.code, f"v{version}" in app.tags()) == (0, False), dry.out
            ran = app.run(at=work)
            assert ran.code == 0, ran.out
            assert hub.branches["main"] == main
            assert app.tags()[f"v{version}"] == work.git("rev-parse", "HEAD")
            app.commit("feat(list): sort it", {"list.js": "sort\n"})
        assert ("sum up" in hub.release_of("v1.3.0").body, "sum up" in hub.release_of("v1.4.0").body) == (True, False)
        assert "sort it" in hub.release_of("v1.4.0").body


def test_a_version_that_is_too_low_for_the_commits_stops_the_plan(tmp_path: Path) -> None:
    with GitHub() as hub:
        app = released_project(tmp_path, hub)
        work = app.checkout()
        run(work, "1.2.1")
        ran = app.run(at=work, environment={"INPUT_DRY-RUN": "true"})
        assert (ran.code, ran.outputs["outcome"]) == (1, "fail")
