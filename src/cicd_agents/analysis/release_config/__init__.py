"""The release configuration that a repository already has, read without running anything: `find_config` (pure)."""

from cicd_agents.analysis.release_config.find import CONFIG_FILES, find_config, further_files
from cicd_agents.analysis.release_config.found import Component, FoundConfig, LinkedVersions, VersionFile
from cicd_agents.analysis.release_config.places import WORKFLOWS

__all__ = ["CONFIG_FILES", "WORKFLOWS", "Component", "FoundConfig", "LinkedVersions", "VersionFile", "find_config", "further_files"]
