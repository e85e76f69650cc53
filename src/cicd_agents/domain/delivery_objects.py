"""What the tools of progressive delivery that live in a cluster have in common: how their objects are named, and what a credential may not do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cicd_agents.domain.errors import UsageError

# RFC 1123: a label for namespaces, a subdomain for objects (Kubernetes docs, "Object Names and IDs").
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL})/({_LABEL}(?:\.{_LABEL})*)")
_LONGEST = 253
# What is ours: the annotation on an object that was switched off, so that only that is switched on again.
SUSPENDED_BY_US = "cicd-agents/suspended"
# What means something in a regular expression (RE2), and what cannot stand as it is in a double-quoted string of PromQL.
_SIGNS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_IN_STRING = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


@dataclass(frozen=True, slots=True)
class ObjectName:
    """An object in a namespace, as settings name it: `NAMESPACE/NAME`."""

    namespace: str
    name: str

    @staticmethod
    def of(text: str, what: str) -> ObjectName:
        """The name in a text; `what` says of what, such as "a Rollout". Raises UsageError for what cannot be one."""
        found = _NAME.fullmatch(text) if len(text) <= 2 * _LONGEST else None
        if found is None or len(found[2]) > _LONGEST:
            raise UsageError(f"{text[:60]!r} is no name of {what}: write NAMESPACE/NAME, in small letters, digits, - and dots.")
        return ObjectName(found[1], found[2])

    @property
    def shown(self) -> str:
        """The name for a message."""
        return f"{self.namespace}/{self.name}"


def missing_right(verb: str, resource: str, group: str, name: ObjectName) -> str:
    """What to say where a review tells that the credential may not do something."""
    return f"The credential may not {verb} `{resource}` of `{group}` in {name.namespace}: add that to its Role."


def pods_of(hash_or_name: str) -> str:
    """A regular expression (RE2, anchored by its user) for the pods of a ReplicaSet's name."""
    return f"{escaped(hash_or_name)}-[a-z0-9]+"


def escaped(name: str) -> str:
    """A name inside a regular expression in a string of PromQL, `pod=~"…"`, as what it is and nothing else.

    A dot needs a backslash for the expression, and that one a second for the string; so does all else that a cluster may call an object.
    """
    return _SIGNS.sub(r"\\\g<0>", name).translate(_IN_STRING)
