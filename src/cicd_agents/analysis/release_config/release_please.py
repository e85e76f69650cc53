"""release-please: release-please-config.json and .release-please-manifest.json. Rules by its schema, strategies and versioning strategies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cicd_agents.analysis.commits.presets import PRESETS, release_please_types
from cicd_agents.analysis.release_config.document import Document, read_json
from cicd_agents.analysis.release_config.found import Component, FoundConfig, LinkedVersions, VersionFile
from cicd_agents.analysis.release_config.package_names import package_name
from cicd_agents.analysis.release_config.places import CONFIGS, MANIFESTS
from cicd_agents.analysis.release_config.type_rules import Section, sections_at
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

_MAX_COMPONENTS = 2000
# (bump-minor-pre-major, bump-patch-for-minor-pre-major) → policy.
_ZERO = {
    (False, False): ZeroPolicy.AS_AFTER, (True, False): ZeroPolicy.BREAKING_IS_MINOR, (True, True): ZeroPolicy.ONE_LOWER,
    (False, True): ZeroPolicy.FEATURE_IS_PATCH,
}  # fmt: skip
_ALWAYS = {"always-bump-patch": Bump.PATCH, "always-bump-minor": Bump.MINOR, "always-bump-major": Bump.MAJOR}
_FIRST_IS_ZERO_ONE = frozenset(("python", "rust", "r", "uv", "java-yoshi", "terraform-module", "krm-blueprint", "go-yoshi"))
_MINOR_TYPES = frozenset(("feat", "feature"))


@dataclass(frozen=True, slots=True)
class _Package:
    """A package: its path and its settings over those of the root."""

    path: str
    settings: Document

    @property
    def release_type(self) -> str:
        return self.settings.text_at("release-type", "node")

    @property
    def folder(self) -> str:
        """The path without a slash at its end; empty for the root."""
        return "" if self.path in (".", "./", "") else self.path.removeprefix("./").strip("/")


def from_document(document: Document, files: Mapping[str, bytes]) -> FoundConfig:
    """The configuration of a repository; `files` may hold the manifest and the package files that name components. Raises UsageError as the reader does."""
    versions = _manifest(files)
    packages = _packages(document)
    notes: list[str] = []
    components = tuple(_component(package, versions, files, notes) for package in packages)
    chosen = next((at for at, package in enumerate(packages) if not package.folder), 0)
    if len(components) > 1:
        notes.append(f"{document.file}: {len(components)} components, each with tags of its own")
    main = components[chosen]
    return FoundConfig(
        rules=main.rules,
        file=document.file,
        notes=tuple(dict.fromkeys(notes)),
        tool="release-please",
        reading=PRESETS["release-please"].reading,
        tag_formats=(main.rules.tag_prefix + "{version}",),
        components=components,
        linked=_linked(document),
        workspaces=tuple(kind for kind in _plugin_kinds(document) if kind.endswith("-workspace")),
        files=main.files,
        changelog=main.changelog,
        stop_at=document.text_at("last-release-sha") or document.text_at("bootstrap-sha"),
    )


def component_files(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Further files that say how components are called; read them too where they exist."""
    config = next((path for path in CONFIGS if path in files), None)
    if config is None:
        return ()
    names = ("package.json", "Cargo.toml", "pyproject.toml", "composer.json", "pubspec.yaml", "Chart.yaml")
    return tuple(f"{package.folder}/{name}" for package in _packages(read_json(config, files[config])) if package.folder for name in names)


def _packages(document: Document) -> list[_Package]:
    shared = {key: value for key, value in document.table.items() if key not in ("packages", "plugins")}
    found = [_Package(path, replace(package, table={**shared, **package.table})) for path, package in document.sections("packages")]
    if len(found) > _MAX_COMPONENTS:
        raise document.refuse("packages", f"must hold at most {_MAX_COMPONENTS} packages")
    return found or [_Package(".", document)]


def _manifest(files: Mapping[str, bytes]) -> dict[str, str]:
    """The last released versions by path."""
    path = next((path for path in MANIFESTS if path in files), None)
    if path is None:
        return {}
    manifest = read_json(path, files[path])
    return {key: manifest.text_at(key) for key in manifest.table}


