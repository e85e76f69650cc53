"""How the tests of this folder look at a configuration."""

import textwrap

from cicd_agents.analysis.commits.bump import Judge
from cicd_agents.analysis.release_config import FoundConfig, find_config
from cicd_agents.domain.release import Bump, Change


def found(file: str, text: str, **others: str) -> FoundConfig:
    """The configuration of one file, with further files as `name_with_underscores="text"` pairs given by path in a dict."""
    config = find_config({file: textwrap.dedent(text).encode(), **{path: content.encode() for path, content in others.items()}})
    assert config is not None
    return config


def bump(config: FoundConfig, kind: str, scope: str | None = None, breaking: bool = False) -> Bump:
    """What a commit of the type asks for under the rules."""
    return Judge(config.rules).bump(Change("sha", kind, scope, "subject", breaking))[0]
