"""`judge: welch | fisher | chi-square | proportions`: the judge with a classical test for each metric instead of the always-valid one (pure).

Hygiene, stages, at-once rules, limits and the conclusion are those of the judge. A classical test holds for one look at a sample that was fixed before. So it
is made once for each stage, on what was counted in the stage's minutes: later looks find the same, and earlier ones only wait. Minutes of other stages are left
out, since other shares weigh a burst differently on both sides. The level is the metric's part of `alpha`, divided by the number of stages (Bonferroni). With
`strategy: a-b` the two-proportion test is the sequential one, which holds at every look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from cicd_agents.analysis.canary.classical.measured import SEQUENTIAL, TITLES, ClassicalTest, of_counts, of_values, without_counts
from cicd_agents.analysis.canary.counts import Setting
from cicd_agents.analysis.canary.defaults import check_policy
from cicd_agents.analysis.canary.judgement import judge_tables
from cicd_agents.analysis.canary.stages import moment
from cicd_agents.analysis.canary.tables import Tables, tabulate
from cicd_agents.domain.canary import CanaryPolicy, Judgement, Metric, MetricJudgement, Observation, Status, Strategy

__all__ = ["ClassicalTest", "judge_classical", "judge_classical_tables"]

ONE_LOOK = "A classical test is valid for one look only: it is made once for each stage, on what was counted in its minutes."
INDEPENDENT = "It takes requests, or minutes, for independent of each other: bursts and pods that differ raise more false alarms than its level says."


def judge_classical(observation: Observation, policy: CanaryPolicy, now: float, test: ClassicalTest, *, stage: int | None = None) -> Judgement:
    """The judgement at `now`. Raises UsageError for a policy that makes no sense, and never for odd data."""
    check_policy(policy)
    return judge_classical_tables(tabulate(observation, policy), observation, policy, now, test, stage=stage)


def judge_classical_tables(
    tables: Tables | None, observation: Observation, policy: CanaryPolicy, now: float, test: ClassicalTest, *, stage: int | None = None
) -> Judgement:  # fmt: skip
    """The same for tables that are made already."""
    at = moment(tables, policy, now, stage)
    minutes = policy.stages[at.stage].minutes
    left = minutes - at.stage_minutes
    end = now + 60 * min(0.0, left)
    looks = _Looks(test, policy.strategy is Strategy.AB, len(policy.stages), end - 60 * min(minutes, at.stage_minutes), end, max(0.0, left))
    found = judge_tables(tables, observation, policy, now=now, stage=stage, by=looks.judged)
    return replace(found, budget=(), notes=(*found.notes, f"{looks.told} {ONE_LOOK}", INDEPENDENT))


@dataclass(frozen=True, slots=True)
class _Looks:
    """When which test is made: once, on the stage from `begin` to `end` (`left` minutes are missing), or now, where it holds at every look."""

    test: ClassicalTest
    ab: bool
    stages: int
    begin: float
    end: float
    left: float

    @property
    def sequential(self) -> bool:
        return self.ab and self.test is ClassicalTest.PROPORTIONS

    @property
    def told(self) -> str:
        """By which tests, in a sentence or two."""
        if self.test is ClassicalTest.WELCH:
            return f"One value per minute is compared by {TITLES[self.test]}."
        by = f"{SEQUENTIAL}, which is valid at every look" if self.sequential else TITLES[self.test]
        return f"Counts are compared by {by}; what has no counts by {TITLES[ClassicalTest.WELCH]}."

    def judged(self, metric: Metric, tables: Tables, setting: Setting) -> MetricJudgement:
        """The judgement of one metric."""
        setting = replace(setting, alpha=setting.alpha / self.stages)
        counted = not (self.test is ClassicalTest.WELCH or without_counts(metric, tables))
        if counted and self.sequential:
            return of_counts(metric, tables, setting, self.test, sequentially=True)
        begin = max(0, ceil((self.begin - tables.start) / tables.step - 1e-6))  # the step in which the share changed is of both stages
        once = replace(setting, until=tables.bins_until(self.end))
        return self._waiting(of_counts(metric, tables, once, self.test, begin) if counted else of_values(metric, tables, once, begin, self.end))

    def _waiting(self, found: MetricJudgement) -> MetricJudgement:
        """Before its time a test says nothing: who looked and went on would look more than once."""
        if self.left <= 1e-6 or found.status is Status.NO_DATA:
            return found
        waits = f"{found.title}: the test is made once, when the stage has had its minutes ({self.left:.0f} more)"
        return replace(found, status=Status.INCONCLUSIVE, reason=waits, strength=replace(found.strength, p_value=None))
