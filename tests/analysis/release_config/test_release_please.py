import json

import pytest
from tests.analysis.release_config.reading import bump, found

from cicd_agents.analysis.release_config import FoundConfig, LinkedVersions, VersionFile, find_config, further_files
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy

FILE, MANIFEST = "release-please-config.json", ".release-please-manifest.json"


def config(settings: dict[str, object], **files: str) -> FoundConfig:
    return found(FILE, json.dumps(settings, indent=1), **files)


def single(**settings: object) -> FoundConfig:
    return config({"packages": {".": {key.replace("_", "-"): value for key, value in settings.items()}}})


def test_the_defaults_are_those_of_release_please() -> None:
    plain = single(release_type="simple")
    assert (plain.rules.tag_prefix, plain.rules.path, plain.rules.initial, plain.rules.source) == ("v", "", "1.0.0", FILE)
    assert plain.rules.zero is ZeroPolicy.AS_AFTER
    assert [bump(plain, kind) for kind in ("feat", "fix", "perf", "revert", "docs", "chore")] == [Bump.MINOR, *[Bump.PATCH] * 3, Bump.NONE, Bump.NONE]


@pytest.mark.parametrize(
    ("release_type", "docs", "initial"),
    [("python", Bump.PATCH, "0.1.0"), ("java", Bump.PATCH, "1.0.0"), ("go", Bump.NONE, "1.0.0"), ("rust", Bump.NONE, "0.1.0")],
)
def test_the_release_type_decides_what_is_shown_and_how_it_begins(release_type: str, docs: Bump, initial: str) -> None:
    plain = single(release_type=release_type)
    assert (bump(plain, "docs"), plain.rules.initial) == (docs, initial)


def test_any_type_with_a_section_is_a_patch_and_a_hidden_one_is_none() -> None:
    shown = single(changelog_sections=[
        {"type": "feat", "section": "Features"}, {"type": "chore", "section": "Chores"}, {"type": "docs", "section": "Docs", "hidden": True},
    ])  # fmt: skip
    assert [bump(shown, kind) for kind in ("feat", "chore", "docs", "fix")] == [Bump.MINOR, Bump.PATCH, Bump.NONE, Bump.NONE]
    assert bump(shown, "docs", breaking=True) is Bump.MAJOR


@pytest.mark.parametrize(
    ("minor", "patch", "zero"),
    [
        (False, False, ZeroPolicy.AS_AFTER),
        (True, False, ZeroPolicy.BREAKING_IS_MINOR),
        (True, True, ZeroPolicy.ONE_LOWER),
        (False, True, ZeroPolicy.FEATURE_IS_PATCH),
    ],
)  # fmt: skip
def test_the_two_flags_for_versions_below_one_give_the_policy(minor: bool, patch: bool, zero: ZeroPolicy) -> None:
    plain = single(bump_minor_pre_major=minor, bump_patch_for_minor_pre_major=patch)
    assert plain.rules.zero is zero


@pytest.mark.parametrize(("strategy", "level"), [("always-bump-patch", Bump.PATCH), ("always-bump-minor", Bump.MINOR), ("always-bump-major", Bump.MAJOR)])
def test_a_strategy_that_always_bumps_the_same_part_does_so(strategy: str, level: Bump) -> None:
    plain = single(versioning=strategy)
    assert bump(plain, "feat") is bump(plain, "fix") is bump(plain, "x", breaking=True) is level
    assert bump(plain, "docs") is Bump.NONE


def test_the_prerelease_strategy_names_the_channel() -> None:
    assert single(versioning="prerelease", prerelease_type="beta.1").rules.prerelease == "beta"


def test_an_unknown_strategy_is_noted() -> None:
    assert any("service-pack is not known" in note for note in single(versioning="service-pack").notes)


MONOREPO = {
    "bump-minor-pre-major": True,
    "release-type": "go",
    "exclude-paths": ["docs/"],
    "packages": {
        "core": {
            "component": "core",
            "tag-separator": "/",
            "bump-minor-pre-major": False,
            "extra-files": ["version.go", {"type": "json", "path": "/meta.json", "jsonpath": "$.v"}],
        },
        "packages/ui": {"release-type": "node", "changelog-path": "NEWS.md"},
        "svc": {"include-component-in-tag": False, "release-as": "2.0.0", "initial-version": "0.0.1"},
        "gem": {"release-type": "ruby", "package-name": "acme", "include-v-in-tag": False},
    },
    "plugins": ["node-workspace", {"type": "linked-versions", "groupName": "all", "components": ["core", "ui"]}],
    "bootstrap-sha": "abc123",
}


