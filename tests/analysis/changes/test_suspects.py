"""Which commits are suspected, why, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.changes.suspects import MAX_REASONS, MAX_SUSPECTS, FailureFacts, facts_of, suspects
from cicd_agents.domain.ci import Commit, Comparison, FileChange
from cicd_agents.domain.doctor import CATEGORIES, Excerpt, Failure, PackageChange, Suspect
from cicd_agents.domain.finding import Location

GOOD, BAD = "a" * 40, "b" * 40
PATCH = "@@ -10,3 +10,4 @@ def total(cart):\n     sum = 0\n+    sum += fee\n     return sum\n"
WORKFLOW = "@@ -5,3 +5,3 @@ jobs:\n     steps:\n-      - run: make check\n+      - name: Unit tests\n+        run: make test\n"


def commit(sha: str, *files: str, time: float | None = None) -> Commit:
    return Commit(sha, f"subject of {sha}\n\nbody", "Ada", time, f"https://example.com/{sha}", files)


def compared(*commits: Commit, files: tuple[FileChange, ...] = (), complete: bool = True) -> Comparison:
    named = {change.path for change in files}
    others = dict.fromkeys(path for item in commits for path in item.files or () if path not in named)
    return Comparison(GOOD, BAD, commits, (*files, *(FileChange(path) for path in others)), complete)


def one_reason(failure: FailureFacts, *files: FileChange, packages: tuple[PackageChange, ...] = ()) -> str | None:
    """The reason against the one commit of two that touches the files; None: no suspect."""
    touching = commit("c1", *(path for change in files for path in (change.path, change.previous_path) if path))
    found = suspects(failure, compared(touching, commit("c2", "LICENSE"), files=files), packages)
    assert [item.sha for item in found] in ([], ["c1"])
    return found[0].reasons[0] if found else None


TEST = FailureFacts(category="test_failure", phase="test", path="tests/test_cart.py", line=30, text="FAILED tests/test_cart.py::test_total - assert 1 == 2")
COMPILE = FailureFacts(category="compile", phase="build", path="/app/src/cart.py", line=11, text="error: x")
DEPENDENCY = FailureFacts(category="dependency_resolution", phase="build", text="ERROR: Cannot install urllib3 2.2.0", title="Two packages exclude each other")
MISSING = FailureFacts(category="missing_tool_or_file", phase="build", text="open /app/config/prod.yml: no such file")
URLLIB = PackageChange("poetry.lock", "urllib3", "1.26.18", "2.2.0")


@pytest.mark.parametrize(
    ("failure", "change", "reason"),
    [
        (COMPILE, FileChange("src/cart.py", patch=PATCH), "touches the failing file src/cart.py at the failing line 11"),
        (replace(COMPILE, line=13), FileChange("src/cart.py", patch=PATCH), "touches the failing file src/cart.py next to the failing line 13"),
        (replace(COMPILE, line=200), FileChange("src/cart.py", patch=PATCH), "touches the failing file src/cart.py"),
        (COMPILE, FileChange("src/cart.py"), "touches the failing file src/cart.py"),
        (COMPILE, FileChange("src/cart.py", "added"), "adds the failing file src/cart.py"),
        (replace(COMPILE, path="/app/util/cart.py"), FileChange("lib/util/cart.py"),
         "touches lib/util/cart.py, which may be the failing file /app/util/cart.py"),
        (TEST, FileChange("src/cart.py"), "touches src/cart.py, after which the failing test file tests/test_cart.py is named"),
        (replace(TEST, path=""), FileChange("tests/test_cart.py"), "touches tests/test_cart.py, which holds the failing test"),
        (replace(TEST, path="", text="--- FAIL: TestTotal (0.00s)"), FileChange("pkg/cart_test.go", patch="@@ -1 +1 @@ func TestTotal(t T) {\n+x"),
         "touches the failing test TestTotal in pkg/cart_test.go"),
        (replace(TEST, path="", text="CartTest > adds up FAILED"), FileChange("src/CartTest.java"), "touches src/CartTest.java, which holds the failing test"),
        (MISSING, FileChange("config/prod.yml", "removed"), "removes config/prod.yml, which the failure names"),
        (MISSING, FileChange("config/live.yml", "renamed", "config/prod.yml"), "renames config/prod.yml to config/live.yml, which the failure names"),
        (FailureFacts(category="compile", text="Cannot find module './cart'"), FileChange("src/cart.ts", "removed"),
         "removes src/cart.ts, which the failure names"),
        (FailureFacts(category="other", text="boom", excerpt=("  at pay (/app/src/pay.js:3:1)",)), FileChange("src/pay.js"),
         "touches src/pay.js, which stands in the lines around the failure"),
        (FailureFacts(category="other", text="exit code 2", step="Unit tests"), FileChange(".github/workflows/ci.yml", patch=WORKFLOW),
         "changes the failing step “Unit tests” in .github/workflows/ci.yml"),
        (FailureFacts(category="other", text="exit code 2", step="Run make test", command="make test"), FileChange(".github/workflows/ci.yml", patch=WORKFLOW),
         "changes the failing step “Run make test” in .github/workflows/ci.yml"),
        (FailureFacts(category="configuration", text="bad option"), FileChange(".gitlab-ci.yml"),
         "touches the CI configuration .gitlab-ci.yml; failures of the kind configuration can come from there"),
        (FailureFacts(category="compile", text="bad syntax"), FileChange(".python-version"),
         "touches the toolchain file .python-version; failures of the kind compile can come from there"),
        (FailureFacts(category="security_audit", text="1 high"), FileChange("package.json"), "touches package.json; the failure is one of dependencies"),
    ],
)  # fmt: skip
def test_what_ties_a_commit_to_a_failure_is_said(failure: FailureFacts, change: FileChange, reason: str) -> None:
    assert one_reason(failure, change) == reason


@pytest.mark.parametrize(
    ("failure", "package", "reason"),
    [
        (DEPENDENCY, URLLIB, "changes urllib3 from 1.26.18 to 2.2.0 in poetry.lock; the failure names it"),
        (DEPENDENCY, replace(URLLIB, old=None), "adds urllib3 2.2.0 in poetry.lock; the failure names it"),
        (DEPENDENCY, replace(URLLIB, new=None), "removes urllib3 1.26.18 in poetry.lock; the failure names it"),
        (FailureFacts(category="test_failure", text="TypeError", excerpt=('  File "/venv/site-packages/urllib3/util.py"',)), URLLIB,
         "changes urllib3 from 1.26.18 to 2.2.0 in poetry.lock; the lines around the failure run through it"),
        (FailureFacts(category="dependency_resolution", text="conflict", excerpt=("  urllib3==2.2.0 (from shop)",)), URLLIB,
         "changes urllib3 from 1.26.18 to 2.2.0 in poetry.lock; the lines around the failure name it"),
    ],
)  # fmt: skip
def test_a_package_of_the_failure_is_tied_to_the_commit_that_updates_it(failure: FailureFacts, package: PackageChange, reason: str) -> None:
    assert one_reason(failure, FileChange("poetry.lock"), packages=(package,)) == reason


@pytest.mark.parametrize(
    ("failure", "change"),
    [
        (COMPILE, FileChange("docs/cart.py")),
        (COMPILE, FileChange(".github/workflows/ci.yml", patch=WORKFLOW)),
        (TEST, FileChange("src/price.py")),
        (replace(TEST, path=""), FileChange("tests/test_price.py", patch="@@ -1 +1 @@ def test_totally_else():\n+x")),
        (replace(TEST, text="assert 1 == 2"), FileChange("README.md")),
        (FailureFacts(category="dependency_resolution", text="no version"), FileChange("src/poetry.py")),
        (FailureFacts(tool="npm", category="dependency_resolution", text="no version"), FileChange("poetry.lock")),
        (FailureFacts(category="infrastructure_runner", text="lost", transient=True), FileChange(".github/workflows/ci.yml")),
        (FailureFacts(category="dependency_network", text="ETIMEDOUT", transient=True), FileChange("package-lock.json")),
        (FailureFacts(), FileChange(".github/workflows/ci.yml", patch=WORKFLOW)),
        (FailureFacts(category="other", text="exit code 1"), FileChange("src/cart.py", patch=PATCH)),
    ],
)  # fmt: skip
def test_without_a_tie_nobody_is_suspected(failure: FailureFacts, change: FileChange) -> None:
    assert one_reason(failure, change) is None


def test_an_update_that_the_failure_does_not_name_is_no_reason() -> None:
    other = PackageChange("poetry.lock", "idna", "3.6", "3.7")
    assert one_reason(replace(DEPENDENCY, category="test_failure"), FileChange("poetry.lock"), packages=(other,)) is None


def test_the_stronger_reason_ranks_a_commit_first() -> None:
    config = commit("config", ".python-version", time=30.0)
    line = commit("line", "src/cart.py", time=10.0)
    found = suspects(COMPILE, compared(line, config, files=(FileChange("src/cart.py", patch=PATCH),)), ())
    assert [item.sha for item in found] == ["line", "config"]


def test_of_equal_reasons_the_newer_commit_stands_first_and_neither_is_said_to_be_the_one() -> None:
    found = suspects(
        COMPILE, compared(commit("old", "src/cart.py", time=20.0), commit("new", "src/cart.py", time=10.0), files=(FileChange("src/cart.py", patch=PATCH),)), ()
    )
    assert [item.sha for item in found] == ["old", "new"]
    both = "touches the failing file src/cart.py, which changed at the failing line 11 since the last good run"
    assert {item.reasons for item in found} == {(both,)}


def test_without_times_the_later_commit_is_the_newer_one() -> None:
    found = suspects(COMPILE, compared(commit("old", "src/cart.py"), commit("new", "src/cart.py")), ())
    assert [item.sha for item in found] == ["new", "old"]


def test_a_commit_whose_files_are_unknown_is_not_suspected_and_the_others_are_not_called_alone() -> None:
    unknown = replace(commit("unknown"), files=None)
    found = suspects(COMPILE, compared(commit("known", "src/cart.py"), unknown, files=(FileChange("src/cart.py", patch=PATCH),)), ())
    assert [(item.sha, item.reasons[0]) for item in found] == [
        ("known", "touches the failing file src/cart.py, which changed at the failing line 11 since the last good run")
    ]


def test_the_only_commit_needs_no_list_of_files() -> None:
    only = replace(commit("only"), files=None)
    found = suspects(COMPILE, compared(only, files=(FileChange("src/cart.py", patch=PATCH),)), ())
    assert found == (Suspect("only", "subject of only", "Ada", ("touches the failing file src/cart.py at the failing line 11",), "https://example.com/only"),)
    assert suspects(COMPILE, compared(only, files=(FileChange("src/cart.py"),), complete=False), ()) == ()


def test_a_renamed_file_is_found_in_the_commit_that_knows_only_its_old_name() -> None:
    renamed = FileChange("src/basket.py", "renamed", "src/cart.py")
    failure = FailureFacts(category="missing_tool_or_file", text="src/cart.py: No such file")
    found = suspects(failure, compared(commit("c1", "src/cart.py"), commit("c2", "x"), files=(renamed,)), ())
    assert [item.sha for item in found] == ["c1"]


def test_reasons_do_not_repeat_themselves_and_are_few() -> None:
    files = tuple(FileChange(path) for path in ("tests/test_cart.py", "src/cart.py", ".python-version", ".nvmrc", ".ruby-version"))
    (found,) = suspects(TEST, compared(commit("all", *(change.path for change in files)), files=files), ())
    assert found.reasons == (
        "touches the failing file tests/test_cart.py",
        "touches src/cart.py, after which the failing test file tests/test_cart.py is named",
        "touches the toolchain file .python-version; failures of the kind test failure can come from there",
    )


def test_several_packages_of_one_commit_are_several_reasons() -> None:
    packages = tuple(PackageChange("poetry.lock", f"package-{letter}", "1", "2") for letter in "abcde")
    failure = replace(DEPENDENCY, text=" ".join(package.package for package in packages))
    (found,) = suspects(failure, compared(commit("c1", "poetry.lock")), packages)
    assert [reason.split()[1] for reason in found.reasons] == ["package-a", "package-b", "package-c"]


def test_there_are_at_most_five_suspects() -> None:
    commits = [commit(f"c{number}", "src/cart.py", time=float(number)) for number in range(9)]
    assert [item.sha for item in suspects(COMPILE, compared(*commits), ())] == ["c8", "c7", "c6", "c5", "c4"]


def test_an_endless_subject_and_path_are_cut() -> None:
    long = "d/" * 500 + "src/cart.py"
    (found,) = suspects(COMPILE, compared(replace(commit("c1", long), subject="x" * 5000, author="y" * 5000)), ())
    assert len(found.subject) == len(found.author) == 200
    assert len(found.reasons[0]) < 300


def test_the_facts_of_a_failure_are_taken_as_the_engine_gives_them() -> None:
    failure = Failure(
        7, 0, "boom", "Run make test", Location("src/a.py", 3), "x.y", "make", "compile", "build", 1.0, 0.9, "It broke", "cause", None, True, (),
        Excerpt(6, ("a", "boom")), command="make test",
    )  # fmt: skip
    assert facts_of(failure) == FailureFacts("src/a.py", 3, "make", "compile", "build", "It broke", "boom", "Run make test", "make test", ("a", "boom"), True)
    assert facts_of(replace(failure, location=None, step=None)).path == ""


PATHS = st.sampled_from(["src/cart.py", "tests/test_cart.py", ".github/workflows/ci.yml", "poetry.lock", "a", "", "/", "x/" * 50, "\x00"])
TEXTS = st.one_of(st.text(max_size=60), st.sampled_from(["FAILED tests/test_cart.py::test_total", "urllib3", "src/cart.py:1: (", "'./cart'"]))


MAYBE = st.none() | TEXTS
FACTS = st.builds(
    FailureFacts, path=PATHS, line=st.none() | st.integers(), category=st.sampled_from(CATEGORIES), phase=TEXTS, title=TEXTS, text=TEXTS, step=TEXTS,
    command=TEXTS, excerpt=st.lists(TEXTS, max_size=3).map(tuple), transient=st.booleans(),
)  # fmt: skip
COMMITS = st.builds(
    Commit, sha=TEXTS, subject=TEXTS, author=TEXTS, time=st.none() | st.floats(allow_nan=False), files=st.none() | st.lists(PATHS, max_size=4).map(tuple)
)
STATUS = st.sampled_from(["added", "modified", "removed", "renamed", "?"])
FILES = st.builds(FileChange, path=PATHS, status=STATUS, previous_path=PATHS, patch=MAYBE)
UPDATES = st.builds(PackageChange, file=PATHS, package=TEXTS, old=MAYBE, new=MAYBE)


@given(FACTS, st.lists(COMMITS, max_size=7), st.lists(FILES, max_size=7), st.lists(UPDATES, max_size=4), st.booleans())
@settings(max_examples=50, deadline=None)
def test_whatever_a_platform_sends_no_commit_is_suspected_without_a_reason(
    failure: FailureFacts, commits: list[Commit], files: list[FileChange], packages: list[PackageChange], complete: bool
) -> None:
    found = suspects(failure, Comparison(GOOD, BAD, tuple(commits), tuple(files), complete), packages)
    assert len(found) <= MAX_SUSPECTS
    assert all(1 <= len(item.reasons) <= MAX_REASONS for item in found)
    assert {item.sha for item in found} <= {item.sha for item in commits}
