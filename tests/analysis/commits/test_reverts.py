import pytest
from tests.analysis.commits.reading_of import commit, plan, sha

from cicd_agents.analysis.commits.plan import World, plan_release
from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.domain.release import Bump


@pytest.mark.parametrize(
    "message",
    [
        f'Revert "feat: x"\n\nThis reverts commit {sha(1)}.', f"revert: feat: x\n\nThis reverts commit {sha(1)}",
        f"revert(a): it\n\nRefs: {sha(1)[:9]}, {sha(2)[:9]}",
        f"Revert it all\n\nReverts: {sha(1)}", 'Revert "feat: x"', "revert: feat: x",
    ],
)  # fmt: skip
def test_a_revert_of_the_range_withdraws_its_commit_in_any_form(message: str) -> None:
    made = plan("feat: x", message, world=World(released=lambda _: False))
    assert (made.bump, made.decisions[1].rule) == (Bump.NONE, "withdrawn")
    assert made.decisions[1].hint == f"{sha(2)[:9]} takes it back"


def test_a_fix_that_reverts_counts_as_a_fix() -> None:
    made = plan("feat: x", f"fix: undo it\n\nThis reverts commit {sha(1)}.")
    assert (made.bump, [decision.rule for decision in made.decisions]) == (Bump.PATCH, ["type fix", "withdrawn"])


def test_a_revert_of_a_request_withdraws_the_commit_of_its_number() -> None:
    assert plan("feat: x (#12)", 'Revert "feat: x (#12)" (#13)\n\nReverts owner/app#12').bump is Bump.NONE


def test_a_revert_of_a_revert_brings_the_change_back() -> None:
    made = plan("feat: x", f'Revert "feat: x"\n\nThis reverts commit {sha(1)}.', f'Reapply "feat: x"\n\nThis reverts commit {sha(2)}.')
    assert (made.bump, [change.subject for change in made.changes]) == (Bump.MINOR, ["x"])
    assert [decision.rule for decision in made.decisions] == ["revert in this range", "withdrawn", "type feat"]


def test_a_reverted_merge_takes_what_it_brought() -> None:
    history = [
        commit(f"Revert \"Merge branch 'b'\"\n\nThis reverts commit {sha(4)}, reversing\nchanges made to {sha(1)}.", 5, (4,)),
        commit("Merge branch 'b'", 4, (1, 3)), commit("feat: b", 3, (2,)), commit("feat: a", 2, (0,)), commit("fix: c", 1, (0,)),
    ]  # fmt: skip
    made = plan_release(history, "1.0.0")
    assert (made.bump, [change.subject for change in made.changes]) == (Bump.PATCH, ["c"])


def test_a_revert_of_a_released_change_is_a_patch() -> None:
    message = f'Revert "feat: x"\n\nThis reverts commit {sha(77)}.'
    assert plan(message).bump is Bump.PATCH
    assert plan(message, world=World(released=lambda name: name == sha(77))).decisions[0].rule == "revert"


def test_a_revert_of_what_nobody_knows_asks_for_nothing_and_says_so() -> None:
    made = plan("revert: the noodle incident\n\nRefs: 676104e, a215868", world=World(released=lambda _: False))
    assert (made.bump, made.decisions[0].hint) == (Bump.NONE, "what it takes back is neither in this range nor released before")


def test_a_revert_of_a_part_leaves_the_rest() -> None:
    assert plan("feat: x", f'Revert part of "feat: x"\n\nThis reverts commit {sha(1)}.').bump is Bump.MINOR


def test_semantic_release_withdraws_exact_pairs_only() -> None:
    angular = PRESETS["angular"]
    assert plan("feat: x", f'Revert "feat: x"\n\nThis reverts commit {sha(1)}.', preset=angular).bump is Bump.NONE
    assert plan("feat: x", f'Revert "feat: x (#2)"\n\nThis reverts commit {sha(1)}.', preset=angular).bump is Bump.MINOR


def test_commits_that_revert_each_other_all_stand() -> None:
    history = [commit(f"feat: a\n\nThis reverts commit {sha(2)}.", 1), commit(f"fix: b\n\nThis reverts commit {sha(1)}.", 2)]
    assert plan_release(history, "1.0.0").bump is Bump.MINOR
