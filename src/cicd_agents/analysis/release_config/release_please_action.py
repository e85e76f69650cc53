"""release-please without a configuration file: versions 1 to 4 of its GitHub action take the settings as inputs of a workflow's step (action.yml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cicd_agents.analysis.release_config import release_please
from cicd_agents.analysis.release_config.document import Document, read_yaml
from cicd_agents.analysis.release_config.found import FoundConfig
from cicd_agents.analysis.release_config.places import WORKFLOWS
from cicd_agents.domain.errors import UsageError

_ACTION = b"release-please-action@"
_FLAGS = ("bump-minor-pre-major", "bump-patch-for-minor-pre-major")
_TEXTS = ("release-type", "package-name", "release-as", "changelog-path")


def from_workflows(files: Mapping[str, bytes]) -> FoundConfig | None:
    """What the first workflow says that runs the action with inputs; None where none does. Raises UsageError for inputs of the wrong kind.

    A workflow that cannot be read is passed over: it says nothing about releases then.
    """
    for path in sorted(path for path in files if path.startswith(WORKFLOWS) and path.endswith((".yml", ".yaml")) and _ACTION in files[path]):
        try:
            workflow = read_yaml(path, files[path])
        except UsageError:
            continue
        inputs = next((inputs for inputs in _inputs(workflow) if "release-type" in inputs), None)
        if inputs is not None:
            return _config(replace(workflow, table=inputs), files)
    return None


def _inputs(workflow: Document) -> Iterator[dict[str, Any]]:
    """The inputs of each step that uses the action, by any owner (it has moved)."""
    jobs = workflow.table.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict) and _ACTION.decode() in str(step.get("uses", "")) and isinstance(step.get("with"), dict):
                yield step["with"]


def _config(inputs: Document, files: Mapping[str, bytes]) -> FoundConfig:
    """The inputs as a configuration file would say them. Expressions (`${{ … }}`) are left out, with a note."""
    plain = {str(key): value for key, value in inputs.table.items() if "${{" not in str(value)}
    path = str(plain.get("path", "."))
    package: dict[str, Any] = {key: str(plain[key]) for key in _TEXTS if key in plain}
    package |= {key: str(plain[key]).lower() == "true" for key in _FLAGS if key in plain}
    package["include-component-in-tag"] = str(plain.get("monorepo-tags", False)).lower() == "true"
    strategy = plain.get("versioning-strategy") or plain.get("versioning")
    package |= {"versioning": str(strategy)} if strategy else {}
    if "changelog-types" in plain:
        package["changelog-sections"] = _sections(replace(inputs, table=plain))
    if "extra-files" in plain:
        package["extra-files"] = str(plain["extra-files"]).split()
    found = release_please.from_document(replace(inputs, table={"packages": {path: package}}), files)
    unread = sorted(str(key) for key in inputs.table if key in (*_TEXTS, *_FLAGS, "changelog-types") and str(key) not in plain)
    notes = (f"{inputs.file}: {', '.join(unread)} is an expression and is not read",) if unread else ()
    return replace(found, notes=found.notes + notes)


def _sections(inputs: Document) -> list[Any]:
    """The sections, which the input holds as JSON."""
    import json

    try:
        value = json.loads(inputs.text_at("changelog-types"))
    except (ValueError, RecursionError) as problem:
        raise inputs.refuse("changelog-types", "must be a list, as JSON writes it") from problem
    if not isinstance(value, list):
        raise inputs.refuse("changelog-types", "must be a list, as JSON writes it")
    return value
