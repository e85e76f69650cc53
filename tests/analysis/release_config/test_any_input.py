"""Whatever a file holds, the answer is a configuration, None, or a clear refusal."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.release_config import CONFIG_FILES, find_config
from cicd_agents.domain.errors import UsageError

KEYS = [
    "branches", "branch", "name", "prerelease", "range", "channel", "tagFormat", "plugins", "preset", "presetConfig", "types", "type", "section", "hidden",
    "releaseRules", "release", "scope", "breaking", "packages", ".", "changelog-sections", "extra-files", "path", "exclude-paths", "versioning", "component",
    "tool", "semantic_release", "commitizen", "commit_parser_options", "minor_tags", "default_bump_level", "version_toml", "tag_format", "bump_map",
    "customize", "version_files", "commit_types", "git", "bump", "commit_parsers", "message", "skip", "tag_pattern", "initial_tag", "tagPrefix", "bumpFiles",
    "match", "standard-version", "jobs", "steps", "with", "uses", "releaseAs", "assets", "@semantic-release/git", "@semantic-release/commit-analyzer",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from([*KEYS, "v${version}", "^feat", "minor", "+(", "{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8)


def written(value: object, file: str) -> str:
    """The table in the language of the file."""
    if file.endswith(".toml"):
        return "\n".join(f"{json.dumps(key)} = {inline(item)}" for key, item in value.items() if item is not None)  # type: ignore[attr-defined]
    return f"module.exports = {json.dumps(value)}" if file.endswith("s") else json.dumps(value)


def inline(value: object) -> str:
    """A value as TOML writes it inside a line; nothing stands for null there."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(item)}" for key, item in value.items() if item is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value if item is not None) + "]"
    return json.dumps(value)


def answer(file: str, data: bytes) -> str:
    """The file that decided, nothing, or the refusal; each names the file."""
    try:
        config = find_config({file: data})
    except UsageError as refused:
        return str(refused)
    return f"{config.file}:" if config else ""


@settings(max_examples=200, deadline=None)
@given(TABLES, st.sampled_from([file for file in CONFIG_FILES if not file.endswith(".cfg")]))
def test_no_table_makes_it_break(table: dict[str, object], file: str) -> None:
    wrapped = {"tool": {"semantic_release": table, "commitizen": table, "git-cliff": table}} if "pyproject" in file or "cz" in file else table
    assert answer(file, written(wrapped, file).encode()).partition(":")[0] in (file, "")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(CONFIG_FILES))
def test_no_bytes_make_it_break(data: bytes, file: str) -> None:
    assert answer(file, data).partition(":")[0] in (file, "")
