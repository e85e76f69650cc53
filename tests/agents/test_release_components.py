"""A monorepo in one plan, on real git repositories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.servers.clock import FakeClock
from tests.servers.repositories import AUTHOR, ENVIRONMENT, START, Repository, new_repository, signed

from cicd_agents.agents.release_components import PlannedComponents, components_verdict, planned_components
from cicd_agents.agents.release_manager import ReleaseManager
from cicd_agents.agents.release_scene import ReleaseRequest, Scene
from cicd_agents.clients.git import open_repository
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import ComponentPlan
from cicd_agents.domain.verdict import Outcome, ReleaseVerdict

CONFIG = "release-please-config.json"


def package(name: str, version: str, **more: Any) -> str:
    return json.dumps({"name": name, "version": version, **more}, indent=2) + "\n"


def monorepo(folder: Path, packages: Mapping[str, Mapping[str, Any]], **settings: Any) -> Repository:
    """A repository with release-please's configuration and a package.json in each package; all were released as 1.0.0."""
    made = new_repository(folder)
    texts = {f"{path}/package.json".removeprefix("./"): package(path.rpartition("/")[2].strip(".") or "app", "1.0.0") for path in packages}
    made.commit("chore: begin", {CONFIG: json.dumps({"packages": packages, **settings}), **texts})
    for path in packages:
        made.tag(f"{path.rpartition('/')[2].strip('.') or 'app'}-v1.0.0")
    return made


def manager(repository: Repository) -> ReleaseManager:
    return ReleaseManager(open_repository(repository.folder, ENVIRONMENT), FakeClock())


def plan(repository: Repository, **request: Any) -> ReleaseVerdict:
    return manager(repository).plan(ReleaseRequest(**request))


def whole_plan(repository: Repository) -> PlannedComponents:
    planner = manager(repository)
    return planned_components(planner, Scene(planner.repository, ReleaseRequest()))


def parts(verdict: ReleaseVerdict) -> dict[str, ComponentPlan]:
    return {part.name: part for part in verdict.details.components}


def rules_of(part: ComponentPlan) -> dict[str, str]:
    return {decision.text: decision.rule for decision in part.decisions}


@pytest.fixture
def two(tmp_path: Path) -> Repository:
    return monorepo(tmp_path / "app", {"packages/core": {}, "packages/web": {}})


def test_each_component_counts_its_own_commits_since_its_own_tag(two: Repository) -> None:
    core = two.commit("feat: more core", {"packages/core/a.js": "1\n"})
    two.tag("core-v1.1.0")
    web = two.commit("fix: web", {"packages/web/a.js": "1\n"})
    both = two.commit("feat: both", {"packages/web/b.js": "1\n", "packages/core/b.js": "1\n"})
    verdict = plan(two)
    found = parts(verdict)
    assert [(name, part.current, part.next, part.bump, part.tag, part.previous_tag) for name, part in found.items()] == [
        ("core", "1.1.0", "1.2.0", "minor", "core-v1.2.0", "core-v1.1.0"),
        ("web", "1.0.0", "1.1.0", "minor", "web-v1.1.0", "web-v1.0.0"),
    ]
    assert [decision.sha for decision in found["core"].decisions] == [both]
    assert [decision.sha for decision in found["web"].decisions] == [both, web]
    assert [commit.sha for commit in verdict.details.commits] == [both, web], "a commit of two components stands once, and none that is released"
    assert core not in {decision.sha for part in found.values() for decision in part.decisions}


def test_the_verdict_of_several_has_the_highest_bump_and_no_version(two: Repository) -> None:
    two.commit("fix: web", {"packages/web/a.js": "1\n"})
    two.commit("feat!: core", {"packages/core/a.js": "1\n"})
    verdict = plan(two)
    details = verdict.details
    assert (verdict.outcome, details.current_version, details.next_version, details.tag, details.bump) == (Outcome.PASS, None, None, None, "major")
    assert verdict.title == "core 2.0.0, web 1.0.1"
    assert [(change.path, change.new) for change in details.files] == [("packages/core/package.json", "2.0.0"), ("packages/web/package.json", "1.0.1")]


