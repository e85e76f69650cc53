"""Marks on dashboards and links to them: what a verdict leaves where people look at the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cicd_agents.domain.guardian import Link


@dataclass(frozen=True, slots=True)
class Mark:
    """A note at a time, or over a window where `end` is given (seconds since the epoch). `tags` and `text` together say whether it is there already.

    `dashboard` is the uid of the only one that shows it; empty: every one that shows marks with these tags.
    """

    text: str
    tags: tuple[str, ...]
    start: float
    end: float | None = None
    dashboard: str = ""


class Dashboards(Protocol):
    """A server of dashboards. Methods raise ServiceError."""

    def find(self, mark: Mark) -> str | None:
        """The id of a mark with the same tags and text, on the same dashboard, within a day of it; None: there is none."""
        ...

    def annotate(self, mark: Mark) -> str:
        """Write the mark unless it is there; its id."""
        ...

    def link(self, dashboard: str, start: float, end: float, variables: Mapping[str, str] | None = None) -> Link:
        """The page that shows a window of time; `variables` are those of the dashboard."""
        ...
