"""Action, component, workflow, docs and schema say what the table of settings says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import re2
import yaml
from scripts import docs, settings_schema

from cicd_agents import __version__
from cicd_agents.domain.canary import Decision, Status
from cicd_agents.domain.doctor import DoctorDetails
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import GuardianDetails
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.release import ReleaseDetails
from cicd_agents.domain.verdict import FailOn, GuardianVerdict, Outcome, ReleaseVerdict, Verdict
from cicd_agents.report.document import report_of
from cicd_agents.report.files import FILES
from cicd_agents.report.guardian_outputs import to_guardian_outputs
from cicd_agents.report.outputs import to_outputs
from cicd_agents.report.release_outputs import to_release_outputs
from cicd_agents.settings.options import BY_NAME, COMING, DOCTOR, GENERAL, OF_GUARDIAN, OPTIONS, RELEASES, Kind, Option
from cicd_agents.settings.reading import read

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = {"pipeline-doctor": docs.GITLAB_DOCTOR, "release-manager": docs.GITLAB_RELEASE, "deployment-guardian": docs.GITLAB_GUARDIAN}
NOTHING_JUDGED = GuardianDetails("api", "", "canary", 1, 4, 0.05, 0.0, 5.0, Status.NO_DATA, Decision.HOLD, "")
IMAGE = re.compile(rf"ghcr\.io/org/cicd-agents:v{re.escape(__version__)}(-git)?(@sha256:[0-9a-f]{{64}})?")


def document(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def component(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs of a component and its one job."""
    header, body = yaml.safe_load_all((ROOT / f"gitlab-component/templates/{name}.yml").read_text(encoding="utf-8"))
    (job,) = body.values()
    return header["spec"]["inputs"], job


@pytest.mark.parametrize("script", ["docs.py", "settings_schema.py"])
def test_generated_parts_are_fresh(script: str) -> None:
    check = subprocess.run([sys.executable, ROOT / "scripts" / script, "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_a_stale_table_and_an_old_version_are_renewed() -> None:
    text = (ROOT / "docs/github.md").read_text(encoding="utf-8")
    stale = text.replace("| `fail-on` |", "| `fail-onn` |") + "\n`uses: org/cicd-agents@v99` with ghcr.io/org/cicd-agents:v9.9.9\n"
    wanted = text + f"\n`uses: org/cicd-agents@v{docs.MAJOR}` with ghcr.io/org/cicd-agents:v{__version__}\n"
    assert docs.renewed("docs/github.md", stale) == wanted


def test_a_part_that_is_missing_is_told_of() -> None:
    with pytest.raises(SystemExit, match=r"docs/settings\.md: needs one part between `begin general settings`"):
        docs.renewed("docs/settings.md", "no parts here\n")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("action.yml", (*GENERAL, *DOCTOR)), ("release/action.yml", (*GENERAL, *RELEASES)), ("guardian/action.yml", OF_GUARDIAN),
        ("composite/action.yml", OPTIONS),
    ],
)  # fmt: skip
def test_each_action_has_every_setting_of_its_agents_that_makes_sense_on_github(path: str, options: tuple[Option, ...]) -> None:
    inputs = {name: spec for name, spec in document(path)["inputs"].items() if name != "python-version"}
    assert list(inputs) == [option.name for option in options if option.name != "user"]
    assert all(BY_NAME[name].help in spec["description"] for name, spec in inputs.items())


@pytest.mark.parametrize(
    ("path", "filled_in"),
    [
        ("action.yml", {"job-status": "${{ job.status }}"}),
        ("release/action.yml", {"agent": "release-manager"}),
        ("guardian/action.yml", {"agent": "deployment-guardian"}),
    ],
)
def test_inputs_of_an_action_are_empty_by_default_so_that_environment_and_file_count(path: str, filled_in: dict[str, str]) -> None:
    defaults = {name: spec["default"] for name, spec in document(path)["inputs"].items() if spec["default"]}
    assert defaults == {"token": "${{ github.token }}", **filled_in}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("action.yml", None), (".github/workflows/doctor.yml", None), ("gitlab-component/templates/pipeline-doctor.yml", None), ("release.Dockerfile", None),
        ("release/action.yml", "-git"), ("gitlab-component/templates/release-manager.yml", "-git"),
        ("guardian/action.yml", "-git"), ("gitlab-component/templates/deployment-guardian.yml", "-git"),
    ],
)  # fmt: skip
def test_the_image_is_that_of_this_version_and_has_git_where_releases_are_made(path: str, kind: str | None) -> None:
    [image] = re.findall(r"ghcr\.io/org/cicd-agents[:@][^\s\"']+", (ROOT / path).read_text(encoding="utf-8"))
    found = IMAGE.fullmatch(image)
    assert found
    assert found[1] == kind


