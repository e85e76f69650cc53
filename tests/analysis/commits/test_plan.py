from dataclasses import replace
from datetime import date

import pytest
from tests.analysis.commits.reading_of import commit, plan, sha

from cicd_agents.analysis import commits
from cicd_agents.analysis.commits.plan import World, plan_release
from cicd_agents.analysis.commits.presets import DEFAULT, Preset
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy


def with_rules(**changed: object) -> Preset:
    return Preset(replace(DEFAULT.rules, **changed), DEFAULT.reading)  # type: ignore[arg-type]


def test_the_package_offers_plan_release() -> None:
    assert commits.plan_release is plan_release


def test_the_largest_wish_decides_and_the_reason_names_its_commit() -> None:
    made = plan("feat: new", "fix: mended", "docs: told")
    assert (made.next_version, made.bump, made.tag) == ("1.3.0", Bump.MINOR, "v1.3.0")
    assert "'feat: new'" in made.reason
    assert sha(1)[:9] in made.reason


def test_each_commit_has_a_decision_with_the_line_that_decided() -> None:
    made = plan("docs: a (#1)\n\n* fix: b c", "fix: d\n\nBREAKING CHANGE: gone\nmore", "1.2.3 (#4)", "chore(main): release 1.2.3", "no header")
    assert [(decision.rule, decision.text) for decision in made.decisions] == [
        ("unreadable", "no header"), ("own release", "chore(main): release 1.2.3"), ("own release", "1.2.3 (#4)"), ("breaking", "BREAKING CHANGE: gone"),
        ("type fix", "* fix: b c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "hint"),
    [
        ("feature: x", "`feat`?"),
        ("chor: x", "`chore`?"),
        ("fxi: x", "`fix`?"),
        ("feat:x", "blank is missing"),
        ("fix x", "colon is missing"),
        ("[x] feat: y", ""),
    ],
)
def test_misspelt_and_unreadable_titles_get_a_hint(title: str, hint: str) -> None:
    (decision,) = plan(title).decisions
    assert decision.bump is Bump.NONE
    assert hint in decision.hint


def test_no_release_says_what_was_there() -> None:
    made = plan("docs: x", "chore: y")
    assert (made.next_version, made.bump, made.tag) == ("1.2.3", Bump.NONE, None)
    assert "2 commits" in made.reason
    assert plan().reason == "There is no commit since the last release."


@pytest.mark.parametrize(
    ("zero", "expected"),
    [(ZeroPolicy.BREAKING_IS_MINOR, ("0.5.0", "0.5.0")), (ZeroPolicy.ONE_LOWER, ("0.5.0", "0.4.3")), (ZeroPolicy.AS_AFTER, ("1.0.0", "0.5.0"))],
)
def test_below_one_the_policy_decides(zero: ZeroPolicy, expected: tuple[str, str]) -> None:
    made = [plan(title, current="0.4.2", preset=with_rules(zero=zero)).next_version for title in ("fix!: x", "feat: x")]
    assert tuple(made) == expected


def test_the_newest_forced_version_is_followed_and_the_others_are_told() -> None:
    made = plan("chore: release\n\nRelease-As: 1.9.0", "chore: a\n\nRelease-As: 2.0.0", "chore: b\n\nRelease-As: 1.0.0", "feat: c")
    assert (made.next_version, made.bump) == ("2.0.0", Bump.MAJOR)
    assert [note.partition(" of ")[0] for note in made.notes] == ["Release-As 1.0.0", "Release-As 1.9.0"]


def test_a_withdrawn_order_for_a_version_is_not_followed() -> None:
    made = plan("feat: x\n\nRelease-As: 9.0.0", f'Revert "feat: x"\n\nThis reverts commit {sha(1)}.', "fix: y")
    assert made.next_version == "1.2.4"


def test_graduation_and_the_first_release() -> None:
    assert plan("docs: x", current="0.4.2", world=World(graduate=True)).next_version == "1.0.0"
    assert plan("feat: x", current=None, preset=with_rules(initial="0.1.0")).next_version == "0.1.0"


def test_a_component_takes_commits_below_its_path_only() -> None:
    history = [
        commit("feat: core", 3, files=("core/a.py", "docs/x")), commit("feat: tests", 2, files=("core/tests/a.py",)),
        commit("fix: other", 1, files=("web/a.py",)),
    ]  # fmt: skip
    made = plan_release(history, "1.0.0", replace(DEFAULT.rules, path="core/", excluded=("core/tests",), tag_prefix="core/v"))
    assert [decision.rule for decision in made.decisions] == ["type feat", "other path", "other path"]
    assert made.tag == "core/v1.1.0"


def test_rules_are_tried_in_order_with_scopes_and_patterns() -> None:
    rules = (TypeRule("feat", Bump.PATCH, scope="int*"), TypeRule("feat*", Bump.MINOR), TypeRule("", Bump.PATCH))
    made = plan("feat(internal): a", "feature(x): b", "what ever", preset=with_rules(types=rules))
    assert [decision.bump for decision in made.decisions] == [Bump.PATCH, Bump.MINOR, Bump.PATCH]


def test_whatever_is_shown_is_a_patch_where_the_rules_say_so() -> None:
    rules = ReleaseRules((TypeRule("docs", Bump.NONE, "Documentation"), TypeRule("ci", Bump.NONE)), any_visible_is_patch=True)
    assert [decision.bump for decision in plan("ci: a", "docs: b", preset=Preset(rules)).decisions] == [Bump.PATCH, Bump.NONE]


def test_calendar_versions_take_the_day() -> None:
    calendar = with_rules(scheme="YYYY.MM.MICRO")
    assert plan("fix: x", current="2026.3.1", preset=calendar, world=World(day=date(2026, 4, 1))).next_version == "2026.4.0"
    with pytest.raises(UsageError, match="needs the day"):
        plan("fix: x", current="2026.3.1", preset=calendar)


def test_a_current_version_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="'one' is no semantic version"):
        plan("fix: x", current="one")


def test_ignored_titles_and_commits_are_listed_as_such() -> None:
    assert [d.rule for d in plan("feat: a [skip release]", "feat: b", preset=with_rules(ignored=("*skip release*", sha(2)[:38]))).decisions] == ["ignored"] * 2


def test_a_rule_for_breaking_changes_of_a_type_goes_before_that_of_all_breaking_ones() -> None:
    preset = with_rules(types=(*DEFAULT.rules.types, TypeRule("chore", Bump.PATCH, breaking=True), TypeRule("revert", Bump.NONE, breaking=True)))
    made = plan("chore: a\n\nBREAKING CHANGE: gone", "revert!: b", "chore: c", preset=preset)
    assert [(decision.bump, decision.rule, decision.text) for decision in made.decisions] == [
        (Bump.NONE, "other type", "chore: c"), (Bump.NONE, "breaking type revert", "revert!: b"),
        (Bump.PATCH, "breaking type chore", "BREAKING CHANGE: gone"),
    ]  # fmt: skip
    assert plan("feat!: d", preset=preset).bump is Bump.MAJOR


def test_a_tag_may_have_something_behind_the_version() -> None:
    assert plan("fix: x", preset=with_rules(tag_prefix="app-", tag_suffix="-final")).tag == "app-1.2.4-final"
