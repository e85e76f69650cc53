"""The version that a deployment file states for its environment, and the file with another one (kustomize image tags, Chart.yaml, marks, …). Pure."""

from __future__ import annotations

from cicd_agents.analysis.version_files.editing import located, rewritten
from cicd_agents.analysis.version_files.known import kinds_of
from cicd_agents.analysis.version_files.places import Place, Role
from cicd_agents.domain.errors import UsageError


def stated_version(path: str, text: str) -> str:
    """The version in the file. Raises UsageError where there is none, or several that differ."""
    return _places(path, text)[0].text


def with_version(path: str, text: str, version: str) -> str:
    """The text with the version at the places that state it; all else stays, byte for byte. Raises UsageError as `stated_version`."""
    return rewritten(text, _places(path, text), version, lambda _: True)


def _places(path: str, text: str) -> tuple[Place, ...]:
    """Marked places; without marks the package's own version, and what says the same as it; else all, where they agree.

    An image tag with another version may be that of another image, so it is never guessed which one is meant.
    """
    found = [one.place for one in located(kinds_of(path), text)]
    asked = tuple(place for place in found if place.role is Role.ASKED)
    own = next((place.text for place in found if place.role is Role.OWN), "")
    chosen = asked or tuple(place for place in found if not own or place.role is Role.OWN or _bare(place) == _bare_text(own))
    if not chosen:
        raise UsageError(f"{path}: states no version; put the comment `cicd-agents-version` behind the line that does.")
    if not asked and not own and len({_bare(place) for place in chosen}) > 1:
        named = ", ".join(dict.fromkeys(place.text for place in chosen[:5]))
        raise UsageError(f"{path}: states several versions ({named}); put the comment `cicd-agents-version` behind the line that is meant.")
    return chosen


def _bare(place: Place) -> str:
    return _bare_text(place.text)


def _bare_text(version: str) -> str:
    return version.removeprefix("v").removeprefix("V")