def test_outputs_of_the_actions_are_those_that_are_written() -> None:
    diagnosis = DoctorDetails("raw", "x.log", 0, 0, None, None, None, 0.0, None, (), (), None)
    verdict = Verdict("pipeline-doctor", Outcome.SKIPPED, "", "", diagnosis)
    of_doctor = list(to_outputs(report_of(verdict, FailOn.NEVER, 0.0, Redactor(()))))
    plan = ReleaseVerdict("release-manager", Outcome.SKIPPED, "", "", ReleaseDetails(None, None, "none", (), "", (), ""))
    of_release = list(to_release_outputs(report_of(plan, FailOn.NEVER, 0.0, Redactor(()))))
    judged = GuardianVerdict("deployment-guardian", Outcome.SKIPPED, "", "", NOTHING_JUDGED)
    of_guardian = list(to_guardian_outputs(report_of(judged, FailOn.NEVER, 0.0, Redactor(()))))
    assert list(document("action.yml")["outputs"]) == of_doctor
    assert set(document("guardian/action.yml")["outputs"]) == set(of_guardian)
    assert list(document("release/action.yml")["outputs"]) == of_release
    assert list(document("composite/action.yml")["outputs"]) == list(dict.fromkeys((*of_doctor, *of_release, *document("guardian/action.yml")["outputs"])))


def test_the_composite_action_hands_on_every_input_by_the_environment_alone() -> None:
    action = document("composite/action.yml")
    steps = action["runs"]["steps"]
    wanted = {f"INPUT_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in action["inputs"] if name != "python-version"}
    assert steps[-1]["env"] == wanted
    assert not any("${{" in step["run"] for step in steps if "run" in step)


def test_the_workflow_hands_on_every_input_and_secret() -> None:
    workflow = document(".github/workflows/doctor.yml")
    call = workflow[True]["workflow_call"]  # YAML 1.1 reads `on` so
    (step,) = (step for step in workflow["jobs"]["doctor"]["steps"] if step.get("id") == "run")
    handed = {name for name, text in step["with"].items() if f"inputs.{name} " in text or f"secrets.{name} " in text}
    assert handed == (set(call["inputs"]) - {"runs-on"}) | set(call["secrets"])
    assert handed <= set(BY_NAME)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_hands_every_input_over_as_a_variable_and_none_in_its_script(name: str) -> None:
    inputs, job = component(name)
    handed = {name: text for name, text in job["variables"].items() if name.startswith("CICD_AGENTS_")}
    settings = {name for name in inputs if name in BY_NAME}
    assert handed == {f"CICD_AGENTS_{BY_NAME[name].field.upper()}": f"$[[ inputs.{name} ]]" for name in settings}
    assert job["script"][-1] == "cicd-agents run"
    assert not any("$[[" in line for line in job["script"])


def test_the_components_take_no_secrets_and_name_them_as_variables() -> None:
    inputs = {name for each in COMPONENTS for name in component(each)[0]}
    secrets = [option for option in OPTIONS if option.kind is Kind.SECRET]
    readme = (ROOT / "gitlab-component/README.md").read_text(encoding="utf-8")
    assert secrets
    assert not {option.name for option in secrets} & inputs
    assert all(f"CICD_AGENTS_{option.field.upper()}" in readme or any(name in readme for _, name in option.falls_back_to) for option in secrets)


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_input_of_a_component_has_a_type_a_default_and_a_meaning(name: str) -> None:
    inputs, _ = component(name)
    assert all(spec["description"] and "default" in spec for spec in inputs.values())
    assert all(spec["default"] in spec["options"] for spec in inputs.values() if "options" in spec)
    assert all(re2.search(spec["regex"], spec["default"]) for spec in inputs.values() if "regex" in spec)


def samples(option: Option) -> tuple[str, ...]:
    """Values at the bounds of a setting and beyond them."""
    match option.kind:
        case Kind.COUNT:
            return (str(option.least), str(option.most), "-1", "1.5", "ten", "99999999")
        case Kind.SHARE:
            return ("0", "1", "0.85", "1.0", "1.5", "-0.1", "high")
        case Kind.MONEY:
            return ("0", "5", "0.25", "999999", "-1", "1e3", "inf", ".5", "1 000")
        case Kind.FLAG:
            return ("true", "false", "yes", "on")
        case Kind.CHOICE:
            return (*(choice for choice in option.choices if choice and choice not in COMING), "something-else")
        case _:
            return ()


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, options in COMPONENTS.items() for option in options if samples(option)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)  # fmt: skip
def test_a_component_takes_what_the_settings_take(name: str, option: Option) -> None:
    """GitLab may let through a number that is out of bounds; it must never refuse a value that is right, nor take another kind of text."""
    spec = component(name)[0][option.name]
    for value in samples(option):
        taken = value in spec["options"] if "options" in spec else bool(re2.search(spec["regex"], value))
        try:
            read({option.name: value}, {}, None, "gitlab")
        except UsageError:
            assert not taken or value.isdigit()
        else:
            assert taken, value


