"""How a changelog looks: which type of change stands in which section, and the templates of a release, a section and an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from cicd_agents.analysis.changelog.template import Template, TemplateMistake
from cicd_agents.domain.release import ReleaseRules, TypeRule

RELEASE_NAMES = ("version", "title", "tag", "previous_tag", "date", "compare_url", "sections", "contributors", "new_contributors")
SECTION_NAMES = ("title", "entries")
ENTRY_NAMES = ("scope", "subject", "links", "authors", "note", "type", "hash", "commit", "refs")
BREAKING, DEPENDENCIES, OTHERS = "breaking", "dependencies", "others"  # keys of sections that are no types
_SCOPE = 100  # characters of a scope that are compared


class Form(StrEnum):
    """The two forms: the one of conventional-changelog and its kin, and keepachangelog.com 1.1.0."""

    CONVENTIONAL = "conventional"
    KEEP_A_CHANGELOG = "keep-a-changelog"


# Title of the section by type, in the order of the sections; "" hides. The first are those of the conventionalcommits preset.
_CONVENTIONAL = {
    BREAKING: "⚠ BREAKING CHANGES",
    "feat": "Features", "feature": "Features",
    "fix": "Bug Fixes",
    "perf": "Performance Improvements",
    "revert": "Reverts",
    DEPENDENCIES: "Dependencies", "deps": "Dependencies",
    "docs": "Documentation",
    OTHERS: "Others",
}  # fmt: skip
# keepachangelog.com knows six sections, meant for those who use the software: what only builds or tests it is left out. Breaking changes stay in theirs.
_KEEP = {
    "feat": "Added", "feature": "Added", "add": "Added",
    OTHERS: "Changed", "perf": "Changed", "refactor": "Changed", "docs": "Changed", "revert": "Changed", DEPENDENCIES: "Changed", "deps": "Changed",
    "deprecate": "Deprecated",
    "remove": "Removed",
    "fix": "Fixed",
    "security": "Security", "sec": "Security",
    "build": "", "chore": "", "ci": "", "style": "", "test": "", "tests": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a changelog; `unreleased` stands for `release` where there is no date. See docs/changelog.md for the names."""

    release: Template
    unreleased: Template
    section: Template
    entry: Template
    breaking: Template


def templates(release: str, unreleased: str, section: str, entry: str, breaking: str) -> Templates:
    """Templates from their texts. Raises TemplateMistake."""
    return Templates(
        Template(release, RELEASE_NAMES, "template of a release"),
        Template(unreleased, RELEASE_NAMES, "template of what is unreleased"),
        Template(section, SECTION_NAMES, "template of a section"),
        Template(entry, ENTRY_NAMES, "template of an entry"),
        Template(breaking, ENTRY_NAMES, "template of a breaking change"),
    )


_SECTION = "### ${title}\n\n${entries}"
_ENTRY = "- ${scope}${subject}${links}"
_TEXTS = {
    Form.CONVENTIONAL: {
        "release": "## ${title} (${date})\n\n${sections}", "unreleased": "## ${title}\n\n${sections}",
        "section": _SECTION, "entry": _ENTRY, "breaking": "- ${scope}${subject}${links}${note}",
    },
    Form.KEEP_A_CHANGELOG: {
        "release": "## ${title} - ${date}\n\n${sections}", "unreleased": "## ${title}\n\n${sections}",
        "section": _SECTION, "entry": _ENTRY, "breaking": "- **Breaking:** ${scope}${subject}${links}${note}",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """A form with its sections and templates.

    `sections` maps a type, a type with a scope (`build(deps)`) or one of the keys `breaking`, `dependencies`, `others` to the title of its section;
    "" hides; in types and scopes `*` and `?` stand for other letters. Keys with a scope are tried first, then `dependencies`, then types.
    Sections stand in the order in which their titles come first. Without `breaking` a breaking change stays in the section of its type. It is never hidden.
    """

    form: Form
    sections: Mapping[str, str]
    templates: Templates
    titles: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "titles", tuple(dict.fromkeys(title for title in self.sections.values() if title)))

    def title_of(self, kind: str, scope: str | None, breaking: bool = False, dependency: bool = False) -> str:
        """The title of the section in which a change stands, "" where it is hidden."""
        if breaking and self.sections.get(BREAKING):
            return self.sections[BREAKING]
        title = self._title(kind, scope, dependency)
        if breaking and not title:
            return self.sections.get(OTHERS) or _CONVENTIONAL[BREAKING]
        return title

    def _title(self, kind: str, scope: str | None, dependency: bool) -> str:
        whole = f"{kind}({scope.lower()[:_SCOPE]})" if scope else ""
        keys = [key for key in self.sections if "(" in key and whole and fnmatchcase(whole, key)]
        keys += [DEPENDENCIES] * dependency
        if kind and kind not in (BREAKING, DEPENDENCIES, OTHERS):
            keys += [kind, *(key for key in self.sections if ("*" in key or "?" in key) and fnmatchcase(kind, key))]
        return next((self.sections[key] for key in (*keys, OTHERS) if key in self.sections), "")


def style(form: Form = Form.CONVENTIONAL, sections: Mapping[str, str] | None = None, texts: Mapping[str, str] | None = None) -> Style:
    """A form as it is, or with other sections or templates (keys `release`, `unreleased`, `section`, `entry`, `breaking`).

    `sections` adds to those of the form: a key that the form has takes the new title; "" hides. Where a template is given for entries but none for breaking
    changes, the latter follow it, with their note. Raises TemplateMistake.
    """
    table = dict(_CONVENTIONAL if form is Form.CONVENTIONAL else _KEEP)
    table.update({name.lower(): " ".join(title.split()) for name, title in (sections or {}).items()})
    return Style(form, table, templates_with(form, texts or {}))


def templates_with(form: Form, texts: Mapping[str, str]) -> Templates:
    """The templates of a form with some of the user's own, as `style` takes them. Raises TemplateMistake."""
    chosen, own = dict(_TEXTS[form]), dict(texts)
    if unknown := sorted(own.keys() - chosen.keys()):
        raise TemplateMistake(f"There is no template {unknown[0]!r}; there are {', '.join(chosen)}.")
    if "entry" in own:
        own.setdefault("breaking", own["entry"] + "${note}")
    return templates(**{**chosen, **own})


def style_of_rules(types: tuple[TypeRule, ...], form: Form = Form.CONVENTIONAL) -> Style:
    """The sections that a project's own rules name, in their order. Types that they do not name are hidden, as its tool does.

    Rules without any title give the form as it is.
    """
    if not any(rule.section for rule in types):
        return style(form)
    table = {} if form is Form.KEEP_A_CHANGELOG else {BREAKING: _CONVENTIONAL[BREAKING]}
    for rule in types:
        table.setdefault((f"{rule.type}({rule.scope})" if rule.scope else rule.type).lower(), " ".join(rule.section.split()))
    return Style(form, table, templates(**_TEXTS[form]))


def style_for(rules: ReleaseRules, form: Form = Form.CONVENTIONAL) -> Style:
    """The style of a project: that of the form as it is where no configuration or preset was found, else the sections of its rules."""
    return style(form) if rules.source == "default" else style_of_rules(rules.types, form)
