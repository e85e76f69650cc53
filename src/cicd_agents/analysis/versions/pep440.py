"""A SemVer as Python's packaging spells it (PEP 440), and back: `1.2.0-rc.1` is `1.2.0rc1`."""

from __future__ import annotations

import re

from cicd_agents.analysis.versions.semver import MAX_LENGTH, Version
from cicd_agents.domain.errors import UsageError

# PEP 440, "Pre-release spelling": the long words and the letters that stand for them.
_LETTERS = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "rc": "rc", "c": "rc", "pre": "rc", "preview": "rc"}
_WORDS = {"a": "alpha", "b": "beta", "rc": "rc"}
_PART = re.compile(r"([a-z]+)([0-9]*)")
# PEP 440, appendix B, for three release numbers at most; the separators are optional there.
_PEP440 = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|rc|c)[-_.]?([0-9]*))?"
    r"(?:(?:[-_.]?(?:post|rev|r)[-_.]?([0-9]*))|-([0-9]+))?"
    r"(?:[-_.]?(dev)[-_.]?([0-9]*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)  # fmt: skip


def to_pep440(version: Version) -> str:
    """The PEP 440 spelling. Raises UsageError for a prerelease that Python has no word for, such as `next`."""
    text = ".".join(map(str, version.core))
    seen: list[int] = []
    for word, number in _pairs(version):
        letter, rank = _spelling(word, version)
        if seen and rank <= seen[-1]:
            raise _no_spelling(version)
        seen.append(rank)
        text += f"{letter}{number or 0}"
    return text + ("+" + ".".join(version.build).replace("-", ".").lower() if version.build else "")


def from_pep440(text: str) -> Version | None:
    """The SemVer of a PEP 440 text, or None: no version, an epoch, or more than three release numbers.

    `.postN` becomes the prerelease `post.N`: SemVer knows no later release of the same version, so its order is not kept.
    """
    found = _PEP440.fullmatch(text.lower()) if len(text) <= MAX_LENGTH else None
    if found is None:
        return None
    major, minor, patch, pre, pre_number, post, post_bare, dev, dev_number, local = found.groups()
    parts: list[str] = []
    if pre:
        parts += [_WORDS[_LETTERS[pre]], _plain(pre_number)]
    if post is not None or post_bare is not None:
        parts += ["post", _plain(post or post_bare)]
    if dev:
        parts += ["dev", _plain(dev_number)]
    build = tuple(re.split(r"[-_.]", local)) if local else ()
    return Version(int(major), int(minor or 0), int(patch or 0), tuple(parts), build)


def _pairs(version: Version) -> list[tuple[str, str]]:
    """`("rc", "1", "dev2")` as pairs of a word and its number."""
    pairs: list[tuple[str, str]] = []
    for identifier in version.prerelease:
        found = _PART.fullmatch(identifier.lower())
        if found:
            pairs.append((found[1], found[2]))
        elif identifier.isdigit() and pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], identifier)
        else:
            raise _no_spelling(version)
    return pairs


def _spelling(word: str, version: Version) -> tuple[str, int]:
    """How PEP 440 writes a word, and where it stands: a, b or rc before post before dev."""
    if word in _LETTERS:
        return _LETTERS[word], 0
    if word in ("post", "dev"):
        return "." + word, 1 if word == "post" else 2
    raise _no_spelling(version)


def _no_spelling(version: Version) -> UsageError:
    return UsageError(f"{version} has no spelling for Python files: PEP 440 knows alpha, beta, rc, post and dev, each with one number.")


def _plain(number: str | None) -> str:
    return str(int(number or "0"))
