"""Whose a commit is, and from where it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.commits.deciding import touches
from cicd_agents.analysis.components.ownership import Ownership, Splitting
from cicd_agents.analysis.components.split import Reach, split
from cicd_agents.analysis.release_config.found import Component
from cicd_agents.domain.release import HistoryCommit, ReleaseRules

PLAIN = Splitting()


def component(path: str, *excluded: str) -> Component:
    return Component(path or "root", path, ReleaseRules((), path=path, excluded=excluded))


def commit(sha: str, parents: str = "", *files: str) -> HistoryCommit:
    return HistoryCommit(sha, tuple(parents.split()), "Ada", "ada@example.com", 0, f"feat: {sha}", files)


def owners(parts: list[Component], *files: str, how: Splitting = PLAIN, merge: bool = False) -> list[str]:
    return [parts[index].name for index in Ownership(parts, how).owners(files, merge)]


NESTED = [component("web"), component("web/plugin"), component("webb"), component("core", "core/test")]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("web/a.js",), ["web"]),
        (("web/plugin/a.js",), ["web/plugin"]),
        (("web/plugin/deep/a.js", "web/a.js"), ["web", "web/plugin"]),
        (("webb/a.js",), ["webb"]),
        (("web",), []),
        (("core/test/a.js",), []),
        (("core/test/a.js", "core/a.js"), ["core"]),
        (("core/testing.js",), ["core"]),
        (("README.md",), []),
    ],
)  # fmt: skip
def test_the_longest_path_that_holds_a_file_owns_it(files: tuple[str, ...], expected: list[str]) -> None:
    assert owners(NESTED, *files) == expected


def test_where_a_tool_nests_a_file_counts_for_all_components_above_it() -> None:
    assert owners(NESTED, "web/plugin/a.js", how=Splitting(nested=True)) == ["web", "web/plugin"]


def test_the_root_has_all_commits_but_those_whose_files_it_excludes_all() -> None:
    parts = [component("", "docs"), component("web")]
    assert owners(parts, "web/a.js") == ["root", "web"]
    assert owners(parts, "docs/a.md") == []
    assert owners(parts, "docs/a.md", "x") == ["root"]


def test_excluded_paths_may_be_patterns() -> None:
    parts = [component("core", "core/tests/**", "core/*.md")]
    assert [owners(parts, file) for file in ("core/tests/a/b.rs", "core/README.md", "core/src/a.rs")] == [[], [], ["core"]]


def test_a_commit_without_files_is_the_roots_or_everybodys_and_an_empty_merge_never_everybodys() -> None:
    parts = [component(""), component("web")]
    assert owners(parts) == ["root"]
    assert owners(parts, how=Splitting(empty_for_all=True)) == ["root", "web"]
    assert owners(parts, how=Splitting(empty_for_all=True), merge=True) == ["root"]


def test_a_file_is_part_of_the_nearest_component_above_it() -> None:
    ownership = Ownership([component(""), component("web"), component("web/plugin")])
    assert [ownership.owner(path) for path in ("a", "web/a", "web/plugin/x/a", "webb/a")] == [0, 1, 2, 0]
    assert Ownership([component("web")]).owner("core/a") is None


names = st.sampled_from(["a", "b", "ab", "test"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(st.lists(paths, max_size=4, unique=True), st.lists(paths, max_size=2), st.lists(paths, max_size=5))
def test_one_component_owns_what_planning_it_alone_would_count(others: list[str], excluded: list[str], files: list[str]) -> None:
    path = "a/b"
    nested = [other for other in others if other.startswith(f"{path}/")]
    parts = [component(path, *excluded), *(component(other) for other in others if other != path)]
    alone = touches(files, path, [*excluded, *nested])
    assert (0 in Ownership(parts).owners(files)) is (alone and bool(files))


#  d   last       e is on a branch that was forked at a and merged by d
#  |\
#  c e
#  |/
#  b
#  |
#  a   base (not in the pass)
PASS = [commit("d", "c e", "x/1"), commit("c", "b", "y/1"), commit("e", "b", "x/2"), commit("b", "a", "x/3", "y/3")]
PARTS = [component("x"), component("y")]


def told(since: list[str | None], commits: list[HistoryCommit] = PASS) -> tuple[list[list[str]], list[str]]:
    reach = Reach(commits, [start for start in since if start])
    found = split(commits, Ownership(PARTS), since, reach)
    return [[each.sha for each in history] for history in found.histories], [each.sha for each in found.strays]


def test_a_commit_counts_until_the_components_own_release_reaches_it() -> None:
    assert told(["a", "a"])[0] == [["d", "e", "b"], ["c", "b"]]
    assert told(["e", "b"])[0] == [["d"], ["c"]]
    assert told([None, "d"])[0] == [["d", "e", "b"], []]


def test_the_order_in_which_clocks_put_commits_does_not_matter() -> None:
    shuffled = [PASS[3], PASS[1], PASS[0], PASS[2]]
    assert [sorted(history) for history in told(["e", "b"], shuffled)[0]] == [["d"], ["c"]]


def test_a_commit_of_nobody_is_a_stray_until_any_release_reaches_it() -> None:
    commits = [replace(PASS[0], files=("readme",)), *PASS[1:3], replace(PASS[3], files=())]
    assert told(["a", "a"], commits)[1] == ["d", "b"]
    assert told(["e", "a"], commits)[1] == ["d"]


def test_the_pass_is_whole_only_where_all_releases_came_after_its_end() -> None:
    assert Reach(PASS, ["a", "c", "e"]).all_reach("a")
    assert not Reach(PASS[:2], ["c", "e"]).all_reach("b"), "e is older than the end, or beside it"


def test_histories_know_their_own_commits_as_parents() -> None:
    found = split(PASS, Ownership(PARTS), ["a", "a"], Reach(PASS, ["a"]))
    assert {each.sha: each.parents for each in found.histories[0]} == {"d": ("b", "e"), "e": ("b",), "b": ("a",)}
    assert {each.sha: each.parents for each in found.histories[1]} == {"c": ("b",), "b": ("a",)}
    assert all(each.files is None for history in found.histories for each in history)


def test_a_merge_that_brought_nothing_of_a_component_keeps_its_parents() -> None:
    commits = [commit("m", "b s", "x/1"), commit("s", "b", "y/1"), commit("b", "a", "x/2")]
    found = split(commits, Ownership(PARTS), ["a", "a"], Reach(commits, ["a"]))
    assert found.histories[0][0].parents == ("b", "s")
