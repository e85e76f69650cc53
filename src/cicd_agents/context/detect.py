"""Which platform we run on. A new one is a file beside this one and a line in `PLATFORMS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cicd_agents.context import github, gitlab, jenkins, local
from cicd_agents.domain.context import RunContext

Environment = Mapping[str, str]
Event = Mapping[str, Any]


def _gitlab(environment: Environment, event: Event) -> RunContext:
    del event  # GitLab hands its jobs no payload
    return gitlab.read(environment)


def _jenkins(environment: Environment, event: Event) -> RunContext:
    del event  # nor does Jenkins
    return jenkins.read(environment)


# (whether it is this one, how it is read); the first that says yes is taken. A job of GitHub or GitLab may know the address of a Jenkins: that comes last.
PLATFORMS: tuple[tuple[Callable[[Environment], bool], Callable[[Environment, Event], RunContext]], ...] = (
    (lambda environment: environment.get("GITHUB_ACTIONS") == "true", github.read),
    (lambda environment: environment.get("GITLAB_CI") == "true", _gitlab),
    (lambda environment: bool(environment.get("JENKINS_URL")), _jenkins),
)


def detect(environment: Environment, event: Event) -> RunContext:
    """The context that the environment and the event's payload (empty where there is none) tell of."""
    for found, read in PLATFORMS:
        if found(environment):
            return read(environment, event)
    return local.read()
