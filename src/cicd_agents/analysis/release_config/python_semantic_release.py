"""python-semantic-release: `[tool.semantic_release]` in pyproject.toml, `[semantic_release]` in setup.cfg (versions 1 to 7). Rules by its options classes."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.analysis.commits.reading import Reading
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import FoundConfig, VersionFile
from cicd_agents.analysis.versions.branches import BranchKind, BranchRule
from cicd_agents.analysis.versions.tags import tag_format
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

_NAME = "python-semantic-release"
_DEFAULT_BRANCHES = (BranchRule("(main|master)", regex=True),)
# LevelBump, by which default_bump_level is written.
_LEVELS = (Bump.NONE, Bump.PATCH, Bump.PATCH, Bump.MINOR, Bump.MAJOR)
# The scipy parser (SciPy's guide to commit messages); types come in lower case.
_SCIPY = {
    Bump.MAJOR: ("api",), Bump.MINOR: ("dep", "dev", "enh", "rev", "feat"), Bump.PATCH: ("bld", "bug", "maint"),
    Bump.NONE: ("bench", "doc", "sty", "tst", "rel", "test"),
}  # fmt: skip
_CONVENTIONAL = ("angular", "conventional", "conventional-monorepo", "semantic_release.history.angular_parser")


def from_document(document: Document, source: str) -> FoundConfig:
    """The configuration of the table; `source` says which one it is. Raises UsageError for a setting of the wrong kind."""
    notes: list[str] = []
    template = document.text_at("tag_format", "v{version}")
    try:
        tags = tag_format(template)
    except UsageError as problem:
        raise document.refuse("tag_format", "needs {version} exactly once") from problem
    zero_allowed = _flag(document, "allow_zero_version", None)
    rules = replace(
        _rules(document, notes),
        zero=ZeroPolicy.AS_AFTER if _flag(document, "major_on_zero", True) else ZeroPolicy.BREAKING_IS_MINOR,
        tag_prefix=tags.prefix,
        tag_suffix=tags.suffix,
        initial="0.1.0" if zero_allowed else "1.0.0",
        source=source,
    )
    if zero_allowed is None:
        notes.append(f"{document.file}: allow_zero_version is not set; a version below 1.0.0 stays there (python-semantic-release 10 would go to 1.0.0)")
    return FoundConfig(
        rules=rules,
        file=document.file,
        notes=tuple(notes),
        tool=_NAME,
        reading=_reading(document),
        branches=_branches(document),
        tag_formats=(template,),
        files=_files(document),
        changelog=_changelog(document),
        graduate=zero_allowed is False,
    )


def _rules(document: Document, notes: list[str]) -> ReleaseRules:
    base = PRESETS[_NAME].rules
    parser, options = document.text_at("commit_parser", "conventional"), document.section("commit_parser_options")
    if parser == "scipy" or parser.endswith("scipy_parser"):
        return replace(base, types=tuple(TypeRule(kind, bump) for bump, kinds in _SCIPY.items() for kind in kinds))
    if parser not in _CONVENTIONAL:
        notes.append(f"{document.file}:{document.line('commit_parser')}: the parser {parser[:60]} is not known; conventional is assumed")
    level = options.table.get("default_bump_level", 0)
    if not isinstance(level, int) or not 0 <= level < len(_LEVELS):
        raise options.refuse("default_bump_level", "must be a number from 0 to 4")
    always_patch = _flag(document, "patch_without_tag", False)
    sections = {rule.type: rule.section for rule in base.types}
    asked = [(kind, Bump.MINOR) for kind in _kinds(options, "minor_tags", "minor_types", ("feat",))]
    asked += [(kind, Bump.PATCH) for kind in _kinds(options, "patch_tags", "patch_types", ("fix", "perf"))]
    types = tuple(TypeRule(kind, bump, sections.get(kind, kind.title())) for kind, bump in dict(reversed(asked)).items())
    return replace(base, types=tuple(reversed(types)), others=max(_LEVELS[level], Bump.PATCH if always_patch else Bump.NONE, key=lambda bump: bump.rank))


def _reading(document: Document) -> Reading:
    """How messages are read: only the allowed types, squash commits unless switched off."""
    base, options = PRESETS[_NAME].reading, document.section("commit_parser_options")
    known = _kinds(options, "minor_tags", "minor_types", ("feat",)) + _kinds(options, "patch_tags", "patch_types", ("fix", "perf"))
    others = _kinds(options, "other_allowed_tags", "", ()) or tuple(base.only_types - {"feat", "fix", "perf"})
    allowed = _kinds(options, "allowed_tags", "allowed_types", (*known, *others))
    squash = options.flag("parse_squash_commits", True)
    parser = document.text_at("commit_parser", "conventional")
    only = frozenset((*allowed, *known)) if parser in _CONVENTIONAL else frozenset()
    return replace(base, only_types=only, bullets=base.bullets and bool(squash), paragraphs=base.paragraphs and bool(squash))


def _kinds(options: Document, key: str, older: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list of types, under its name or its older one; a text is split at commas, as setup.cfg writes lists."""
    name = key if key in options else older
    if not name or name not in options:
        return default
    return tuple(part.strip().lower() for text in options.texts(name) for part in text.split(",") if part.strip())


def _flag(document: Document, key: str, default: bool | None) -> bool | None:
    """A flag; setup.cfg writes it as a text."""
    value = document.table.get(key)
    return value.strip().lower() in ("true", "1", "yes", "on") if isinstance(value, str) else document.flag(key, default)


def _branches(document: Document) -> tuple[BranchRule, ...]:
    if "branches" not in document:
        return (BranchRule(document.text_at("branch")),) if "branch" in document else _DEFAULT_BRANCHES
    found = []
    for _, row in document.sections("branches"):
        pattern = row.text_at("match", "(main|master)")
        kind, token = (BranchKind.PRERELEASE, row.text_at("prerelease_token", "rc")) if row.flag("prerelease", False) else (BranchKind.RELEASE, "")
        found.append(BranchRule(".*" if pattern == "*" else pattern, kind, token, token, regex=True))
    return tuple(found)


def _files(document: Document) -> tuple[VersionFile, ...]:
    """`version_toml` as file:key, `version_variables` as file:variable, `version_pattern` as file:expression; a third part names the format and is left out."""
    found = []
    for key, kind in (("version_toml", "toml"), ("version_variables", "variable"), ("version_variable", "variable"), ("version_pattern", "pattern")):
        for text in document.texts(key):
            for entry in [text] if kind == "pattern" else text.split(","):
                path, _, place = entry.strip().partition(":")
                found.append(VersionFile(path, kind, place if kind == "pattern" else place.partition(":")[0]))
    return tuple(found)


def _changelog(document: Document) -> str:
    changelog = document.section("changelog")
    return changelog.section("default_templates").text_at("changelog_file") or changelog.text_at("changelog_file") or "CHANGELOG.md"
