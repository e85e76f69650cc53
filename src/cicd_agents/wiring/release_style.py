"""What the settings say of version files and of the changelog's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cicd_agents.analysis.changelog.style import Form, Style, style, style_for, templates_with
from cicd_agents.analysis.changelog.template import TemplateMistake
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import ReleaseRules
from cicd_agents.settings.model import Settings


def further_files(settings: Settings) -> tuple[tuple[str, str], ...]:
    """The setting `version-files`: paths, each with its pattern or an empty text."""
    return tuple((path.strip(), pattern.strip()) for path, _, pattern in (entry.partition("=") for entry in settings.version_files))


def styled(settings: Settings) -> Callable[[ReleaseRules], Style]:
    """The form of the changelog for the rules of a project. Raises UsageError for a section or template that cannot be read."""
    form = Form(settings.changelog_form)
    sections = _pairs(settings.changelog_sections, "changelog-sections", "feat=New")
    texts = {name: text.replace("\\n", "\n") for name, text in _pairs(settings.changelog_templates, "changelog-templates", "entry=- ${subject}").items()}
    try:
        style(form, sections, texts)  # what is wrong is told before anything is read
    except TemplateMistake as mistake:
        raise UsageError(f"changelog-templates: {mistake}") from None

    def made(rules: ReleaseRules) -> Style:
        if rules.source == "default" or sections:
            return style(form, sections, texts)
        found = style_for(rules, form)
        return replace(found, templates=templates_with(form, texts)) if texts else found

    return made


def _pairs(entries: Sequence[str], setting: str, example: str) -> dict[str, str]:
    found = {}
    for entry in entries:
        name, sign, text = entry.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{setting}: {entry[:60]!r} is not of the form `{example}`.")
        found[name.strip()] = text.strip()
    return found
