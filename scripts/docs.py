"""Writes what follows from the table of settings: inputs of the actions, the workflow and the component, the tables of the docs, and the version in examples.

`python scripts/docs.py` writes; with --check it fails when a file differs. A generated part stands between `begin NAME` and `end NAME` in a comment.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

from cicd_agents import __version__
from cicd_agents.settings.options import COMING, OPTIONS, Kind, Option

ROOT = Path(__file__).resolve().parent.parent
MAJOR = __version__.partition(".")[0]

# What makes no sense on a platform, or is given there in another way.
NOT_ON_GITHUB = {"user"}
NOT_IN_WORKFLOW = NOT_ON_GITHUB | {"job-status", "log", "signatures", "history", "report-dir"}
NOT_ON_GITLAB = {"user", "job-status", "summary", "annotations"}
ACTION_DEFAULTS = {"token": "${{ github.token }}", "job-status": "${{ job.status }}"}
COMPONENT_DEFAULTS = {
    "agent": "pipeline-doctor",
    "history": ".cicd-agents/history.sqlite",
    "reports": "markdown,json,codequality",
    "report-dir": "cicd-agents-report",
}
# Paths that the job of the component also names as artifact and cache.
COMPONENT_PATTERNS = {"history": r"^(\.cicd-agents/[A-Za-z0-9_.-]+)?$", "report-dir": "^[A-Za-z0-9_][A-Za-z0-9_./-]*$"}
GITHUB = tuple(option for option in OPTIONS if option.name not in NOT_ON_GITHUB)
COMPOSITE = GITHUB
WORKFLOW = tuple(option for option in OPTIONS if option.name not in NOT_IN_WORKFLOW and option.kind is not Kind.SECRET)
WORKFLOW_SECRETS = tuple(option for option in OPTIONS if option.name not in NOT_IN_WORKFLOW and option.kind is Kind.SECRET)
# The component takes no secrets: an input is to be seen in the merged configuration. They are masked variables.
GITLAB = tuple(option for option in OPTIONS if option.name not in NOT_ON_GITLAB and option.kind is not Kind.SECRET)


def bounds(option: Option) -> str:
    """What the setting may be, as the end of a sentence."""
    match option.kind:
        case Kind.FLAG:
            return "true or false"
        case Kind.COUNT:
            return f"{option.least} to {option.most}"
        case Kind.SHARE:
            return "0 to 1"
        case Kind.CHOICE:
            return ", ".join(choices(option))
        case Kind.LIST:
            return "a list, separated by commas or lines"
        case _:
            return ""


def choices(option: Option) -> tuple[str, ...]:
    """The values of a choice that this release knows."""
    return tuple(choice for choice in option.choices if choice and choice not in COMING)


def described(option: Option, default: str) -> str:
    """Meaning, values and default in one text."""
    parts = [f"One of {bounds(option)}" if option.kind is Kind.CHOICE else bounds(option).capitalize(), f"default {default}" if default else ""]
    more = "; ".join(part for part in parts if part)
    return f"{option.help} {more[0].upper()}{more[1:]}." if more else option.help


def action_inputs(options: Iterable[Option]) -> str:
    """`inputs` of an action. They are empty by default, so that environment and file have a say."""
    lines = []
    for option in options:
        default = ACTION_DEFAULTS.get(option.name, "")
        lines += [f"  {option.name}:", f"    description: {quoted(described(option, option.default))}"]
        lines += ["    required: false", f"    default: {quoted(default)}"]
    return "\n".join(lines)


def composite_environment() -> str:
    """Inputs as the variables in which a Docker action gets them."""
    return "\n".join(f"        INPUT_{option.name.upper()}: ${{{{ inputs.{option.name} }}}}" for option in COMPOSITE)


def composite_outputs() -> str:
    """The outputs of the action, handed on."""
    lines = []
    for name, output in action()["outputs"].items():
        lines += [f"  {name}:", f"    description: {quoted(output['description'])}", f"    value: ${{{{ steps.run.outputs.{name} }}}}"]
    return "\n".join(lines)


def workflow_inputs() -> str:
    """`inputs` of the reusable workflow."""
    lines = []
    for option in WORKFLOW:
        lines += [f"      {option.name}:", f"        description: {quoted(described(option, option.default))}", "        type: string", '        default: ""']
    return "\n".join(lines)


def workflow_secrets() -> str:
    """`secrets` of the reusable workflow."""
    lines = []
    for option in WORKFLOW_SECRETS:
        lines += [f"      {option.name}:", f"        description: {quoted(option.help)}", "        required: false"]
    return "\n".join(lines)


def workflow_with() -> str:
    """Both, as inputs of the step."""
    lines = [f"          {option.name}: ${{{{ inputs.{option.name} }}}}" for option in WORKFLOW]
    lines += [f"          {option.name}: ${{{{ secrets.{option.name} }}}}" for option in WORKFLOW_SECRETS if option.name != "token"]
    return "\n".join(lines)


def component_inputs() -> str:
    """`spec:inputs` of the component; an empty text leaves the setting to variables and file."""
    lines = []
    for option in GITLAB:
        default = COMPONENT_DEFAULTS.get(option.name, "")
        lines += [f"    {option.name}:", f"      description: {quoted(described(option, default or option.default))}", f"      default: {quoted(default)}"]
        if choices := component_choices(option):
            lines.append(f"      options: [{', '.join(quoted(choice) for choice in choices)}]")
        elif pattern := component_pattern(option):
            lines.append(f"      regex: {quoted(pattern)}")
    return "\n".join(lines)


def component_choices(option: Option) -> tuple[str, ...]:
    """The values of an input that has a few; GitLab refuses all others before the pipeline starts."""
    if option.kind is Kind.FLAG:
        return ("", "true", "false")
    if option.kind is Kind.CHOICE:
        return ("", *choices(option))
    return ()


def component_pattern(option: Option) -> str:
    """The form of a number (RE2, matched as it stands)."""
    if option.kind is Kind.COUNT:
        return f"^([0-9]{{1,{len(str(option.most))}}})?$"
    if option.kind is Kind.SHARE:
        return r"^(0(\.[0-9]+)?|1(\.0+)?)?$"
    return COMPONENT_PATTERNS.get(option.name, "")


def component_variables() -> str:
    """Inputs as variables of the job: never written into a script, where they would be code."""
    return "\n".join(f'    CICD_AGENTS_{option.field.upper()}: "$[[ inputs.{option.name} ]]"' for option in GITLAB)


def settings_table() -> str:
    """All settings."""
    rows = ["| setting | meaning | values | default | in the file |", "|---|---|---|---|---|"]
    for option in OPTIONS:
        values = bounds(option)
        if option.kind is Kind.LIST and option.choices:
            values = "a list of " + ", ".join(option.choices)
        rows.append(f"| `{option.name}` | {cell(option.help)} | {cell(values)} | {code(option.default)} | {'yes' if option.in_file else 'no'} |")
    return "\n".join(rows)


def fallback_table() -> str:
    """Variables that platforms or teams have already."""
    rows = ["| setting | also read from, after `CICD_AGENTS_…` |", "|---|---|"]
    for option in OPTIONS:
        if option.falls_back_to:
            rows.append(f"| `{option.name}` | " + ", ".join(f"`{variable}` (on {platform} only)" for platform, variable in option.falls_back_to) + " |")
    return "\n".join(rows)


def input_table(options: Iterable[Option], defaults: Mapping[str, str]) -> str:
    """Inputs of an action or component."""
    rows = ["| input | meaning | default |", "|---|---|---|"]
    rows += [f"| `{option.name}` | {cell(option.help)} | {code(defaults.get(option.name) or option.default)} |" for option in options]
    return "\n".join(rows)


def component_job_table() -> str:
    """The inputs that shape the job of the component, from the template itself."""
    header = next(yaml.safe_load_all((ROOT / "gitlab-component/templates/pipeline-doctor.yml").read_text(encoding="utf-8")))
    names = {option.name for option in GITLAB}
    rows = ["| input | meaning | default |", "|---|---|---|"]
    for name, spec in header["spec"]["inputs"].items():
        if name not in names:
            default = spec["default"] if isinstance(spec["default"], str) else json.dumps(spec["default"])
            rows.append(f"| `{name}` | {cell(spec['description'])} | {code(default)} |")
    return "\n".join(rows)


def output_table() -> str:
    """Outputs of the action."""
    rows = ["| output | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {cell(output['description'])} |" for name, output in action()["outputs"].items()]
    return "\n".join(rows)


def action() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """action.yml."""
    document: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return document


def quoted(text: str) -> str:
    """A text in double quotes, as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)


