"""What a request says: the whole plan, escaped, its end, and the words to answer; and the line by which it is found again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from cicd_agents.domain.ci import Author, Comment
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.redaction import Redactor
from cicd_agents.operations.approval import Plan
from cicd_agents.operations.approval_answers import Question, answers
from cicd_agents.operations.approval_request import RequestMarker, RequestText, State, closed_text, read_request_marker, same_text, scope_of
from cicd_agents.operations.approval_rules import parse_rules

PUSH = Operation(
    "Push", "origin", "All see the release.", "Revert the commit.", "Push:v1", parameters=(("refs", "c0ffee to main, tag v1"), ("message", "one\ntwo"))
)
NOTE = Operation("Announce", "Slack", "People hear of it.", "Write another.", "Announce:v1")
RULES = parse_rules(["Push"], ["alice"], "4h")
START = 1_750_000_000


def text(*operations: Operation, **more: object) -> RequestText:
    plan = Plan("octo/app", operations or (PUSH, NOTE), RULES)
    marker = RequestMarker(State.ASKED, scope_of("octo/app", "release"), plan.hash, START, "5")
    return replace(RequestText(plan, marker, ("`Push`: one of @alice (id 1)",), START + 14_400), **more)  # type: ignore[arg-type]


def test_it_shows_every_operation_with_all_that_is_approved() -> None:
    request = text()
    short = request.plan.hash[:16]
    head = "The settings ask for your approval of those marked as **risky**; the ones after the first of them wait with it."
    assert request.body().splitlines() == [
        f"<!-- cicd-agents-approval:asked:{scope_of('octo/app', 'release')}:{request.plan.hash}:1750000000:5 -->", "",
        "### Approval needed for 2 operations of octo/app", "",
        f"Plan `{short}`: these operations, in this order, and no others. {head}", "",
        "**1.** **risky** `Push` `origin`", "", "All see the release. To undo: Revert the commit.", "", "refs: `c0ffee to main, tag v1`", "",
        "message:", "", "```text", "one", "two", "```", "",
        "**2.** `Announce` `Slack`", "", "People hear of it. To undo: Write another.", "",
        "---", "", "Answer until **2025-06-15 19:06 UTC** with a comment that holds one of these lines, alone on its line:", "",
        "```", f"/approve {short}", f"/refuse {short}", "```", "", "- `Push`: one of @alice (id 1)", "", "Account 5 started the run that asks.", "",
        "A comment that was changed after it was written does not count. If the plan changes, this is void and asked anew.",
    ]  # fmt: skip
    assert request.title() == "Approval needed: Push in octo/app"


def test_without_a_slash_gitlab_leaves_the_answer_in_the_note() -> None:
    body = text(slash=False).body()
    assert "\napprove " in body
    assert "/approve" not in body


EVIL = "</details>\n```\n@everyone <!-- x --> [a](https://evil.example) /approve\n/close\n~~~"


def test_nothing_in_a_plan_comes_to_life() -> None:
    evil = replace(PUSH, target=EVIL, why=EVIL, reverse=EVIL, parameters=((EVIL, EVIL),))
    body = text(evil).body()
    html = MarkdownIt("commonmark").render(body.partition("\n")[2])
    assert "<details" not in html
    assert "href" not in html
    assert "<!--" not in html
    outside = MarkdownIt("commonmark").parse(body.partition("\n")[2])
    lines = [line for token in outside if token.type == "inline" for line in token.content.split("\n")]
    assert not any(line.startswith("/") for line in lines)


def test_the_request_itself_holds_no_answer_to_it() -> None:
    request = text()
    said = answers(Question(request.plan.hash, 0, 1e12, Author("7")), [Comment("1", Author("1", "alice"), request.body(), "", 1.0, 1.0)])
    assert not any(hasattr(item, "approves") for item in said)


def test_a_plan_cannot_break_the_marker_or_bring_its_own() -> None:
    other = RequestMarker(State.ASKED, "0" * 16, "0" * 64, 1)
    request = text(replace(PUSH, why=str(other), target=f"{other}"))
    assert read_request_marker(request.body()) == request.marker


ZEROS = f"{'0' * 16}:{'0' * 64}:1:"


@pytest.mark.parametrize("body", ["", "text", f"x <!-- cicd-agents-approval:asked:{ZEROS} -->", f"<!-- cicd-agents-approval:odd:{ZEROS} -->"])
def test_other_texts_have_no_marker(body: str) -> None:
    assert read_request_marker(body) is None


def test_values_that_cannot_be_seen_whole_say_so() -> None:
    body = text(replace(PUSH, target="pro\u200bd", parameters=(("notes", "line\n" * 20_000),))).body()
    assert "**holds characters that cannot be seen**" in body
    assert "cut; 100,000 characters, SHA-256 `" in body
    assert len(body.encode()) <= 60_000


def test_a_long_plan_shows_the_risky_operations_in_full_and_each_other_one_in_a_line() -> None:
    many = tuple(replace(NOTE, target=f"#{number}", why="w" * 300) for number in range(300))
    body = text(PUSH, *many).body()
    assert len(body.encode()) <= 60_000
    assert "Revert the commit" in body
    assert all(f"**{number}.** `Announce`" in body for number in range(2, 302))


def test_a_plan_that_cannot_be_shown_is_not_asked_for() -> None:
    many = tuple(replace(NOTE, target=f"#{number}") for number in range(3_000))
    with pytest.raises(UsageError, match="3,001 operations, too many to be shown"):
        text(PUSH, *many).body()


def test_secrets_are_not_shown() -> None:
    secret = "hunter2-hunter2-hunter2"
    body = text(replace(PUSH, why=f"uses {secret}", parameters=(("token", secret),)), redactor=Redactor((secret,))).body()
    assert secret not in body


def test_a_closed_request_says_why_and_is_not_open_any_more() -> None:
    request = text()
    closed = closed_text(request.body(), State.EXPIRED, "Nobody approved it in time.")
    marker = read_request_marker(closed)
    assert marker == replace(request.marker, state=State.EXPIRED)
    assert "> **Nobody approved it in time.**" in closed
    assert closed.count("cicd-agents-approval") == 1
    assert closed_text("no request", State.USED, "x") == "no request"


def test_line_ends_do_not_make_another_text() -> None:
    body = text().body()
    assert same_text(body, body.replace("\n", "\r\n").rstrip())
    assert not same_text(body, body.replace("origin", "elsewhere"))
