"""The platform is known by its own variable, the surest first."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.context.test_choice import GITHUB, GITLAB, JENKINS

from cicd_agents.context.detect import detect
from cicd_agents.domain.context import Platform, RunContext


@pytest.mark.parametrize(
    ("environment", "platform"),
    [
        ({**GITHUB, "GITHUB_EVENT_NAME": "push"}, Platform.GITHUB),
        (GITLAB, Platform.GITLAB),
        (JENKINS, Platform.JENKINS),
        ({"JENKINS_URL": "https://ci.example/"}, Platform.JENKINS),
        ({}, Platform.LOCAL),
        ({"CI": "true"}, Platform.LOCAL),
        ({"GITHUB_ACTIONS": "false", "GITLAB_CI": "", "JENKINS_URL": ""}, Platform.LOCAL),
        ({**GITHUB, **JENKINS, "GITHUB_EVENT_NAME": "push"}, Platform.GITHUB),  # a job that talks to a Jenkins
        ({**GITLAB, **JENKINS}, Platform.GITLAB),
    ],
)
def test_the_platform_is_known_by_its_variables(environment: Mapping[str, str], platform: Platform) -> None:
    assert detect(environment, {}).platform is platform


def test_the_event_reaches_the_platform_that_has_one() -> None:
    assert detect({**GITHUB, "GITHUB_EVENT_NAME": "push"}, {"repository": {"default_branch": "trunk"}}).default_branch == "trunk"


def test_nothing_known_is_a_context_of_its_own() -> None:
    assert detect({}, {}) == RunContext(Platform.LOCAL, event="")
