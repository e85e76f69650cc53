"""cocogitto: cog.toml. Rules by its settings and by its bump.rs: a breaking change below 1.0.0 is a minor."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import Component, FoundConfig
from cicd_agents.analysis.versions.branches import BranchRule
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy


def from_document(document: Document) -> FoundConfig:
    """The configuration of the file. Raises UsageError for a setting of the wrong kind."""
    prefix = document.text_at("tag_prefix")
    rules = replace(_rules(document), tag_prefix=prefix, zero=ZeroPolicy.BREAKING_IS_MINOR, source=document.file)
    components = _components(document, rules, prefix)
    notes = [f"{document.file}: {len(components)} packages, each with tags of its own"] if components else []
    if components and document.flag("generate_mono_repository_global_tag", True):
        components = (Component("", "", rules), *components)
        notes.append(f"{document.file}: the version of the whole counts all commits; the bumps of public packages do not raise it")
    return FoundConfig(
        rules=rules,
        file=document.file,
        notes=tuple(notes),
        tool="cocogitto",
        reading=PRESETS["cocogitto"].reading,
        branches=tuple(BranchRule(pattern) for pattern in document.texts("branch_whitelist")),
        tag_formats=(prefix + "{version}",),
        components=components,
        changelog=document.section("changelog").text_at("path", "CHANGELOG.md"),
    )


def _rules(document: Document) -> ReleaseRules:
    """The default types, each replaced by its own table where there is one; an empty table takes a type away."""
    base = PRESETS["cocogitto"].rules
    types = {rule.type: rule for rule in base.types}
    for kind, row in document.sections("commit_types"):
        if not row.table:
            types.pop(kind, None)
            continue
        before = types.get(kind, TypeRule(kind, Bump.NONE))
        bump = Bump.MINOR if row.flag("bump_minor", False) else Bump.PATCH if row.flag("bump_patch", False) else before.bump
        title = "" if row.flag("omit_from_changelog", False) else row.text_at("changelog_title", before.section or kind)
        types[kind] = TypeRule(kind.lower(), bump, title)
    return replace(base, types=tuple(types.values()))


def _components(document: Document, rules: ReleaseRules, prefix: str) -> tuple[Component, ...]:
    if not document.flag("generate_mono_repository_package_tags", True):
        return ()
    separator = document.text_at("monorepo_version_separator", "-")
    found = []
    for name, row in document.sections("packages"):
        path = row.text_at("path").removeprefix("./").strip("/")
        own = replace(rules, tag_prefix=f"{name}{separator}{prefix}", path=path, excluded=row.texts("ignore"), source=f"{document.file} ({name})")
        found.append(Component(name, path, own, changelog=row.text_at("changelog_path") or f"{path}/CHANGELOG.md"))
    return tuple(found)
