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
from cicd_agents.settings.options import COMING, DOCTOR, EVERYWHERE, GENERAL, GUARDIAN, OF_GUARDIAN, OPTIONS, RELEASES, Kind, Option

ROOT = Path(__file__).resolve().parent.parent
MAJOR = __version__.partition(".")[0]

# What makes no sense on a platform, or is given there in another way.
NOT_ON_GITHUB = {"user"}
# A job of its own has no files of ours, and no step that logs in to Google Cloud.
NOT_IN_WORKFLOW = NOT_ON_GITHUB | {
    "job-status", "log", "signatures", "history", "report-dir", "model-record", "model-replay", "vertex-project", "vertex-location",
}  # fmt: skip
NOT_ON_GITLAB = {"user", "job-status", "summary", "annotations"}
ACTION_DEFAULTS = {"token": "${{ github.token }}", "job-status": "${{ job.status }}"}
RELEASE_DEFAULTS = {"agent": "release-manager", "token": "${{ github.token }}"}
COMPONENT_DEFAULTS = {
    "agent": "pipeline-doctor",
    "history": ".cicd-agents/history.sqlite",
    "reports": "markdown,json,codequality",
    "report-dir": "cicd-agents-report",
}
RELEASE_COMPONENT_DEFAULTS = {"agent": "release-manager", "report-dir": "cicd-agents-report"}
GUARDIAN_DEFAULTS = {"agent": "deployment-guardian", "token": "${{ github.token }}"}
GUARDIAN_COMPONENT_DEFAULTS = {
    "agent": "deployment-guardian", "history": ".cicd-agents/history.sqlite", "guardian-state": ".cicd-agents/guardian.json",
    "report-dir": "cicd-agents-report",
}  # fmt: skip
# Paths that the job of a component also names as artifact and cache.
COMPONENT_PATTERNS = {
    "history": r"^(\.cicd-agents/[A-Za-z0-9_.-]+)?$",
    "guardian-state": r"^(\.cicd-agents/[A-Za-z0-9_.-]+)?$",
    "report-dir": "^[A-Za-z0-9_][A-Za-z0-9_./-]*$",
}


def without(options: Iterable[Option], left_out: set[str]) -> tuple[Option, ...]:
    """The options but those of these names."""
    return tuple(option for option in options if option.name not in left_out)


# The images of the doctor and of the release-manager differ, and so do their actions and components; the composite action is for both.
GITHUB_DOCTOR = without((*GENERAL, *DOCTOR), NOT_ON_GITHUB)
GITHUB_RELEASE = without((*GENERAL, *RELEASES), NOT_ON_GITHUB)
GITHUB_GUARDIAN = without(OF_GUARDIAN, NOT_ON_GITHUB)
COMPOSITE = without(OPTIONS, NOT_ON_GITHUB)
WORKFLOW = tuple(option for option in without((*GENERAL, *DOCTOR), NOT_IN_WORKFLOW) if option.kind is not Kind.SECRET)
WORKFLOW_SECRETS = tuple(option for option in without((*GENERAL, *DOCTOR), NOT_IN_WORKFLOW) if option.kind is Kind.SECRET)
# A component takes no secrets: an input is to be seen in the merged configuration. They are masked variables.
GITLAB_DOCTOR = tuple(option for option in without((*GENERAL, *DOCTOR), NOT_ON_GITLAB) if option.kind is not Kind.SECRET)
GITLAB_RELEASE = tuple(option for option in without((*GENERAL, *RELEASES), NOT_ON_GITLAB) if option.kind is not Kind.SECRET)
GITLAB_GUARDIAN = tuple(option for option in without(OF_GUARDIAN, NOT_ON_GITLAB) if option.kind is not Kind.SECRET)
DOCTOR_TEMPLATE = "gitlab-component/templates/pipeline-doctor.yml"
RELEASE_TEMPLATE = "gitlab-component/templates/release-manager.yml"
GUARDIAN_TEMPLATE = "gitlab-component/templates/deployment-guardian.yml"


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
        case Kind.LINES:
            return "a list, one item in a line"
        case Kind.MONEY:
            return "US dollars"
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


