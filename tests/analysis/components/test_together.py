"""Groups with one version, and dependants."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.components.together import Part, linked, settled, with_dependants
from cicd_agents.analysis.release_config.found import LinkedVersions
from cicd_agents.analysis.versions.semver import parse, step
from cicd_agents.domain.release import Bump

PAIR = LinkedVersions("pair", ("a", "b"))


def part(name: str, current: str | None = "1.0.0", following: str | None = None, bump: Bump = Bump.NONE) -> Part:
    return Part(name, current, following, Bump.PATCH if following and bump is Bump.NONE else bump)


def told(parts: tuple[Part, ...]) -> dict[str, tuple[str | None, str, str]]:
    return {each.name: (each.next, each.bump.value, each.via) for each in parts}


def test_a_group_goes_to_the_highest_version_of_its_members() -> None:
    found = linked([part("a", following="1.0.1"), part("b", "1.2.0", "1.3.0", Bump.MINOR), part("c")], PAIR)
    assert told(found) == {"a": ("1.3.0", "minor", "linked:pair"), "b": ("1.3.0", "minor", ""), "c": (None, "none", "")}


def test_a_group_of_which_nothing_is_released_stays() -> None:
    assert linked([part("a"), part("b", "2.0.0")], PAIR) == (part("a"), part("b", "2.0.0"))


def test_a_member_that_stands_higher_is_raised_and_not_lowered() -> None:
    assert told(linked([part("a", following="1.1.0", bump=Bump.MINOR), part("b", "2.4.1")], PAIR)) == {
        "a": ("2.5.0", "major", "linked:pair"), "b": ("2.5.0", "minor", "linked:pair"),
    }  # fmt: skip
    assert {each.next for each in linked([part("a", following="1.1.0-rc.1", bump=Bump.MINOR), part("b", "2.4.1")], PAIR)} == {"2.5.0-rc.1"}


def test_a_member_without_a_release_begins_with_the_groups_version() -> None:
    assert told(linked([part("a", following="1.1.0", bump=Bump.MINOR), part("b", None)], PAIR))["b"] == ("1.1.0", "minor", "linked:pair")


def test_versions_that_are_not_semantic_are_left_alone() -> None:
    parts = (part("a", "2025.01", "2025.02"), part("b", "2025.01"))
    assert linked(parts, PAIR) == parts
    assert told(linked((part("a", "2025.01", "2025.02"), part("b", following="1.0.1")), PAIR))["a"][0] == "2025.02"


def test_dependants_follow_by_any_number_of_steps_and_name_the_nearest() -> None:
    parts = [part("core", following="1.1.0", bump=Bump.MINOR), part("web"), part("app"), part("docs")]
    found = with_dependants(parts, {1: frozenset((0,)), 2: frozenset((1, 3))}, lambda _: "1.0.1")
    assert told(found) == {
        "core": ("1.1.0", "minor", ""), "web": ("1.0.1", "patch", "depends:core"), "app": ("1.0.1", "patch", "depends:web"), "docs": (None, "none", ""),
    }  # fmt: skip


def test_a_dependant_that_can_have_no_patch_stays_and_takes_nobody_along() -> None:
    parts = [part("core", following="1.1.0"), part("web", None), part("app")]
    found = with_dependants(parts, {1: frozenset((0,)), 2: frozenset((1,))}, lambda index: None if index == 1 else "1.0.1")
    assert [each.next for each in found] == ["1.1.0", None, None]


versions = st.sampled_from(["0.1.0", "1.0.0", "1.2.3", "2.0.0"])
graphs = st.dictionaries(st.integers(0, 5), st.frozensets(st.integers(0, 5), max_size=4), max_size=6)
groups = st.lists(st.sets(st.integers(0, 5), min_size=2, max_size=4), max_size=3)


@given(st.lists(versions, min_size=6, max_size=6), st.sets(st.integers(0, 5)), graphs, groups)
def test_whatever_depends_on_whatever_it_ends_with_one_version_for_each_group_and_nothing_left_to_follow(
    standing: list[str], moving: set[int], needs: dict[int, frozenset[int]], members: list[set[int]]
) -> None:
    def patched(index: int) -> str:
        version = parse(standing[index])
        assert version is not None
        return str(step(version, Bump.PATCH))

    parts = [part(str(index), current, patched(index) if index in moving else None) for index, current in enumerate(standing)]
    linking = [LinkedVersions(f"g{place}", tuple(map(str, sorted(group)))) for place, group in enumerate(members)]
    found = settled(parts, linking, needs, patched)
    released = {index for index, each in enumerate(found) if each.next}
    assert moving <= released
    assert all(index in released for index, others in needs.items() if others & released)
    for group in members:
        assert len({found[index].next for index in group}) == 1 or not group & released
    for each in found:
        now, before = parse(each.next or ""), parse(each.current or "")
        assert now is None or (before is not None and now.precedence > before.precedence)
