"""Parts of Kubernetes' workloads as our words: selectors, templates, quantities. Every function raises BadAnswer where an answer has another shape.

Source of the names: Kubernetes API reference, apps/v1 and core/v1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cicd_agents.clients.shapes import Shape

TEMPLATE_HASH = "pod-template-hash"
# Suffixes of quantities (Kubernetes API reference, "Quantity").
_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?[0-9]{0,20}\.?[0-9]{0,20})([eE][+-]?[0-9]{1,3}|[numkMGTPE]?|[KMGTPE]i)")
# More bytes than any machine has; a limit without end would make every use look like none.
_LARGEST = 2.0**80
_OPERATORS = {"In": "in", "NotIn": "notin"}


def quantity(value: Any) -> float | None:
    """A quantity such as `512Mi`, `250m` or `1e3` as a number; None for what is none, or is beyond all measure."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value <= _LARGEST else None
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or not any(sign.isdigit() for sign in found[1]):
        return None
    read = float(found[1] + found[2]) if found[2][:1] in ("e", "E") and found[2][1:] else float(found[1]) * _SUFFIXES[found[2]]
    return read if 0 <= read <= _LARGEST else None


def selector(spec: Shape) -> str:
    """A workload's selector as a list's parameter; `spec` holds it. A workload without one has no pods of its own."""
    wanted = spec.inner("selector")
    labels = wanted.maybe("matchLabels")
    terms = [f"{key}={labels.text(key)}" for key in sorted(labels.data)] if labels else []
    for rule in wanted.items("matchExpressions", missing_ok=True):
        key, operator = rule.text("key"), rule.text("operator")
        if operator in _OPERATORS:
            terms.append(f"{key} {_OPERATORS[operator]} ({','.join(rule.texts('values'))})")
        else:
            terms.append(key if operator == "Exists" else f"!{key}")
    return ",".join(terms)


def matching(spec: Shape) -> dict[str, str]:
    """The same as parameters of a list; none for a spec without a selector, whose objects are told by their owner alone."""
    return {"labelSelector": selector(spec)} if spec.maybe("selector") else {}


def template(value: Mapping[str, Any]) -> dict[str, Any]:
    """A pod template to bring back: without the hash that a controller put in, and without merge directives."""
    plain = {key: each for key, each in value.items() if key != "$patch"}
    metadata = plain.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    if isinstance(metadata, Mapping) and isinstance(labels, Mapping):
        plain["metadata"] = {**metadata, "labels": {key: each for key, each in labels.items() if key != TEMPLATE_HASH}}
    return plain


def same_template(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two pod templates ask for the same: what is null counts as not there."""
    return bool(_without_null(template(one)) == _without_null(template(other)))


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    return [_without_null(each) for each in value] if isinstance(value, list) else value