def action_inputs(options: Iterable[Option], defaults: Mapping[str, str]) -> str:
    """`inputs` of an action. Nearly all are empty by default, so that environment and file have a say."""
    lines = []
    for option in options:
        default = defaults.get(option.name, "")
        told = default if default and not default.startswith("$") else option.default
        lines += [f"  {option.name}:", f"    description: {quoted(described(option, told))}"]
        lines += ["    required: false", f"    default: {quoted(default)}"]
    return "\n".join(lines)


def composite_environment() -> str:
    """Inputs as the variables in which a Docker action gets them."""
    return "\n".join(f"        INPUT_{option.name.upper()}: ${{{{ inputs.{option.name} }}}}" for option in COMPOSITE)


def composite_outputs() -> str:
    """The outputs of all actions, handed on."""
    outputs: dict[str, dict[str, str]] = {}
    for path in ("action.yml", "release/action.yml", "guardian/action.yml"):
        outputs |= {name: output for name, output in document(path)["outputs"].items() if name not in outputs}
    lines = []
    for name, output in outputs.items():
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


def component_inputs(options: Iterable[Option], defaults: Mapping[str, str]) -> str:
    """`spec:inputs` of a component; an empty text leaves the setting to variables and file."""
    lines = []
    for option in options:
        default = defaults.get(option.name, "")
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
    if option.kind is Kind.MONEY:
        return r"^([0-9]{1,6}(\.[0-9]{1,6})?)?$"
    return COMPONENT_PATTERNS.get(option.name, "")


def component_variables(options: Iterable[Option]) -> str:
    """Inputs as variables of the job: never written into a script, where they would be code."""
    return "\n".join(f'    CICD_AGENTS_{option.field.upper()}: "$[[ inputs.{option.name} ]]"' for option in options)


def settings_table(options: Iterable[Option]) -> str:
    """Settings with all that is to be known of them."""
    rows = ["| setting | meaning | values | default | in the file |", "|---|---|---|---|---|"]
    for option in options:
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
            rows.append(f"| `{option.name}` | " + ", ".join(fallback(*each) for each in option.falls_back_to) + " |")
    return "\n".join(rows)


def fallback(platform: str, variable: str) -> str:
    """One of them, with where it is read."""
    return f"`{variable}`" if platform == EVERYWHERE else f"`{variable}` (on {platform} only)"


def input_table(options: Iterable[Option], defaults: Mapping[str, str]) -> str:
    """Inputs of an action or component."""
    rows = ["| input | meaning | default |", "|---|---|---|"]
    rows += [f"| `{option.name}` | {cell(option.help)} | {code(defaults.get(option.name) or option.default)} |" for option in options]
    return "\n".join(rows)


def component_job_table(template: str) -> str:
    """The inputs that shape the job of a component, from the template itself."""
    header = next(yaml.safe_load_all((ROOT / template).read_text(encoding="utf-8")))
    names = {option.name for option in OPTIONS}
    rows = ["| input | meaning | default |", "|---|---|---|"]
    for name, spec in header["spec"]["inputs"].items():
        if name not in names:
            default = spec["default"] if isinstance(spec["default"], str) else json.dumps(spec["default"])
            rows.append(f"| `{name}` | {cell(spec['description'])} | {code(default)} |")
    return "\n".join(rows)


def output_table(path: str) -> str:
    """Outputs of an action."""
    rows = ["| output | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {cell(output['description'])} |" for name, output in document(path)["outputs"].items()]
    return "\n".join(rows)


def document(path: str) -> dict[str, dict[str, dict[str, str]]]:
    """The file of an action."""
    read: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return read


