"""The guardian's decision as a message for Slack's incoming webhooks, in Block Kit (docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

import re
from typing import Any

from cicd_agents.report.document import GuardianReport
from cicd_agents.report.escape import mrkdwn, mrkdwn_code, plain
from cicd_agents.report.guardian_wording import NAME, carried_out, deciding, decision_words, facts, reasoning, verdict_word
from cicd_agents.report.links import https_host
from cicd_agents.report.slack import MAX_HEADER, MAX_SECTION, button, section

_LINE, _REASON, _COMMAND, _FALLBACK = 250, 1200, 400, 300
_NUMBER, _KIND = re.compile(r"(?<![\w.])[0-9][0-9.,]*"), 200
_MOST_FACTS, _MOST_BUTTONS = 7, 5  # an actions block takes 25 elements; more than a few are not read


def to_guardian_slack(report: GuardianReport, repository: str = "", comment_url: str = "") -> dict[str, Any]:
    """What is posted: decision and reason, the numbers that decided, where it stands, what to do first, and buttons for https addresses."""
    details = report.details
    place = f"{details.service} in {details.environment}" if details.environment else details.service
    head = " · ".join(part for part in (f"{NAME}: {verdict_word(details)}", place, repository) if part)
    parts = (_decision(report), _facts(report), _first_action(report))
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": plain(" ".join(head.split()), MAX_HEADER), "emoji": False}},
        *(section(part[:MAX_SECTION]) for part in parts if part),
    ]
    if buttons := _buttons(report, comment_url):
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": mrkdwn(f"{head}: {details.reason}", _FALLBACK), "blocks": blocks}


def message_kind(decision: str, status: str, reason: str) -> str:
    """What a message says, apart from its numbers and from what else is open: who has read one learns nothing new from another of the same kind."""
    return f"{decision}, {status}: {_NUMBER.sub('#', reason.partition(' (and ')[0])[:_KIND]}"


def _decision(report: GuardianReport) -> str:
    lines = [f"*Decision: {decision_words(report.details)}.* {mrkdwn(reasoning(report), _REASON)}"]
    lines += [f"• {mrkdwn(text, _LINE)}" for text in deciding(report.details)]
    if acted := carried_out(report.operations):
        lines.append(f"*{mrkdwn(acted, _LINE)}*")
    return "\n".join(lines)


def _facts(report: GuardianReport) -> str:
    return "\n".join(f"{name}: {mrkdwn(value, _LINE)}" for name, value in facts(report.details)[:_MOST_FACTS])


def _first_action(report: GuardianReport) -> str:
    first = next(iter(report.details.actions), None)
    if first is None:
        return ""
    return "\n".join([f"To do: {mrkdwn(first.title, _LINE)}", *(mrkdwn_code(command, _COMMAND) for command in first.commands[:3])])


def _buttons(report: GuardianReport, comment_url: str) -> list[dict[str, Any]]:
    pages = [("Open the comment", comment_url), *((item.title, item.url) for item in report.details.links)]
    return [button(plain(" ".join(title.split()), 60) or "Open", url) for title, url in pages if https_host(url)][:_MOST_BUTTONS]
