"""Whether a version that somebody names (an image, a commit, a revision, a tag) is the one that a delivery tool shows. Pure.

The two may say different kinds of things; then the answer is None: it cannot be compared. Words like `history=3` are what a tool adds for people: they can be
wished for, but they say nothing about a version; only `template=…` does, where both have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision

_SPLIT = re.compile(r"[\s,;()]+")
_LONGEST = 2000
# What operations.delivery_workload adds to the images of a revision.
_TEMPLATE = "template="
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# A commit inside a word of a tool, such as Flux's `main@sha1:…` or `1f2e…/3c4d5e6f`; a digest of an image is none.
_COMMITS = re.compile(r"(?<![0-9a-z])(?<!sha256:)[0-9a-f]{7,64}(?![0-9a-z])")
# An image reference (distribution/reference): name with a registry perhaps, then a tag, a digest or both; a bare digest is taken too.
_IMAGE = re.compile(r"(?!sha256:)(?P<name>[a-z0-9][a-z0-9._/-]*(?::[0-9]+/[a-z0-9._/-]+)?)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Image:
    name: str
    tag: str
    digest: str


def matches(text: str, shown: KnownRevision) -> bool | None:
    """Whether all that the text names is in what the tool shows; None where the two say different kinds of things (an image here, a commit there)."""
    words = _words(f"{shown.id} {shown.version}")
    plain = tuple(word for word in words if "=" not in word)
    found = [_same_template(word, words) if word.startswith(_TEMPLATE) else _matched(word, plain) for word in _words(text)]
    if False in found:
        return False
    return True if True in found else None


def same(one: KnownRevision, other: KnownRevision, known: Iterable[KnownRevision] = ()) -> bool:
    """Whether the tool means the same revision. Some tools number anew what they go back to: then the version decides, unless the number is still `known`."""
    if one.id and one.id == other.id:
        return True
    numbers = {revision.id for revision in known}
    return bool(one.version) and one.version == other.version and not {one.id, other.id} <= numbers


def not_judged(judged: Sequence[str], current: KnownRevision | None) -> str:
    """Why what runs cannot be taken for what was judged, in one sentence; empty: it is that."""
    if current is None:
        return "The tool does not tell which version runs, so it is not known that it is the one that was judged."
    texts = [text for text in judged if text.strip()]
    if not texts:
        return "It is not known which version was judged, so nothing is taken back."
    found = {text: matches(text, current) for text in texts}
    wrong = [text for text, answer in found.items() if answer is False]
    if wrong:
        return f"What runs is {shown(current)}, but what was judged is {', '.join(wrong)[:_LONGEST]}: another version was deployed meanwhile."
    if True not in found.values():
        return f"It cannot be seen whether {shown(current)}, which runs, is {', '.join(texts)[:_LONGEST]}, which was judged: name the same kind of thing."
    return ""


def chosen(wished: str, standing: DeliveryStanding) -> tuple[KnownRevision, ...]:
    """The known revisions that a wish can mean, the current one first: by the tool's own name or number, else by a version; different ones are all told."""
    known = (*((standing.current,) if standing.current else ()), *standing.earlier, *((standing.stable,) if standing.stable else ()))
    exact = [one for one in known if one.id == wished]
    numbered = [one for one in known if any(wished in (word, word.partition("=")[2]) for word in _words(one.version) if "=" in word)]
    found = exact or numbered or [one for one in known if matches(wished, one)]
    apart: list[KnownRevision] = []
    for one in found:
        if not any(one.id == other.id for other in apart):
            apart.append(one)
    return tuple(apart)


def whole_commits(revision: KnownRevision) -> tuple[str, ...]:
    """The whole commit ids in the tool's name of a revision."""
    return tuple(commit for commit in _COMMITS.findall(revision.id) if len(commit) in (40, 64))


def names_of_commits(revision: KnownRevision) -> dict[str, tuple[str, ...]]:
    """By image, what its tag may name in Git: a tag of the same name, also with a `v` before it, or the commit that stands in it."""
    images = [image for word in _words(revision.version) if (image := _image(word)) and image.name and image.tag]
    return {image.name: (f"refs/tags/{image.tag}", f"refs/tags/v{image.tag}", *_COMMITS.findall(image.tag)) for image in images}


def shown(revision: KnownRevision) -> str:
    """A revision for a sentence."""
    return (revision.version or revision.id)[:_LONGEST]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in _SPLIT.split(text[: 2 * _LONGEST]) if word)


def _same_template(word: str, words: Sequence[str]) -> bool | None:
    """Whether a tool's own hash of all settings is the same: two versions of one image may differ in their settings alone."""
    return _any(other == word for other in words if other.startswith(_TEMPLATE))


def _matched(word: str, words: Sequence[str]) -> bool | None:
    if "=" in word:
        return None
    if word in words:
        return True
    if image := _image(word):
        return _any(_same_image(image, other) for other in map(_image, words) if other)
    if _COMMIT.fullmatch(word):
        return _same_commit(word, words)
    tag = _any(other.tag.removeprefix("v") == word.removeprefix("v") for other in map(_image, words) if other and other.tag)
    inside = [_same_commit(commit, words) for commit in _COMMITS.findall(word)]
    return _any((tag, False if False in inside else _any(inside)))


def _same_commit(word: str, words: Sequence[str]) -> bool | None:
    commits = [commit for other in words if not _image(other) for commit in _COMMITS.findall(other)]
    return _any(commit.startswith(word) or word.startswith(commit) for commit in commits)


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True where one is, False where all that could be compared are not, None where nothing could be."""
    found = list(answers)
    return True if True in found else False if False in found else None


def _image(word: str) -> _Image | None:
    if _DIGEST.fullmatch(word):
        return _Image("", "", word)
    found = _IMAGE.fullmatch(word)
    return _Image(found["name"], found["tag"] or "", found["digest"] or "") if found and (found["tag"] or found["digest"]) else None


def _same_image(one: _Image, other: _Image) -> bool | None:
    if one.name and other.name and not (f"/{one.name}".endswith(f"/{other.name}") or f"/{other.name}".endswith(f"/{one.name}")):
        return False
    if one.digest and other.digest:
        return one.digest == other.digest
    return one.tag == other.tag if one.tag and other.tag else None