def cell(text: str) -> str:
    """A text for a cell of a table."""
    return text.replace("|", "\\|")


def code(text: str) -> str:
    """A value for a cell; nothing where it is empty."""
    return f"`{cell(text)}`" if text else ""


BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "action.yml": {"inputs": lambda: action_inputs(GITHUB)},
    "composite/action.yml": {"inputs": lambda: action_inputs(COMPOSITE), "outputs": composite_outputs, "environment": composite_environment},
    ".github/workflows/doctor.yml": {"inputs": workflow_inputs, "secrets": workflow_secrets, "with": workflow_with},
    "gitlab-component/templates/pipeline-doctor.yml": {"inputs": component_inputs, "variables": component_variables},
    "gitlab-component/README.md": {"job": component_job_table, "inputs": lambda: input_table(GITLAB, COMPONENT_DEFAULTS)},
    "docs/github.md": {"inputs": lambda: input_table(GITHUB, ACTION_DEFAULTS), "outputs": output_table},
    "docs/gitlab.md": {"job": component_job_table, "inputs": lambda: input_table(GITLAB, COMPONENT_DEFAULTS)},
    "docs/settings.md": {"settings": settings_table, "fallbacks": fallback_table},
}
# Files that name the release that they belong to or recommend.
VERSIONED = (*BLOCKS, "docs/jenkins.md", "docs/pipeline-doctor.md", "docs/releasing.md")
_VERSIONS = (
    (re.compile(r"(ghcr\.io/org/cicd-agents:)v\d+\.\d+\.\d+"), rf"\1v{__version__}"),
    (re.compile(r"(org/cicd-agents(?:/[\w./-]+)?@)v\d+(?![\w.])"), rf"\1v{MAJOR}"),
)
# Pages speak of no version but ours.
_VERSIONS_OF_PAGES = (
    (re.compile(r"\bv\d+\.\d+\.\d+\b"), f"v{__version__}"),
    (re.compile(r"(/pipeline-doctor@|ref: \")\d+\.\d+\.\d+"), rf"\g<1>{__version__}"),
    (re.compile(r"(org/cicd-agents/|tag `)v\d+(?=/schema|`)"), rf"\g<1>v{MAJOR}"),
)


