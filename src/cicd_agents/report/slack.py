"""The report as a message for Slack's incoming webhooks, in Block Kit (docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

from typing import Any

from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import mrkdwn, mrkdwn_code, plain
from cicd_agents.report.links import https_host
from cicd_agents.report.wording import HEADS, proof_text

MAX_HEADER = 150  # characters of a header block
MAX_SECTION = 3000  # characters of a section's text
_LINE, _SUMMARY, _FALLBACK = MAX_SECTION // 6, MAX_SECTION // 2, 300  # so that a section's lines together stay below its limit


def to_slack(report: Report, repository: str = "", comment_url: str = "") -> dict[str, Any]:
    """What is posted to the webhook: what broke, why, what to do first, and buttons for https addresses."""
    head = " · ".join(part for part in (f"{report.agent}: {HEADS[report.outcome]}", repository) if part)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": plain(" ".join(head.split()), MAX_HEADER), "emoji": False}},
        section(_claim(report)),
    ]
    if facts := _facts(report):
        blocks.append(section(facts))
    buttons = [
        button(label, url)
        for label, url in (("Open the job", report.details.job_url), ("Open the run", report.details.run_url), ("Open the comment", comment_url))
        if url and https_host(url)  # shorter than the 3,000 characters that a button takes
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": mrkdwn(f"{head}: {report.title}", _FALLBACK), "blocks": blocks}


def _claim(report: Report) -> str:
    return f"*{mrkdwn(report.title, _LINE)}*" + (f"\n{mrkdwn(report.summary, _SUMMARY)}" if report.summary else "")


def _facts(report: Report) -> str:
    details = report.details
    root = details.root_cause
    lines = [f"Job: {mrkdwn_code(details.job, _LINE)}"] if details.job else []
    if proof := proof_text(report):
        lines.append(f"{f'Line {root.line}' if root else 'Message'}: {mrkdwn_code(proof, _LINE)}")
    if root and root.location:
        lines.append(f"Place: {mrkdwn_code(place(root.location), _LINE)}")
    if details.fixes:
        lines.append(f"To do: {mrkdwn(details.fixes[0].title, _LINE)}")
    return "\n".join(lines)


def section(text: str) -> dict[str, Any]:
    """A part of the message. `verbatim`: Slack makes no links, channels or mentions of plain words."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def button(label: str, url: str) -> dict[str, Any]:
    """A button that opens an address."""
    return {"type": "button", "text": {"type": "plain_text", "text": label, "emoji": False}, "url": url}
