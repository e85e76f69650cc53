"""The settings file and the event payload: bounded, parsed once, refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cicd_agents.domain.errors import UsageError

# A settings file is some lines; an event payload is at most 25 MB (GitHub docs, webhook events and payloads).
MAX_SETTINGS = 64 << 10
MAX_EVENT = 26 << 20


def read_settings_file(path: Path, required: bool) -> Mapping[str, Any] | None:
    """The parsed file; None where it does not exist and need not. Raises UsageError for one that is missing, unreadable or no mapping."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SETTINGS + 1)
    except FileNotFoundError:
        if required:
            raise UsageError(f"{path}: no such file; give the path of a settings file to --config.") from None
        return None
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror or problem}.") from None
    return parse_settings(data, str(path))


def parse_settings(data: bytes, name: str) -> Mapping[str, Any]:
    """The mapping that a settings file holds; `name` is for messages. Raises UsageError with file and line."""
    import yaml

    if len(data) > MAX_SETTINGS:
        raise UsageError(f"{name}: is larger than {MAX_SETTINGS >> 10} KiB, which no settings file needs.")
    try:
        text = data.decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise UsageError(f"{name}: is not UTF-8.") from None
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise UsageError(f"{name}{line}: is not YAML: {problem.problem or problem.context or 'unreadable'}.") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise UsageError(f"{name}: is not YAML.") from None
    if value is None:
        return {}
    if not isinstance(node, yaml.MappingNode) or not isinstance(value, dict):
        raise UsageError(f"{name}: must be a mapping of settings, such as `fail-on: fail`.")
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise UsageError(f"{name}, line {key.start_mark.line + 1}: {str(key.value)[:60]} stands there twice.")
        seen.add(str(key.value))
    return value


def read_event(path: str) -> Mapping[str, Any]:
    """The payload of the event that started a workflow; empty without a path. Raises UsageError for a file that is no JSON object."""
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_EVENT + 1)
    except OSError as problem:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} cannot be read: {problem.strerror or problem}.") from None
    try:
        value = json.loads(data) if len(data) <= MAX_EVENT else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is not the JSON object of an event.")
    return value
