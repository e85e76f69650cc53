import json

import pytest
from tests.analysis.release_config.reading import bump, found

from cicd_agents.analysis.release_config import VersionFile
from cicd_agents.analysis.versions.branches import BranchKind, line_of
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy


def test_an_empty_configuration_means_the_defaults() -> None:
    config = found(".releaserc", "")
    assert (config.tool, config.rules.source, config.rules.tag_prefix, config.rules.initial) == ("semantic-release", ".releaserc", "v", "1.0.0")
    assert config.rules.zero is ZeroPolicy.AS_AFTER
    assert [bump(config, kind) for kind in ("feat", "fix", "perf", "docs")] == [Bump.MINOR, Bump.PATCH, Bump.PATCH, Bump.NONE]
    assert config.notes == ()
    assert config.files == (VersionFile("package.json"),)


def test_the_preset_decides_how_messages_are_read() -> None:
    assert found(".releaserc", "preset: conventionalcommits").reading.exclamation
    assert not found(".releaserc", "preset: angular").reading.exclamation
    plugin = "plugins:\n  - ['@semantic-release/commit-analyzer', {preset: conventionalcommits}]\n"
    assert found(".releaserc.yml", plugin).reading.exclamation


RULES = """
plugins:
  - - "@semantic-release/commit-analyzer"
    - releaseRules:
        - {type: docs, scope: README, release: patch}
        - {type: refactor, release: patch}
        - {type: build, scope: "deps*", release: patch}
        - {type: feat, scope: internal, release: false}
        - {type: "{style,chore}", release: patch}
        - {scope: no-release, release: false}
        - {breaking: true, release: minor}
        - {revert: true, release: minor}
"""


def test_release_rules_stand_before_the_default_rules() -> None:
    config = found(".releaserc", RULES)
    assert bump(config, "docs", "readme") is Bump.PATCH
    assert bump(config, "docs") is Bump.NONE
    assert bump(config, "refactor", "core") is Bump.PATCH
    assert bump(config, "build", "deps-dev") is Bump.PATCH
    assert bump(config, "feat", "internal") is Bump.NONE
    assert bump(config, "feat", "api") is Bump.MINOR
    assert bump(config, "style") is bump(config, "chore") is Bump.PATCH
    assert bump(config, "fix", "no-release") is Bump.NONE
    assert (config.rules.breaking, config.rules.reverts) == (Bump.MINOR, Bump.MINOR)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"type": "docs", "release": False}, {"type": "docs", "scope": "api", "release": "patch"}], Bump.PATCH),
        ([{"type": "docs", "release": "patch"}, {"type": "docs", "scope": "api", "release": False}], Bump.NONE),
        ([{"type": "docs", "release": "patch"}, {"type": "docs", "scope": "api", "release": "minor"}], Bump.MINOR),
        ([{"type": "docs", "scope": "api", "release": "minor"}, {"type": "docs", "release": "patch"}], Bump.MINOR),
    ],
)  # fmt: skip
def test_of_rules_that_fit_the_highest_counts_and_false_undoes_what_stands_before(rules: list[object], expected: Bump) -> None:
    assert bump(found(".releaserc.json", json.dumps({"releaseRules": rules})), "docs", "api") is expected


def test_what_a_rule_cannot_say_here_is_noted() -> None:
    config = found(
        ".releaserc.json", json.dumps({"releaseRules": [{"subject": "*skip*", "release": False}, {"type": "chore", "breaking": True, "release": "minor"}]})
    )
    assert any("a rule by subject is not read" in note for note in config.notes)
    assert bump(config, "chore", breaking=True) is Bump.MINOR
    assert bump(config, "fix") is Bump.PATCH


