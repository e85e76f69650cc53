"""cocogitto, git-cliff, and commit-and-tag-version."""

import json

import pytest
from tests.analysis.release_config.reading import bump, found

from cicd_agents.analysis.release_config import VersionFile
from cicd_agents.analysis.versions.branches import line_of
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy

COG = """
tag_prefix = "v"
branch_whitelist = ["main", "release/**"]
[commit_types]
hotfix = { changelog_title = "Hotfixes", bump_patch = true }
feature = { bump_minor = true, omit_from_changelog = true }
fix = {}
[packages.core]
path = "crates/core"
ignore = ["crates/core/tests/**"]
[packages.cli]
path = "./crates/cli/"
changelog_path = "NEWS.md"
"""


def test_cocogitto_types_can_be_added_and_taken_away() -> None:
    config = found("cog.toml", COG)
    assert [bump(config, kind) for kind in ("feat", "hotfix", "feature", "fix", "docs")] == [Bump.MINOR, Bump.PATCH, Bump.MINOR, Bump.NONE, Bump.NONE]
    assert {rule.type: rule.section for rule in config.rules.types}["hotfix"] == "Hotfixes"
    assert (config.rules.zero, config.rules.tag_prefix, config.rules.source) == (ZeroPolicy.BREAKING_IS_MINOR, "v", "cog.toml")
    assert line_of("release/1/2", config.branches) is not None


def test_cocogitto_packages_are_components() -> None:
    told = {each.name: (each.path, each.rules.tag_prefix, each.rules.excluded, each.changelog) for each in found("cog.toml", COG).components}
    assert told == {
        "": ("", "v", (), "CHANGELOG.md"),
        "core": ("crates/core", "core-v", ("crates/core/tests/**",), "crates/core/CHANGELOG.md"),
        "cli": ("crates/cli", "cli-v", (), "NEWS.md"),
    }
    assert found("cog.toml", "generate_mono_repository_package_tags = false\n" + COG).components == ()
    assert [each.name for each in found("cog.toml", "generate_mono_repository_global_tag = false\n" + COG).components] == ["core", "cli"]


CLIFF = r"""
[git]
conventional_commits = true
filter_unconventional = true
tag_pattern = "v[0-9].*"
commit_parsers = [
  { message = "^feat", group = "<!-- 0 -->Features" },
  { message = "^fix", group = "Fixes" },
  { message = "^doc", group = "Documentation" },
  { message = "^chore\\(release\\): prepare for", skip = true },
  { message = "^chore\\(deps.*\\)", skip = true },
  { message = "^chore|^ci", group = "Misc" },
  { body = ".*security", group = "Security" },
  { message = "^style", skip = true },
]
[bump]
breaking_always_bump_major = false
initial_tag = "v0.2.0"
"""


def test_git_cliff_counts_all_that_it_does_not_skip_as_a_patch() -> None:
    config = found("cliff.toml", CLIFF)
    expected = {
        ("feat", None): Bump.MINOR, ("fix", "x"): Bump.PATCH, ("docs", None): Bump.PATCH, ("chore", "release"): Bump.NONE,
        ("chore", "deps-dev"): Bump.NONE, ("chore", None): Bump.PATCH, ("ci", None): Bump.PATCH, ("style", None): Bump.NONE,
        ("anything", None): Bump.PATCH, ("", None): Bump.NONE,
    }  # fmt: skip
    assert {key: bump(config, *key) for key in expected} == expected
    assert {rule.type: rule.section for rule in config.rules.types}["feat*"] == "Features"
    assert (config.rules.zero, config.rules.initial, config.rules.tag_prefix) == (ZeroPolicy.BREAKING_IS_MINOR, "0.2.0", "v")


def test_git_cliff_filters_and_catch_all_parsers_hold() -> None:
    assert bump(found("cliff.toml", "[git]\nfilter_commits = true\n"), "docs") is Bump.NONE
    assert bump(found("cliff.toml", '[git]\ncommit_parsers = [{message = "^docs"}, {message = ".*", skip = true}]\n'), "style") is Bump.NONE
    assert bump(found("cliff.toml", "[git]\nfilter_unconventional = false\n"), "") is Bump.PATCH


def test_git_cliff_parsers_that_skip_titles_make_them_ignored() -> None:
    config = found("cliff.toml", '[git]\ncommit_parsers = [{message = "^chore: bump version to", skip = true}, {message = "[x]", skip = true}]\n')
    assert config.rules.ignored == ("chore: bump version to*",)
    assert config.notes == ("cliff.toml:2: a parser that skips commits is not read: it does not go by type",)


