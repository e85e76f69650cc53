"""Names from a cluster inside PromQL."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.canary.observing.promql import checked, labels_of
from cicd_agents.domain.delivery_objects import escaped, pods_of


def read(text: str) -> str:
    """The string that PromQL makes of what stands between double quotes."""
    return text.replace("\\\\", "\0").replace(r"\"", '"').replace(r"\n", "\n").replace(r"\r", "\r").replace(r"\t", "\t").replace("\0", "\\")


@given(st.lists(st.text(min_size=1), max_size=3))
def test_names_stay_inside_their_matcher(names: list[str]) -> None:
    assert labels_of(checked(f'pod=~"{"|".join(map(escaped, names))}"', "s")) == ("pod",)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_name_matches_only_itself(name: str) -> None:
    pattern = re2.compile(read(escaped(name)))
    assert pattern.fullmatch(name)
    assert not pattern.fullmatch(name + "x")


@pytest.mark.parametrize(("name", "text"), [("api", "api"), ("api.v1", r"api\\.v1"), ('a"', r"a\""), ("a|b", r"a\\|b"), ("a\\", r"a\\\\")])
def test_a_sign_is_escaped_for_the_expression_and_then_for_the_string(name: str, text: str) -> None:
    assert escaped(name) == text


def test_pods_of_a_dotted_name_are_not_those_of_another() -> None:
    pattern = re2.compile(read(pods_of("api.v1-7d9f")))
    assert (bool(pattern.fullmatch("api.v1-7d9f-x2b4k")), bool(pattern.fullmatch("apixv1-7d9f-x2b4k"))) == (True, False)
