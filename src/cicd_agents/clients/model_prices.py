"""What models cost, in one dated table.

Source of all rows: the page "Gemini Developer API pricing" of ai.google.dev (ai.google.dev/gemini-api/docs/pricing), standard tier, text, in US dollars per
million tokens, as copies of it said on the date below; thoughts are billed as output. Contracts, free tiers and taxes are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cicd_agents.domain.advice import Usage

PRICES_OF = "2026-10-07"
# Above so many tokens of prompt some models cost more.
LONG_PROMPT = 200_000
_MILLION = 1_000_000
_SUFFIX = re.compile(r"-(?:preview(?:-[0-9]{2}-[0-9]{4})?|[0-9]{3})$")


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens: of the prompt, of its cached part, and of the output."""

    prompt: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True)
class Priced:
    """A model's prices: the usual ones, and those for long prompts where they differ."""

    usual: Price
    long: Price | None = None


# The three flash models of 3.6 to 3.8 cost half of this until 2026-12-31. Google has announced that from 2026-12-01 on it answers requests for 2.5-flash by
# 3.5-flash-lite (at the same price) and those for 2.5-pro by 3.8-flash.
PRICES: Mapping[str, Priced] = {
    "gemini-2.5-flash-lite": Priced(Price(0.10, 0.01, 0.40)),
    "gemini-2.5-flash":      Priced(Price(0.30, 0.03, 2.50)),
    "gemini-2.5-pro":        Priced(Price(1.25, 0.125, 10.0), Price(2.50, 0.25, 15.0)),
    "gemini-3-flash":        Priced(Price(0.50, 0.05, 3.00)),
    "gemini-3.1-flash-lite": Priced(Price(0.25, 0.025, 1.50)),
    "gemini-3.1-pro":        Priced(Price(2.00, 0.20, 12.0), Price(4.00, 0.40, 18.0)),
    "gemini-3.5-flash-lite": Priced(Price(0.30, 0.03, 2.50)),
    "gemini-3.5-flash":      Priced(Price(1.50, 0.15, 9.00)),
    "gemini-3.6-flash":      Priced(Price(1.50, 0.15, 7.50)),
    "gemini-3.7-flash":      Priced(Price(1.50, 0.15, 7.50)),
    "gemini-3.8-flash":      Priced(Price(1.50, 0.15, 7.50)),
}  # fmt: skip


def cost(model: str, usage: Usage) -> float | None:
    """US dollars; None for a model whose price is not known.

    The usage may be that of several calls. Whether one of them had a long prompt cannot be seen in it, so the higher price holds as soon as the sum is long:
    the cost is rather too high than too low.
    """
    priced = PRICES.get(_plain(model))
    if priced is None:
        return None
    price = priced.long if priced.long and usage.prompt > LONG_PROMPT else priced.usual
    cached = min(usage.cached, usage.prompt)
    return ((usage.prompt - cached) * price.prompt + cached * price.cached + (usage.output + usage.thoughts) * price.output) / _MILLION


def _plain(model: str) -> str:
    """The name without the path of a resource, the number of a version and `-preview`."""
    return _SUFFIX.sub("", model.rpartition("/")[2].lower())
