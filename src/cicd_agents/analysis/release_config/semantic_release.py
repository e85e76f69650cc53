"""semantic-release: .releaserc*, release.config.*, `release` in package.json. Rules by its commit-analyzer and its documentation of the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cicd_agents.analysis.commits.presets import PRESETS, Preset
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import FoundConfig, VersionFile
from cicd_agents.analysis.release_config.javascript import CODE
from cicd_agents.analysis.release_config.type_rules import laid_over, sections_at, with_sections
from cicd_agents.analysis.versions.branches import BranchKind, BranchRule, is_range
from cicd_agents.analysis.versions.tags import tag_format
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

# The documented default of `branches`.
DEFAULT_BRANCHES = (
    BranchRule("+([0-9])?(.{+([0-9]),x}).x", BranchKind.MAINTENANCE),
    BranchRule("master"),
    BranchRule("main"),
    BranchRule("next", channel="next"),
    BranchRule("next-major", channel="next-major"),
    BranchRule("beta", BranchKind.PRERELEASE, "beta", "beta"),
    BranchRule("alpha", BranchKind.PRERELEASE, "alpha", "alpha"),
)  # fmt: skip
_ANALYZER, _NOTES, _CHANGELOG = "@semantic-release/commit-analyzer", "@semantic-release/release-notes-generator", "@semantic-release/changelog"
_GIT, _NPM = "@semantic-release/git", "@semantic-release/npm"
_DEFAULT_PLUGINS = (_ANALYZER, _NOTES, _NPM)
# The titles of the eslint preset carry a tag; read as a type it is in lower case. Its rules are the same file's.
_ESLINT = (
    TypeRule("breaking", Bump.MAJOR, "Breaking"), TypeRule("new", Bump.MINOR, "New"), TypeRule("update", Bump.MINOR, "Update"),
    TypeRule("fix", Bump.PATCH, "Fix"),
)  # fmt: skip
_RELEASES = {
    "major": Bump.MAJOR, "premajor": Bump.MAJOR, "minor": Bump.MINOR, "preminor": Bump.MINOR, "patch": Bump.PATCH, "prepatch": Bump.PATCH,
    "prerelease": Bump.PATCH, False: Bump.NONE, None: Bump.NONE,
}  # fmt: skip


@dataclass(slots=True)
class _Reading:
    """A configuration while it is read: its plain part, and the notes that come up."""

    document: Document
    notes: list[str] = field(default_factory=list)

    def plugin(self, name: str) -> Document:
        """The options of a plugin laid over the global ones, as semantic-release hands them on."""
        options = {key: value for key, value in self.document.table.items() if key not in ("plugins", "branches")}
        for entry in self.document.items("plugins"):
            if isinstance(entry, list) and len(entry) > 1 and entry[0] == name and isinstance(entry[1], dict):
                options |= entry[1]
        return replace(self.document, table=options)

    @property
    def analyzer(self) -> Document:
        """The options of the commit analyzer; version 15 kept them in `analyzeCommits`."""
        found = self.plugin(_ANALYZER)
        legacy = found.table.get("analyzeCommits")
        return replace(found, table={**found.table, **legacy}) if isinstance(legacy, dict) else found

    def uses(self, name: str) -> bool:
        """Is the plugin in the list, or in the default list?"""
        if "plugins" not in self.document:
            return name in _DEFAULT_PLUGINS
        return any((entry[:1] == [name] if isinstance(entry, list) else entry == name) for entry in self.document.items("plugins"))


def from_document(document: Document, value: Any = None) -> FoundConfig:
    """The configuration that a table says; `value` is it as read from JavaScript, with CODE in it. Raises UsageError for a setting of the wrong kind."""
    notes: list[str] = []
    if value is CODE:
        notes.append(f"{document.file} is code and is not run; the defaults of semantic-release are assumed")
    elif value is not None:
        document = replace(document, table=_plain(value, "", document.file, notes))
    reading = _Reading(document, notes)
    if "extends" in document:
        notes.append(f"{document.file}: `extends` names a package that is not read; what stands in the file itself counts")
    template = document.text_at("tagFormat", "v${version}")
    try:
        tags = tag_format(template)
    except UsageError as problem:
        raise document.refuse("tagFormat", "needs ${version} exactly once") from problem
    rules = replace(_rules(reading), tag_prefix=tags.prefix, tag_suffix=tags.suffix, initial="1.0.0", zero=ZeroPolicy.AS_AFTER)
    return FoundConfig(
        rules=rules,
        file=document.file,
        notes=tuple(dict.fromkeys(notes)),
        tool="semantic-release",
        reading=_preset(reading.analyzer, []).reading,
        branches=_branches(document),
        tag_formats=(template,),
        files=_files(reading),
        changelog=reading.plugin(_CHANGELOG).text_at("changelogFile", "CHANGELOG.md"),
    )


def _plain(value: Any, where: str, file: str, notes: list[str]) -> Any:
    """The value without what is code; each such place becomes a note."""
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is CODE]:
            notes.append(
                f"{file}: `{where}{key}` is code and is not run; its default is assumed" if key != "..." else f"{file}: a spread or method is not read"
            )
        return {key: _plain(item, f"{where}{key}.", file, notes) for key, item in value.items() if item is not CODE}
    if isinstance(value, list):
        if any(item is CODE for item in value):
            notes.append(f"{file}: an item of `{where.rstrip('.')}` is code and is left out")
        return [_plain(item, where, file, notes) for item in value if item is not CODE]
    return value


def _rules(reading: _Reading) -> ReleaseRules:
    analyzer = reading.analyzer
    base = _preset(analyzer, reading.notes).rules
    if not reading.uses(_ANALYZER):
        reading.notes.append(f"{analyzer.file}: commits are not analysed by {_ANALYZER}; its rules are assumed")
    custom = _release_rules(analyzer, reading.notes)
    titles = {rule.type: rule.section for rule in base.types}
    types = [replace(rule, section=titles.get(rule.type, "")) for rule in laid_over(custom.types)]
    rules = replace(base, types=(*types, *base.types, *custom.special()), breaking=custom.breaking, reverts=custom.reverts, source=analyzer.file)
    sections = sections_at(reading.plugin(_NOTES).section("presetConfig"), "types")
    return replace(rules, types=with_sections(rules.types, sections)) if sections else rules


def _preset(analyzer: Document, notes: list[str]) -> Preset:
    name = analyzer.text_at("preset", "angular")
    if name == "eslint":
        angular = PRESETS["angular"]
        return Preset(replace(angular.rules, types=_ESLINT), replace(angular.reading, exact_case=False))
    if name not in ("angular", "conventionalcommits"):
        notes.append(f"{analyzer.file}:{analyzer.line('preset')}: the preset {name[:40]} is not known; angular is assumed")
    if "config" in analyzer or "parserOpts" in analyzer:
        notes.append(f"{analyzer.file}: `config` and `parserOpts` are not read; titles are read as Conventional Commits")
    return PRESETS["conventionalcommits" if name == "conventionalcommits" else "angular"]


@dataclass(slots=True)
class _Custom:
    types: list[TypeRule] = field(default_factory=list)
    breaking_types: list[TypeRule] = field(default_factory=list)
    breaking: Bump = Bump.MAJOR
    reverts: Bump = Bump.PATCH

    def special(self) -> tuple[TypeRule, ...]:
        """The rules for breaking changes of a type or scope; the one for all breaking changes stands among them where it is the higher."""
        return laid_over(self.breaking_types) if any(rule.type != "*" or rule.scope for rule in self.breaking_types) else ()


def _release_rules(analyzer: Document, notes: list[str]) -> _Custom:
    custom = _Custom()
    value = analyzer.table.get("releaseRules")
    if isinstance(value, str):
        notes.append(
            f"{analyzer.file}:{analyzer.line('releaseRules')}: releaseRules is the module {value[:60]}, which is not run; the default rules are assumed"
        )
        return custom
    for row in analyzer.rows("releaseRules"):
        _take(row, custom, notes)
    return custom


def _take(row: Document, custom: _Custom, notes: list[str]) -> None:
    """One rule of `releaseRules`."""
    release = row.table.get("release")
    if not isinstance(release, str | bool | None) or release not in _RELEASES:
        raise row.refuse("release", "must be major, minor, patch, prerelease or false")
    bump = _RELEASES[release]
    unknown = sorted(set(row.table) - {"type", "scope", "release", "breaking", "revert", "tag"})
    kind, scope = (row.text_at("type") or row.text_at("tag")).lower(), row.text_at("scope").lower() or None
    if unknown:
        notes.append(f"{row.file}:{row.line('releaseRules')}: a rule by {', '.join(unknown)[:60]} is not read")
    elif row.flag("breaking"):
        custom.breaking_types += [TypeRule(each, bump, "", scope, breaking=True) for each in _alternatives(kind or "*")]
        custom.breaking = custom.breaking if kind or scope else bump
    elif row.flag("revert"):
        if kind or scope:
            notes.append(f"{row.file}: the rule for reverts of the type {kind or '*'}({scope or '*'}) is not read; reverts are {custom.reverts}")
        else:
            custom.reverts = bump
    else:
        custom.types += [TypeRule(each, bump, "", scope) for each in _alternatives(kind or "*")]


def _alternatives(glob: str) -> Iterable[str]:
    """`{docs,chore}` as its parts; all other globs as they are."""
    if glob.startswith("{") and glob.endswith("}") and "{" not in glob[1:]:
        return [part.strip() for part in glob[1:-1].split(",")]
    return [glob]


def _branches(document: Document) -> tuple[BranchRule, ...]:
    """`branches`: texts and tables; `branch` before version 16."""
    if "branches" not in document:
        return (BranchRule(document.text_at("branch")),) if "branch" in document else DEFAULT_BRANCHES
    return tuple(_branch(document, item, first=not at) for at, item in enumerate(document.items("branches")))


def _branch(document: Document, item: Any, first: bool) -> BranchRule:
    if isinstance(item, str):
        item = {"name": item}
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise document.refuse("branches", "must be a list of names and of tables with a name")
    row = replace(document, table=item)
    name, within, prerelease = row.text_at("name"), row.text_at("range"), item.get("prerelease")
    channel = str(item["channel"]) if isinstance(item.get("channel"), str) else ""
    if prerelease:
        return BranchRule(name, BranchKind.PRERELEASE, prerelease if isinstance(prerelease, str) and "${" not in prerelease else "", channel)
    if within or is_range(name) or name == DEFAULT_BRANCHES[0].pattern:
        return BranchRule(name, BranchKind.MAINTENANCE, channel=channel, range=within)
    return BranchRule(name, channel=channel or ("" if first or name in ("main", "master") else name))


def _files(reading: _Reading) -> tuple[VersionFile, ...]:
    """The files that carry the version: package.json where the npm plugin is used, and the assets that the git plugin commits."""
    found = [VersionFile("package.json")] if reading.uses(_NPM) else []
    assets = reading.plugin(_GIT).table.get("assets") if reading.uses(_GIT) else None
    for asset in assets if isinstance(assets, list) else []:
        if isinstance(asset, str) and "*" not in asset and not asset.lower().endswith(".md"):
            found.append(VersionFile(asset))
    return tuple(dict.fromkeys(found))