def test_the_only_released_component_is_the_verdict(two: Repository) -> None:
    two.commit("fix: web", {"packages/web/a.js": "1\n"})
    details = plan(two).details
    assert (details.current_version, details.next_version, details.tag, details.previous_tag) == ("1.0.0", "1.0.1", "web-v1.0.1", "web-v1.0.0")
    assert "web" in details.changelog
    assert [(part.name, part.bump, part.tag) for part in details.components] == [("core", "none", None), ("web", "patch", "web-v1.0.1")]


def test_where_nothing_asks_for_a_release_each_component_says_why(two: Repository) -> None:
    sha = two.commit("docs: web", {"packages/web/a.md": "1\n"})
    verdict = plan(two)
    assert (verdict.outcome, verdict.details.bump) == (Outcome.SKIPPED, "none")
    assert [(decision.sha, decision.rule) for decision in parts(verdict)["web"].decisions] == [(sha, "other type")]
    assert "no commit" in parts(verdict)["core"].reason


def test_a_commit_of_no_component_is_told_until_something_is_released(two: Repository) -> None:
    before = two.commit("fix: the readme", {"README.md": "1\n"})
    two.commit("feat: web", {"packages/web/a.js": "1\n"})
    assert [(decision.sha, decision.rule) for decision in plan(two).details.decisions] == [(before, "no-component")]
    two.tag("web-v1.1.0")
    after = two.commit("feat: ci", {".github/x.yml": "1\n"})
    verdict = plan(two)
    assert [decision.sha for decision in verdict.details.decisions] == [after]
    assert verdict.outcome is Outcome.SKIPPED


def test_a_file_belongs_to_the_longest_path_and_excluded_paths_to_nobody(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {"packages/web": {"exclude-paths": ["packages/web/test"]}, "packages/web/plugin": {}})
    made.commit("feat: plugin", {"packages/web/plugin/a.js": "1\n"})
    test = made.commit("fix: test", {"packages/web/test/a.js": "1\n"})
    mixed = made.commit("fix: web and its test", {"packages/web/test/a.js": "2\n", "packages/web/b.js": "1\n"})
    verdict = plan(made)
    found = parts(verdict)
    assert (found["plugin"].next, found["web"].next) == ("1.1.0", "1.0.1")
    assert [decision.sha for decision in found["web"].decisions] == [mixed]
    assert [decision.sha for decision in verdict.details.decisions] == [test]


def test_the_root_counts_all_commits_but_only_its_own_files_change(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {".": {}, "packages/web": {}})
    made.commit("feat: web", {"packages/web/a.js": "1\n"})
    made.tag("web-v1.1.0")
    found = parts(plan(made))
    assert (found["app"].next, found["app"].path, found["web"].next) == ("1.1.0", "", "1.1.0")
    assert [change.path for change in found["app"].files] == ["package.json"]
    assert found["web"].bump == "none"


def test_a_commit_without_files_is_everybodys_and_a_merge_that_brought_nothing_is_not(two: Repository) -> None:
    two.branch("side")
    two.commit("feat: nobody wants it", {"x.txt": "1\n"})
    two.checkout("main")
    sha = two.commit("feat: all go up")
    two.git("merge", "--quiet", "--no-ff", "--strategy=ours", "-m", "feat: nothing came of it", "side", variables=signed(AUTHOR, START))
    verdict = plan(two)
    assert [(part.next, [decision.sha for decision in part.decisions]) for part in verdict.details.components] == [("1.1.0", [sha])] * 2
    assert [decision.text for decision in verdict.details.decisions] == ["feat: nothing came of it", "feat: nobody wants it"]


def test_a_merge_counts_in_no_component_beside_the_commits_that_it_brought(two: Repository) -> None:
    two.branch("side")
    two.commit("fix: core", {"packages/core/a.js": "1\n"})
    two.commit("docs: web", {"packages/web/a.md": "1\n"})
    two.checkout("main")
    two.commit("chore: meanwhile", {"x.txt": "1\n"})
    merge = two.merge("side", "Merge pull request #7 from octo/side\n\nfeat: the whole thing")
    core = parts(plan(two))["core"]
    assert core.next == "1.0.1", "the merge's title would ask for a minor"
    assert [(decision.rule) for decision in core.decisions if decision.sha == merge] == ["merge"]