@pytest.mark.parametrize(
    ("rules", "kind", "scope", "expected"),
    [
        ([{"type": "chore", "breaking": True, "release": "minor"}], "chore", None, Bump.MINOR),
        ([{"type": "chore", "breaking": True, "release": "minor"}], "feat", None, Bump.MAJOR),
        ([{"type": "chore", "scope": "ci", "breaking": True, "release": False}], "chore", "ci", Bump.NONE),
        ([{"type": "chore", "scope": "ci", "breaking": True, "release": False}], "chore", "app", Bump.MAJOR),
        ([{"type": "{docs,chore}", "breaking": True, "release": "patch"}], "docs", None, Bump.PATCH),
        ([{"breaking": True, "release": "major"}, {"type": "chore", "breaking": True, "release": "minor"}], "chore", None, Bump.MAJOR),
        ([{"breaking": True, "release": "minor"}, {"type": "chore", "breaking": True, "release": "major"}], "chore", None, Bump.MAJOR),
        ([{"breaking": True, "release": "minor"}, {"type": "chore", "breaking": True, "release": "major"}], "feat", None, Bump.MINOR),
        ([{"breaking": True, "release": "major"}, {"type": "chore", "breaking": True, "release": False}], "chore", None, Bump.NONE),
    ],
)  # fmt: skip
def test_rules_for_breaking_commits_of_a_type_count_for_these_only(rules: list[object], kind: str, scope: str | None, expected: Bump) -> None:
    config = found(".releaserc.json", json.dumps({"releaseRules": rules}))
    assert config.notes == ()
    assert bump(config, kind, scope, breaking=True) is expected
    assert bump(config, "chore", scope) is Bump.NONE, "a commit that breaks nothing is not meant"


def test_a_rule_for_reverts_of_a_type_is_noted_and_does_not_count_for_other_commits() -> None:
    rules = [{"type": "docs", "revert": True, "release": "major"}, {"revert": True, "release": "minor"}]
    config = found(".releaserc.json", json.dumps({"releaseRules": rules}))
    assert any("reverts of the type docs" in note for note in config.notes)
    assert (config.rules.reverts, bump(config, "docs")) == (Bump.MINOR, Bump.NONE)


def test_rules_of_ones_own_hide_no_section() -> None:
    rules = [{"type": "feat", "release": "patch"}, {"type": "fix", "breaking": True, "release": "minor"}]
    types = found(".releaserc.json", json.dumps({"releaseRules": rules})).rules.types
    titles: dict[str, str] = {}
    for rule in types:
        titles.setdefault(rule.type, rule.section)
    assert (titles["feat"], titles["fix"]) == ("Features", "Bug Fixes")


def test_what_stands_behind_the_version_in_tags_is_kept() -> None:
    rules = found(".releaserc.json", json.dumps({"tagFormat": "app-${version}-final"})).rules
    assert (rules.tag_prefix, rules.tag_suffix) == ("app-", "-final")


def test_rules_in_a_module_are_noted_and_the_defaults_assumed() -> None:
    config = found(".releaserc", '{"releaseRules": "./rules.js"}')
    assert any("the module ./rules.js" in note for note in config.notes)
    assert bump(config, "feat") is Bump.MINOR


def test_branches_become_the_branch_table() -> None:
    config = found("package.json", json.dumps({"name": "x", "release": {"branches": [
        "+([0-9])?(.{+([0-9]),x}).x", "trunk", "next", {"name": "beta", "prerelease": True}, {"name": "feat/*", "prerelease": "dev"},
        {"name": "old", "range": "3.1.x", "channel": "legacy"},
    ]}}))  # fmt: skip
    assert config.rules.source == "package.json (release)"
    lines = {name: line_of(name, config.branches) for name in ("trunk", "next", "beta", "feat/a", "old", "1.2.x", "main")}
    assert lines["main"] is None
    told = {name: (line.kind, line.prerelease, line.channel, str(line.low)) for name, line in lines.items() if line}
    assert told == {
        "trunk": (BranchKind.RELEASE, None, "trunk", "None"),
        "next": (BranchKind.RELEASE, None, "next", "None"),
        "beta": (BranchKind.PRERELEASE, "beta", "beta", "None"),
        "feat/a": (BranchKind.PRERELEASE, "dev", "feat/a", "None"),
        "old": (BranchKind.MAINTENANCE, None, "legacy", "3.1.0"),
        "1.2.x": (BranchKind.MAINTENANCE, None, "1.2.x", "1.2.0"),
    }


def test_tag_format_changelog_and_version_files_are_read() -> None:
    config = found(".releaserc.yaml", """
        tagFormat: "pkg@${version}"
        plugins:
          - "@semantic-release/commit-analyzer"
          - ["@semantic-release/changelog", {changelogFile: docs/CHANGES.md}]
          - ["@semantic-release/git", {assets: [pyproject.toml, CHANGELOG.md, "dist/*.js"]}]
        """)  # fmt: skip
    assert (config.rules.tag_prefix, config.tag_formats, config.changelog) == ("pkg@", ("pkg@${version}",), "docs/CHANGES.md")
    assert config.files == (VersionFile("pyproject.toml"),)


