import pytest
from tests.analysis.commits.reading_of import commit, types

from cicd_agents.analysis.commits.plan import plan_release
from cicd_agents.domain.release import Bump

TITLES = [
    "Merge pull request #1 from user/branch\n\nfeat(a): x\n\nbody", "Merge branch 'b' into 'main'\n\nfeat(a): x\n\nSee merge request group/app!3",
    "Merged in b (pull request #10)\n\nfeat(a): x", "Merged PR 12: feat(a): x\n\nbody",
]  # fmt: skip


@pytest.mark.parametrize("message", TITLES)
def test_the_title_of_a_merged_request_is_read(message: str) -> None:
    assert types(message, parents=(1, 99)) == ["feat(a)"]


@pytest.mark.parametrize("message", TITLES)
def test_a_merge_is_not_counted_beside_its_commits(message: str) -> None:
    plan = plan_release([commit(message, 3, (1, 2)), commit("fix: y", 2, (1,))], "1.0.0")
    assert (plan.bump, [decision.rule for decision in plan.decisions]) == (Bump.PATCH, ["merge", "type fix"])


@pytest.mark.parametrize("message", TITLES[2:])
def test_azure_and_bitbucket_title_squashed_requests_as_merges_too(message: str) -> None:
    assert types(message, parents=(1,)) == ["feat(a)"]


def test_a_merge_without_a_title_of_its_own_is_unreadable() -> None:
    plan = plan_release([commit("Merge branch 'main' into b", 3, (1, 9))], "1.0.0")
    assert (plan.bump, plan.decisions[0].rule) == (Bump.NONE, "unreadable")