def test_tags_on_branches_that_were_merged_later_are_the_last_releases_all_the_same(two: Repository) -> None:
    two.branch("release")
    two.commit("fix: hot", {"packages/core/hot.js": "1\n"})
    two.tag("core-v1.0.1")
    two.checkout("main")
    web = two.commit("feat: web", {"packages/web/a.js": "1\n"})
    two.tag("web-v1.1.0")
    core = two.commit("fix: core on main", {"packages/core/main.js": "1\n"})
    two.merge("release", "Merge branch 'release'")
    two.commit("fix: web again", {"packages/web/a.js": "2\n"})
    found = parts(plan(two))
    assert (found["core"].previous_tag, found["core"].next, found["web"].next) == ("core-v1.0.1", "1.0.2", "1.1.1")
    assert core in {decision.sha for decision in found["core"].decisions}
    assert web not in {decision.sha for decision in found["web"].decisions}


def test_a_new_component_counts_from_the_commit_that_the_configuration_names(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {"core": {}})
    made.commit("feat: early", {"fresh/a.js": "1\n"})
    start = made.commit("chore: split", {"fresh/package.json": package("fresh", "0.0.0")})
    packages: dict[str, dict[str, str]] = {"core": {}, "fresh": {}}
    made.commit("chore: config", {CONFIG: json.dumps({"packages": packages, "bootstrap-sha": start})})
    late = made.commit("fix: late", {"fresh/a.js": "2\n"})
    fresh = parts(plan(made))["fresh"]
    assert (fresh.current, fresh.next, [decision.sha for decision in fresh.decisions]) == (None, "1.0.0", [late])
    made.commit("chore: config", {CONFIG: json.dumps({"packages": packages, "bootstrap-sha": "0" * 40})})
    verdict = plan(made)
    assert len(parts(verdict)["fresh"].decisions) == 3
    assert any("is not in this repository" in note for note in verdict.notes)


LINKED = [{"type": "linked-versions", "groupName": "family", "components": ["core", "web"]}]


def test_linked_components_get_the_highest_version(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {"core": {}, "web": {}, "docs": {}}, plugins=LINKED)
    made.commit("feat: core", {"core/a.js": "1\n"})
    found = parts(plan(made))
    assert [(part.next, part.via, part.tag) for part in found.values()] == [
        ("1.1.0", "", "core-v1.1.0"), ("1.1.0", "linked:family", "web-v1.1.0"), ("1.0.0", "", None),
    ]  # fmt: skip
    assert [change.path for change in found["web"].files] == ["web/package.json"]


def test_a_linked_component_that_stands_higher_is_not_lowered(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {"core": {}, "web": {}}, plugins=LINKED)
    made.tag("web-v3.0.0")
    made.commit("fix: core", {"core/a.js": "1\n"})
    assert {part.next for part in parts(plan(made)).values()} == {"3.0.1"}


def npm_workspace(folder: Path, plugins: list[Any]) -> Repository:
    made = monorepo(folder, {"core": {}, "web": {}, "app": {}}, plugins=plugins)
    files = {
        "package.json": package("root", "0.0.0", private=True, workspaces=["core", "web", "app"]),
        "web/package.json": package("web", "1.0.0", dependencies={"core": "^1.0.0", "left-pad": "^1.0.0"}),
        "app/package.json": package("app", "1.0.0", devDependencies={"web": "workspace:~1.0.0"}),
        "package-lock.json": json.dumps(
            {
                "name": "root",
                "lockfileVersion": 3,
                "packages": {
                    "": {"name": "root", "version": "0.0.0"},
                    "core": {"version": "1.0.0"},
                    "web": {"version": "1.0.0", "dependencies": {"core": "^1.0.0", "left-pad": "^1.0.0"}},
                    "app": {"version": "1.0.0", "devDependencies": {"web": "workspace:~1.0.0"}},
                    "node_modules/left-pad": {"version": "1.0.0"},
                },
            },
            indent=2,
        ),
    }
    made.commit("chore: workspace", files)
    return made


