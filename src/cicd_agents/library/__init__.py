"""Data that people read and copy: what a model is told, one text per agent."""

from __future__ import annotations

from importlib.resources import files


def prompt(agent: str) -> str:
    """The fixed words for the model of an agent. Raises FileNotFoundError where there are none."""
    return files(__name__).joinpath("prompts", f"{agent}.md").read_text(encoding="utf-8")
