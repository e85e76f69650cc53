"""On a person's machine nothing is known."""

from __future__ import annotations

from cicd_agents.context.local import read
from cicd_agents.domain.context import Kind, Platform


def test_a_persons_machine_names_no_run_and_is_trusted() -> None:
    context = read()
    assert (context.platform, context.kind, context.target, context.own_run) == (Platform.LOCAL, Kind.OTHER, None, None)
    assert context.trusted
    assert not context.on_default_branch