def _component(package: _Package, versions: Mapping[str, str], files: Mapping[str, bytes], notes: list[str]) -> Component:
    settings = package.settings
    name = _name(package, files)
    in_tag = name if settings.flag("include-component-in-tag", True) else ""
    separator = "/" if package.release_type == "ruby" and "tag-separator" not in settings else settings.text_at("tag-separator", "-")
    prefix = (in_tag + separator if in_tag else "") + ("v" if settings.flag("include-v-in-tag", True) else "")
    rules = replace(
        _rules(package, notes),
        tag_prefix=prefix,
        path=package.folder,
        excluded=tuple(path.strip("/") for path in settings.texts("exclude-paths")),
        release_as=settings.text_at("release-as") or None,
        initial=settings.text_at("initial-version") or ("0.1.0" if package.release_type in _FIRST_IS_ZERO_ONE else "1.0.0"),
        source=settings.file if not package.folder else f"{settings.file} ({package.folder})",
    )
    if rules.release_as:
        notes.append(f"{settings.file}:{settings.line('release-as')}: release-as stays in force until it is taken out")
    changelog = settings.text_at("changelog-path", "CHANGELOG.md")
    return Component(name, package.folder, rules, versions.get(package.path), _extra_files(package), _inside(package, changelog))


def _rules(package: _Package, notes: list[str]) -> ReleaseRules:
    settings = package.settings
    if "changelog-sections" in settings:
        types = tuple(_rule(section) for section in sections_at(settings, "changelog-sections"))
    else:
        types = release_please_types(release_type=package.release_type)
    zero = settings.flag("bump-minor-pre-major", False), settings.flag("bump-patch-for-minor-pre-major", False)
    rules = replace(PRESETS["release-please"].rules, types=types, others=Bump.NONE, any_visible_is_patch=True, zero=_ZERO[bool(zero[0]), bool(zero[1])])
    return _versioned(rules, settings, notes)


def _versioned(rules: ReleaseRules, settings: Document, notes: list[str]) -> ReleaseRules:
    """The rules under a versioning strategy."""
    strategy = settings.text_at("versioning", "default")
    if strategy in _ALWAYS:
        always = _ALWAYS[strategy]
        types = tuple(replace(rule, bump=always if rule.section else Bump.NONE) for rule in rules.types)
        return replace(rules, types=types, breaking=always, zero=ZeroPolicy.AS_AFTER)
    if strategy == "prerelease":
        return replace(rules, prerelease=settings.text_at("prerelease-type").split(".")[0] or None)
    if strategy not in ("default", "semver"):
        notes.append(f"{settings.file}:{settings.line('versioning')}: the versioning {strategy[:40]} is not known; default is assumed")
    return rules


def _rule(section: Section) -> TypeRule:
    """What a shown type asks for: features a minor, all others a patch; hidden ones nothing (their breaking changes count all the same)."""
    if not section.title:
        return TypeRule(section.type, Bump.NONE)
    return TypeRule(section.type, Bump.MINOR if section.type in _MINOR_TYPES else Bump.PATCH, section.title)


def _name(package: _Package, files: Mapping[str, bytes]) -> str:
    """The component's name: as configured, else the package's own, as its release type reads it (scopes of npm and vendors of composer are left out)."""
    settings = package.settings
    named = settings.text_at("component")
    if named:
        return named
    name = settings.text_at("package-name") or package_name(package.release_type, package.folder, files)
    return name.rpartition("/")[2] if package.release_type in ("node", "expo", "php", "php-yoshi") else name


def _extra_files(package: _Package) -> tuple[VersionFile, ...]:
    found = []
    for entry in package.settings.items("extra-files"):
        item = {"path": entry, "type": "generic"} if isinstance(entry, str) else entry
        if not isinstance(item, dict):
            raise package.settings.refuse("extra-files", "must be a list of paths and of tables with a path")
        row = replace(package.settings, table=item)
        found.append(VersionFile(_inside(package, row.text_at("path")), row.text_at("type"), row.text_at("jsonpath") or row.text_at("xpath")))
    return tuple(found)


def _inside(package: _Package, path: str) -> str:
    """A path from the package's folder, from the root of the repository; a leading slash means the root already."""
    if path.startswith("/"):
        return path.lstrip("/")
    parts: list[str] = []
    for part in [*package.folder.split("/"), *path.split("/")]:
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _plugins(document: Document) -> list[dict[str, Any]]:
    return [item if isinstance(item, dict) else {"type": item} for item in document.items("plugins")]


def _plugin_kinds(document: Document) -> list[str]:
    return [replace(document, table=plugin).text_at("type") for plugin in _plugins(document)]


def _linked(document: Document) -> tuple[LinkedVersions, ...]:
    rows = [replace(document, table=plugin) for plugin in _plugins(document)]
    return tuple(LinkedVersions(row.text_at("groupName"), row.texts("components")) for row in rows if row.text_at("type") == "linked-versions")
