"""Tags: templates such as `v{version}`, `core/v{version}` or `pkg@{version}`, and the versions of tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.versions.calver import Scheme
from cicd_agents.analysis.versions.pep440 import from_pep440
from cicd_agents.analysis.versions.semver import MAX_LENGTH, Version, parse
from cicd_agents.domain.errors import UsageError

# How tools write the version in a template: {version}, ${version}, $version, {{version}}, {{ version }}, and commitizen's parts.
_VERSION = re.compile(
    r"\$\{version\}|\$version|\{\{ ?version ?\}\}|\{version\}|"
    r"\$\{?major\}?\.\$\{?minor\}?\.\$\{?patch\}?(?:\$\{?prerelease\}?)?(?:\$\{?devrelease\}?)?"
)  # fmt: skip
_COMPONENT = re.compile(r"\$\{(?:component|name)\}|\{\{ ?(?:component|name) ?\}\}|\{(?:component|name)\}")
# Three release numbers, as PEP 440 and people before SemVer wrote prereleases: 1.2.0rc1, 1.2.0b2. Less would take `v4` or a date for a version.
_THREE = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}[a-z.]")


@dataclass(frozen=True, slots=True)
class TagFormat:
    """What stands before and after the version in a tag; `scheme`: what the versions are, where they are no semantic ones."""

    prefix: str = "v"
    suffix: str = ""
    scheme: Scheme | None = None

    def tag(self, version: object) -> str:
        """The tag of a version."""
        return f"{self.prefix}{version}{self.suffix}"

    def inside(self, tag: str) -> str | None:
        """The text where the version stands, or None for a tag of another format."""
        if len(tag) > MAX_LENGTH or not (tag.startswith(self.prefix) and tag.endswith(self.suffix)):
            return None
        return tag[len(self.prefix) : len(tag) - len(self.suffix)] or None

    def read(self, text: str) -> Version | None:
        """The version that a text is, by the scheme."""
        return self.scheme.version(text) if self.scheme else parse(text)

    def version(self, tag: str) -> Version | None:
        """The version of a tag: of the scheme; else SemVer, or PEP 440 with three numbers; None for another format or an odd tag."""
        text = self.inside(tag)
        if text is None or self.scheme:
            return self.read(text) if text else None
        return parse(text) or (from_pep440(text) if _THREE.match(text) else None)


def tag_format(template: str, component: str = "") -> TagFormat:
    """Read a template. Raises UsageError where the version does not stand in it exactly once."""
    parts = _VERSION.split(_COMPONENT.sub(lambda _: component, template))
    if len(parts) != 2:
        raise UsageError(f"The tag format {template[:60]!r} needs the version exactly once, such as v{{version}}.")
    return TagFormat(parts[0], parts[1])


def versions_of(tags: Iterable[str], formats: Sequence[TagFormat]) -> dict[str, Version]:
    """The tags that are versions by one of the formats (the first that fits); all others are left out."""
    found: dict[str, Version] = {}
    for tag in tags:
        version = next((version for version in (each.version(tag) for each in formats) if version), None)
        if version is not None:
            found[tag] = version
    return found


def guess_format(tags: Iterable[str], component: str = "", scheme: Scheme | None = None) -> TagFormat:
    """The format that most version tags of a component have, where nothing says it; `v` (with the component before it) for none.

    Without a component: `v1.2.3` or `1.2.3`. With one: `name-v1.2.3`, `name-1.2.3`, `name@1.2.3`, `name/v1.2.3`, `name/1.2.3`.
    """
    prefixes = [f"{component}{sign}" for sign in ("-v", "-", "@", "@v", "/v", "/")] if component else ["v", ""]
    formats = [TagFormat(prefix, scheme=scheme) for prefix in prefixes]
    counts = dict.fromkeys(formats, 0)
    for tag in tags:
        for each in formats:
            counts[each] += bool(each.version(tag) or (scheme and TagFormat(each.prefix).version(tag)))
    return max(formats, key=lambda each: counts[each])
