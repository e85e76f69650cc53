"""The files that the deployment-guardian reads: tables of numbers, its policy, AnalysisTemplates and SLO files; bounded, safe, refused with file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cicd_agents.analysis.canary.reading.analysis_template import KINDS, Template, read_template
from cicd_agents.analysis.canary.reading.keptn_slo import Slo, read_slo
from cicd_agents.analysis.canary.reading.policy_file import PolicyFile, read_policy
from cicd_agents.analysis.canary.reading.table_data import points_of
from cicd_agents.domain.canary import CanaryPolicy, Point
from cicd_agents.domain.errors import UsageError

T = TypeVar("T")

MAX_FILE = 256 << 10
# What aliases may grow a YAML file to: a small file can stand for billions of values.
MAX_NODES = 100_000
MAX_DOCUMENTS = 50
# Whole numbers longer than this cannot be counted with, nor shown.
MAX_DIGITS = 60
# A key with a mapping behind or below it, or an item of a list with a key: text as people write it has no such, or is no YAML.
_NESTED = re.compile(r"^[ ]*(?:- *)?[\"'\w][\w .\"'-]*:[ ]*(?:\{|\r?$)|^- *(?:metric|name):", re.MULTILINE)
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*|\[\d+\](?:\.[\w-]+|\[\d+\])*")


def read_points(path: Path, policy: CanaryPolicy) -> tuple[Point, ...]:
    """The points of a table file: JSON and YAML by their suffix, anything else as people write it. Raises UsageError with file and line."""
    return parse_points(text_of(path), str(path), policy)


def parse_points(text: str, name: str, policy: CanaryPolicy) -> tuple[Point, ...]:
    """The points of a table that was given as text; `name` is for messages, and its suffix says what it is. Text that begins with { or [ is JSON, and what
    looks like YAML is read as that where it can be."""
    if name.endswith((".yml", ".yaml")):
        return _read(_yaml(text, name), name, lambda value: points_of(value, policy))
    if name.endswith(".json") or text.lstrip()[:1] in {"{", "["}:
        return _read(_Document(json_of(text, name), None), name, lambda value: points_of(value, policy))
    nested: UsageError | None = None
    if _NESTED.search(text):
        try:
            return _read(_yaml(text, name), name, lambda value: points_of(value, policy))
        except UsageError as problem:
            nested = problem
    try:
        return points_of(text, policy)
    except UsageError as problem:
        raise nested or UsageError(f"{name}: {problem}") from None


def read_policy_file(path: Path) -> PolicyFile:
    """The policy of a file, YAML or JSON. Raises UsageError with file and line."""
    return _read(_yaml(text_of(path), str(path)), str(path), lambda value: read_policy({} if value is None else _mapping(value)))


def read_template_file(path: Path, arguments: Mapping[str, str] | None = None, template: str = "") -> Template:
    """The AnalysisTemplate of a file; `template` chooses one by its name where there are several. Raises UsageError with file and line."""
    documents = [document for document in _all_yaml(text_of(path), str(path)) if isinstance(document.value, Mapping) and document.value.get("kind") in KINDS]
    names = [str((document.value.get("metadata") or {}).get("name", "")) for document in documents]
    chosen = [document for document, name in zip(documents, names, strict=True) if template in {"", name}]
    if not chosen:
        there = f"it has {', '.join(names)}" if names else f"no document has the kind {KINDS[0]} or {KINDS[1]}"
        raise UsageError(f"{path}: there is no AnalysisTemplate{f' {template}' if template else ''} of Argo Rollouts: {there}.")
    if len(chosen) > 1:
        raise UsageError(f"{path}: there are several AnalysisTemplates, {', '.join(names)}; say which by its name.")
    return _read(chosen[0], str(path), lambda value: read_template(value, arguments))


def read_slo_file(path: Path) -> Slo:
    """The Keptn SLO file. Raises UsageError with file and line."""
    return _read(_yaml(text_of(path), str(path)), str(path), lambda value: read_slo(_mapping(value)))


def read_list_file(path: Path) -> tuple[Mapping[str, Any], ...]:
    """The mappings that a file lists, YAML or JSON. Raises UsageError with the file."""
    value = _yaml(text_of(path), str(path)).value
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise UsageError(f"{path}: a list of mappings is expected.")
    return tuple(value)


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError("the file must be a mapping.")
    return value


# Files


@dataclass(frozen=True, slots=True)
class _Document:
    """A parsed document; `node` knows the lines, None where there are none to know."""

    value: Any
    node: Any

    def line_of(self, message: str) -> int | None:
        """The line of the path that a message begins with."""
        found = _PATH.match(message)
        node, line = self.node, None
        for part in re.findall(r"[\w-]+", found.group()) if found else ():
            key, node = _child(node, part)
            if node is None:
                break
            line = key.start_mark.line + 1
        return line


def _child(node: Any, part: str) -> tuple[Any, Any]:
    """The key and the value of a part of a path, (None, None) where it is not there."""
    if node is not None and node.id == "mapping":
        return next(((key, value) for key, value in node.value if str(key.value).replace("-", "_") == part.replace("-", "_")), (None, None))
    if node is not None and node.id == "sequence" and part.isdigit() and int(part) < len(node.value):
        return node.value[int(part)], node.value[int(part)]
    return None, None


def _read(document: _Document, name: str, read: Callable[[Any], T]) -> T:
    try:
        return read(document.value)
    except UsageError as problem:
        line = document.line_of(str(problem))
        raise UsageError(f"{name}{f', line {line}' if line else ''}: {problem}") from None


def text_of(path: Path, most: int = MAX_FILE) -> str:
    """The text of a file of at most so many bytes. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file.") from None
    except (OSError, ValueError) as problem:
        raise UsageError(f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}.") from None
    if len(data) > most:
        raise UsageError(f"{path}: is larger than {most >> 10} KiB, which no such file needs.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8.") from None


def json_of(text: str, name: str) -> Any:
    """Parsed. Raises UsageError with the line."""
    try:
        return json.loads(text, parse_int=_int)
    except json.JSONDecodeError as problem:
        raise UsageError(f"{name}, line {problem.lineno}: is not JSON: {problem.msg}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{name}: is not JSON.") from None


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError
    return int(digits)


def _yaml(text: str, name: str) -> _Document:
    documents = _all_yaml(text, name)
    if len(documents) > 1:
        raise UsageError(f"{name}: holds several documents (---); keep one.")
    return documents[0] if documents else _Document(None, None)


def _all_yaml(text: str, name: str) -> list[_Document]:
    import yaml

    documents: list[Any] = []
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if len(documents) >= MAX_DOCUMENTS:
                raise UsageError(f"{name}: holds more than {MAX_DOCUMENTS} documents, which no such file needs.")
            if node is not None:
                _check_nodes(node, name)
            documents.append(node)
        values = list(yaml.safe_load_all(text))
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise UsageError(f"{name}{line}: is not YAML: {problem.problem or problem.context or 'unreadable'}.") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        raise UsageError(f"{name}: is not YAML.") from None
    return [_Document(value, node) for value, node in zip(values, documents, strict=False) if value is not None]


def _check_nodes(root: Any, name: str) -> None:
    """Refuses keys that stand twice in a mapping, and aliases that grow without bound or go round in circles."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        sizes[id(node)] = MAX_NODES  # what holds itself is too large
        if node.id == "mapping":
            _check_keys(node, name)
        if node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_DIGITS:
            raise UsageError(f"{name}, line {node.start_mark.line + 1}: a number has more than {MAX_DIGITS} digits.")
        children = [child for pair in node.value for child in pair] if node.id == "mapping" else node.value if node.id == "sequence" else []
        sizes[id(node)] = total = 1 + sum(size(child) for child in children)
        if total > MAX_NODES:
            raise UsageError(f"{name}, line {node.start_mark.line + 1}: stands for more than {MAX_NODES} values, which no such file needs.")
        return total

    size(root)


def _check_keys(node: Any, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.id == "scalar" and key.value in seen:
            raise UsageError(f"{name}, line {key.start_mark.line + 1}: {str(key.value)[:60]} stands there twice.")
        seen.add(str(key.value) if key.id == "scalar" else "")
