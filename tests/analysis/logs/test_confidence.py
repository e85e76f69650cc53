"""What raises and lowers the confidence of a diagnosis."""

from __future__ import annotations

from cicd_agents.analysis.logs.confidence import confidence_of
from cicd_agents.analysis.logs.judge import Ranked
from cicd_agents.analysis.logs.leads import Lead
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.analysis.logs.steps import Shape, Step

FAILED = Shape((Step(1, 1000, "Run make", failed=True),), True)


def ranked(line: int, score: float, category: str = "compile") -> Ranked:
    rule = Signature(id="t.x", tool="t", category=category, weight=80, match="x", title="t", cause="c")
    return Ranked(Lead(line, 0, b"", b"", rule, {}, None, False, False, ()), score, 1.0, False)


def sure(best: Ranked, *others: Ranked, job: Shape = FAILED) -> float:
    return confidence_of(best, [best, *others], job)


def test_it_rises_with_the_score() -> None:
    values = [sure(ranked(1, score / 20)) for score in range(21)]
    assert values == sorted(values)
    assert values[-1] == 0.97


def test_a_close_rival_of_another_kind_lowers_it_and_a_far_one_does_not() -> None:
    alone = sure(ranked(1, 0.9))
    assert sure(ranked(1, 0.9), ranked(50, 0.8, "test_failure")) < alone
    assert sure(ranked(1, 0.9), ranked(50, 0.7, "test_failure")) == alone
    assert sure(ranked(1, 0.9), ranked(50, 0.8)) == alone


def test_an_equal_place_elsewhere_lowers_it_below_what_counts_as_confident() -> None:
    assert sure(ranked(1, 0.94), ranked(50, 0.94)) < 0.8 < sure(ranked(1, 0.94))


def test_a_crowd_and_an_unknown_step_lower_it() -> None:
    alone = sure(ranked(1, 0.9))
    assert sure(ranked(1, 0.9), *(ranked(line, 0.3) for line in range(10, 60))) < alone
    assert sure(ranked(1, 0.9), job=Shape((Step(1, 1000, ""),), None)) < alone


def test_work_that_went_on_after_the_failure_lowers_it() -> None:
    assert sure(ranked(1, 0.9), job=Shape(FAILED.steps, True, went_on=True)) < 0.8 < sure(ranked(1, 0.9))
