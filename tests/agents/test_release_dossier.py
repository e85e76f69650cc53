"""What a model is shown of a release, from real git repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.servers.clock import FakeClock
from tests.servers.repositories import ENVIRONMENT, Repository, new_repository

from cicd_agents.advisor.dossier_text import bounded, opening
from cicd_agents.agents.release_dossier import MOST_COMMITS, MOST_DIFFS, ReleaseDossiers
from cicd_agents.agents.release_manager import ReleaseManager
from cicd_agents.agents.release_scene import ReleaseRequest
from cicd_agents.analysis.changelog.forge import Forge, ForgeKind
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.git import open_repository
from cicd_agents.clients.git_diffs import GitDiffs
from cicd_agents.domain.advice import Archive, Dossier, DossierItem
from cicd_agents.domain.redaction import Redactor

SHAPED = "ghp_" + "Ab1" * 12
KNOWN = "first line of a key\nsecond line of a key"
FORGE = Forge(ForgeKind.GITHUB, "https://github.com/octo/app")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "app")
    made.commit("feat: begin", {"api.py": "def old():\n    return 1\n", "package.json": '{"name": "app", "version": "1.0.0"}\n'})
    made.tag("v1.0.0")
    return made


def made(repository: Repository, clock: FakeClock | None = None, seconds: float = 60.0, known: str = KNOWN) -> tuple[Dossier, Archive]:
    clock = clock or FakeClock()
    opened = open_repository(repository.folder, ENVIRONMENT)
    manager = ReleaseManager(opened, clock, FORGE)
    verdict, plans = manager.proposed(ReleaseRequest())
    return ReleaseDossiers(manager.styled, GitDiffs(opened.git, Budget(clock, seconds)), Redactor((known,))).made(verdict, plans)


def items(dossier: Dossier) -> dict[str, DossierItem]:
    return {item.id: item for item in dossier.items}


def lines(dossier: Dossier, name: str) -> str:
    return "\n".join(items(dossier)[name].lines)


def breaking(repository: Repository) -> str:
    message = "feat(api)!: a new way in\n\nWhy it is so.\n\nBREAKING CHANGE: call new() instead\nof old().\nReviewed-by: Bo"
    return repository.commit(message, {"api.py": "def new():\n    return 1\n", "package-lock.json": "{}\n", "tests/test_api.py": "new()\n"})


def test_the_version_its_reason_and_the_changelog_stand_there(repository: Repository) -> None:
    breaking(repository)
    dossier, _ = made(repository)
    assert (dossier.agent, dossier.verdict, dossier.candidates) == ("release-manager", "pass, a major release", ())
    assert "1.0.0 → 2.0.0 (major), since v1.0.0" in lines(dossier, "table:plan")
    assert "breaking" in lines(dossier, "table:plan")
    assert "a new way in" in lines(dossier, "table:changelog")


def test_a_breaking_change_stands_there_with_its_footer_its_message_and_its_diffs(repository: Repository) -> None:
    sha = breaking(repository)[:10]
    dossier, _ = made(repository)
    assert lines(dossier, "table:breaking") == f"{sha} api: a new way in\n  call new() instead\n  of old()."
    assert lines(dossier, f"commit:{sha}").startswith("feat(api)!: a new way in\n\nWhy it is so.")
    assert items(dossier)[f"commit:{sha}"].title == f"commit {sha}, counts as major (breaking)"
    assert "-def old():\n+def new():" in lines(dossier, f"diff:{sha}:api.py")
    assert items(dossier)[f"diff:{sha}:tests/test_api.py"].title == f"tests/test_api.py, new in {sha}"


def test_lock_files_are_left_out_and_sources_stand_before_tests(repository: Repository) -> None:
    breaking(repository)
    found = [item.id.partition(":")[2].partition(":")[2] for item in made(repository)[0].items if item.id.startswith("diff:")]
    assert found == ["api.py", "tests/test_api.py"]


def test_an_unmarked_commit_gets_its_diff_only_where_its_words_sound_breaking(repository: Repository) -> None:
    quiet = repository.commit("fix: round", {"a.py": "1\n"})[:10]
    telling = repository.commit("fix: remove the old way in", {"api.py": "\n"})[:10]
    found = items(made(repository)[0])
    assert f"diff:{telling}:api.py" in found
    assert f"diff:{quiet}:a.py" not in found
    assert f"commit:{quiet}" in found


def test_a_release_in_which_nothing_breaks_says_that_there_are_no_diffs(repository: Repository) -> None:
    repository.commit("fix: round", {"a.py": "1\n"})
    dossier, _ = made(repository)
    assert "no diffs stand here: no commit is marked as breaking or sounds so" in lines(dossier, "table:plan")
    assert "table:breaking" not in items(dossier)


def test_where_diffs_cannot_be_read_the_dossier_says_so_and_has_the_rest(repository: Repository) -> None:
    sha = breaking(repository)[:10]
    dossier, _ = made(repository, seconds=0.0)
    assert "no diffs stand here: they could not be read" in lines(dossier, "table:plan")
    assert f"commit:{sha}" in items(dossier)


def test_of_many_commits_the_breaking_ones_and_then_the_newest_are_shown_and_it_says_so(repository: Repository) -> None:
    oldest = breaking(repository)[:10]
    newer = [repository.commit(f"fix: number {number}", {"a.py": f"{number}\n"})[:10] for number in range(MOST_COMMITS + 10)]
    dossier, _ = made(repository)
    shown = [item.id.removeprefix("commit:") for item in dossier.items if item.id.startswith("commit:")]
    assert shown == [oldest, *reversed(newer)][:MOST_COMMITS]
    assert f"{MOST_COMMITS + 11} commits count; {MOST_COMMITS} of them stand here" in lines(dossier, "table:plan")


def test_diffs_are_bounded_for_a_commit_and_in_all(repository: Repository) -> None:
    for number in range(4):
        repository.commit(f"feat!: many {number}", {f"{number}/{name}.py": "1\n" for name in range(12)})
    found = [item for item in made(repository)[0].items if item.id.startswith("diff:")]
    assert len(found) == MOST_DIFFS
    assert len({item.id.split(":")[1] for item in found}) == MOST_DIFFS // 8


def test_the_rest_of_a_long_diff_can_be_read_and_nothing_else(repository: Repository) -> None:
    sha = repository.commit("feat!: long", {"long.py": "".join(f"line {number}\n" for number in range(500))})[:10]
    dossier, archive = made(repository)
    item = items(dossier)[f"diff:{sha}:long.py"]
    assert (len(item.lines), item.total) == (200, 501)
    assert archive.lines(item.id, 300, 301) == ("+line 298", "+line 299")
    assert archive.lines("diff:/etc/passwd", 1, 9) is None
    assert archive.lines(item.id, 9000, 9001) == ()


def test_the_same_commits_make_the_same_dossier_at_another_time(repository: Repository) -> None:
    breaking(repository)
    assert made(repository, FakeClock(1_700_000_000.0))[0] == made(repository, FakeClock(1_900_000_000.0))[0]


def test_no_secret_of_a_message_a_footer_a_path_or_a_diff_stands_in_it(repository: Repository) -> None:
    parts = KNOWN.split("\n")
    sha = repository.commit(
        f"feat({SHAPED})!: log in with {SHAPED}\n\n{KNOWN}\n\nBREAKING CHANGE: use\n  {SHAPED}\n{KNOWN}",
        {f"keys/{SHAPED}.txt": f"{KNOWN}\n", "a.py": f"token = '{SHAPED}'\n"},
    )[:10]
    dossier, archive = made(repository)
    asked = opening(bounded(dossier, 1 << 20)).text
    everything = asked + "".join("\n".join(archive.lines(item.id, 1, 10_000) or ()) for item in dossier.items)
    assert f"diff:{sha}:a.py" in items(dossier)
    assert "log in with" in everything
    for secret in (SHAPED, *parts):
        assert secret not in everything


def test_the_people_who_wrote_it_are_not_named(repository: Repository) -> None:
    repository.commit("feat!: a new way in", {"a.py": "1\n"}, author="Grace <grace@example.com>")
    asked = opening(made(repository)[0]).text
    assert "Grace" not in asked
    assert "example.com" not in asked


def test_of_several_components_all_that_are_released_stand_there_with_their_names(tmp_path: Path) -> None:
    config = {"packages": {path: {"component": path, "release-type": "node"} for path in ("core", "web", "idle")}, "include-component-in-tag": True}
    repository = new_repository(tmp_path / "app")
    files = {f"{path}/package.json": f'{{"name": "{path}", "version": "1.0.0"}}\n' for path in ("core", "web", "idle")}
    repository.commit("feat: begin", {"release-please-config.json": json.dumps(config), **files})
    for path in ("core", "web", "idle"):
        repository.tag(f"{path}-v1.0.0")
    both = repository.commit("feat!: drop it everywhere", {"core/a.js": "1\n", "web/a.js": "1\n"})[:10]
    repository.commit("fix: colour", {"web/b.js": "1\n"})
    dossier, _ = made(repository)
    plan = lines(dossier, "table:plan")
    assert "core: 1.0.0 → 2.0.0 (major), since core-v1.0.0" in plan
    assert "web: 1.0.0 → 2.0.0 (major)" in plan
    assert "idle:" not in plan
    assert {"table:changelog of core", "table:changelog of web"} <= set(items(dossier))
    assert next(item.id for item in dossier.items if item.id.startswith("commit:")) == f"commit:{both}"
    assert len({item.id for item in dossier.items}) == len(dossier.items)