def renewed(path: str, text: str) -> str:
    """The file's text with its generated parts and versions as they should be."""
    for name, make in BLOCKS.get(path, {}).items():
        pattern = re.compile(rf"(^[^\n]*\bbegin {name}\b[^\n]*\n)(.*?)(^[^\n]*\bend {name}\b[^\n]*$)", re.MULTILINE | re.DOTALL)
        parts = list(pattern.finditer(text))
        if len(parts) != 1:
            raise SystemExit(f"{path}: needs one part between `begin {name}` and `end {name}`.")
        before, rest = text[: parts[0].start(2)], text[parts[0].end(2) :]
        text = f"{before}{make()}\n{rest}"
    for version, replacement in (*_VERSIONS, *(_VERSIONS_OF_PAGES if path.endswith(".md") else ())):
        text = version.sub(replacement, text)
    return text


def main() -> int:
    """Write the files, or check them. Twice, because parts are made of other files."""
    stale = []
    for _ in range(2):
        for path in VERSIONED:
            file = ROOT / path
            text = file.read_text(encoding="utf-8")
            wanted = renewed(path, text)
            if text != wanted:
                stale.append(path)
                if "--check" not in sys.argv[1:]:
                    file.write_text(wanted, encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        print(f"Not in step with the settings: {', '.join(sorted(set(stale)))}; run `python scripts/docs.py`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
