"""The Slack message: the shape and limits of Block Kit, and nothing of a log that mentions, links or notifies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.samples import ANNOTATED, FULL, JOB, RUN, SKIPPED, of_text

from cicd_agents.report.document import Report
from cicd_agents.report.slack import MAX_HEADER, MAX_SECTION, to_slack


def checked(report: Report, repository: str = "org/repo", comment_url: str = "") -> dict[str, Any]:
    """The message, after checking what Slack requires of it."""
    message = to_slack(report, repository, comment_url)
    assert set(message) == {"text", "blocks"}
    assert 0 < len(message["text"]) <= MAX_SECTION
    for block in message["blocks"]:
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert 0 < len(block["text"]["text"]) <= MAX_HEADER
        elif block["type"] == "section":
            assert (block["text"]["type"], block["text"]["verbatim"]) == ("mrkdwn", True)
            assert 0 < len(block["text"]["text"]) <= MAX_SECTION
        else:
            assert block["type"] == "actions"
            assert 0 < len(block["elements"]) <= 25
            assert all(button["url"].startswith("https://") and len(button["url"]) <= 3000 for button in block["elements"])
    json.dumps(message)
    return message


def texts(message: dict[str, Any]) -> Iterator[str]:
    """Every text that Slack reads as mrkdwn."""
    yield message["text"]
    yield from (block["text"]["text"] for block in message["blocks"] if block["type"] == "section")


def test_a_message_says_what_broke_where_and_what_to_do() -> None:
    message = checked(FULL, comment_url="https://git.example/comment")
    header, claim, facts, actions = message["blocks"]
    assert header["text"]["text"] == "pipeline-doctor: Root cause found · org/repo"
    assert claim["text"]["text"] == "*yarn: lockfile is old*\npackage.json asks for more."
    assert facts["text"]["text"] == ("Job: `build`\nLine 12: `error Your lockfile needs to be updated.`\nPlace: `src/app.py:7:3`\nTo do: Update `yarn.lock`")
    assert [(button["text"]["text"], button["url"]) for button in actions["elements"]] == [
        ("Open the job", JOB), ("Open the run", RUN), ("Open the comment", "https://git.example/comment"),
    ]  # fmt: skip
    assert message["text"] == "pipeline-doctor: Root cause found · org/repo: yarn: lockfile is old"


def test_a_message_of_the_platform_stands_in_for_the_line() -> None:
    assert "Message: `The hosted runner lost communication`" in checked(ANNOTATED)["blocks"][2]["text"]["text"]


def test_without_facts_and_addresses_there_is_header_and_claim() -> None:
    assert [block["type"] for block in checked(SKIPPED, "")["blocks"]] == ["header", "section"]


@pytest.mark.parametrize(
    "url", ["http://git.example/x", "javascript:alert(1)", "https://a@b.example", "slack://open", "https://x.example/a|b", "https://x> <!here>"]
)
def test_only_a_plain_https_address_is_a_button(url: str) -> None:
    details = replace(FULL.details, job_url=url, run_url=None)
    assert [block["type"] for block in checked(replace(FULL, details=details), comment_url=url)["blocks"]] == ["header", "section", "section"]


@pytest.mark.parametrize("text", ["<!channel>", "<!here|here>", "<@U123>", "<#C1|x>", "<https://evil.example|click>", "<!subteam^S1>", "&lt;!channel&gt;"])
def test_no_text_mentions_or_links(text: str) -> None:
    for shown in texts(checked(of_text(text), text, text)):
        assert not re.search("[<>]", shown)
        assert not re.search(r"&(?!amp;|lt;|gt;)", shown)


PIECES = ["<", ">", "&", "`", "*", "_", "\n", "<!channel>", "&amp;", "&" * 700, "\x1b[31m", "\u202e", "\ud800", "🩺"]


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(PIECES)), max_size=10).map("".join))
def test_any_text_makes_a_message_that_slack_takes(text: str) -> None:
    for shown in texts(checked(of_text(text), text)):
        assert not re.search("[<>\x00-\x09\x0b-\x1f\u202e\ud800-\udfff]", shown)
        assert not re.search(r"&(?!amp;|lt;|gt;)", shown)
        for line in shown.split("\n"):
            if re.match(r"(?:Job|Line \d+|Message|Place): ", line):
                assert line.count("`") == 2
