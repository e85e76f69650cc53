"""What a model costs: cached tokens are cheaper, thoughts are output, and nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cicd_agents.clients.model_prices import LONG_PROMPT, PRICES, PRICES_OF, Price, cost
from cicd_agents.domain.advice import Usage

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(prompt=MILLION), 0.30),
        (Usage(prompt=MILLION, cached=MILLION), 0.03),
        (Usage(output=MILLION), 2.50),
        (Usage(thoughts=MILLION), 2.50),
        (Usage(prompt=1200, cached=800, output=90, thoughts=40), (400 * 0.30 + 800 * 0.03 + 130 * 2.50) / MILLION),
        (Usage(), 0.0),
    ],
)
def test_the_parts_of_the_usage_cost_what_the_table_says(usage: Usage, dollars: float) -> None:
    assert cost("gemini-2.5-flash", usage) == pytest.approx(dollars)


def test_a_long_prompt_costs_more_where_the_service_says_so() -> None:
    assert cost("gemini-2.5-pro", Usage(prompt=LONG_PROMPT)) == pytest.approx(0.25)
    assert cost("gemini-2.5-pro", Usage(prompt=LONG_PROMPT + 1, output=1000)) == pytest.approx(0.515, rel=1e-4)


def test_more_cached_than_asked_gives_no_money_back() -> None:
    assert cost("gemini-2.5-flash", Usage(prompt=10, cached=MILLION)) == pytest.approx(10 * 0.03 / MILLION)


@pytest.mark.parametrize("name", ["models/gemini-3.1-pro-preview", "gemini-3.1-pro", "publishers/google/models/gemini-3.1-pro-preview-06-2026"])
def test_paths_versions_and_previews_are_the_same_model(name: str) -> None:
    assert cost(name, Usage(output=MILLION)) == 12.0


@pytest.mark.parametrize("name", ["gemini-flash-latest", "our-own-model", "gemini-2.5-flash-image", "", "gemini-9-pro"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert cost(name, Usage(prompt=1)) is None


def test_the_table_is_dated_and_plausible() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", PRICES_OF)
    for priced in PRICES.values():
        assert 0 < priced.usual.cached < priced.usual.prompt < priced.usual.output
        assert priced.long is None or priced.long.prompt > priced.usual.prompt


def test_the_page_says_what_the_table_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "gemini.md").read_text()
    rows = {cells[0]: cells[1:] for line in page.splitlines() if (cells := [cell.strip() for cell in line.strip("|").split("|")])[0] in PRICES}
    told = {
        name: [*map(float, (prompt, cached, output)), *(float(number) for number in long.split(",") if number)]
        for name, (prompt, cached, output, long) in rows.items()
    }
    held = {name: [*_numbers(priced.usual), *(_numbers(priced.long) if priced.long else [])] for name, priced in PRICES.items()}
    assert told == held
    assert PRICES_OF in page


def test_the_example_of_the_page_holds() -> None:
    assert cost("gemini-2.5-flash", Usage(prompt=40_000, cached=13_333, output=2_000, thoughts=1_000)) == pytest.approx(0.016, abs=0.0005)


def _numbers(price: Price) -> list[float]:
    return [price.prompt, price.cached, price.output]
