"""What a failure names: packages, files, tests (pure). A name that is also a plain word counts only where it is written as a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cicd_agents.analysis.changes.places import parts_of
from cicd_agents.domain.doctor import PackageChange

# Messages longer than this are cut: names stand near the beginning.
MAX_TEXT = 4000
_PYTHON = re.compile(r"(?:^|/)(?:(?:poetry|uv|pdm|Pipfile)\.lock|[^/]*\.(?:txt|toml))$")
_INSTALLED = r"(?:site-packages|dist-packages|node_modules|\.pnpm|gems|vendor|pkg/mod|registry/src/[\w.-]{1,80})/"
# A log that prints a path from somewhere inside the repository leaves out a folder or two.
_MOST_FOLDERS = 6
# A package whose name has one of these is no word of the language.
_DISTINCT = re.compile(r"[-_./@:\d]")


def names_package(text: str, change: PackageChange, *, about_dependencies: bool) -> bool:
    """Whether a message names the package. In a message about dependencies any mention counts, elsewhere `path` has to look like a package."""
    text, python = text[:MAX_TEXT], bool(_PYTHON.search(change.file))
    if _alike(change.package) not in _alike(text):
        return False
    loose, strict = _shapes(_spelling(change.package, python), python)
    if about_dependencies or (len(change.package) > 4 and _DISTINCT.search(change.package)):
        return loose.search(text) is not None
    return strict.search(text) is not None


def runs_package(excerpt: str, change: PackageChange) -> bool:
    """Whether a traceback runs through the installed files of the package."""
    if _alike(change.package) not in _alike(excerpt[: 4 * MAX_TEXT]):
        return False
    name = _spelling(change.package, bool(_PYTHON.search(change.file)))
    return re.search(_INSTALLED + name + r"(?:[/@]|-\d|\.py\b)", excerpt[: 4 * MAX_TEXT]) is not None


def _alike(text: str) -> str:
    """What all spellings of a name have in common; most packages are told from most messages by it, without a pattern."""
    return text.lower().replace("_", "-").replace(".", "-")


def _spelling(package: str, python: bool) -> str:
    return re.sub(r"\\?[-_.]", "[-_.]", re.escape(package)) if python else re.escape(package)


def _shapes(name: str, python: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The name as a word of its own, and the name as only a package is written: quoted, with a version, imported."""
    case = re.IGNORECASE if python else 0
    after = r"(?![\w-])" if python else r"(?![\w-]|\.\w)"
    quoted = rf"[\"'`\u2018\u201c]{name}(?=[\"'`\u2019\u201d@/]|\.\w)"
    attribute = rf"|(?<![\w@/.-]){name}(?=\.[A-Za-z_]\w*)" if python else ""
    versioned = rf"|(?<![\w@/.-]){name}(?=@\^?~?\d|={{2,3}}\s?\d|[ -]v?\d+\.\d| \(v?\d+\.)"
    named = rf"|\b(?:package|module|crate|gem|library|distribution|import|require|dependency) {name}{after}"
    return re.compile(rf"(?<![\w@/.-]){name}{after}", case), re.compile(quoted + attribute + versioned + named, case)


def names_file(text: str, path: str) -> bool:
    """Whether a message holds the path of the file, at least its last folder and its name."""
    parts = parts_of(path)
    if len(parts) < 2:
        return bool(parts) and ("." in parts[0] or parts[0].endswith("file")) and _word(text, parts[0])
    return _word(text, path) or any(_word(text, "/".join(parts[-many:])) for many in range(2, min(len(parts), _MOST_FOLDERS)))


def misses_module(text: str, path: str) -> bool:
    """Whether a message asks for a module by the name of this file: `'./cart'`, `shop.cart`."""
    stem = _stem(path)
    return len(stem) > 2 and re.search(rf"[\"'`./\\]{re.escape(stem)}[\"'`]", text[:MAX_TEXT]) is not None


def _word(text: str, name: str) -> bool:
    """The name in the text, not inside of a longer name; a folder may stand before it."""
    text = text[: 4 * MAX_TEXT].replace("\\", "/")
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before in {"_", "-", "."}) and not (after.isalnum() or after in {"_", "-", "/"}):
            return True
        at = text.find(name, at + 1)
    return False


_IDENTIFIER = re.compile(r"\b[A-Za-z_]\w{5,120}\b")
_TESTING = re.compile(r"test|spec", re.IGNORECASE)
_FRAMEWORK = frozenset({
    "TestCase", "TestSuite", "TestRunner", "TestResult", "UnitTest", "test_suite", "JUnitTest", "PyTest", "TestFailure", "TestError",
    "AssertionTest", "RSpec",
})  # fmt: skip


def names_of_tests(text: str) -> list[str]:
    """The names of tests in a message, at most 10: `test_total`, `TestTotal`, `CartTest`; no plain words such as latest."""
    found = dict.fromkeys(name for name in _IDENTIFIER.findall(text[:MAX_TEXT]) if _TESTING.search(name) and name not in _FRAMEWORK and _is_compound(name))
    return list(found)[:10]


def _is_compound(name: str) -> bool:
    return "_" in name.strip("_") or (name != name.lower() and name[1:] != name[1:].lower() and name != name.upper())


_TEST_FILE = re.compile(r"(?:^|[/._-])(?:tests?|specs?|__tests__)(?:[/._-]|$)|[a-z](?:Tests?|Spec|IT)\.\w+$")
# Names that many folders have: a test of that name may be of any of them.
_COMMON_STEMS = frozenset({"index", "main", "app", "utils", "util", "types", "helpers", "models", "views", "config", "common"})
# What tests of one may be written in for another.
_SCRIPTS = frozenset({"js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "vue", "svelte"})
_AFFIXES = re.compile(r"^(?:test|spec)[_-]|[._-](?:tests?|specs?|unit|e2e)(?=\.|$)|(?:Tests?|Spec|IT)$")


def is_test_file(path: str) -> bool:
    """Whether the file holds tests, by its name or folder."""
    return _TEST_FILE.search(path[-1000:]) is not None


def is_named_after(test_file: str, path: str) -> bool:
    """Whether a test file is named after a file: test_cart.py, cart.spec.ts, cart_test.go after cart, CartTest.java after Cart.java."""
    stem = _stem(test_file)
    subject = _AFFIXES.sub("", stem)
    if subject == stem or len(subject) < 3 or subject in _COMMON_STEMS or not is_test_file(test_file):
        return False
    return subject in stems(path) and _language(test_file) == _language(path) and not is_test_file(path)


def _language(path: str) -> str:
    ending = path[-1000:].rpartition(".")[2]
    return "js" if ending in _SCRIPTS else ending


def _stem(path: str) -> str:
    """The file name up to its last dot; of `cart.spec.ts` that is `cart.spec`."""
    name = path[-1000:].replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def stems(path: str) -> Iterator[str]:
    """The file name without its last ending, and without all of them."""
    stem = _stem(path)
    yield stem
    yield stem.partition(".")[0]
