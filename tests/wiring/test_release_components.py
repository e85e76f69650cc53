"""All components of a monorepo released by one run: one commit, one push, a tag and a release for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.clock import FakeClock
from tests.servers.github import GitHub
from tests.servers.http_server import Reply
from tests.servers.repositories import bare_remote, new_repository
from tests.wiring.release_rig import NOW, Project

CONFIG = {
    "packages": {"core": {"component": "core", "release-type": "node"}, "web": {"component": "web", "release-type": "node"}},
    "include-component-in-tag": True,
}


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server


def monorepo(folder: Path, hub: GitHub) -> Project:
    sources = new_repository(folder / "sources")
    files: dict[str, str | bytes] = {
        "release-please-config.json": json.dumps(CONFIG), ".release-please-manifest.json": json.dumps({"core": "1.0.0", "web": "2.0.0"}),
        "core/package.json": '{\n  "name": "core",\n  "version": "1.0.0"\n}\n', "web/package.json": '{\n  "name": "web",\n  "version": "2.0.0"\n}\n',
    }  # fmt: skip
    sources.commit("feat: begin", files)
    sources.tag("core-v1.0.0", "core")
    sources.tag("web-v2.0.0", "web")
    remote = bare_remote(folder / "remote.git", sources)
    hub.follow(remote)
    made = Project(folder, hub, sources, remote, FakeClock(NOW))
    made.commit("feat: count", {"core/a.js": "1"})
    made.commit("fix: colour", {"web/b.js": "1"})
    return made


def is_whole(app: Project, hub: GitHub) -> None:
    tags = app.tags()
    assert {name for name in tags if name not in ("core-v1.0.0", "web-v2.0.0")} == {"core-v1.1.0", "web-v2.0.1"}
    assert tags["core-v1.1.0"] == tags["web-v2.0.1"] == hub.branches["main"]
    assert '"version": "1.1.0"' in app.show("core/package.json")
    assert '"version": "2.0.1"' in app.show("web/package.json")
    assert "count" in app.show("core/CHANGELOG.md")
    assert "count" not in app.show("web/CHANGELOG.md")
    assert "count" in hub.release_of("core-v1.1.0").body
    assert "colour" in hub.release_of("web-v2.0.1").body
    assert hub.made_tags == []


def test_each_component_gets_its_tag_and_release_by_one_commit(tmp_path: Path, hub: GitHub) -> None:
    app = monorepo(tmp_path, hub)
    ran = app.run()
    assert ran.code == 0, ran.out
    is_whole(app, hub)
    kinds = [operation["kind"] for operation in ran.report["operations"]]
    assert kinds == ["UpdateFiles", "CreateTag", "CreateTag", "Push", "CreateRelease", "CreateRelease"]


def test_a_component_alone_can_be_released(tmp_path: Path, hub: GitHub) -> None:
    app = monorepo(tmp_path, hub)
    ran = app.run(environment={"INPUT_RELEASE-COMPONENT": "web"})
    assert ran.code == 0, ran.out
    assert set(app.tags()) == {"core-v1.0.0", "web-v2.0.0", "web-v2.0.1"}
    assert [release.tag for release in hub.releases] == ["web-v2.0.1"]


def test_a_pushed_tag_of_a_component_gets_the_notes_of_that_component(tmp_path: Path, hub: GitHub) -> None:
    app = monorepo(tmp_path, hub)
    app.sources.tag("web-v2.0.1", "Release web-v2.0.1")
    app.sources.git("push", "--quiet", "origin", "web-v2.0.1")
    ran = app.run(ref="refs/tags/web-v2.0.1")
    assert ran.code == 0, ran.out
    assert "colour" in hub.release_of("web-v2.0.1").body
    assert "count" not in hub.release_of("web-v2.0.1").body


@pytest.mark.parametrize("effect", ["before it has an effect", "after it had its effect"])
def test_cut_off_at_any_call_the_next_run_finishes_all(tmp_path: Path, effect: str) -> None:
    with GitHub() as hub:
        (tmp_path / "whole").mkdir()
        assert monorepo(tmp_path / "whole", hub).run().code == 0
        calls = len(hub.requests)
    for index in range(calls):
        with GitHub() as hub:
            (tmp_path / str(index)).mkdir()
            app = monorepo(tmp_path / str(index), hub)
            if effect.startswith("after"):
                hub.lost[index] = Reply(reset=True)
            hub.faults.update(dict.fromkeys(range(index + effect.startswith("after"), calls + 100), Reply(reset=True)))
            app.run()
            hub.faults.clear()
            hub.lost.clear()
            again = app.run()
            assert again.code == 0, (index, again.out)
            is_whole(app, hub)


def test_by_a_request_all_components_are_released_when_it_is_merged(tmp_path: Path, hub: GitHub) -> None:
    app = monorepo(tmp_path, hub)
    assert app.run(environment={"INPUT_RELEASE-FLOW": "request"}).code == 0
    [pull] = [issue for issue in hub.issues.values() if issue.pull is not None]
    assert "core-v1.1.0" in pull.body
    assert "web-v2.0.1" in pull.body
    hub.merge(pull.number, squash=True)
    ran = app.run(environment={"INPUT_RELEASE-FLOW": "request"})
    assert ran.code == 0, ran.out
    is_whole(app, hub)
