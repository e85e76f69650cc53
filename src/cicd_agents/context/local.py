"""The context of a person's machine, or of a CI that we don't know: nothing is known, everything has to be named."""

from __future__ import annotations

from cicd_agents.domain.context import Platform, RunContext


def read() -> RunContext:
    """A context that names no run; the workspace is the person's own and trusted."""
    return RunContext(Platform.LOCAL, event="")
