"""Rules and readings by name: ours, and those of the tools that a project may come from. docs/release-rules.md says where each was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cicd_agents.analysis.commits.reading import DEFAULT_READING, Reading, Withdraw
from cicd_agents.domain.release import Bump, ReleaseRules, TypeRule, ZeroPolicy


@dataclass(frozen=True, slots=True)
class Preset:
    """What commits ask for, and how they are read."""

    rules: ReleaseRules
    reading: Reading = DEFAULT_READING


_SECTIONS = {
    "feat": "Features", "feature": "Features", "fix": "Bug Fixes", "perf": "Performance Improvements", "revert": "Reverts", "deps": "Dependencies",
    "docs": "Documentation", "style": "Styles", "chore": "Miscellaneous Chores", "refactor": "Code Refactoring", "test": "Tests", "build": "Build System",
    "ci": "Continuous Integration",
}  # fmt: skip
_BUMPS = {"feat": Bump.MINOR, "feature": Bump.MINOR, "fix": Bump.PATCH, "perf": Bump.PATCH}
# What release-please shows for a release type; all others as `simple` (src/strategies, and the sections of conventional-changelog-conventionalcommits).
_SHOWN = ("feat", "feature", "fix", "perf", "revert")
_SHOWN_WITH_DOCS = ("feat", "fix", "perf", "deps", "revert", "docs")
_SHOWN_BY_RELEASE_TYPE = {
    "python": _SHOWN_WITH_DOCS, "java": _SHOWN_WITH_DOCS, "maven": _SHOWN_WITH_DOCS, "r": _SHOWN_WITH_DOCS, "php": ("feat", "fix", "perf", "revert", "chore"),
    "ruby-yoshi": ("feat", "fix", "perf", "revert", "docs"),
}  # fmt: skip


def _rule(kind: str, bump: Bump = Bump.NONE) -> TypeRule:
    return TypeRule(kind, bump, _SECTIONS.get(kind.rstrip("*"), ""))


def release_please_types(shown: Iterable[str] = (), hidden: Iterable[str] = (), release_type: str = "simple") -> tuple[TypeRule, ...]:
    """The types of release-please: only feat and feature are minor; whatever has a section is a patch.

    `shown` and `hidden` are the types of `changelog-sections`; without any, the sections of the release type count.
    """
    names = tuple(shown)
    if not names and not tuple(hidden):
        names = _SHOWN_BY_RELEASE_TYPE.get(release_type, _SHOWN)
    visible = {name: TypeRule(name, Bump.MINOR if name in ("feat", "feature") else Bump.PATCH, _SECTIONS.get(name, name.title())) for name in names}
    # A feature that is not shown raises the version of a release that something else asks for; alone it asks for none, which no rule can say.
    return tuple(visible.values())


DEFAULT = Preset(
    ReleaseRules(
        types=(
            TypeRule("feat", Bump.MINOR, "Features"), TypeRule("fix", Bump.PATCH, "Bug Fixes"), TypeRule("perf", Bump.PATCH, "Performance"),
            TypeRule("revert", Bump.NONE, "Reverts"), TypeRule("deps", Bump.NONE, "Dependencies"), TypeRule("build", Bump.NONE, "Dependencies", "deps*"),
            TypeRule("chore", Bump.NONE, "Dependencies", "deps*"), TypeRule("docs", Bump.NONE, "Documentation"),
        )
    )
)  # fmt: skip

_SEMANTIC_RELEASE_TYPES = (_rule("feat", Bump.MINOR), _rule("fix", Bump.PATCH), _rule("perf", Bump.PATCH), _rule("revert"))
_TITLE_ONLY = Reading(bullets=False, paragraphs=False, blocks=False, merge_titles=False, withdraw=Withdraw.NEVER)

PRESETS: dict[str, Preset] = {
    "default": DEFAULT,
    # semantic-release: commit-analyzer's default rules; the two parsers differ in `!` and the hyphen.
    "angular": Preset(
        ReleaseRules(_SEMANTIC_RELEASE_TYPES, zero=ZeroPolicy.AS_AFTER, source="preset angular"),
        Reading(
            exclamation=False, hyphen=False, loose_breaking=True, exact_case=True, bullets=False, paragraphs=False, blocks=False, merge_titles=False,
            withdraw=Withdraw.EXACT,
        ),
    ),
    "conventionalcommits": Preset(
        ReleaseRules(_SEMANTIC_RELEASE_TYPES, zero=ZeroPolicy.AS_AFTER, source="preset conventionalcommits"),
        Reading(loose_breaking=True, exact_case=True, bullets=False, paragraphs=False, blocks=False, merge_titles=False, withdraw=Withdraw.EXACT),
    ),
    "release-please": Preset(
        ReleaseRules(release_please_types(), reverts=Bump.NONE, zero=ZeroPolicy.AS_AFTER, any_visible_is_patch=True, source="preset release-please"),
        Reading(blank=False, bullets=False, withdraw=Withdraw.NEVER),
    ),
    "python-semantic-release": Preset(
        ReleaseRules(
            (_rule("feat", Bump.MINOR), _rule("fix", Bump.PATCH), _rule("perf", Bump.PATCH)), reverts=Bump.NONE, zero=ZeroPolicy.AS_AFTER,
            source="preset python-semantic-release",
        ),
        Reading(
            exact_case=True, blocks=False, withdraw=Withdraw.NEVER,
            only_types=frozenset({"build", "chore", "ci", "docs", "feat", "fix", "perf", "style", "refactor", "test"}),
        ),
    ),
    # Its patterns have no end: `^feat` is also `feature`.
    "commitizen": Preset(
        ReleaseRules(
            (_rule("feat*", Bump.MINOR), _rule("fix*", Bump.PATCH), _rule("refactor*", Bump.PATCH), _rule("perf*", Bump.PATCH)), reverts=Bump.NONE,
            zero=ZeroPolicy.AS_AFTER, initial="0.0.1", source="preset commitizen",
        ),
        Reading(blank=False, exact_case=True, every_line=True, blocks=False, withdraw=Withdraw.NEVER),
    ),
    "cocogitto": Preset(
        ReleaseRules((_rule("feat", Bump.MINOR), _rule("fix", Bump.PATCH)), reverts=Bump.NONE, initial="0.1.0", source="preset cocogitto"), _TITLE_ONLY
    ),
    # Whatever can be read and is neither feature nor breaking is a patch.
    "git-cliff": Preset(
        ReleaseRules(
            (_rule("feat", Bump.MINOR), _rule("fix", Bump.PATCH), _rule("perf", Bump.PATCH)), others=Bump.PATCH, reverts=Bump.NONE,
            zero=ZeroPolicy.AS_AFTER, initial="0.1.0", source="preset git-cliff",
        ),
        _TITLE_ONLY,
    ),
}  # fmt: skip