def test_files_that_the_components_hand_to_gitlab_are_those_that_are_written() -> None:
    _, job = component("pipeline-doctor")
    folder = "$[[ inputs.report-dir ]]/"
    assert job["artifacts"]["paths"] == [folder]
    assert job["artifacts"]["reports"] == {"codequality": folder + FILES["codequality"], "dotenv": folder + "cicd-agents.env"}
    assert "codequality" in component("pipeline-doctor")[0]["reports"]["default"].split(",")
    _, release = component("release-manager")
    assert release["artifacts"]["paths"] == [folder]
    assert release["artifacts"]["reports"] == {"dotenv": folder + "cicd-agents.env"}


def test_the_components_stand_alone() -> None:
    folder = ROOT / "gitlab-component"
    assert {"README.md", "LICENSE.md", ".gitlab-ci.yml"} <= {path.name for path in folder.iterdir()}
    assert not any("local:" in path.read_text(encoding="utf-8") for path in folder.rglob("*.yml"))
    assert (folder / "LICENSE.md").read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_adds_one_job_and_no_global_keyword(name: str) -> None:
    _, body = yaml.safe_load_all((ROOT / f"gitlab-component/templates/{name}.yml").read_text(encoding="utf-8"))
    assert list(body) == ["$[[ inputs.job-name ]]"]


def test_no_name_in_a_component_is_one_that_yaml_reads_as_a_flag() -> None:
    """Ruby reads YAML 1.1, in which `on:` is the key true."""
    assert all(isinstance(key, str) for name in COMPONENTS for part in component(name) for key in part)


def test_a_release_has_all_of_the_history_and_runs_alone_to_its_end() -> None:
    _, job = component("release-manager")
    assert (job["variables"]["GIT_DEPTH"], job["variables"]["GIT_STRATEGY"]) == ("0", "clone")
    assert (job["interruptible"], job["resource_group"]) == (False, "cicd-agents-release")
    assert "allow_failure" not in job, "later jobs must not go on without a release"


def test_the_schema_of_the_file_takes_the_defaults_and_refuses_what_the_reader_refuses() -> None:
    schema = json.loads(settings_schema.schema())
    jsonschema.validate({name: spec["default"] for name, spec in schema["properties"].items() if "default" in spec}, schema)
    for wrong in ({"token": "x"}, {"fail-onn": "fail"}, {"fail-on": "yes"}, {"max-jobs": 0}, {"rerun-min-confidence": 2}, {"reports": ["pdf"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
        with pytest.raises(UsageError):
            read({}, {}, wrong, "github")


def test_what_the_schema_calls_a_default_is_the_default_of_the_reader() -> None:
    schema = json.loads(settings_schema.schema())
    defaults = {name: spec["default"] for name, spec in schema["properties"].items() if "default" in spec}
    assert replace(read({}, {}, defaults, "github"), sources=()) == read({}, {}, None, "github")


def test_every_setting_has_its_row_in_the_docs() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert all(f"| `{option.name}` |" in page for option in OPTIONS)


def test_tools_that_build_are_locked_to_the_versions_that_run() -> None:
    build, runtime = pins("build.txt"), pins("runtime.txt")
    both = set(build) & set(runtime)
    assert "google-re2" in both
    assert all(build[name] == runtime[name] for name in both)


def pins(name: str) -> dict[str, str]:
    """The versions that a file of requirements locks."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_packages_of_the_model_are_those_that_are_tested_and_change_none_of_the_others() -> None:
    with_model, tested = pins("llm.txt"), pins("dev.txt")
    assert "google-genai" in with_model
    assert with_model.items() >= pins("runtime.txt").items()
    assert with_model.items() <= tested.items()


@pytest.mark.parametrize("path", ["Dockerfile", "release.Dockerfile"])
def test_images_build_without_buildkit_and_end_as_nobody_special(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"--mount|--link|--chmod|<<|--platform|^# syntax", text, re.MULTILINE)
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "1001:1001"


def test_the_dockerfile_installs_packages_of_python_by_their_hashes_alone() -> None:
    installs = re.findall(r"pip.* install .*", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert len(installs) == 4
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
