"""Lock files of every format in two states, and what is said when one cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.changes.lockfiles import _BY_NAME, MAX_BYTES, MAX_CHANGES, LockComparison, compared, is_lock_file
from cicd_agents.domain.doctor import PackageChange

DATA = Path(__file__).parents[2] / "data" / "lockfiles"
Told = dict[str, tuple[str | None, str | None]]

NODE: Told = {
    "@types/ms": (None, "2.1.0"), "is-number": ("4.0.0, 6.0.0", "6.0.0, 7.0.0"), "is-odd": ("2.0.0", "3.0.1"), "left-pad": ("1.2.0", "1.3.0"),
    "ms": ("2.1.2", "2.1.3"), "once": ("1.4.0", None), "wrappy": ("1.0.2", None),
}  # fmt: skip
PYTHON: Told = {"idna": ("3.6", "3.7"), "iniconfig": ("1.1.1", None), "six": ("1.15.0", "1.16.0"), "zipp": (None, "3.19.0")}
GO: Told = {
    "example.com/new": (None, "v0.1.0"), "example.com/old": ("v0.0.0-20240102030405-abcdefabcdef", None),
    "example.com/text/v2": ("v2.0.1", "v2.1.0"), "example.com/yaml": ("v1.2.0", "v1.3.0"),
}  # fmt: skip
SWIFT: Told = {"fresh": (None, "0.1.0"), "gone": ("2.0.0", None), "log": ("1.0.0", "1.1.0"), "nio": ("main (git ccccccc)", "main (git eeeeeee)")}
EXPECTED: dict[str, Told] = {
    **dict.fromkeys(("npm-1", "npm-2", "npm-3", "yarn-classic", "yarn-berry", "pnpm-5.2", "pnpm-5.4", "pnpm-6.0", "pnpm-9.0", "bun"), NODE),
    **dict.fromkeys(("uv", "pipenv", "pdm", "pylock", "pip-compile", "uv-compile"), PYTHON),
    "poetry": {"click": (None, "8.1.7"), "colorama": (None, "0.4.6"), "idna": ("3.6", "3.7"), "packaging": ("24.0", None), "six": ("1.15.0", "1.16.0")},
    "cargo": {"fresh": (None, "0.3.0"), "gone": ("0.1.0", None), "itoa": ("0.4.8, 1.0.9", "0.4.8, 1.0.11"), "serde": ("1.0.190", "1.0.200")},
    "go-sum": GO, "go-mod": GO,
    "bundler": {"ast": ("2.4.1", None), "diff-lcs": (None, "1.5.0"), "minitest": ("5.15.0", "5.17.0")},
    "composer": {"acme/http": ("v2.3.0", "v2.4.1"), "acme/log": ("1.0.0", "1.1.0"), "acme/old": ("0.9.0", None), "acme/probe": ("3.0.0", "3.1.0")},
    "gradle": {
        "com.example:core": ("1.0.0", "1.1.0"), "com.example:fresh": (None, "0.1"), "com.example:gone": ("2.0", None),
        "com.example:log": ("1.1, 1.2", "1.1, 1.3"),
    },
    "gradle-per-configuration": {"com.example:core": ("1.0.0", "1.1.0"), "com.example:fresh": (None, "0.1"), "com.example:gone": ("2.0", None)},
    "nuget": {"Dapper": (None, "2.1.35"), "Polly": ("8.2.0", None), "Serilog": ("3.1.1", "4.0.0")},
    "mix": {"icons": ("git 88ab3a0", "git 1122334"), "jason": ("1.4.0", "1.4.4"), "mint": (None, "1.6.2"), "plug": ("1.15.0", None)},
    "pub": {
        "async": ("2.10.0", "2.11.0"), "dart SDK": (">=2.18.0 <3.0.0", ">=3.0.0 <4.0.0"), "dio": (None, "5.4.0"), "http": ("0.13.5", None),
        "tools": ("1.0.0 (git aaaaaaa)", "1.0.0 (git bbbbbbb)"),
    },
    "cocoapods": {"Firebase": ("10.0.0", "10.1.0"), "Kingfisher": (None, "7.0.0"), "SnapKit": ("5.0.1", None)},
    "swift-1": SWIFT, "swift-2": SWIFT,
}  # fmt: skip


def told(found: LockComparison) -> Told:
    return {change.package: (change.old, change.new) for change in found.changes}


def states(folder: str) -> tuple[str, bytes, bytes]:
    (old,) = (DATA / folder / "old").iterdir()
    path = f"gradle/dependency-locks/{old.name}" if folder == "gradle-per-configuration" else f"services/api/{old.name}"
    return path, old.read_bytes(), (DATA / folder / "new" / old.name).read_bytes()


def test_every_folder_of_lock_files_has_its_expectation() -> None:
    assert {entry.name for entry in DATA.iterdir() if entry.is_dir()} == set(EXPECTED)


@pytest.mark.parametrize("folder", EXPECTED)
def test_the_updates_of_a_lock_file_are_told(folder: str) -> None:
    path, old, new = states(folder)
    found = compared(path, old, new)
    assert told(found) == EXPECTED[folder]
    assert found.note == ""
    assert {change.file for change in found.changes} == {path}


@pytest.mark.parametrize("folder", EXPECTED)
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(folder: str) -> None:
    path, old, new = states(folder)
    windows = b"\xef\xbb\xbf" + new.replace(b"\n", b"\r\n")
    assert compared(path, new, windows) == LockComparison()
    assert told(compared(path, old, windows)) == EXPECTED[folder]


@pytest.mark.parametrize("folder", EXPECTED)
def test_a_new_lock_file_adds_and_a_deleted_one_removes_all_its_packages(folder: str) -> None:
    path, old, _ = states(folder)
    added, removed = compared(path, None, old), compared(path, old, None)
    assert added.changes
    assert all(change.old is None for change in added.changes)
    assert [(change.package, change.new) for change in added.changes] == [(change.package, change.old) for change in removed.changes]


def test_requirements_in_utf_16_are_read() -> None:
    assert told(compared("requirements.txt", b"six==1.15.0\n", "six==1.16.0\r\n".encode("utf-16"))) == {"six": ("1.15.0", "1.16.0")}


def lock(name: str, text: str) -> Told:
    """What the file says, as packages that were added."""
    return told(compared(name, None, text.encode()))


SHA = "0123456789abcdef0123456789abcdef01234567"
AT = "1.0.0 (git 0123456)"


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("package-lock.json", json.dumps({"packages": {"node_modules/x": {"version": "1.0.0", "resolved": f"git+ssh://git@a.b/x.git#{SHA}"}}}), AT),
        ("package-lock.json", json.dumps({"dependencies": {"x": {"version": f"github:me/x#{SHA}"}}}), "git 0123456"),
        ("yarn.lock", f'x@me/x:\n  version "1.0.0"\n  resolved "https://codeload.github.com/me/x/tar.gz/{SHA}"\n', AT),
        ("yarn.lock", f'"x@git+https://example.com/x.git":\n  version "1.0.0"\n  resolved "git+https://example.com/x.git#{SHA}"\n', AT),
        ("yarn.lock", f'"x@git@a.b:x.git":\n  version: 1.0.0\n  resolution: "x@https://a.b/x.git#commit={SHA}"\n  linkType: hard\n', AT),
        ("pnpm-lock.yaml", f"packages:\n\n  github.com/me/x/{SHA}:\n    name: x\n    version: 1.0.0\n", AT),
        ("pnpm-lock.yaml", f"packages:\n  x@https://codeload.github.com/me/x/tar.gz/{SHA}:\n    version: 1.0.0\n", AT),
        ("bun.lock", '{\n  "packages": {\n    "x": ["x@github:me/x#0123456", {}, "me-x-0123456"],\n  }\n}', "git 0123456"),
        ("poetry.lock", f'[[package]]\nname = "x"\nversion = "1.0.0"\n\n[package.source]\ntype = "git"\nresolved_reference = "{SHA}"\n', AT),
        ("uv.lock", f'[[package]]\nname = "x"\nversion = "1.0.0"\nsource = {{ git = "https://example.com/x?rev=main#{SHA}" }}\n', AT),
        ("pdm.lock", f'[[package]]\nname = "x"\nversion = "1.0.0"\ngit = "https://example.com/x.git"\nref = "main"\nrevision = "{SHA}"\n', AT),
        ("pylock.toml", f'[[packages]]\nname = "x"\nvcs = {{ type = "git", url = "https://example.com/x.git", commit-id = "{SHA}" }}\n', "git 0123456"),
        ("Pipfile.lock", json.dumps({"default": {"x": {"git": "https://example.com/x.git", "ref": SHA}}}), "git 0123456"),
        ("requirements.txt", f"x @ git+https://example.com/x.git@{SHA}\n", "git 0123456"),
        ("Cargo.lock", f'[[package]]\nname = "x"\nversion = "1.0.0"\nsource = "git+https://example.com/x?branch=main#{SHA}"\n', AT),
        ("Gemfile.lock", f"GIT\n  remote: https://example.com/x.git\n  revision: {SHA}\n  specs:\n    x (1.0.0)\n", AT),
        ("composer.lock", json.dumps({"packages": [{"name": "x", "version": "dev-main", "source": {"reference": SHA}}]}), "dev-main (git 0123456)"),
    ],
)  # fmt: skip
def test_a_dependency_from_a_repository_is_told_with_its_commit(name: str, text: str, version: str) -> None:
    assert lock(name, text) == {"x": (None, version)}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package-lock.json", json.dumps({"packages": {"": {"version": "2.0.0"}, "packages/a": {"version": "1.0.0"}, "node_modules/a": {"link": True}}})),
        ("package-lock.json", json.dumps({"dependencies": {"a": {"version": "file:packages/a"}}})),
        ("yarn.lock", '"a@workspace:packages/a":\n  version: 0.0.0-use.local\n  resolution: "a@workspace:packages/a"\n  linkType: soft\n'),
        ("pnpm-lock.yaml", "packages:\n  file:packages/a:\n    name: a\n    version: 1.0.0\n  'b@file:packages/b':\n    version: 1.0.0\n"),
        ("bun.lock", '{\n  "packages": {\n    "a": ["a@workspace:packages/a"],\n  }\n}'),
        ("poetry.lock", '[[package]]\nname = "a"\nversion = "1"\n\n[package.source]\ntype = "directory"\nurl = "libs/a"\n'),
        ("uv.lock", '[[package]]\nname = "a"\nversion = "1"\nsource = { editable = "." }\n'),
        ("uv.lock", '[[package]]\nname = "b"\nversion = "1"\nsource = { virtual = "." }\n'),
        ("pylock.toml", '[[packages]]\nname = "a"\ndirectory = { path = ".", editable = true }\n'),
        ("pylock.toml", '[[packages]]\nname = "b"\nversion = "1"\n[packages.directory]\npath = "b"\n'),
        ("pdm.lock", '[[package]]\nname = "a"\nversion = "1"\npath = "./libs/a"\n'),
        ("Pipfile.lock", json.dumps({"_meta": {"sources": {"version": "1"}}, "default": {"a": {"editable": True, "path": "."}}})),
        ("Cargo.lock", '[[package]]\nname = "a"\nversion = "1.0.0"\n'),
        ("Gemfile.lock", "PATH\n  remote: engine\n  specs:\n    a (1.0.0)\n"),
        ("composer.lock", json.dumps({"packages": [{"name": "a/a", "version": "1", "dist": {"type": "path"}}]})),
    ],
)  # fmt: skip
def test_packages_of_the_repository_itself_are_left_out(name: str, text: str) -> None:
    assert lock(name, text) == {}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pnpm-lock.yaml", "packages:\n  /a/1.0.0_react@17.0.0:\n    dev: true\n  /@s/b/2.0.0:\n    dev: true\n", {"a": "1.0.0", "@s/b": "2.0.0"}),
        ("pnpm-lock.yaml", "packages:\n  '@s/b@2.0.0(react@18.0.0(x@1.0.0))': {}\n  a@1.0.0: {}\nsnapshots:\n  z@9: {}\n", {"a": "1.0.0", "@s/b": "2.0.0"}),
        ("yarn.lock", '"@s/a@^1.0.0", "@s/a@^1.1.0":\n  version "1.2.0"\n  dependencies:\n    version "^9"\n', {"@s/a": "1.2.0"}),
        ("yarn.lock", '"a@patch:a@npm%3A^1.0.0#~/.yarn/patches/a.patch":\n  version: 1.0.0\n  resolution: "a@patch:a@npm%3A1.0.0#~/x.patch"\n', {"a": "1.0.0"}),
        ("Gemfile.lock", "GEM\n  specs:\n    nokogiri (1.15.0)\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n", {"nokogiri": "1.15.0"}),
        ("Gemfile.lock", "RUBY VERSION\n   ruby 3.3.0p0\n\nBUNDLED WITH\n   2.5.4\n", {"ruby": "3.3.0p0", "bundler": "2.5.4"}),
        ("go.sum", "example.com/a v1.0.0 h1:x=\nexample.com/a v1.0.0/go.mod h1:y=\nexample.com/b v0.9.0/go.mod h1:z=\n", {"example.com/a": "v1.0.0"}),
        ("go.mod", "module m\n\ngo 1.22.1\ntoolchain go1.22.3\nrequire a.b/c v1.0.0 // indirect\nreplace a.b/c => ../c\nexclude (\n\ta.b/d v1\n)\n",
         {"go": "1.22.1", "toolchain": "go1.22.3", "a.b/c": "replaced by ../c, v1.0.0"}),
        ("requirements.txt", "-r base.txt\n# six==1\nSix [socks]== 1.16.0 ; python_version > '3' # why\n--index-url https://x\n./local\n", {"six": "1.16.0"}),
        ("requirements.txt", "flask>=2, <3\nzope.interface\na==1.* \\\n    --hash=sha256:aa\n", {"flask": ">=2,<3", "zope-interface": "any", "a": "==1.*"}),
        ("requirements.txt", "x @ https://example.com/x-1.0.whl\n", {"x": "https://example.com/x-1.0.whl"}),
        ("composer.lock", json.dumps({"packages": [{"name": "a/a", "version": "1.0.0", "source": {"reference": SHA}}]}), {"a/a": "1.0.0"}),
    ],
)  # fmt: skip
def test_the_particulars_of_formats_are_understood(name: str, text: str, expected: dict[str, str]) -> None:
    assert lock(name, text) == {package: (None, version) for package, version in expected.items()}


def test_versions_are_sorted_as_numbers_and_counted_where_there_are_many() -> None:
    some = {f"a{number}/node_modules/x": {"version": f"{number}.0.0"} for number in (10, 9, 1)}
    many = {f"a{number}/node_modules/x": {"version": f"1.{number}.0"} for number in range(20)}
    (change,) = compared("package-lock.json", json.dumps({"packages": some}).encode(), json.dumps({"packages": many}).encode()).changes
    assert change.old == "1.0.0, 9.0.0, 10.0.0"
    assert change.new is not None
    assert change.new.endswith("1.11.0, and 8 more")


def test_only_so_many_changes_are_listed_and_the_rest_is_counted() -> None:
    new = "".join(f"package{number}==1.0\n" for number in range(MAX_CHANGES + 51))
    found = compared("requirements.txt", None, new.encode())
    assert len(found.changes) == MAX_CHANGES
    assert found.note == "Of 251 packages that changed in requirements.txt, 200 are listed."


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("package-lock.json", b"{", "it is not JSON"),
        ("package-lock.json", b"[" * 200_000, "it is not JSON"),
        ("package-lock.json", b'{"a":' * 100_000, "it is not JSON"),
        ("composer.lock", b"[1, 2]", "it is not a JSON object"),
        ("Pipfile.lock", b'{"a": ' + b"9" * 5000 + b"}", "it is not JSON"),
        ("yarn.lock", b"<<<<<<< HEAD\nms@1:\n  version 1\n=======\nms@2:\n  version 2\n>>>>>>> main\n", "it holds the marks of an unsolved merge conflict"),
        ("poetry.lock", b"not a lock file at all", "no package was found in its new state"),
        ("uv.lock", b"\0" * 100, "no package was found in its new state"),
        ("go.sum", b"x" * (MAX_BYTES + 1), "it has more than 16 MiB"),
    ],
)  # fmt: skip
def test_a_damaged_file_changes_nothing_and_says_why(name: str, data: bytes, why: str) -> None:
    good = {"package-lock.json": b'{"packages": {"node_modules/a": {"version": "1"}}}', "composer.lock": b"{}", "Pipfile.lock": b"{}"}
    old = good.get(name, b'a@1:\n  version "1"\n[[package]]\nname = "a"\nversion = "1"\n')
    assert compared(name, old, data) == LockComparison(note=f"{name} could not be compared: {why}.")


def test_names_and_versions_that_no_package_manager_writes_are_left_out() -> None:
    packages = {f"node_modules/{name}": {"version": "1.0.0"} for name in ("a\nb", "\x1b[31m", "\ud800", "x" * 400, "\u202eevil", "")}
    versions = {f"node_modules/v{number}": {"version": text} for number, text in enumerate(("1\r2", "9" * 200, ""))}
    data = json.dumps({"packages": {**packages, **versions, "node_modules/fine": {"version": "1.0.0"}}}).encode()
    assert compared("package-lock.json", None, data).changes == (PackageChange("package-lock.json", "fine", None, "1.0.0"),)


@pytest.mark.parametrize("value", [None, 1, [], "x", {"version": 1}, {"version": ["1"]}, {"version": {"a": "b"}}, {"dependencies": []}])
def test_wrong_shapes_inside_json_read_as_empty(value: object) -> None:
    inner = [{key: {name: value}} for key, name in (("packages", "node_modules/a"), ("dependencies", "a"), ("default", "a"))]
    shapes = [*inner, {"packages": value}, {"dependencies": value}, {"default": value}, {"pins": [value]}, {"object": value}]
    for name in ("package-lock.json", "composer.lock", "Pipfile.lock", "packages.lock.json", "Package.resolved"):
        for shape in shapes:
            assert compared(name, None, json.dumps(shape).encode()) == LockComparison()


@pytest.mark.parametrize("path", [
    "requirements.txt", "a/requirements-dev.txt", "dev_requirements.txt", "requirements/base.txt", "constraints.txt", "pylock.dev.toml",
    "app/gradle/dependency-locks/x.lockfile", "src/packages.Shop.lock.json", "web/package-lock.json",
])  # fmt: skip
def test_lock_files_are_known_by_their_names(path: str) -> None:
    assert is_lock_file(path)


@pytest.mark.parametrize("path", ["package.json", "README.txt", "docs/lock.md", "Cargo.toml", "poetry.lock.bak", "yarn.lock/x", "my-package-lock.json", ""])
def test_other_files_are_no_lock_files(path: str) -> None:
    assert not is_lock_file(path)
    assert compared(path, b"a", b"b") == LockComparison(note=f"{path} is no lock file that can be read.")


NAMES = [*_BY_NAME, "requirements.txt", "gradle/dependency-locks/a.lockfile"]
PIECES = st.sampled_from(
    [b"[[package]]\n", b'name = "a"\n', b'version = "1"\n', b"packages:\n", b"  /a/1:\n", b"    version: 1\n", b"a@1:\n", b'  version "1"\n', b"PODS:\n",
     b"  - a (1)\n", b"GEM\n", b"    a (1)\n", b'{"packages":{"node_modules/a":{"version":"1"}}}', b"require (\n", b")\n", b"a b/go.mod h1:c\n",
     b'  "packages": {\n', b'    "a": ["a@1"],\n', b"a==1 \\\n", b"a:b:1=c\n", b'"a": {:hex, :a, "1"}\n',
     b"\xff\xfe", b"\0", b"\xed\xa0\x80", b"\r", b"\n", b"<<<<<<< a\n", b"[", b"{", b'"', b"'", b"@", b"::", b"#", b" " * 300, b"a" * 300]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join))


@pytest.mark.parametrize("name", NAMES)
@given(old=BYTES, new=BYTES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_give_an_answer_within_bounds(name: str, old: bytes, new: bytes) -> None:
    found = compared(name, old, new)
    assert len(found.changes) <= MAX_CHANGES
    assert all(change.old != change.new and change.package.isprintable() for change in found.changes)
    assert not compared(name, new, new).changes


@pytest.mark.parametrize("name", NAMES)
def test_endless_repetition_does_not_stop_a_reader(name: str) -> None:
    """Each of these would take minutes in a reader whose time grows with the square of the text."""
    for piece in (b"a ", b" ", b".git#", b"@a/", b"    a (1)", b"  - a/", b"a[", b"\\\n", b'"a": ["', b"_", b"1."):
        assert isinstance(compared(name, None, piece * (60_000 // len(piece))), LockComparison)
