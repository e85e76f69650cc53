"""Patches as an API server applies them: JSON merge patch (RFC 7386) and JSON patch (RFC 6902), without changing what they are applied to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any


class PatchFailed(Exception):
    """A JSON patch that cannot be applied: a failed `test`, or a path that leads nowhere."""


def merged(target: Any, patch: Any) -> Any:
    """The target after a merge patch: null removes, objects are merged, everything else replaces."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def patched(target: Any, steps: Any) -> Any:
    """The target after all steps of a JSON patch. Raises PatchFailed."""
    if not isinstance(steps, list):
        raise PatchFailed("a JSON patch is a list")
    result = deepcopy(target)
    for step in steps:
        result = _step(result, step)
    return result


def _step(target: Any, step: dict[str, Any]) -> Any:
    path = _parts(step["path"])
    match step["op"]:
        case "test":
            if _at(target, path) != step["value"]:
                raise PatchFailed(f"testing value {step['path']} failed")
        case "add":
            return _put(target, path, deepcopy(step["value"]), new=True)
        case "replace":
            return _put(target, path, deepcopy(step["value"]), new=False)
        case "remove":
            _removed(target, path)
        case "copy":
            return _put(target, path, deepcopy(_at(target, _parts(step["from"]))), new=True)
        case "move":
            return _put(target, path, _removed(target, _parts(step["from"])), new=True)
        case other:
            raise PatchFailed(f"unexpected kind: {other}")
    return target


def _parts(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise PatchFailed(f"no pointer: {pointer}")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _at(target: Any, path: list[str]) -> Any:
    for part in path:
        target = target[_key(target, part)]
    return target


def _key(holder: Any, part: str) -> Any:
    """The key of a part that must be there."""
    if isinstance(holder, dict) and part in holder:
        return part
    if isinstance(holder, list) and part.isdigit() and int(part) < len(holder):
        return int(part)
    raise PatchFailed(f"missing path: {part}")


def _put(target: Any, path: list[str], value: Any, *, new: bool) -> Any:
    if not path:
        return value
    holder, last = _at(target, path[:-1]), path[-1]
    if not new:
        holder[_key(holder, last)] = value
    elif isinstance(holder, list):
        at = len(holder) if last == "-" else int(last)
        if at > len(holder):
            raise PatchFailed(f"index out of bounds: {last}")
        holder.insert(at, value)
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        raise PatchFailed(f"nothing can be added at {last}")
    return target


def _removed(target: Any, path: list[str]) -> Any:
    holder = _at(target, path[:-1])
    return holder.pop(_key(holder, path[-1]))
