"""Calendar versions (https://calver.org): schemes such as `YYYY.MM.MICRO` or `YY.0M.DD`, and the next version on a given day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cicd_agents.analysis.versions.semver import Version
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump

_DATE_TOKENS = ("YYYY", "YY", "0Y", "MM", "0M", "WW", "0W", "DD", "0D")
_COUNTERS = {"MAJOR": Bump.MAJOR, "MINOR": Bump.MINOR, "MICRO": Bump.PATCH, "PATCH": Bump.PATCH}
_TOKEN = re.compile("|".join((*_DATE_TOKENS, *_COUNTERS)))
_MAX_SCHEME, _MAX_DIGITS = 60, 9
_PART = 10**_MAX_DIGITS


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme: its tokens in order, and the pattern of its versions with a group for each token."""

    text: str
    tokens: tuple[str, ...]
    pattern: re.Pattern[str]

    def numbers(self, version: str) -> tuple[int, ...] | None:
        """The numbers of a version in the scheme's order, by which versions are compared; None where it is none of this scheme."""
        found = self.pattern.fullmatch(version)
        return tuple(map(int, found.groups())) if found else None

    def version(self, text: str) -> Version | None:
        """A version of this scheme as one that is ordered among others of it, and written as it is here; None where it is none."""
        numbers = self.numbers(text)
        if numbers is None:
            return None
        first, second, third, *more = (*numbers, 0, 0, 0)
        for number in more[: max(0, len(numbers) - 3)]:  # a scheme may have more parts than a semantic version
            third = third * _PART + number
        return Version(first, second, third, text=text)


def is_scheme(text: str) -> bool:
    """Does a setting name a calendar scheme (it has a year), and not `semver`?"""
    return any(token in _TOKEN.findall(text) for token in ("YYYY", "YY", "0Y"))


def scheme(text: str) -> Scheme:
    """Read a scheme. Raises UsageError for one without a year, with a token twice or with letters between them."""
    tokens = tuple(_TOKEN.findall(text))
    if len(text) > _MAX_SCHEME or not is_scheme(text) or len(set(tokens)) != len(tokens):
        raise UsageError(f"{text[:_MAX_SCHEME]!r} is no calendar scheme: it needs a year (YYYY, YY or 0Y) and each part once, such as YYYY.MM.MICRO.")
    between = _TOKEN.split(text)
    if any(part.strip(".-_") for part in between):
        raise UsageError(f"{text!r} is no calendar scheme: only `.`, `-` and `_` may stand between its parts.")
    pattern = re.escape(between[0]) + "".join(_digits(token) + re.escape(after) for token, after in zip(tokens, between[1:], strict=True))
    return Scheme(text, tokens, re.compile(pattern))


def scheme_of(setting: str) -> Scheme | None:
    """The scheme that a setting names; None for `semver` or nothing. Raises UsageError for what is neither."""
    return None if setting in {"", "semver"} else scheme(setting)


def next_calver(how: Scheme, current: str | None, day: date, bump: Bump = Bump.PATCH, existing: Iterable[str] = ()) -> str:
    """The version of a release on `day`.

    The date's parts are those of the day; counters start at 0 when the date changes, else the counter that the bump asks for goes up (the last one that
    there is for a smaller bump) and later ones start again. Versions that exist are passed over. Raises UsageError when the current version is of a later
    day, or when the scheme has no counter and the day's version exists.
    """
    taken = {numbers for numbers in map(how.numbers, existing) if numbers}
    now = how.numbers(current) if current else None
    numbers = _on_day(how, now, day, bump)
    if now:
        taken.add(now)
        if _dates(how, numbers) < _dates(how, now):
            raise UsageError(f"The current version {current} is of a later day than {day.isoformat()}.")
    counter = next((place for place in range(len(how.tokens) - 1, -1, -1) if how.tokens[place] in _COUNTERS), None)
    while numbers in taken:
        if counter is None:
            raise UsageError(f"{_text(how, numbers)} exists already and the scheme {how.text} has no counter; add MICRO to it.")
        numbers = (*numbers[:counter], numbers[counter] + 1, *numbers[counter + 1 :])
    return _text(how, numbers)


def _on_day(how: Scheme, now: tuple[int, ...] | None, day: date, bump: Bump) -> tuple[int, ...]:
    today = tuple(_of_day(token, day, how) if token in _DATE_TOKENS else 0 for token in how.tokens)
    if now is None or _dates(how, now) != _dates(how, today):
        return today
    place = _counter_for(how, bump)
    kept = tuple(number if token in _DATE_TOKENS or (place is not None and at <= place) else 0 for at, (token, number) in enumerate(zip(how.tokens, now)))
    return kept if place is None else (*kept[:place], kept[place] + 1, *kept[place + 1 :])


def _counter_for(how: Scheme, bump: Bump) -> int | None:
    """The counter that a bump raises: its own, else the next smaller one, else the last there is."""
    places = [at for at, token in enumerate(how.tokens) if token in _COUNTERS]
    fitting = [at for at in places if _COUNTERS[how.tokens[at]].rank <= max(bump.rank, Bump.PATCH.rank)]
    return next(iter(fitting or places[-1:]), None)


def _of_day(token: str, day: date, how: Scheme) -> int:
    weekly = any(each in ("WW", "0W") for each in how.tokens)
    # A week belongs to the year of its Thursday; with the calendar year the last days of December could step back to week 1.
    year = day.isocalendar().year if weekly else day.year
    if token == "YYYY":  # noqa: S105 a part of a version
        return year
    if token in ("YY", "0Y"):
        return year - 2000
    return {"M": day.month, "W": day.isocalendar().week, "D": day.day}[token[1]]


def _dates(how: Scheme, numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(number for token, number in zip(how.tokens, numbers) if token in _DATE_TOKENS)


def _digits(token: str) -> str:
    if token == "YYYY":  # noqa: S105 a part of a version
        return "([0-9]{4})"
    return "([0-9]{2,3})" if token.startswith("0") else f"(0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}})"


def _text(how: Scheme, numbers: tuple[int, ...]) -> str:
    parts = iter(f"{number:02d}" if token.startswith("0") else str(number) for token, number in zip(how.tokens, numbers))
    return _TOKEN.sub(lambda _: next(parts), how.text)
