"""The release-manager where there is no git, as in the doctor's image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.wiring.release_rig import Project, project

from cicd_agents.clients.git_command import has_git
from cicd_agents.domain.errors import UsageError


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Project]:
    with GitHub() as hub:
        made = project(tmp_path, hub)
        made.sources.tag("v1.3.0", "Release v1.3.0")
        made.sources.git("push", "--quiet", "origin", "v1.3.0")
        yield made
        assert hub.requests == []


def test_a_tag_that_the_doctor_s_users_push_is_skipped_and_the_action_for_releases_is_named(app: Project) -> None:
    ran = app.run(ref="refs/tags/v1.3.0", environment={"INPUT_AGENT": "auto", "PATH": "/nonexistent"})
    assert (ran.code, ran.outputs["outcome"]) == (0, "skipped")
    assert "org/cicd-agents/release" in ran.outputs["title"]
    assert ran.out.startswith("SKIPPED  ")


def test_asked_for_by_name_it_is_refused_in_one_sentence(app: Project) -> None:
    with pytest.raises(UsageError, match="needs git, and there is none on PATH; use org/cicd-agents/release on GitHub"):
        app.run(environment={"PATH": "/nonexistent"})


def test_a_git_of_the_repository_itself_is_none(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\n")
    (tmp_path / "git").chmod(0o755)
    assert has_git({"PATH": str(tmp_path)})
    assert not has_git({"PATH": "."})
