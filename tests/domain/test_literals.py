"""Which of many literals stand in a text: always the same answer as one search for each."""

from hypothesis import example, given
from hypothesis import strategies as st

from cicd_agents.domain.literals import Literals

# Few letters, so that beginnings, overlaps and glued signs are common: capitals, signs, plain letters, a letter beyond ASCII, half of a pair.
LETTERS = st.text("ABab_-.=1é\ud800\n", max_size=30)


@given(st.lists(LETTERS.filter(bool), max_size=12), LETTERS)
@example(["ab_"], "ab")
@example(["ab_", "b_", "_"], "aab_")
@example(["AB"], "A-B")
@example(["AaB", "AB"], "xAaBx")
@example(["ab-1_A"], "ab_ab-1_A")
@example(["a\ud800_"], "a\ud800_")
def test_the_literals_inside_a_text_are_those_that_a_search_finds(literals: list[str], text: str) -> None:
    assert sorted(Literals(literals).inside(text)) == sorted({literal for literal in literals if literal in text})


def test_a_literal_given_twice_is_told_once() -> None:
    assert list(Literals(["ghp_", "ghp_"]).inside("x ghp_1 ghp_2")) == ["ghp_"]
