"""From commit messages to the plan of a release: what each commit says, what it asks of the version, and why (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cicd_agents.analysis.commits.plan import plan_release

__all__ = ["plan_release"]


def __getattr__(name: str) -> Any:
    """`plan_release`, imported when it is first asked for."""
    if name != "plan_release":
        raise AttributeError(name)
    from cicd_agents.analysis.commits.plan import plan_release

    return plan_release