def test_dependants_get_a_patch_and_the_new_requirement_in_package_and_lock_file(tmp_path: Path) -> None:
    made = npm_workspace(tmp_path / "app", ["node-workspace"])
    made.commit("feat: core", {"core/a.js": "1\n"})
    whole = whole_plan(made)
    assert [(part.name, part.planned.plan.next_version, part.via) for part in whole.parts] == [
        ("core", "1.1.0", ""), ("web", "1.0.1", "depends:core"), ("app", "1.0.1", "depends:web"),
    ]  # fmt: skip
    assert json.loads(whole.texts["web/package.json"])["dependencies"] == {"core": "^1.1.0", "left-pad": "^1.0.0"}
    assert json.loads(whole.texts["app/package.json"])["devDependencies"] == {"web": "workspace:~1.0.1"}
    locked = json.loads(whole.texts["package-lock.json"])["packages"]
    assert [locked[name]["version"] for name in ("", "core", "web", "app", "node_modules/left-pad")] == ["0.0.0", "1.1.0", "1.0.1", "1.0.1", "1.0.0"]
    assert (locked["web"]["dependencies"]["core"], locked["app"]["devDependencies"]["web"]) == ("^1.1.0", "workspace:~1.0.1")
    assert "package.json" not in whole.texts
    web = parts(components_verdict(manager(made), whole))["web"]
    assert "core 1.1.0" in web.changelog
    assert web.reason == "It depends on core, which goes to 1.1.0."


def test_without_the_plugin_dependants_stay_and_are_told(tmp_path: Path) -> None:
    made = npm_workspace(tmp_path / "app", [])
    made.commit("feat: core", {"core/a.js": "1\n"})
    verdict = plan(made)
    assert {name: part.next for name, part in parts(verdict).items()} == {"core": "1.1.0", "web": "1.0.0", "app": "1.0.0"}
    assert any("web depends on core and stays" in note for note in verdict.notes)


def test_a_dependant_in_a_group_takes_the_group_along(tmp_path: Path) -> None:
    linked = [{"type": "linked-versions", "groupName": "pair", "components": ["web", "app"]}, "node-workspace"]
    made = npm_workspace(tmp_path / "app", linked)
    made.tag("app-v1.4.0")
    made.commit("feat: core", {"core/a.js": "1\n"})
    found = parts(plan(made))
    assert (found["core"].next, found["web"].next, found["app"].next) == ("1.1.0", "1.4.1", "1.4.1")
    assert found["web"].via == "linked:pair"


def test_a_cycle_of_dependencies_ends(tmp_path: Path) -> None:
    made = npm_workspace(tmp_path / "app", ["node-workspace"])
    made.commit("chore: cycle", {"core/package.json": package("core", "1.0.0", dependencies={"app": "1.0.0"})})
    made.commit("fix: web", {"web/a.js": "1\n"})
    whole = whole_plan(made)
    assert [part.planned.plan.next_version for part in whole.parts] == ["1.0.1", "1.0.1", "1.0.1"]
    assert json.loads(whole.texts["core/package.json"])["dependencies"] == {"app": "1.0.1"}


def test_a_cargo_workspace_moves_the_requirement_at_its_root(tmp_path: Path) -> None:
    packages = {"crates/core": {"release-type": "rust"}, "crates/cli": {"release-type": "rust"}}
    made = new_repository(tmp_path / "app")
    made.commit(
        "chore: begin",
        {
            CONFIG: json.dumps({"packages": packages, "plugins": ["cargo-workspace"]}),
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\ncore = { path = "crates/core", version = "0.3.0" }\n',
            "crates/core/Cargo.toml": '[package]\nname = "core"\nversion = "0.3.0"\n',
            "crates/cli/Cargo.toml": '[package]\nname = "cli"\nversion = "0.1.0"\n[dependencies]\ncore = { workspace = true }\n',
        },
    )
    made.tag("core-v0.3.0")
    made.tag("cli-v0.1.0")
    made.commit("fix: core", {"crates/core/src/lib.rs": "1\n"})
    whole = whole_plan(made)
    assert [(part.planned.plan.next_version, part.via) for part in whole.parts] == [("0.3.1", ""), ("0.1.1", "depends:core")]
    assert 'version = "0.3.1" }' in whole.texts["Cargo.toml"]
    assert whole.texts["crates/cli/Cargo.toml"].count("0.1.1") == 1
    assert ("Cargo.toml", "0.3.0", "0.3.1") in {(change.path, change.old, change.new) for change in whole.parts[0].files}


