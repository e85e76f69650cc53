"""standard-version and commit-and-tag-version: .versionrc*, or their key in package.json. Rules by conventional-recommended-bump: every commit is a patch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import FoundConfig, VersionFile
from cicd_agents.analysis.release_config.javascript import CODE
from cicd_agents.analysis.release_config.type_rules import sections_at
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

_FILES = ("package.json", "package-lock.json")


def from_document(document: Document, value: Any = None) -> FoundConfig:
    """The configuration of the table; `value` is it as read from JavaScript, with CODE in it. Raises UsageError for a setting of the wrong kind."""
    notes: list[str] = []
    if value is not None:
        plain = value if isinstance(value, dict) else {}
        if value is CODE or any(item is CODE for item in plain.values()):
            notes.append(f"{document.file} is code as a whole or in part and is not run; defaults are assumed for what is no plain value")
        document = replace(document, table={key: item for key, item in plain.items() if item is not CODE})
    prefix = document.text_at("tagPrefix", "v")
    return FoundConfig(
        rules=replace(_rules(document), tag_prefix=prefix, release_as=_forced(document), source=document.file),
        file=document.file,
        notes=tuple(notes),
        tool="commit-and-tag-version",
        reading=PRESETS["conventionalcommits"].reading,
        tag_formats=(prefix + "{version}",),
        files=tuple(dict.fromkeys(_files(document))),
        changelog=document.text_at("infile", "CHANGELOG.md"),
    )


def _rules(document: Document) -> ReleaseRules:
    """Breaking is major, a feature minor, all else a patch; below 1.0.0 each is one lower (the option preMajor is set there)."""
    base = PRESETS["conventionalcommits"].rules
    sections = sections_at(document, "types")
    titles = {section.type: section.title for section in sections} or {rule.type: rule.section for rule in base.types}
    types = [TypeRule(kind, Bump.MINOR if kind in ("feat", "feature") else Bump.PATCH, title) for kind, title in titles.items()]
    types += [TypeRule(kind, Bump.MINOR) for kind in ("feat", "feature") if kind not in titles]
    return replace(base, types=(*types, TypeRule("", Bump.PATCH)), others=Bump.PATCH, zero=ZeroPolicy.ONE_LOWER)


def _forced(document: Document) -> str | None:
    """`releaseAs` where it names a version; a word such as `minor` belongs to one run and not to a file."""
    text = document.text_at("releaseAs")
    return text if text[:1].isdigit() else None


def _files(document: Document) -> list[VersionFile]:
    entries = document.items("bumpFiles") or _FILES
    return [VersionFile(path) for path in (item.get("filename") if isinstance(item, dict) else item for item in entries) if isinstance(path, str)]
