"""A message to Slack by an incoming webhook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cicd_agents.publish.outcome import Published, PublishStatus, guarded

DESTINATION = "slack"


def publish_slack(post: Callable[[dict[str, Any]], None], message: dict[str, Any], *, dry_run: bool = False) -> Published:
    """Hand the message (report.slack) to `post`, which raises ServiceError when Slack does not take it."""
    if dry_run:
        return Published(DESTINATION, PublishStatus.PLANNED, why="Would post a message.")

    def publish() -> Published:
        post(message)
        return Published(DESTINATION, PublishStatus.CREATED)

    return guarded(DESTINATION, publish)
