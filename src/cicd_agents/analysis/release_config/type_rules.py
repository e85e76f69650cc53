"""Type rules out of what configurations write: lists of sections, regular expressions of commit titles, rules that are laid over each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from cicd_agents.analysis.release_config.document import Document
from cicd_agents.domain.release import Bump, TypeRule

_MAX_PATTERN = 300
_LEADING = re.compile(r"(?:\(\?i\)|\^|\((?:\?:)?)*")
_WORDS = re.compile(r"[A-Za-z][\w-]*(?:\|[A-Za-z][\w-]*)*")
_SCOPE = re.compile(r"\)?\\\(([\w./*+-]+)\\\)")
# What may follow the words without changing which types are meant: an optional scope, `!`, the colon, anything.
_TAIL = re.compile(r"(?:[()\[\]^?.*+:!$|\s-]|\\[()swSWbd\[\]-])*")

_ESCAPED = re.compile(r"\\([()./ :#-])")
_META = re.compile(r"[\[\]?+^$|\\{}]")


@dataclass(frozen=True, slots=True)
class Section:
    """A commit type's title in the changelog, "" where it is hidden."""

    type: str
    title: str


def sections_at(document: Document, key: str) -> tuple[Section, ...]:
    """The list `[{type, section, hidden}]` that release-please and the conventionalcommits preset share."""
    found = []
    for row in document.rows(key):
        kind = row.text_at("type").lower()
        if not kind:
            raise row.refuse("type", "must name a commit type")
        found.append(Section(kind, "" if row.flag("hidden", False) else row.text_at("section", kind)))
    return tuple(found)


def with_sections(types: Iterable[TypeRule], sections: Iterable[Section], others: Bump = Bump.NONE) -> tuple[TypeRule, ...]:
    """The rules with the titles of the sections; types that no rule named are added, and ask for `others`. The first of two sections of a type counts."""
    titles: dict[str, str] = {}
    for section in sections:
        titles.setdefault(section.type, section.title)
    rules = [replace(rule, section=titles.get(rule.type, "")) for rule in types]
    named = {rule.type for rule in rules if rule.scope is None}
    return (*rules, *(TypeRule(kind, others, title) for kind, title in titles.items() if kind not in named))


def laid_over(rules: Iterable[TypeRule]) -> tuple[TypeRule, ...]:
    """The order in which the first rule that fits is the one that semantic-release would choose.

    There all fitting rules are looked at: the highest release counts, but `release: false` undoes what stands before it and is undone by what stands behind
    it (commit-analyzer, analyze-commit.js).
    """
    ordered: list[TypeRule] = []
    for rule in rules:
        place = next((at for at, other in enumerate(ordered) if _overlap(rule, other) and _goes_first(rule, other)), len(ordered))
        ordered.insert(place, rule)
    return tuple(ordered)


def _goes_first(later: TypeRule, earlier: TypeRule) -> bool:
    return Bump.NONE in (later.bump, earlier.bump) or later.bump.rank > earlier.bump.rank


def _overlap(one: TypeRule, other: TypeRule) -> bool:
    scopes = one.scope is None or other.scope is None or fnmatchcase(one.scope, other.scope) or fnmatchcase(other.scope, one.scope)
    return scopes and (fnmatchcase(one.type, other.type) or fnmatchcase(other.type, one.type))


def types_of_pattern(pattern: str) -> tuple[tuple[str, str | None], ...] | None:
    """The types and the scope that a regular expression of commit titles means, such as `^feat`, `^(fix|perf)` or `^chore\\(release\\)`.

    Types come as globs: `^doc` fits `docs`, so it is `doc*`. None where the expression means something else than a type.
    """
    if len(pattern) > _MAX_PATTERN:
        return None
    if "|^" in pattern:
        meant = [types_of_pattern(part) for part in pattern.split("|^")]
        return None if None in meant else tuple(pair for each in meant for pair in each or ())
    start = _LEADING.match(pattern)
    begin = start.end() if start else 0
    words = _WORDS.match(pattern, begin)
    if words is None:
        return None
    rest = pattern[words.end() :]
    scope = _SCOPE.match(rest)
    if scope:
        named = scope[1].replace(".*", "*").replace(".+", "*").lower()
        return tuple((word, named) for word in _split(words[0]))
    if not _TAIL.fullmatch(rest):
        return None
    ends = rest.lstrip(")")[:1] == ":" or rest.lstrip(")").startswith(("(", "\\("))
    return tuple((word if ends else f"{word}*", None) for word in _split(words[0]))


def glob_of_pattern(pattern: str) -> str | None:
    """A regular expression of titles as a glob, where it has nothing but `.*`: `^chore: merge .* into` is `chore: merge * into*`. None otherwise."""
    text = pattern[:_MAX_PATTERN].replace(".*", "*").replace(".+", "*")
    begin, end = text.startswith("^"), text.endswith("$")
    text = _ESCAPED.sub(r"\1", text[begin : len(text) - end])
    if not text.strip("*") or _META.search(text) or len(pattern) > _MAX_PATTERN:
        return None
    return ("" if begin else "*") + text + ("" if end else "*")


def _split(words: str) -> list[str]:
    return [word.lower() for word in words.split("|")]
