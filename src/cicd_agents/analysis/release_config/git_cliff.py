"""git-cliff: cliff.toml, or its table in pyproject.toml and Cargo.toml. Rules by its configuration and its release.rs: what is neither is a patch."""

from __future__ import annotations

import re
from dataclasses import replace

from cicd_agents.analysis.commits.presets import PRESETS
from cicd_agents.analysis.release_config.document import Document
from cicd_agents.analysis.release_config.found import FoundConfig
from cicd_agents.analysis.release_config.type_rules import glob_of_pattern, types_of_pattern
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy

# (features_always_bump_minor, breaking_always_bump_major) → policy.
_ZERO = {
    (True, True): ZeroPolicy.AS_AFTER, (True, False): ZeroPolicy.BREAKING_IS_MINOR, (False, True): ZeroPolicy.FEATURE_IS_PATCH,
    (False, False): ZeroPolicy.ONE_LOWER,
}  # fmt: skip
_TYPES = {"feat": Bump.MINOR}
_FIXED = {"major": Bump.MAJOR, "minor": Bump.MINOR, "patch": Bump.PATCH}
_PREFIX = re.compile(r"\^?((?:[A-Za-z@_/-]|\\[./-])*)")
_ORDER_MARK = re.compile(r"<!--.*?-->")
_INCREMENTS = (("custom_major_increment_regex", Bump.MAJOR), ("custom_minor_increment_regex", Bump.MINOR), ("no_increment_regex", Bump.NONE))
_EVERYTHING = ("", ".*", "^.*", "^.*$", ".+", "^.")


def from_document(document: Document, source: str) -> FoundConfig:
    """The configuration of the table; `source` says which one it is. Raises UsageError for a setting of the wrong kind."""
    notes: list[str] = []
    prefix = _prefix(document.section("git").text_at("tag_pattern"), document.section("bump").text_at("initial_tag"))
    rules = replace(_bumped(_rules(document.section("git"), notes), document.section("bump"), notes), tag_prefix=prefix, source=source)
    return FoundConfig(
        rules=rules,
        file=document.file,
        notes=tuple(dict.fromkeys(notes)),
        tool="git-cliff",
        reading=PRESETS["git-cliff"].reading,
        tag_formats=(prefix + "{version}",),
        changelog=document.section("changelog").text_at("output", "CHANGELOG.md"),
    )


def _rules(git: Document, notes: list[str]) -> ReleaseRules:
    """The commit parsers in their order: the first that fits a title counts, `skip` takes the commit out of the release."""
    base = PRESETS["git-cliff"].rules
    types: list[TypeRule] = []
    ignored: list[str] = []
    others = Bump.NONE if git.flag("filter_commits", False) else base.others
    for row in git.rows("commit_parsers"):
        message, skip = row.text_at("message"), bool(row.flag("skip", False))
        meant = types_of_pattern(message)
        if meant is not None:
            types += [_rule(kind, scope, skip, row) for kind, scope in meant]
        elif message in _EVERYTHING and "message" in row:
            others = Bump.NONE if skip else Bump.PATCH
            break
        elif skip:
            glob = glob_of_pattern(message)
            ignored += [glob] if glob else []
            notes += [] if glob else [f"{git.file}:{row.line(message or 'commit_parsers')}: a parser that skips commits is not read: it does not go by type"]
    unreadable = git.flag("conventional_commits", True) is False or git.flag("filter_unconventional", True) is False
    named = {rule.type.rstrip("*") for rule in types}
    types += [rule for rule in base.types if rule.type not in named]
    return replace(base, types=(*types, TypeRule("", others if unreadable else Bump.NONE)), others=others, ignored=tuple(ignored))


def _rule(kind: str, scope: str | None, skip: bool, row: Document) -> TypeRule:
    title = "" if skip else _ORDER_MARK.sub("", row.text_at("group", kind.rstrip("*"))).strip()
    return TypeRule(kind, Bump.NONE if skip else _TYPES.get(kind.rstrip("*"), Bump.PATCH), title, scope)


def _bumped(rules: ReleaseRules, bump: Document, notes: list[str]) -> ReleaseRules:
    """The rules under the table `bump`."""
    pair = bool(bump.flag("features_always_bump_minor", True)), bool(bump.flag("breaking_always_bump_major", True))
    rules = replace(rules, zero=_ZERO[pair])
    extra: list[TypeRule] = []
    for key, level in _INCREMENTS:
        meant = types_of_pattern(bump.text_at(key)) if key in bump else ()
        if meant is None:
            notes.append(f"{bump.file}:{bump.line(key)}: {key} names no commit type and is not read")
        extra += [TypeRule(kind.rstrip("*"), level, kind.rstrip("*").title(), scope) for kind, scope in meant or ()]
    rules = replace(rules, types=(*extra, *rules.types))
    fixed = _FIXED.get(bump.text_at("bump_type"))
    if fixed:
        types = tuple(replace(rule, bump=fixed) if rule.bump is not Bump.NONE else rule for rule in rules.types)
        rules = replace(rules, types=types, breaking=fixed, others=fixed if rules.others is not Bump.NONE else Bump.NONE, zero=ZeroPolicy.AS_AFTER)
    initial = bump.text_at("initial_tag", "0.1.0")
    return replace(rules, initial=initial.lstrip("".join(sign for sign in initial if not sign.isdigit() and sign != ".")) or "0.1.0")


def _prefix(pattern: str, initial: str) -> str:
    """What stands before the version in tags, by the expression that finds them, else by the first tag; `v` where neither says it."""
    found = _PREFIX.match(pattern) if pattern else None
    if found and found[1]:
        return found[1].replace("\\", "")
    if found and pattern.lstrip("^")[:1] in ("[", "\\", "("):
        return ""
    return re.split(r"[0-9]", initial, maxsplit=1)[0] if initial else "v"
