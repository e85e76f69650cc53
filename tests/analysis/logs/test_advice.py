"""Every category has its general advice, and it can always be given."""

from __future__ import annotations

from cicd_agents.analysis.logs.advice import advice
from cicd_agents.analysis.logs.signature import fill
from cicd_agents.domain.doctor import CATEGORIES


def test_every_category_has_advice_that_needs_no_capture() -> None:
    assert set(advice()) == set(CATEGORIES)
    for template in advice().values():
        assert fill(template.title, {})
        assert fill(template.detail, {})
