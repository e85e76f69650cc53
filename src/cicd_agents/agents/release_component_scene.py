"""The repository as one component of several sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cicd_agents.agents.release_scene import Scene
from cicd_agents.analysis.versions.tags import TagFormat

if TYPE_CHECKING:
    from cicd_agents.analysis.release_config.found import Component, FoundConfig
    from cicd_agents.analysis.versions.branches import Line
    from cicd_agents.domain.ports import ReleaseTag


@dataclass(frozen=True)
class ComponentScene(Scene):
    """The repository as one component of the whole sees it; what all share is read once."""

    whole: Scene = field(kw_only=True)
    part: Component = field(kw_only=True)

    @property
    def name(self) -> str:
        """What the component is called in a plan."""
        return self.part.name or self.part.path or "."

    @cached_property
    def config(self) -> FoundConfig:
        """The configuration of the whole."""
        return self.whole.config

    @cached_property
    def component(self) -> Component | None:
        """This component."""
        return self.part

    @cached_property
    def tags(self) -> Sequence[ReleaseTag]:
        """The tags of the component's form; all where none is a version, since then its form is looked for among them."""
        own = TagFormat(self.part.rules.tag_prefix, self.part.rules.tag_suffix, self.whole.calendar)
        found = [tag for tag in self.whole.tags if tag.name.startswith(own.prefix)]
        return found if any(own.version(tag.name) for tag in found) else self.whole.tags

    @cached_property
    def line(self) -> Line | None:
        """What the branch may release."""
        return self.whole.line
