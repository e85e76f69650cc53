"""Releases with calendar versions: a real repository and remote, GitHub's API as it is described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.github import GitHub
from tests.wiring.release_rig import Project, project

from cicd_agents.domain.errors import UsageError

CALENDAR = {"INPUT_RELEASE-SCHEME": "YYYY.0M.MICRO"}
MONTH = 31 * 86_400.0


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Project]:
    with GitHub() as hub:
        yield project(tmp_path, hub)


@pytest.fixture
def later(app: Project) -> Project:
    """With one calendar release and a mended bug since."""
    assert app.run(environment=CALENDAR).code == 0
    app.sources.git("pull", "--quiet", "origin", "main")
    app.commit("fix: round prices")
    return app


def version(app: Project) -> str:
    return max(tag for tag in app.tags() if tag.startswith("v20"))


def test_a_project_goes_over_to_calendar_versions_from_its_last_semantic_release(app: Project) -> None:
    ran = app.run(environment=CALENDAR)
    assert ran.code == 0, ran.out
    details = ran.report["details"]
    assert (details["current_version"], details["previous_tag"]) == ("1.2.0", "v1.2.0")
    assert [change["subject"] for change in details["commits"]] == ["sum up"]
    assert version(app) == f"v{details['next_version']}"
    assert f'"version": "{details["next_version"]}"' in app.show("package.json")
    assert f"## {details['next_version']}" in app.show("CHANGELOG.md") or f"## [{details['next_version']}]" in app.show("CHANGELOG.md")


def test_the_counter_goes_up_within_a_month_and_starts_again_in_the_next(later: Project) -> None:
    first = version(later)
    assert later.run(environment=CALENDAR).code == 0
    second = version(later)
    assert second == f"{first[:-1]}{int(first[-1]) + 1}"
    later.sources.git("pull", "--quiet", "origin", "main")
    later.commit("feat: gift cards")
    later.clock.advance(MONTH)
    ran = later.run(environment=CALENDAR)
    assert ran.code == 0, ran.out
    assert ran.report["details"]["previous_tag"] == second
    assert version(later) > second
    assert version(later).endswith(".0")
    assert later.hub.release_of(version(later)).prerelease is False


def test_a_run_that_is_repeated_in_another_month_makes_no_second_release(app: Project) -> None:
    sha = app.sources.git("rev-parse", "HEAD")
    assert app.run(environment=CALENDAR).code == 0
    before = app.tags()
    app.clock.advance(MONTH)
    work = app.checkout()
    work.checkout(sha)
    ran = app.run(at=work, environment=CALENDAR)
    assert ran.code == 0, ran.out
    assert app.tags() == before
    assert {operation["status"] for operation in ran.report["operations"]} == {"already-done"}


def test_a_pushed_tag_of_another_day_is_released_and_one_that_is_no_calendar_version_is_not(later: Project) -> None:
    month = version(later)[1:8]
    later.sources.git("tag", f"v{month}.7")
    later.sources.git("push", "--quiet", "origin", f"v{month}.7")
    later.clock.advance(MONTH)
    ran = later.run(ref=f"refs/tags/v{month}.7", environment=CALENDAR)
    assert ran.code == 0, ran.out
    assert "round prices" in later.hub.release_of(f"v{month}.7").body
    later.sources.git("tag", "v1.9.0")
    later.sources.git("push", "--quiet", "origin", "v1.9.0")
    with pytest.raises(UsageError, match=r"The tag v1\.9\.0 cannot be released: .*no version of the scheme YYYY\.0M\.MICRO"):
        later.run(ref="refs/tags/v1.9.0", environment=CALENDAR)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"INPUT_RELEASE-SCHEME": "MM.DD"}, "'MM.DD' is no calendar scheme: it needs a year"),
        ({**CALENDAR, "INPUT_PRERELEASE": "rc"}, "release-scheme: calendar versions have no prereleases, and 'rc' is a channel"),
        ({**CALENDAR, "INPUT_RELEASE-AS": "1.3.0"}, "Release-As 1.3.0 cannot be followed: it is no version of the scheme YYYY.0M.MICRO"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(app: Project, given: dict[str, str], message: str) -> None:
    before = app.tags()
    with pytest.raises(UsageError, match=message):
        app.run(environment=given)
    assert app.tags() == before


def test_semver_can_be_named_too(app: Project) -> None:
    assert app.run(environment={"INPUT_RELEASE-SCHEME": "semver"}).outputs["version"] == "1.3.0"
