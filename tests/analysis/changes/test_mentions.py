"""Names of packages, files and tests in messages."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.changes.mentions import is_named_after, is_test_file, misses_module, names_file, names_of_tests, names_package, runs_package
from cicd_agents.domain.doctor import PackageChange


def package(name: str, file: str = "package-lock.json") -> PackageChange:
    return PackageChange(file, name, "1.0.0", "2.0.0")


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ("npm error Missing: is-odd@3.0.1 from lock file", "is-odd", "package-lock.json"),
        ("Cannot find module 'react'", "react", "yarn.lock"),
        ("Module not found: Can't resolve 'lodash/merge'", "lodash", "yarn.lock"),
        ("error TS7016: Could not find a declaration file for module '@types/ms'", "@types/ms", "package-lock.json"),
        ("ImportError: cannot import name 'soft_unicode' from 'markupsafe'", "markupsafe", "poetry.lock"),
        ("ModuleNotFoundError: No module named 'typing_extensions'", "typing-extensions", "uv.lock"),
        ("AttributeError: module 'numpy' has no attribute 'bool'", "numpy", "requirements.txt"),
        ("DeprecationWarning: numpy.bool is gone", "numpy", "requirements.txt"),
        ("error: package serde v1.0.200 cannot be built", "serde", "Cargo.lock"),
        ("undefined: yaml.Node in example.com/yaml/v3", "example.com/yaml", "go.mod"),
        ("Could not resolve com.example:core:1.1.0", "com.example:core", "gradle.lockfile"),
        ("Your requirements could not be resolved: acme/http 2.4.1", "acme/http", "composer.lock"),
    ],
)  # fmt: skip
def test_a_package_is_recognised_where_it_is_written_as_one(text: str, name: str, file: str) -> None:
    assert names_package(text, package(name, file), about_dependencies=False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AssertionError: expected path to be open", "path"),
        ("expected once, called twice", "once"),
        ("Cannot find module 'react-dom'", "react"),
        ("Cannot find module '@types/react'", "react"),
        ("Cannot find module 'preact'", "react"),
        ("lodash.merge is missing", "lodash"),
        ("is-oddly@3.0.1", "is-odd"),
        ("timeout of 2000 ms exceeded", "ms"),
        ("took 12 ms 1.5 s", "wrappy"),
    ],
)  # fmt: skip
def test_a_word_or_a_longer_name_is_no_package(text: str, name: str) -> None:
    assert not names_package(text, package(name), about_dependencies=False)


def test_in_a_message_about_dependencies_any_mention_counts() -> None:
    assert names_package("npm error notarget No matching version found for debug", package("debug"), about_dependencies=True)
    assert not names_package("npm error notarget No matching version found for debug", package("debug"), about_dependencies=False)
    assert not names_package("npm error notarget found for debugger", package("debug"), about_dependencies=True)


@pytest.mark.parametrize(
    ("excerpt", "name", "file"),
    [
        ("  File \"/usr/lib/python3/site-packages/werkzeug/urls.py\", line 3", "Werkzeug".lower(), "poetry.lock"),
        ("    at load (/app/node_modules/is-odd/index.js:10:3)", "is-odd", "package-lock.json"),
        ("    at load (/app/node_modules/.pnpm/ms@2.1.3/node_modules/ms/index.js:1:1)", "ms", "pnpm-lock.yaml"),
        ("/usr/local/bundle/gems/rexml-3.2.5/lib/rexml.rb:4", "rexml", "Gemfile.lock"),
        ("/root/go/pkg/mod/example.com/yaml@v1.3.0/decode.go:12", "example.com/yaml", "go.sum"),
        ("/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde-1.0.200/src/lib.rs:9", "serde", "Cargo.lock"),
    ],
)  # fmt: skip
def test_a_traceback_runs_through_installed_packages(excerpt: str, name: str, file: str) -> None:
    assert runs_package(excerpt, package(name, file))
    assert not runs_package(excerpt, package("other", file))
    assert not runs_package("    at load (/app/src/index.js:10:3)", package(name, file))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("can't open file '/app/config/prod.yml'", "config/prod.yml"),
        ("open config/prod.yml: no such file or directory", "deploy/config/prod.yml"),
        ("error in setup.cfg: bad option", "setup.cfg"),
        ("C:\\app\\config\\prod.yml is missing", "config/prod.yml"),
        ("failed to read Dockerfile: open Dockerfile", "Dockerfile"),
    ],
)  # fmt: skip
def test_a_file_is_recognised_with_its_folder(text: str, path: str) -> None:
    assert names_file(text, path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("prod.yml is missing", "config/prod.yml"), ("config/prod.yml.bak2", "config/prod.ym"), ("myconfig/prod.yml", "x/config/prod.yml"),
        ("main", "main"), ("", "a/b"), ("x", ""),
    ],
)  # fmt: skip
def test_a_bare_name_or_a_part_of_one_is_no_file(text: str, path: str) -> None:
    assert not names_file(text, path)


def test_a_module_that_is_asked_for_is_matched_with_the_file_that_held_it() -> None:
    assert misses_module("Cannot find module './cart'", "src/cart.ts")
    assert misses_module("No module named 'shop.cart'", "src/shop/cart.py")
    assert not misses_module("No module named 'chart'", "src/cart.py")
    assert not misses_module("the cart is empty", "src/cart.py")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("FAILED tests/test_cart.py::test_total - assert 1 == 2", ["test_cart", "test_total"]),
        ("--- FAIL: TestTotal (0.00s)", ["TestTotal"]),
        ("com.acme.CartTest.addsUp:42 expected 3", ["CartTest"]),
        ("the latest test of the testing suite failed; TestCase", []),
        ("TESTS FAILED", []),
    ],
)  # fmt: skip
def test_names_of_tests_are_told_from_words(text: str, names: list[str]) -> None:
    assert names_of_tests(text) == names


@pytest.mark.parametrize(
    "path",
    [
        "tests/cart.py",
        "test_cart.py",
        "src/cart_test.go",
        "src/cart.spec.ts",
        "web/__tests__/cart.js",
        "src/CartTest.java",
        "spec/cart_spec.rb",
        "CartTests.cs",
    ],
)
def test_test_files_are_known(path: str) -> None:
    assert is_test_file(path)


@pytest.mark.parametrize("path", ["src/cart.py", "src/latest.py", "contest/x.py", "src/Manifest.java", "docs/testing.md"])
def test_other_files_are_no_test_files(path: str) -> None:
    assert not is_test_file(path)


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("tests/test_cart.py", "src/cart.py"), ("src/cart.test.ts", "src/cart.vue"), ("src/cart.spec.ts", "src/cart.ts"), ("cart_test.go", "cart.go"),
        ("CartTest.java", "src/Cart.java"), ("spec/cart_spec.rb", "lib/cart.rb"),
    ],
)  # fmt: skip
def test_a_test_file_is_named_after_what_it_tests(test: str, path: str) -> None:
    assert is_named_after(test, path)
    assert not is_named_after(test, test)


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("tests/test_cart.py", "src/chart.py"), ("tests/test_cart.py", "web/cart.ts"), ("src/cart.py", "lib/cart.py"), ("src/index.test.ts", "web/index.ts"),
        ("tests/test_.py", ".gitignore"), ("", ""),
    ],
)  # fmt: skip
def test_other_files_are_not_what_it_is_named_after(test: str, path: str) -> None:
    assert not is_named_after(test, path)


def test_hostile_names_and_texts_are_answered() -> None:
    for text in ("(" * 50_000, "node_modules/" * 20_000, "test_" * 50_000, "a/" * 50_000):
        assert not names_package(text, package("(+[a"), about_dependencies=True)
        assert not runs_package(text, package("(+[a"))
        assert not names_file(text, "(+/[a.py")
        assert len(names_of_tests(text)) <= 10