def test_each_package_is_a_component_with_its_own_tags_rules_and_version() -> None:
    many = config(MONOREPO, **{MANIFEST: '{"core": "0.3.1", "packages/ui": "1.2.0"}', "packages/ui/package.json": '{"name": "@acme/ui"}'})
    told = {each.name or each.path: (each.path, each.rules.tag_prefix, each.version, each.changelog) for each in many.components}
    assert told == {
        "core": ("core", "core/v", "0.3.1", "core/CHANGELOG.md"),
        "ui": ("packages/ui", "ui-v", "1.2.0", "packages/ui/NEWS.md"),
        "svc": ("svc", "v", None, "svc/CHANGELOG.md"),
        "acme": ("gem", "acme/", None, "gem/CHANGELOG.md"),
    }
    core, ui, svc, _ = many.components
    assert (core.rules.zero, ui.rules.zero) == (ZeroPolicy.AS_AFTER, ZeroPolicy.BREAKING_IS_MINOR)
    assert core.rules.excluded == ("docs",)
    assert core.rules.source == f"{FILE} (core)"
    assert (svc.rules.release_as, svc.rules.initial) == ("2.0.0", "0.0.1")
    assert core.files == (VersionFile("core/version.go", "generic"), VersionFile("meta.json", "json", "$.v"))
    assert many.linked == (LinkedVersions("all", ("core", "ui")),)
    assert (many.workspaces, many.stop_at) == (("node-workspace",), "abc123")
    assert any("release-as stays in force" in note for note in many.notes)


def test_the_rules_of_the_root_are_the_main_ones() -> None:
    assert config({"packages": {"a": {"component": "a"}, ".": {"release-type": "simple"}}}).rules.path == ""
    assert config({"release-type": "simple"}).components[0].path == ""


def test_the_files_that_name_components_are_asked_for() -> None:
    wanted = further_files({FILE: json.dumps(MONOREPO).encode()})
    assert "packages/ui/package.json" in wanted
    assert further_files({}) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n "packages": {\n  ".": {\n   "bump-minor-pre-major": "yes"\n  }\n }\n}', f"{FILE}:4: bump-minor-pre-major must be true or false"),
        ('{\n "packages": []\n}', f"{FILE}:2: packages must be a table"),
        ('{\n "packages": {},\n}', f"{FILE}:3: no JSON"),
        ('{"packages": {"a": {"changelog-sections": [{"section": "x"}]}}}', f"{FILE}:1: type must name a commit type"),
        ('{"extra-files": [1]}', f"{FILE}:1: extra-files must be a list of paths"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as problem:
        found(FILE, text)
    assert message in str(problem.value)


@pytest.mark.parametrize(
    ("path", "manifest"), [(".github/release-please-config.json", ".github/.release-please-manifest.json"), (".release-please-config.json", MANIFEST)]
)
def test_the_files_may_stand_in_other_usual_places(path: str, manifest: str) -> None:
    moved = found(path, '{"packages": {".": {"release-type": "simple", "changelog-path": "./docs/../NEWS.md"}}}', **{manifest: '{".": "1.4.0"}'})
    assert (moved.file, moved.components[0].version, moved.changelog) == (path, "1.4.0", "NEWS.md")


WORKFLOW = """
on: {push: {branches: [main]}}
jobs:
  release:
    steps:
      - uses: actions/checkout@v4
      - uses: google-github-actions/release-please-action@v3
        with:
          token: ${{ secrets.TOKEN }}
          package-name: ${{ github.event.repository.name }}
          release-type: python
          bump-minor-pre-major: true
          changelog-types: '[{"type":"src","section":"Core"},{"type":"feat","section":"Features"},{"type":"fix","section":"Fixes","hidden":true}]'
"""


def test_the_inputs_of_the_action_count_where_there_is_no_file() -> None:
    by_action = found(".github/workflows/release.yml", WORKFLOW)
    assert [bump(by_action, kind) for kind in ("src", "feat", "fix", "docs")] == [Bump.PATCH, Bump.MINOR, Bump.NONE, Bump.NONE]
    assert (by_action.rules.zero, by_action.rules.tag_prefix, by_action.rules.source) == (ZeroPolicy.BREAKING_IS_MINOR, "v", ".github/workflows/release.yml")
    assert any("package-name is an expression" in note for note in by_action.notes)


def test_a_file_goes_before_the_inputs_of_the_action() -> None:
    assert found(FILE, '{"packages": {".": {}}}', **{".github/workflows/release.yml": WORKFLOW}).file == FILE


@pytest.mark.parametrize(
    "text", ["jobs: {a: {steps: [{uses: x/release-please-action@v4}]}}", "jobs: [ # release-please-action@v4", "jobs: {a: 1}\nx: release-please-action@v4"]
)
def test_a_workflow_that_says_nothing_decides_nothing(text: str) -> None:
    assert find_config({".github/workflows/a.yml": text.encode()}) is None


def test_bad_sections_in_a_workflow_are_refused_with_the_line() -> None:
    with pytest.raises(UsageError, match=r"release.yml:13: changelog-types must be a list"):
        found(".github/workflows/release.yml", WORKFLOW.replace("'[{", "'{"))
