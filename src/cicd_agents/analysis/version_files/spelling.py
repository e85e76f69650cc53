"""How versions are compared and written at their places (pure)."""

from __future__ import annotations

import re

from cicd_agents.analysis.version_files.places import Place, Spelling
from cicd_agents.analysis.versions import pep440, semver

_NUMBERS = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){0,9})")
_PIECE = re.compile(r"[0-9]+|[a-z]+")
# Spellings of one thing: https://packaging.python.org/en/latest/specifications/version-specifiers/#pre-release-spelling
_SAME = {"alpha": "a", "beta": "b", "c": "rc", "preview": "rc", "snapshot": "dev"}
_DIGITS = 18  # longer numbers are compared as text: converting them would take quadratic time


def agrees(place: Place, version: str) -> bool:
    """Whether a place says this version, in any of its spellings, or is a development version on the way from it (`1.3.0-SNAPSHOT`, `1.3.0.dev0`)."""
    numbers, rest = _numbers(place.text), _rest(place.text)
    wanted, wanted_rest = _numbers(version), _rest(version)
    match place.spelling:
        case Spelling.NUMBERS:
            return _trimmed(numbers) == _trimmed(wanted)
        case Spelling.REQUIREMENT if not rest:
            return numbers == wanted[: len(numbers)] and (not wanted_rest or len(numbers) < len(wanted))
        case Spelling.MAJOR | Spelling.MINOR | Spelling.PATCH:
            return place.text == _part(place.spelling, version)
    if rest[:1] == ("dev",) and len(rest) <= 2 and place.spelling is not Spelling.REQUIREMENT:
        return _trimmed(numbers) >= _trimmed(wanted)
    return _trimmed(numbers) == _trimmed(wanted) and rest == wanted_rest


def is_placeholder(text: str) -> bool:
    """Whether a file states no version but zeros, as projects do whose version lives in the tags alone (`0.0.0`, `0.0.0-development`)."""
    return not _trimmed(_numbers(text))


def spelt(place: Place, version: str) -> str:
    """A version as it is written at a place. A leading v stays. Raises UsageError for a prerelease in a Python file that PEP 440 has no word for."""
    match place.spelling:
        case Spelling.NUMBERS:
            return _resized(version, place.text.count(".") + 1)
        case Spelling.REQUIREMENT:
            return version if _rest(version) or _rest(place.text) else _resized(version, place.text.count(".") + 1)
        case Spelling.MAJOR | Spelling.MINOR | Spelling.PATCH:
            return _part(place.spelling, version)
        case Spelling.BUILD:
            return _with_build(place, version)
    written = {Spelling.PEP440: _python, Spelling.GEM: _gem}.get(place.spelling, str)(version)
    return place.text[0] + written if place.text[0] in "vV" else written


def _numbers(version: str) -> tuple[str, ...]:
    """The leading numbers, padded so that texts compare as numbers do."""
    found = _NUMBERS.match(version)
    return tuple(number.lstrip("0").rjust(_DIGITS, "0") for number in found[1].split(".")) if found else ()


def _trimmed(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Without trailing zeros: 1.2 is 1.2.0."""
    end = len(numbers)
    while end and not numbers[end - 1].strip("0"):
        end -= 1
    return numbers[:end]


def _rest(version: str) -> tuple[str, ...]:
    """What stands behind the numbers, in pieces and one spelling; build metadata does not count."""
    found = _NUMBERS.match(version)
    pieces = _PIECE.findall(version[found.end() if found else 0 :].partition("+")[0].lower())
    if pieces[:1] == ["pre"] and pieces[1:2] and pieces[1].isalpha():
        pieces = pieces[1:]
    return tuple(_SAME.get(piece, piece.lstrip("0") or "0") for piece in pieces)


def _resized(version: str, count: int) -> str:
    """The numbers of a version, cut or filled with zeros to a count."""
    found = _NUMBERS.match(version)
    numbers = found[1].split(".") if found else []
    return ".".join([*numbers, *["0"] * count][:count])


def _part(spelling: Spelling, version: str) -> str:
    return _resized(version, 3).split(".")[[Spelling.MAJOR, Spelling.MINOR, Spelling.PATCH].index(spelling)]


def _python(version: str) -> str:
    """Versions that are no SemVer (calendar versions) are written as they are."""
    parsed = semver.parse(version)
    return pep440.to_pep440(parsed) if parsed else version


def _gem(version: str) -> str:
    """Gem::Version turns each hyphen into `.pre.`; it knows no build metadata."""
    return version.partition("+")[0].replace("-", ".pre.")


def _with_build(place: Place, version: str) -> str:
    """The stores want a higher build number for each release; one that is no number stays as it is."""
    _, plus, build = place.text.partition("+")
    if not plus or "+" in version:
        return version
    if agrees(place, version):
        return f"{version}+{build}"
    return f"{version}+{int(build) + 1 if build.isdigit() and len(build) <= _DIGITS else build}"