COG = """
tag_prefix = "v"
[packages.core]
path = "core"
ignore = ["core/tests/**"]
[packages.web]
path = "web"
"""


def test_the_packages_of_cocogitto_and_the_whole_have_versions_of_their_own(tmp_path: Path) -> None:
    made = new_repository(tmp_path / "app")
    made.commit("chore: begin", {"cog.toml": COG})
    for tag in ("v2.0.0", "core-v1.0.0", "web-v1.0.0"):
        made.tag(tag)
    made.commit("fix: web", {"web/a.rs": "1\n"})
    ignored = made.commit("feat: test of core", {"core/tests/a.rs": "1\n"})
    found = parts(plan(made))
    assert {name: (part.path, part.next, part.tag) for name, part in found.items()} == {
        ".": ("", "2.1.0", "v2.1.0"), "core": ("core", "1.0.0", None), "web": ("web", "1.0.1", "web-v1.0.1"),
    }  # fmt: skip
    assert ignored in {decision.sha for decision in found["."].decisions}


def test_components_whose_tags_have_one_form_are_told(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {"core": {}, "web": {}}, **{"include-component-in-tag": False})
    made.git("tag", "--delete", "core-v1.0.0", "web-v1.0.0")
    assert any("core, web have one form, vVERSION" in note for note in plan(made).notes)


@pytest.mark.parametrize(("request_", "option"), [({"since": "core-v1.0.0"}, "--from"), ({"release_as": "4.0.0"}, "--release-as")])
def test_a_wish_that_can_mean_one_component_only_needs_the_component(two: Repository, request_: dict[str, str], option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} is about one component"):
        plan(two, **request_)
    assert plan(two, component="core", **request_).details.components == ()


def test_a_component_that_its_branch_may_not_release_is_named(two: Repository) -> None:
    two.branch("1.0.x")
    two.commit("feat: core", {"packages/core/a.js": "1\n"})
    with pytest.raises(UsageError, match=r"^core: 1\.1\.0 is outside the range"):
        plan(two)


def test_a_component_alone_and_in_the_whole_are_planned_alike(two: Repository) -> None:
    two.commit("feat: core", {"packages/core/a.js": "1\n"})
    two.commit("fix: core", {"packages/core/a.js": "2\n"})
    alone = plan(two, component="core").details
    together = parts(plan(two))["core"]
    assert (alone.next_version, alone.tag, alone.decisions, alone.files, alone.changelog, alone.reason) == (
        together.next, together.tag, together.decisions, together.files, together.changelog, together.reason,
    )  # fmt: skip


def test_planning_many_components_reads_the_history_once_and_tags_once(tmp_path: Path) -> None:
    made = monorepo(tmp_path / "app", {f"p{number}": {} for number in range(12)})
    made.commit("feat: all", {f"p{number}/a.js": "1\n" for number in range(12)})
    log = made.folder / "calls"
    real = made.git("--exec-path")
    (made.folder / "bin").mkdir()
    wrapper = made.folder / "bin" / "git"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexec "{real}/git" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    repository = open_repository(made.folder, {**ENVIRONMENT, "PATH": f"{wrapper.parent}:{ENVIRONMENT['PATH']}"})
    verdict = ReleaseManager(repository, FakeClock()).plan(ReleaseRequest())
    assert len([part for part in verdict.details.components if part.next == "1.1.0"]) == 12
    calls = log.read_text(encoding="utf-8").splitlines()
    assert len([call for call in calls if " log " in f" {call} "]) == 1
    assert len([call for call in calls if "for-each-ref" in call]) <= 2
    assert len(calls) < 30
