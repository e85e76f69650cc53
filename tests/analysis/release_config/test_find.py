import pytest

from cicd_agents.analysis.release_config import CONFIG_FILES, find_config
from cicd_agents.analysis.release_config.document import MAX_BYTES
from cicd_agents.analysis.release_config.type_rules import glob_of_pattern, types_of_pattern
from cicd_agents.domain.errors import UsageError

ALL = {
    "release-please-config.json": b'{"packages": {".": {}}}',
    ".releaserc": b"{}",
    "release.config.js": b"module.exports = {}",
    "package.json": b'{"release": {}, "standard-version": {}}',
    "pyproject.toml": b"[tool.semantic_release]\n[tool.commitizen]\n[tool.git-cliff]\n",
    ".versionrc": b"{}",
    "cog.toml": b"",
    ".cz.toml": b"[tool.commitizen]\n",
    "cliff.toml": b"",
}
ORDER = [
    "release-please-config.json", ".releaserc", "release.config.js", "package.json (release)", "pyproject.toml [tool.semantic_release]", ".versionrc",
    "package.json (standard-version)", "cog.toml", ".cz.toml [tool.commitizen]", "pyproject.toml [tool.commitizen]", "cliff.toml",
    "pyproject.toml [tool.git-cliff]",
]  # fmt: skip


def test_the_first_of_the_files_decides_in_a_fixed_order() -> None:
    files, deciding = dict(ALL), []
    while (config := find_config(files)) is not None:
        deciding.append(config.rules.source)
        if config.file in ("package.json", "pyproject.toml"):
            used = b'"release": {}, ' if config.rules.source.endswith("(release)") else b'"standard-version": {}'
            table = config.rules.source.partition(" ")[2].encode() + b"\n"
            files[config.file] = files[config.file].replace(used, b"").replace(table, b"")
        else:
            del files[config.file]
    assert deciding == ORDER


def test_files_that_are_not_used_are_told() -> None:
    config = find_config(ALL)
    assert config is not None
    assert "cliff.toml is there as well and is not used; release-please-config.json decides" in config.notes
    assert not any(note.startswith("package.json") for note in config.notes)


def test_files_without_such_settings_decide_nothing() -> None:
    assert find_config({"package.json": b'{"name": "x"}', "pyproject.toml": b"[project]\nname='x'\n", "setup.cfg": b"[flake8]\n", "README.md": b"\xff"}) is None
    assert find_config({".cz.json": b'{"path": "cz-conventional-changelog"}'}) is None


def test_every_file_that_is_read_is_asked_for() -> None:
    assert set(ALL) | {".release-please-manifest.json", "setup.cfg", "Cargo.toml"} <= set(CONFIG_FILES)
    assert len(set(CONFIG_FILES)) == len(CONFIG_FILES)


BOMB = "\n".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9) if level else 'x'}]" for level in range(9))


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        (".releaserc", BOMB.encode(), ".releaserc:1: the file's aliases make it larger"),
        (".releaserc", b"a: &a\n  b: *a\n", ".releaserc:1: the file's aliases make it larger"),
        (".releaserc", b"[" * 20_000, ".releaserc:1: no YAML"),
        (".releaserc.json", b"[" * 200_000, ".releaserc.json:1: the file is nested too deeply"),
        ("cog.toml", b"a=" + b"[" * 200_000, "cog.toml:1: the file is nested too deeply"),
        (".releaserc.json", b'{"a": ' + b"9" * 5000 + b"}", ".releaserc.json:1: the file is nested too deeply"),
        (".releaserc", b"a: 2024-99-99", ".releaserc:1: the file is nested too deeply"),
        (".releaserc", b"!!python/object/apply:os.system [ls]", ".releaserc:1: no YAML"),
        ("cog.toml", b"x" * (MAX_BYTES + 1), "cog.toml:1: the file is larger than 512 KiB"),
        ("cog.toml", b"a = 1\nb = '\xff'\n", "cog.toml:2: the file is not UTF-8"),
        ("setup.cfg", b"x = 1\n", "setup.cfg:1: a line stands before the first section"),
        ("setup.cfg", b"[a]\n[\n", "setup.cfg:2: a line cannot be read"),
    ],
)  # fmt: skip
def test_hostile_and_damaged_files_are_refused_with_file_and_line(file: str, data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as problem:
        find_config({file: data})
    assert str(problem.value).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "module.exports = " + "[" * 100_000,
        "/*" * 100_000,
        "module.exports = '" + "\\'" * 100_000,
        "export default " + "{a:" * 90_000,
        "`${" * 100_000,
        "/[" * 90_000,
    ],
)
def test_hostile_javascript_is_code(text: str) -> None:
    config = find_config({"release.config.js": text.encode()})
    assert config is not None
    assert any("is code and is not run" in note for note in config.notes)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert find_config({".releaserc.json": b'\xef\xbb\xbf{"tagFormat": "${version}"}'}) is not None


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("^feat", (("feat*", None),)),
        ("^feat:", (("feat", None),)),
        ("^fix(\\(.*\\))?:", (("fix", None),)),
        ("^(fix|perf)", (("fix*", None), ("perf*", None))),
        ("(?i)^Docs?", (("docs*", None),)),
        ("^chore\\(release\\): prepare", (("chore", "release"),)),
        ("^chore\\(deps.*\\)", (("chore", "deps*"),)),
        ("^a|^b", (("a*", None), ("b*", None))),
        ("^chore\\(deps\\)|^build\\(deps\\)", (("chore", "deps"), ("build", "deps"))),
        ("^feat[(:!]", (("feat*", None),)),
        ("^a|^.*", None),
        ("^Merge branch", None),
        (".*security", None),
        ("^:bug:", None),
        ("", None),
        ("a" * 400, None),
    ],
)  # fmt: skip
def test_expressions_of_titles_name_types(pattern: str, meant: tuple[tuple[str, str | None], ...] | None) -> None:
    assert types_of_pattern(pattern) == meant


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        ("^chore: bump version to", "chore: bump version to*"),
        ("^chore: merge .* into release/$", "chore: merge * into release/"),
        ("[skip ci]", None),
        ("Merge pull request", "*Merge pull request*"),
        (r"^release\(x\): v1\.2", "release(x): v1.2*"),
        (".*", None),
        ("a+", None),
    ],
)  # fmt: skip
def test_simple_expressions_of_titles_become_globs(pattern: str, glob: str | None) -> None:
    assert glob_of_pattern(pattern) == glob
