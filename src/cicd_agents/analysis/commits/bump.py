"""From a change to what it asks of the version, by the rules of the project."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from cicd_agents.domain.release import Bump, Change, ReleaseRules, TypeRule

# The least first, as `Bump.rank`, found at once.
RANK = {bump: bump.rank for bump in Bump}


@dataclass(frozen=True, slots=True)
class Judge:
    """The rules, ready for many changes: each pair of type and scope is looked up once."""

    rules: ReleaseRules
    _known: dict[tuple[str, str | None, bool], TypeRule | None] = field(default_factory=dict)

    def bump(self, change: Change) -> tuple[Bump, str]:
        """What the change asks for, and the name of the rule that says so. Reverts are the plan's matter; here their type counts as any other."""
        if change.breaking and (special := self.rule(change.type, change.scope, breaking=True)):
            return special.bump, f"breaking {_name(special)}"
        if change.breaking and self.rules.breaking is not Bump.NONE:
            return self.rules.breaking, "breaking"
        rule = self.rule(change.type, change.scope)
        if rule is None:
            return (self.rules.others, "other type") if change.type else (Bump.NONE, "unreadable")
        if rule.bump is Bump.NONE and rule.section and self.rules.any_visible_is_patch:
            return Bump.PATCH, f"visible type {rule.type}"
        return rule.bump, _name(rule)

    def rule(self, kind: str, scope: str | None, breaking: bool = False) -> TypeRule | None:
        """The first rule that fits, of those for breaking changes or of all others; None where none names the type.

        A rule for the type "" fits what cannot be read.
        """
        key = (kind, scope, breaking)
        if key not in self._known:
            self._known[key] = next((rule for rule in self.rules.types if rule.breaking is breaking and _fits(rule, kind, scope)), None)
        return self._known[key]


def _name(rule: TypeRule) -> str:
    return f"type {rule.type}" if rule.scope is None else f"type {rule.type}({rule.scope})"


def _fits(rule: TypeRule, kind: str, scope: str | None) -> bool:
    """`*` and `?` in a rule stand for other letters; none of them stands for an unreadable commit."""
    if not (rule.type == kind or (kind and ("*" in rule.type or "?" in rule.type) and fnmatchcase(kind, rule.type))):
        return False
    return rule.scope is None or (scope is not None and fnmatchcase(scope, rule.scope))