def test_git_cliff_increments_can_be_set() -> None:
    config = found("cliff.toml", '[bump]\ncustom_minor_increment_regex = "minor|more"\ncustom_major_increment_regex = "^big"\n')
    assert [bump(config, kind) for kind in ("minor", "more", "big", "feat")] == [Bump.MINOR, Bump.MINOR, Bump.MAJOR, Bump.MINOR]
    fixed = found("cliff.toml", '[bump]\nbump_type = "minor"\n')
    assert bump(fixed, "fix") is bump(fixed, "other") is bump(fixed, "x", breaking=True) is Bump.MINOR


@pytest.mark.parametrize(
    ("pattern", "prefix"), [("v[0-9].*", "v"), (r"^core/v\\d", "core/v"), ("^v?[0-9]", "v"), (r"^\\d+", ""), ("[0-9]*", ""), ("pkg-v", "pkg-v")]
)
def test_git_cliff_says_the_prefix_in_its_tag_pattern(pattern: str, prefix: str) -> None:
    assert found("cliff.toml", f'[git]\ntag_pattern = "{pattern}"\n').rules.tag_prefix == prefix


@pytest.mark.parametrize(
    ("file", "table"),
    [("pyproject.toml", "tool.git-cliff"), ("Cargo.toml", "workspace.metadata.git-cliff"), ("Cargo.toml", "package.metadata.git-cliff")],
)  # fmt: skip
def test_git_cliff_may_stand_in_a_shared_file(file: str, table: str) -> None:
    config = found(file, f"[{table}.bump]\nfeatures_always_bump_minor = false\nbreaking_always_bump_major = false\n")
    assert (config.rules.zero, config.rules.source) == (ZeroPolicy.ONE_LOWER, f"{file} [{table}]")


VERSIONRC = {
    "types": [{"type": "feat", "section": "New"}, {"type": "chore", "hidden": True}],
    "tagPrefix": "app-",
    "bumpFiles": [{"filename": "manifest.json"}, "package.json"],
}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".versionrc", json.dumps(VERSIONRC)),
        (".versionrc.json", json.dumps(VERSIONRC)),
        (".versionrc.js", f"module.exports = {json.dumps(VERSIONRC)}"),
        ("package.json", json.dumps({"standard-version": VERSIONRC})),
        ("package.json", json.dumps({"commit-and-tag-version": VERSIONRC})),
    ],
)  # fmt: skip
def test_standard_version_makes_every_commit_a_patch_at_least(file: str, text: str) -> None:
    config = found(file, text)
    assert [bump(config, kind) for kind in ("feat", "fix", "chore", "anything", "")] == [Bump.MINOR, *[Bump.PATCH] * 4]
    assert (config.rules.zero, config.rules.tag_prefix, config.file) == (ZeroPolicy.ONE_LOWER, "app-", file)
    assert config.files == (VersionFile("manifest.json"), VersionFile("package.json"))


def test_standard_version_as_code_is_noted() -> None:
    config = found(".versionrc.cjs", "module.exports = { tagPrefix: 'r', bumpFiles: [tracker] , infile: path() }")
    assert config.rules.tag_prefix == "r"
    assert any("is code as a whole or in part" in note for note in config.notes)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("cog.toml", "[commit_types]\nx = 1\n", "cog.toml:2: x must be a table"),
        ("cliff.toml", "[git]\ncommit_parsers = [1]\n", "cliff.toml:2: commit_parsers must be a list of tables"),
        ("cliff.toml", "[bump]\nfeatures_always_bump_minor = 'no'\n", "cliff.toml:2: features_always_bump_minor must be true or false"),
        (".versionrc", '{\n"tagPrefix": 4}', ".versionrc:2: tagPrefix must be a text"),
        ("package.json", '{"name": "x",\n "standard-version": {"types": {}}}', "package.json:2: types must be a list"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_file_and_line(file: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as problem:
        found(file, text)
    assert message in str(problem.value)


def test_what_git_cliff_would_do_otherwise_is_noted() -> None:
    config = found("cliff.toml", '[bump]\nfeatures_always_bump_minor = false\ncustom_minor_increment_regex = ".*!"\n')
    assert config.rules.zero is ZeroPolicy.FEATURE_IS_PATCH
    assert [note.partition(": ")[0] for note in config.notes] == ["cliff.toml:3"]