def test_the_sections_of_the_preset_become_titles() -> None:
    config = found(".releaserc", json.dumps({"preset": "conventionalcommits", "presetConfig": {"types": [
        {"type": "feat", "section": "New"}, {"type": "docs", "section": "Docs"}, {"type": "fix", "section": "Fixes", "hidden": True},
    ]}}))  # fmt: skip
    titles = {rule.type: (rule.section, rule.bump) for rule in config.rules.types}
    assert titles["feat"] == ("New", Bump.MINOR)
    assert titles["docs"] == ("Docs", Bump.NONE)
    assert titles["fix"] == ("", Bump.PATCH)


def test_the_eslint_preset_has_its_own_types() -> None:
    config = found(".releaserc", "preset: eslint")
    assert [bump(config, kind) for kind in ("fix", "update", "new", "breaking", "chore")] == [Bump.PATCH, Bump.MINOR, Bump.MINOR, Bump.MAJOR, Bump.NONE]


def test_an_unknown_preset_and_extends_are_noted() -> None:
    config = found(".releaserc", "preset: gitmoji\nextends: '@acme/config'\n")
    assert any(note.startswith(".releaserc:1: the preset gitmoji") for note in config.notes)
    assert any("`extends`" in note for note in config.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plugins:\n  - x\nbranches:\n  - 1\n", ".releaserc:3: branches must be a list of names"),
        ("tagFormat: release\n", ".releaserc:1: tagFormat needs ${version} exactly once"),
        ("a: 1\nreleaseRules:\n  - {type: docs, release: huge}\n", ".releaserc:3: release must be major, minor, patch"),
        ("preset: [angular]\n", ".releaserc:1: preset must be a text"),
        ("branches: [main\n", ".releaserc:2: no YAML"),
        ("- main\n", ".releaserc:1: the file must hold a table"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as problem:
        found(".releaserc", text)
    assert message in str(problem.value)


JAVASCRIPT = """
// release settings
const types = [{ type: 'feat', section: `Features` }, { type: "docs", section: "Docs", hidden: true }]; /* { */
const pattern = /[/'"]}/;
/** @type {import('semantic-release').GlobalConfig} */
module.exports = {
  branches: ['main', { name: 'beta', prerelease: true }],
  tagFormat: 'v${version}',
  plugins: [
    ['@semantic-release/commit-analyzer', { preset: 'conventionalcommits', releaseRules: [{ type: 'docs', release: 'patch' }, ], }],
    ['@semantic-release/release-notes-generator', { presetConfig: { types }, writerOpts: { transform: (commit) => { return commit; } } }],
    process.env.CI ? '@semantic-release/github' : null,
  ],
};
"""


@pytest.mark.parametrize("file", [".releaserc.js", ".releaserc.cjs", "release.config.js", "release.config.cjs"])
def test_literals_of_a_javascript_file_are_read_without_running_it(file: str) -> None:
    config = found(file, JAVASCRIPT)
    assert bump(config, "docs") is Bump.PATCH
    assert config.reading.exclamation
    assert [rule.pattern for rule in config.branches] == ["main", "beta"]
    assert {rule.type: rule.section for rule in config.rules.types}["feat"] == "Features"
    assert any("an item of `plugins` is code" in note for note in config.notes)


@pytest.mark.parametrize(
    "text", ["export default { branches: ['trunk'] } satisfies Options", "const config: Options = { branches: ['trunk'] };\nexport default config;\n"]
)
def test_module_and_typescript_exports_are_read(text: str) -> None:
    assert [rule.pattern for rule in found("release.config.mjs", text).branches] == ["trunk"]


@pytest.mark.parametrize(
    "text", ["module.exports = require('x');", "module.exports = async () => ({branches: ['x']})", "", "const a = 'open\n", "export default defineConfig({})"]
)
def test_a_file_that_is_code_is_noted_and_the_defaults_assumed(text: str) -> None:
    config = found("release.config.js", text)
    assert config.notes == ("release.config.js is code and is not run; the defaults of semantic-release are assumed",)
    assert bump(config, "feat") is Bump.MINOR


def test_a_value_that_is_code_is_noted_by_its_name() -> None:
    config = found("release.config.js", "module.exports = { branches: getBranches(), ...shared, preset: 'conventionalcommits' }")
    assert any("`branches` is code" in note for note in config.notes)
    assert any("a spread or method" in note for note in config.notes)
    assert config.reading.exclamation
