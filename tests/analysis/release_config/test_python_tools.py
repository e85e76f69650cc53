"""python-semantic-release and commitizen."""

import pytest
from tests.analysis.release_config.reading import bump, found

from cicd_agents.analysis.release_config import VersionFile
from cicd_agents.analysis.versions.branches import BranchKind, line_of
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy

PSR = """
[project]
name = "x"
[tool.semantic_release]
tag_format = "rel-{version}"
major_on_zero = false
allow_zero_version = true
version_toml = ["pyproject.toml:project.version"]
version_variables = ["src/x/__init__.py:__version__", "docs/conf.py:release:tf"]
[tool.semantic_release.branches.main]
match = "(main|master)"
[tool.semantic_release.branches.next]
match = "next/.*"
prerelease = true
prerelease_token = "beta"
[tool.semantic_release.commit_parser_options]
minor_tags = ["feat", "enhance"]
patch_tags = ["fix", "docs"]
default_bump_level = 1
[tool.semantic_release.changelog.default_templates]
changelog_file = "NEWS.md"
"""


def test_python_semantic_release_is_read_from_its_table() -> None:
    config = found("pyproject.toml", PSR)
    assert (config.tool, config.rules.source, config.rules.tag_prefix) == ("python-semantic-release", "pyproject.toml [tool.semantic_release]", "rel-")
    assert (config.rules.zero, config.rules.initial, config.graduate, config.changelog) == (ZeroPolicy.BREAKING_IS_MINOR, "0.1.0", False, "NEWS.md")
    assert [bump(config, kind) for kind in ("feat", "enhance", "docs", "perf", "chore")] == [Bump.MINOR, Bump.MINOR, Bump.PATCH, Bump.PATCH, Bump.PATCH]
    assert {"enhance", "docs", "chore"} <= config.reading.only_types
    assert config.files == (
        VersionFile("pyproject.toml", "toml", "project.version"), VersionFile("src/x/__init__.py", "variable", "__version__"),
        VersionFile("docs/conf.py", "variable", "release"),
    )  # fmt: skip
    line = line_of("next/2", config.branches)
    assert line is not None
    assert (line.kind, line.prerelease) == (BranchKind.PRERELEASE, "beta")
    assert line_of("dev", config.branches) is None


def test_its_defaults_are_those_of_the_tool() -> None:
    config = found("pyproject.toml", "[tool.semantic_release]\n")
    assert [bump(config, kind) for kind in ("feat", "fix", "perf", "docs")] == [Bump.MINOR, Bump.PATCH, Bump.PATCH, Bump.NONE]
    assert (config.rules.zero, config.rules.tag_prefix) == (ZeroPolicy.AS_AFTER, "v")
    assert any("allow_zero_version is not set" in note for note in config.notes)


def test_a_project_that_may_not_stay_below_one_graduates() -> None:
    assert found("pyproject.toml", "[tool.semantic_release]\nallow_zero_version = false\n").graduate


def test_the_scipy_parser_has_its_own_types_and_an_unknown_parser_is_noted() -> None:
    scipy = found("pyproject.toml", '[tool.semantic_release]\ncommit_parser = "scipy"\n')
    assert [bump(scipy, kind) for kind in ("api", "enh", "bug", "doc")] == [Bump.MAJOR, Bump.MINOR, Bump.PATCH, Bump.NONE]
    emoji = found("pyproject.toml", '[tool.semantic_release]\ncommit_parser = "emoji"\n')
    assert any(note.startswith("pyproject.toml:2: the parser emoji is not known") for note in emoji.notes)


SETUP_CFG = """
[metadata]
name = x
[semantic_release]
version_variable = x/__init__.py:__version__, setup.py:version
major_on_zero = false
branch = trunk
patch_without_tag = true
"""


def test_old_versions_are_read_from_setup_cfg() -> None:
    config = found("setup.cfg", SETUP_CFG)
    assert config.rules.zero is ZeroPolicy.BREAKING_IS_MINOR
    assert bump(config, "chore") is Bump.PATCH
    assert [file.path for file in config.files] == ["x/__init__.py", "setup.py"]
    assert line_of("trunk", config.branches) is not None


