"""A release as a message for Slack's incoming webhooks, in Block Kit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cicd_agents.report.escape import mrkdwn, plain
from cicd_agents.report.links import https_host
from cicd_agents.report.slack import MAX_HEADER, MAX_SECTION, button, section

_LINE = 300
_MOST_LINES = MAX_SECTION // (_LINE + 10)


def to_announcement(title: str, lines: Sequence[str], url: str, repository: str = "") -> dict[str, Any]:
    """What is posted: the title, its highlights, and a button to the release where its address is https. `lines` are texts as people wrote them."""
    head = " · ".join(part for part in (f"Released {title}", repository) if part)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": plain(" ".join(head.split()), MAX_HEADER), "emoji": False}}]
    if lines:
        blocks.append(section("\n".join(f"• {mrkdwn(line, _LINE)}" for line in lines[:_MOST_LINES])))
    if url and https_host(url):
        blocks.append({"type": "actions", "elements": [button("Open the release", url)]})
    return {"text": mrkdwn(head, _LINE), "blocks": blocks}
