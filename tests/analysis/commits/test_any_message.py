from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.commits.reading_of import commit

from cicd_agents.analysis.commits.plan import counted_changes, plan_release
from cicd_agents.analysis.commits.presets import PRESETS

PIECES = [
    "feat", "fix", "(", ")", "!", ":", " ", "\n", "\r\n", "#1", "BREAKING CHANGE", "BEGIN_NESTED_COMMIT\n", "END_NESTED_COMMIT\n", "BEGIN_COMMIT_OVERRIDE\n",
    "END_COMMIT_OVERRIDE\n", "* ", "- ", "    ", "commit abcdef1\n", 'Revert "', "This reverts commit abcdef1.", "Merge branch 'a'", "Merged PR 1: ", "```\n",
    "<details>", "Release-As: 2.0.0", "# ---- >8 ----", "gpg: x\n", "\0", "é",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join), st.sampled_from(sorted(PRESETS)), st.integers(0, 3))
def test_each_message_gets_one_decision_and_none_raises(message: str, name: str, parents: int) -> None:
    chosen = PRESETS[name]
    made = plan_release([commit(message, 5, range(parents))], "1.0.0", chosen.rules, chosen.reading)
    assert len(made.decisions) == 1
    assert all(1 <= change.line <= message.count("\n") + 2 for change in made.changes)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=20).map("".join), min_size=1, max_size=6), st.sampled_from(sorted(PRESETS)),
)  # fmt: skip
def test_a_changelog_lists_the_changes_that_the_plan_of_the_release_had(messages: list[str], name: str) -> None:
    chosen = PRESETS[name]
    history = [commit(message, number, [number + 1]) for number, message in enumerate(messages)]
    planned = plan_release(history, "1.0.0", chosen.rules, chosen.reading).changes
    listed = counted_changes(history, chosen.rules, chosen.reading)
    assert [replace(change, body="", footers=()) for change in listed] == [replace(change, body="", footers=()) for change in planned]
