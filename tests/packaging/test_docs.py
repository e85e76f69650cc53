"""What the pages tell people to copy works: recipes hold to the rules of their platform, links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from scripts import docs, settings_schema

from cicd_agents import __version__
from cicd_agents.settings.options import BY_NAME

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PAGES = (
    "docs/github.md",
    "docs/gitlab.md",
    "docs/jenkins.md",
    "docs/settings.md",
    "docs/pipeline-doctor.md",
    "docs/releasing.md",
    "gitlab-component/README.md",
)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def recipes(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)


def lint(tool: str, *arguments: str | Path) -> None:
    done = subprocess.run([BIN / tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recipes") / ".github" / "workflows"
    folder.mkdir(parents=True)
    files = []
    for number, recipe in enumerate(recipes("docs/github.md")):
        files.append(folder / f"recipe{number}.yml")
        files[-1].write_text(recipe, encoding="utf-8")
    return files


def test_workflows_to_copy_are_clean(workflows: list[Path]) -> None:
    assert len(workflows) >= 5
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    lint("actionlint", *workflows)
    found = subprocess.run([BIN / "zizmor", "--offline", "--quiet", "--format", "json", *workflows], capture_output=True, text=True, check=False)
    # They name the action by its tag, so that they can be read; the page tells how to pin it.
    allowed = {"unpinned-uses", "dangerous-triggers", "cache-poisoning"}
    assert {finding["ident"] for finding in json.loads(found.stdout)} <= allowed, found.stdout


def test_workflows_to_copy_use_inputs_and_outputs_that_exist(workflows: list[Path]) -> None:
    doctor, release = (yaml.safe_load(text(path)) for path in ("action.yml", "release/action.yml"))
    for file in workflows:
        recipe = file.read_text(encoding="utf-8")
        for name, action in (("doctor", doctor), ("release", release)):
            assert set(re.findall(rf"steps\.{name}\.outputs\.([\w-]+)", recipe)) <= set(action["outputs"])
        for job in jobs(file):
            for step in [*job.get("steps", ()), job]:
                uses = str(step.get("uses", ""))
                if uses.startswith("org/cicd-agents"):
                    action = release if uses.startswith("org/cicd-agents/release@") else doctor
                    assert set(step.get("with", {})) <= set(action["inputs"])


def jobs(workflow: Path) -> list[Any]:
    return list(yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values())


def permissions(job: Any) -> set[str]:
    return {f"{name}: {access}" for name, access in job.get("permissions", {}).items()}


def uses(job: Any, action: str) -> bool:
    return any(re.fullmatch(rf"{action}@v\d+", str(step.get("uses", ""))) for step in [*job.get("steps", ()), job])


def test_every_workflow_to_copy_grants_what_the_table_says_and_no_more(workflows: list[Path]) -> None:
    needed = {"actions: read", "checks: read", "contents: read"}
    of_doctor = [job for file in workflows for job in jobs(file) if uses(job, r"org/cicd-agents(/\.github/workflows/doctor\.yml)?")]
    asking = [job for job in of_doctor if permissions(job)]
    assert len(asking) >= 4
    assert all(needed <= permissions(job) <= needed | {"pull-requests: write"} for job in asking)
    assert all(f"`{permission}`" in text("docs/github.md") for permission in needed | {"pull-requests: write", "issues: write", "actions: write"})


def test_every_release_to_copy_has_the_whole_history_and_one_token_that_may_write(workflows: list[Path]) -> None:
    releasing = [job for file in workflows for job in jobs(file) if uses(job, "org/cicd-agents/release")]
    assert len(releasing) >= 4
    for job in releasing:
        given = {str(step["uses"]).partition("@")[0]: step.get("with", {}) for step in job["steps"] if "uses" in step}
        assert given["actions/checkout"] == {"fetch-depth": 0, "persist-credentials": False}
        if "token" in given["org/cicd-agents/release"]:
            assert permissions(job) == {"contents: read"}
            assert given["actions/create-github-app-token"]["permission-contents"] == "write"
        else:
            flow = given["org/cicd-agents/release"].get("release-flow", "direct")
            assert permissions(job) == {"contents: write"} | ({"pull-requests: write"} if flow == "request" else set())


def test_releases_to_copy_are_never_cancelled_by_the_next_push(workflows: list[Path]) -> None:
    for file in workflows:
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        pushed = workflow[True].get("push") or {} if isinstance(workflow[True], dict) else {}
        if "branches" in pushed and any(uses(job, "org/cicd-agents/release") for job in jobs(file)):
            assert workflow["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("page", ["docs/gitlab.md", "gitlab-component/README.md"])
def test_includes_to_copy_hold_to_the_schema_and_name_inputs_that_exist(page: str, tmp_path: Path) -> None:
    names = ("pipeline-doctor", "release-manager", "deployment-guardian")
    inputs = {name: next(yaml.safe_load_all(text(f"gitlab-component/templates/{name}.yml")))["spec"]["inputs"] for name in names}
    found = recipes(page)
    assert found
    for recipe in found:
        (tmp_path / "recipe.yml").write_text(recipe, encoding="utf-8")
        lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", tmp_path / "recipe.yml")
        for include in yaml.safe_load(recipe).get("include", ()):
            [name] = re.findall("|".join(names), include.get("component") or include["file"])
            assert set(include.get("inputs", {})) <= set(inputs[name])


def test_the_settings_file_to_copy_holds_to_the_schema() -> None:
    (recipe,) = recipes("docs/settings.md")
    jsonschema.validate(yaml.safe_load(recipe), json.loads(settings_schema.schema()))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text(page)):
        path, _, heading = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in headings}, target


@pytest.mark.parametrize("page", PAGES)
def test_pages_speak_of_this_version(page: str) -> None:
    assert set(re.findall(r"\bv\d+\.\d+\.\d+\b", text(page))) <= {f"v{__version__}"}
    assert set(re.findall(r"org/cicd-agents(?:/[\w./-]+)?@(v\d+)\b(?!\.)", text(page))) <= {f"v{docs.MAJOR}"}


@pytest.mark.parametrize("page", PAGES)
def test_settings_that_pages_name_as_variables_exist(page: str) -> None:
    fields = {option.field.upper() for option in BY_NAME.values()}
    results = {"RESULT_OUTCOME", "RESULT_CATEGORY", "RESULT_RELEASED", "RESULT_VERSION", "RESULT_TAG", "GITLAB_TOKEN"}
    assert set(re.findall(r"\bCICD_AGENTS_([A-Z_]*[A-Z])\b", text(page))) <= fields | results
