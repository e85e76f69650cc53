"""commitizen (Python): `[tool.commitizen]` in pyproject.toml, .cz.toml, .cz.json, .cz.yaml. Rules by its defaults.py and its plugins."""

from __future__ import annotations

import json
from dataclasses import replace

from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import FoundConfig, VersionFile
from cicd_agents.analysis.release_config.type_rules import types_of_pattern
from cicd_agents.analysis.versions.tags import TagFormat, tag_format
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

_BUMPS = {"MAJOR": Bump.MAJOR, "MINOR": Bump.MINOR, "PATCH": Bump.PATCH}
_PROVIDERS = {
    "pep621": ("pyproject.toml",), "poetry": ("pyproject.toml",), "uv": ("pyproject.toml", "uv.lock"), "cargo": ("Cargo.toml", "Cargo.lock"),
    "npm": ("package.json", "package-lock.json"), "composer": ("composer.json",), "scm": (),
}  # fmt: skip
_PLAIN_NAMES = ("cz_conventional_commits", "cz_customize", "")


def from_document(document: Document, source: str) -> FoundConfig:
    """The configuration of the table; `source` says which one it is. Raises UsageError for a setting of the wrong kind."""
    notes: list[str] = []
    formats = (document.text_at("tag_format", "$version"), *document.texts("legacy_tag_formats"))
    tags = _tags(document, formats[0])
    rules = replace(
        _rules(document, notes),
        zero=ZeroPolicy.BREAKING_IS_MINOR if document.flag("major_version_zero", False) else ZeroPolicy.AS_AFTER,
        tag_prefix=tags.prefix,
        tag_suffix=tags.suffix,
        source=source,
    )
    name = document.text_at("name")
    if name not in _PLAIN_NAMES:
        notes.append(f"{document.file}:{document.line('name')}: the plugin {name[:60]} is code and is not run; cz_conventional_commits is assumed")
    scheme = document.text_at("version_scheme") or document.text_at("version_type") or "pep440"
    return FoundConfig(
        rules=rules,
        file=document.file,
        notes=tuple(notes),
        tool="commitizen",
        reading=PRESETS["commitizen"].reading,
        tag_formats=formats,
        files=_files(document),
        changelog=document.text_at("changelog_file", "CHANGELOG.md"),
        spelling="semver" if scheme.startswith("semver") else "pep440",
    )


def with_lists(document: Document) -> Document:
    """The settings of commitizen 1 in setup.cfg as later versions write them: lists are JSON texts there. Raises UsageError for other texts."""
    table = dict(document.table)
    for key in ("files", "version_files"):
        if isinstance(table.get(key), str):
            try:
                table["version_files"] = json.loads(table[key])
            except ValueError as problem:
                raise document.refuse(key, "must be a list, as JSON writes it") from problem
    return replace(document, table=table)


def _tags(document: Document, template: str) -> TagFormat:
    try:
        return tag_format(template)
    except UsageError as problem:
        raise document.refuse("tag_format", "needs $version exactly once") from problem


def _rules(document: Document, notes: list[str]) -> ReleaseRules:
    """The default map, or the bump_map of a customised plugin or of the settings themselves."""
    base = PRESETS["commitizen"].rules
    owner = document if "bump_map" in document else document.section("customize")
    if "bump_map" not in owner:
        return base
    bump_map = owner.section("bump_map")
    types: list[TypeRule] = []
    breaking = Bump.NONE
    for pattern in bump_map.table:
        bump = _BUMPS.get(bump_map.text_at(pattern).upper())
        if bump is None:
            raise bump_map.refuse(pattern, "must be MAJOR, MINOR or PATCH")
        meant = types_of_pattern(pattern)
        if "BREAKING" in pattern.upper() or "!" in pattern:
            breaking = max(breaking, bump, key=lambda each: each.rank)
        elif meant is None:
            notes.append(f"{document.file}:{bump_map.line(pattern)}: the pattern {pattern[:60]} names no commit type and is not read")
        else:
            types += [TypeRule(kind, bump, kind.rstrip("*").title(), scope) for kind, scope in meant]
    return replace(base, types=tuple(types), breaking=breaking)


def _files(document: Document) -> tuple[VersionFile, ...]:
    """The provider's files, and `version_files` as path or path:expression."""
    provider = document.text_at("version_provider", "commitizen")
    found = [VersionFile(path) for path in _PROVIDERS.get(provider, ())]
    if provider == "commitizen" and "version" in document:
        found.append(VersionFile(document.file, "pattern", "version"))
    for entry in document.texts("version_files"):
        path, _, place = entry.partition(":")
        found.append(VersionFile(path, "pattern" if place else "", place))
    return tuple(dict.fromkeys(found))