COMMITIZEN = """
[tool.commitizen]
name = "cz_conventional_commits"
version = "0.4.0"
tag_format = "v$version"
legacy_tag_formats = ["$version"]
major_version_zero = true
version_files = ["src/x/__init__.py:__version__", "setup.py"]
changelog_file = "docs/changelog.md"
"""


def test_commitizen_is_read_from_its_table() -> None:
    config = found("pyproject.toml", COMMITIZEN)
    assert (config.tool, config.rules.source, config.rules.tag_prefix) == ("commitizen", "pyproject.toml [tool.commitizen]", "v")
    assert (config.rules.zero, config.spelling, config.changelog) == (ZeroPolicy.BREAKING_IS_MINOR, "pep440", "docs/changelog.md")
    assert config.tag_formats == ("v$version", "$version")
    assert [bump(config, kind) for kind in ("feat", "fix", "refactor", "perf", "docs")] == [Bump.MINOR, Bump.PATCH, Bump.PATCH, Bump.PATCH, Bump.NONE]
    assert config.files == (
        VersionFile("pyproject.toml", "pattern", "version"),
        VersionFile("src/x/__init__.py", "pattern", "__version__"),
        VersionFile("setup.py"),
    )
    assert config.notes == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".cz.toml", '[tool.commitizen]\nversion_scheme = "semver2"\nversion_provider = "npm"\n'),
        (".cz.json", '{"commitizen": {"version_scheme": "semver2", "version_provider": "npm"}}'),
        (".cz.yaml", "commitizen:\n  version_scheme: semver2\n  version_provider: npm\n"),
    ],
)  # fmt: skip
def test_commitizen_has_files_of_its_own(file: str, text: str) -> None:
    config = found(file, text)
    assert (config.file, config.spelling, config.rules.zero, config.rules.tag_prefix) == (file, "semver", ZeroPolicy.AS_AFTER, "")
    assert [each.path for each in config.files] == ["package.json", "package-lock.json"]


def test_a_bump_map_replaces_the_default_types() -> None:
    config = found("pyproject.toml", r"""
        [tool.commitizen]
        name = "cz_customize"
        [tool.commitizen.customize]
        bump_pattern = "^(break|new|fix|hotfix)"
        [tool.commitizen.customize.bump_map]
        '^.+!$' = "MAJOR"
        "break" = "MAJOR"
        "new" = "MINOR"
        "^(fix|hotfix)" = "PATCH"
        "^:sparkles:" = "MINOR"
        """)  # fmt: skip
    assert [bump(config, kind) for kind in ("break", "new", "hotfix", "feat")] == [Bump.MAJOR, Bump.MINOR, Bump.PATCH, Bump.NONE]
    assert config.rules.breaking is Bump.MAJOR
    assert any("^:sparkles: names no commit type" in note for note in config.notes)


def test_a_plugin_is_noted() -> None:
    assert any("cz_jira is code" in note for note in found(".cz.toml", '[tool.commitizen]\nname = "cz_jira"\n').notes)


def test_the_first_commitizen_is_read_from_setup_cfg() -> None:
    config = found("setup.cfg", '[commitizen]\nname = cz_conventional_commits\nversion = 0.1.0\nfiles = ["x/__version__.py"]\n')
    assert [each.path for each in config.files] == ["setup.cfg", "x/__version__.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.semantic_release]\nmajor_on_zero = 3\n", "pyproject.toml:2: major_on_zero must be true or false"),
        ('[tool.semantic_release]\n\ntag_format = "v"\n', "pyproject.toml:3: tag_format needs {version}"),
        ("[tool.semantic_release.commit_parser_options]\ndefault_bump_level = 9\n", "pyproject.toml:2: default_bump_level must be a number"),
        ('[tool.commitizen.customize.bump_map]\n"new" = "BIG"\n', "pyproject.toml:2: new must be MAJOR"),
        ("[tool.commitizen\n", "pyproject.toml:1: no TOML"),
        ('[tool.commitizen]\ntag_format = "x"\n', "pyproject.toml:2: tag_format needs $version"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as problem:
        found("pyproject.toml", text)
    assert message in str(problem.value)
