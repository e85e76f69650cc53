"""Which comments are answers: only the writer's own visible line, unchanged, in time, about this plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.domain.ci import Author, Comment
from cicd_agents.operations.approval_answers import Answer, Ignored, Question, answers, told

PLAN = "c0ffee0123456789" + "ab" * 24
SHORT = PLAN[:16]
ME, ALICE = Author("7", "release-bot"), Author("1", "alice")
ASKED, UNTIL = 1000.0, 2000.0
QUESTION = Question(PLAN, ASKED, UNTIL, ME)


def read(
    body: str, *, author: Author = ALICE, created: float | None = 1500.0, updated: float | None = 1500.0, question: Question = QUESTION
) -> Answer | Ignored | None:
    """What one comment says."""
    return next(answers(question, [Comment("9", author, body, "https://forge.example/9", created, updated)]), None)


def reason(body: str, **more: object) -> str:
    found = read(body, **more)  # type: ignore[arg-type]
    assert isinstance(found, Ignored), found
    return found.reason


@pytest.mark.parametrize(
    "body",
    [
        f"/approve {SHORT}", f"/approve {PLAN}", f"/approve {PLAN[:12]}", f"/APPROVE {SHORT.upper()}", f"approve {SHORT}",
        f"Looks good.\n\n/approve {SHORT}\n\nThanks!",
        f"/approve {SHORT}  \t", f"Good\r\n/approve {SHORT}\r\n", f"> quoted\n\n/approve {SHORT}", f"```\ncode\n```\n/approve {SHORT}",
        f"`code` first\n/approve {SHORT}",
        f">>>\nquoted\n>>>\n\n/approve {SHORT}", f"~~~\n```\n~~~\n/approve {SHORT}",
    ],
)  # fmt: skip
def test_the_line_alone_is_a_yes(body: str) -> None:
    assert read(body) == Answer(ALICE, True, 1500.0, "https://forge.example/9")


@pytest.mark.parametrize(
    "body",
    [
        f"> /approve {SHORT}", f"> please\n/approve {SHORT}", f"```\n/approve {SHORT}\n```", f"```\n/approve {SHORT}", f"~~~\n/approve {SHORT}\n~~~",
        f"````\n```\n/approve {SHORT}\n````", f"    /approve {SHORT}", f" /approve {SHORT}", f"\t/approve {SHORT}", f"`/approve {SHORT}`",
        f"- /approve {SHORT}",
        f"/approve {SHORT} please", f"please /approve {SHORT}", f"/approve  {SHORT}", f"/approve {SHORT}.", f"/approve `{SHORT}`", f"/approve\n{SHORT}",
        f"/approve {PLAN[:11]}", "/approve", f"/approve {PLAN}0", f"<!--\n/approve {SHORT}\n-->", f"<details>\n\n/approve {SHORT}\n\n</details>",
        f"<pre>\n/approve {SHORT}\n</pre>", f">>>\n\n/approve {SHORT}\n\n>>>", f"`\n/approve {SHORT}\n`", f"``\n/approve {SHORT}\n``", f"//approve {SHORT}",
        f"\\/approve {SHORT}", f"/disapprove {SHORT}\n/approve", f"**/approve {SHORT}**",
    ],
)  # fmt: skip
def test_quoted_code_hidden_and_longer_lines_are_none_and_that_is_said(body: str) -> None:
    assert "must stand alone on a line" in reason(body)


@pytest.mark.parametrize(
    "body",
    [
        f"/approve\u00a0{SHORT}", f"/appr\u043eve {SHORT}", f"/approve {SHORT[:8]}\u200b{SHORT[8:]}", f"\u200b/approve {SHORT}", f"/approve {SHORT}\u200b",
        f"/approve {SHORT[:-1]}\uff19", f"\u2215approve {SHORT}", f"hi\u2028/approve {SHORT}", f"hi\x0b/approve {SHORT}", f"/approve \u202e{SHORT}",
        f"\ufeff/approve {SHORT}", f"/refu\u017fe {SHORT}",
    ],
)  # fmt: skip
def test_look_alikes_and_characters_that_cannot_be_seen_make_no_answer(body: str) -> None:
    assert not isinstance(read(body), Answer)


def test_talk_is_not_even_noted() -> None:
    assert read("I would approve of that in general.") is None
    assert read("") is None


def test_another_hash_is_an_answer_to_another_plan() -> None:
    assert reason(f"/approve {'d' * 16}") == "it is about another plan"
    assert read(f"/approve {'d' * 16}\n/approve {SHORT}") == Answer(ALICE, True, 1500.0, "https://forge.example/9")


def test_digits_that_fit_two_plans_are_not_enough() -> None:
    twin = Question(PLAN, ASKED, UNTIL, ME, (SHORT + "0" * 48,))
    assert "fit another plan" in reason(f"/approve {SHORT}", question=twin)
    assert isinstance(read(f"/approve {PLAN}", question=twin), Answer)


def test_a_no_wins_over_a_yes_in_the_same_comment() -> None:
    found = read(f"/approve {SHORT}\n/refuse {SHORT}")
    assert isinstance(found, Answer)
    assert not found.approves


def test_a_comment_that_was_changed_is_no_yes() -> None:
    assert "it was changed" in reason(f"/approve {SHORT}", updated=1502.0)
    assert isinstance(read(f"/approve {SHORT}", updated=1500.9), Answer)


@pytest.mark.parametrize("times", [{"created": None}, {"updated": None}])
def test_where_the_platform_tells_no_times_nothing_counts(times: dict[str, None]) -> None:
    assert "does not say when" in reason(f"/approve {SHORT}", **times)


def test_what_was_written_before_the_request_or_after_the_time_does_not_count() -> None:
    assert reason(f"/approve {SHORT}", created=999.0, updated=999.0) == "it is older than the request"
    assert reason(f"/approve {SHORT}", created=2001.0, updated=2001.0) == "it came after the time had passed"


def test_a_no_counts_also_late_and_changed() -> None:
    found = read(f"/refuse {SHORT}", created=3000.0, updated=4000.0)
    assert isinstance(found, Answer)
    assert not found.approves


def test_our_own_comments_are_passed_over() -> None:
    assert read(f"/approve {SHORT}", author=Author("7", "alice")) is None


@pytest.mark.parametrize("login", ["github-actions[bot]", "Renovate[BOT]", "project_7_bot", "project_7_bot_0a1b2c", "group_12_bot1", "service_account_x"])
def test_bots_have_no_say(login: str) -> None:
    assert reason(f"/approve {SHORT}", author=Author("50", login)) == "it is of a bot"


def test_an_account_that_is_gone_has_no_say() -> None:
    assert reason(f"/approve {SHORT}", author=Author("", "ghost")) == "its account is gone"


def test_a_line_far_down_in_a_huge_comment_is_not_looked_for() -> None:
    assert read("x\n" * 20_000 + f"/approve {SHORT}") is None


def test_a_note_shows_no_line_breaks_of_a_login() -> None:
    assert told(Ignored(Author("5", "a\n::error::\u202eb"), "why")) == "An answer of a ::error::b does not count: why."


@given(st.text(alphabet="/aprove refus`~>\n\r\t<-" + SHORT, max_size=80))
def test_whatever_is_written_only_a_line_of_its_own_is_an_answer(body: str) -> None:
    found = read(body)
    if isinstance(found, Answer):
        lines = body.replace("\r", "\n").lower().split("\n")
        assert any(line.strip(" \t").removeprefix("/").startswith(("approve c0ffee012345", "refuse c0ffee012345")) for line in lines)
