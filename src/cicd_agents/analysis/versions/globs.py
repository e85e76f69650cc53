"""Glob patterns of branches, as semantic-release (micromatch) and cocogitto write them, matched in linear time by RE2."""

from __future__ import annotations

from cicd_agents.domain.errors import UsageError

_MAX_PATTERN = 200
_SPECIAL = frozenset("\\^$.|()+{}[]*?")
_COUNTS = {"+": "+", "*": "*", "?": "?", "@": ""}


def matches(pattern: str, name: str) -> bool:
    """Does the glob fit the whole name?

    `*` and `?` stop at `/`, `**` does not; `[a-z]`, `{a,b}`, and `+(a|b)`, `?(…)`, `*(…)`, `@(…)` are known; a leading `!` turns the meaning round.
    Raises UsageError for a pattern that cannot be read.
    """
    if pattern.startswith("!") and not pattern.startswith("!("):
        return not matches(pattern[1:], name)
    if not _SPECIAL.intersection(pattern):
        return pattern == name
    return regex_matches(_regex(pattern), name, pattern)


def regex_matches(regex: str, name: str, shown: str = "") -> bool:
    """Does the regular expression fit the whole name? Raises UsageError for one that RE2 cannot read (look-around, back references)."""
    import re2

    if len(regex) > 4 * _MAX_PATTERN:
        raise UsageError(f"The branch pattern {(shown or regex)[:60]!r}… is too long.")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options).fullmatch(name) is not None
    except re2.error as problem:
        raise UsageError(f"The branch pattern {(shown or regex)[:60]!r} cannot be read.") from problem


def _regex(pattern: str) -> str:
    """The glob as a regular expression; a group that is not closed ends with the pattern."""
    out: list[str] = []
    open_groups: list[tuple[str, str]] = []  # the sign that closes it, and what that becomes
    at = 0
    while at < len(pattern):
        sign, after = pattern[at], pattern[at + 1 : at + 2]
        if sign in _COUNTS and after == "(":
            out.append("(?:")
            open_groups.append((")", ")" + _COUNTS[sign]))
            at += 2
        elif sign == "[" and "]" in pattern[at + 2 :]:
            end = pattern.index("]", at + 2)
            out.append("[" + pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("!", "^", 1) + "]")
            at = end + 1
        elif sign == "\\" and after:
            out.append(_literal(after))
            at += 2
        elif sign == "*":
            out.append(".*" if after == "*" else "[^/]*")
            at += 2 if after == "*" else 1
        else:
            out.append(_sign(sign, open_groups))
            at += 1
    return "".join(out) + "".join(closed for _, closed in reversed(open_groups))


def _sign(sign: str, open_groups: list[tuple[str, str]]) -> str:
    """One sign that is a pattern, opens, parts or closes a group, or stands for itself."""
    closer = open_groups[-1][0] if open_groups else ""
    if sign == "{":
        open_groups.append(("}", ")"))
        return "(?:"
    if sign == closer:
        return open_groups.pop()[1]
    if (sign, closer) in ((",", "}"), ("|", ")")):
        return "|"
    return "[^/]" if sign == "?" else _literal(sign)


def _literal(sign: str) -> str:
    return "\\" + sign if sign in _SPECIAL else sign