def quoted(text: str) -> str:
    """A text in double quotes, as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)


def cell(text: str) -> str:
    """A text for a cell of a table."""
    return text.replace("|", "\\|")


def code(text: str) -> str:
    """A value for a cell; nothing where it is empty."""
    return f"`{cell(text)}`" if text else ""


_DOCTOR_COMPONENT: Mapping[str, Callable[[], str]] = {
    "job": lambda: component_job_table(DOCTOR_TEMPLATE),
    "inputs": lambda: input_table(GITLAB_DOCTOR, COMPONENT_DEFAULTS),
}
_RELEASE_COMPONENT: Mapping[str, Callable[[], str]] = {
    "release job": lambda: component_job_table(RELEASE_TEMPLATE),
    "release inputs": lambda: input_table(GITLAB_RELEASE, RELEASE_COMPONENT_DEFAULTS),
}
_GUARDIAN_COMPONENT: Mapping[str, Callable[[], str]] = {
    "guardian job": lambda: component_job_table(GUARDIAN_TEMPLATE),
    "guardian inputs": lambda: input_table(GITLAB_GUARDIAN, GUARDIAN_COMPONENT_DEFAULTS),
}
BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "action.yml": {"inputs": lambda: action_inputs(GITHUB_DOCTOR, ACTION_DEFAULTS)},
    "release/action.yml": {"inputs": lambda: action_inputs(GITHUB_RELEASE, RELEASE_DEFAULTS)},
    "guardian/action.yml": {"inputs": lambda: action_inputs(GITHUB_GUARDIAN, GUARDIAN_DEFAULTS)},
    "composite/action.yml": {
        "inputs": lambda: action_inputs(COMPOSITE, ACTION_DEFAULTS),
        "outputs": composite_outputs,
        "environment": composite_environment,
    },
    ".github/workflows/doctor.yml": {"inputs": workflow_inputs, "secrets": workflow_secrets, "with": workflow_with},
    DOCTOR_TEMPLATE: {
        "inputs": lambda: component_inputs(GITLAB_DOCTOR, COMPONENT_DEFAULTS),
        "variables": lambda: component_variables(GITLAB_DOCTOR),
    },
    RELEASE_TEMPLATE: {
        "inputs": lambda: component_inputs(GITLAB_RELEASE, RELEASE_COMPONENT_DEFAULTS),
        "variables": lambda: component_variables(GITLAB_RELEASE),
    },
    GUARDIAN_TEMPLATE: {
        "inputs": lambda: component_inputs(GITLAB_GUARDIAN, GUARDIAN_COMPONENT_DEFAULTS),
        "variables": lambda: component_variables(GITLAB_GUARDIAN),
    },
    "gitlab-component/README.md": {**_DOCTOR_COMPONENT, **_RELEASE_COMPONENT, **_GUARDIAN_COMPONENT},
    "docs/github.md": {
        "inputs": lambda: input_table(GITHUB_DOCTOR, ACTION_DEFAULTS),
        "outputs": lambda: output_table("action.yml"),
        "release inputs": lambda: input_table(GITHUB_RELEASE, RELEASE_DEFAULTS),
        "release outputs": lambda: output_table("release/action.yml"),
        "guardian inputs": lambda: input_table(GITHUB_GUARDIAN, GUARDIAN_DEFAULTS),
        "guardian outputs": lambda: output_table("guardian/action.yml"),
    },
    "docs/gitlab.md": {**_DOCTOR_COMPONENT, **_RELEASE_COMPONENT, **_GUARDIAN_COMPONENT},
    "docs/settings.md": {
        "general settings": lambda: settings_table(GENERAL),
        "doctor settings": lambda: settings_table(DOCTOR),
        "release settings": lambda: settings_table(RELEASES),
        "guardian settings": lambda: settings_table(GUARDIAN),
        "fallbacks": fallback_table,
    },
}
# Files that name the release that they belong to or recommend.
VERSIONED = (*BLOCKS, "release.Dockerfile", "docs/jenkins.md", "docs/pipeline-doctor.md", "docs/releasing.md")
_VERSIONS = (
    (re.compile(r"(ghcr\.io/org/cicd-agents:)v\d+\.\d+\.\d+"), rf"\1v{__version__}"),
    (re.compile(r"(org/cicd-agents(?:/[\w./-]+)?@)v\d+(?![\w.])"), rf"\1v{MAJOR}"),
)
# Pages speak of no version but ours.
_VERSIONS_OF_PAGES = (
    (re.compile(r"\bv\d+\.\d+\.\d+\b"), f"v{__version__}"),
    (re.compile(r"(/(?:pipeline-doctor|release-manager|deployment-guardian)@|ref: \")\d+\.\d+\.\d+"), rf"\g<1>{__version__}"),
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
