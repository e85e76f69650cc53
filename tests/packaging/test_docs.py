"""What the pages tell people to copy works: recipes hold to the rules of their platform, commands are those that there are, links lead somewhere."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from scripts import docs, settings_schema
from tests.servers.http_server import Reply, Server

from cicd_agents import __version__
from cicd_agents.cli import _parser, main
from cicd_agents.clients.guardian_files import read_list_file
from cicd_agents.operations.kinds import KINDS
from cicd_agents.settings.options import BY_NAME, OF_GUARDIAN

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
    "README.md",
    "SECURITY.md",
    "docs/advisor.md",
    "docs/approvals.md",
    "docs/canary-policy.md",
    "docs/canary.md",
    "docs/deployment-guardian.md",
    "docs/gemini.md",
    "docs/guardian-report.md",
    "docs/history.md",
    "docs/http.md",
    "docs/kubernetes.md",
    "docs/progressive-delivery.md",
    "docs/prometheus.md",
    "docs/query-packs.md",
    "docs/rollback.md",
    "docs/threats.md",
)
GUARDIAN_PAGE = "docs/deployment-guardian.md"
# What one of the guardian's pages may ask for on GitHub; each with its reason in the table of docs/github.md.
GUARDIAN_PERMISSIONS = {"contents: read", "contents: write", "pull-requests: write", "issues: write"}


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
    for page in ("docs/github.md", GUARDIAN_PAGE):
        for number, recipe in enumerate(recipe for recipe in recipes(page) if "\njobs:\n" in recipe):
            files.append(folder / f"{Path(page).stem}{number}.yml")
            files[-1].write_text(recipe, encoding="utf-8")
    files.append(folder / "example.yml")
    files[-1].write_text(text("examples/guardian.yml"), encoding="utf-8")
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
    doctor, release, guardian = (yaml.safe_load(text(path)) for path in ("action.yml", "release/action.yml", "guardian/action.yml"))
    actions = {"release": release, "guardian": guardian}
    for file in workflows:
        recipe = file.read_text(encoding="utf-8")
        for name, action in (("doctor", doctor), ("release", release), ("guardian", guardian)):
            assert set(re.findall(rf"steps\.{name}\.outputs\.([\w-]+)", recipe)) <= set(action["outputs"])
        for job in jobs(file):
            for step in [*job.get("steps", ()), job]:
                uses = str(step.get("uses", ""))
                if uses.startswith("org/cicd-agents"):
                    named = re.match(r"org/cicd-agents/(\w+)@", uses)
                    action = actions[named[1]] if named else doctor
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


def guards(workflows: list[Path]) -> list[Any]:
    found = [job for file in workflows for job in jobs(file) if uses(job, "org/cicd-agents/guardian")]
    assert len(found) >= 6
    return found


def test_every_guardian_to_copy_asks_for_rights_that_the_page_explains_and_writes_code_only_for_a_revert(workflows: list[Path]) -> None:
    table = text("docs/github.md").partition("### Permissions of the guardian")[2]
    assert all(f"`{permission}`" in table for permission in GUARDIAN_PERMISSIONS)
    for job in guards(workflows):
        reverts = any(step.get("with", {}).get("revert") == "request" for step in job["steps"])
        assert permissions(job) <= GUARDIAN_PERMISSIONS
        assert ("contents: write" in permissions(job)) is reverts
        checkout = next(step["with"] for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@"))
        assert checkout["persist-credentials"] is False
        assert (checkout.get("fetch-depth") == 0) is reverts


@pytest.mark.parametrize("page", ["README.md", "docs/prometheus.md"])
def test_steps_to_copy_give_the_guardian_inputs_that_it_has(page: str) -> None:
    steps = [step for recipe in recipes(page) if "- uses: org/cicd-agents/guardian@" in recipe for step in yaml.safe_load(recipe)]
    assert steps
    assert all(set(step["with"]) <= set(yaml.safe_load(text("guardian/action.yml"))["inputs"]) for step in steps)


def test_every_right_of_a_guardian_to_copy_has_its_reason_beside_it(workflows: list[Path]) -> None:
    for file in workflows:
        if any(uses(job, "org/cicd-agents/guardian") for job in jobs(file)):
            for line in re.findall(r"^ {6}[a-z-]+: (?:read|write)\b.*$", file.read_text(encoding="utf-8"), re.MULTILINE):
                assert re.search(r"# to \w+", line), line


def test_no_guardian_to_copy_is_cut_off_by_its_own_time_limit_or_by_the_next_run(workflows: list[Path]) -> None:
    for file in workflows:
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        for job in jobs(file):
            given = next((step.get("with", {}) for step in job.get("steps", ()) if str(step.get("uses", "")).startswith("org/cicd-agents/guardian@")), None)
            if given is not None:
                waits = sum(int(given.get(name, BY_NAME[name].default)) for name in ("watch", "approval-wait", "recovery-wait"))
                assert job["timeout-minutes"] > waits + 5
                assert workflow["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize(
    "page",
    [
        GUARDIAN_PAGE,
        "README.md",
        "docs/approvals.md",
        "docs/canary-policy.md",
        "docs/canary-samples.md",
        "docs/history.md",
        "docs/jenkins.md",
        "docs/rollback.md",
    ],
)
def test_every_command_of_the_guardian_is_one_that_there_is(page: str) -> None:
    blocks = re.findall(r"^ *```(?:sh|text)\n(.*?)^ *```", text(page), re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`(cicd-agents (?:guardian|run) [^`]+)`", text(page))
    lines = [line for block in blocks for line in block.splitlines() if re.search(r"cicd-agents guardian", line)]
    commands = [re.sub(r"^.*?(?=cicd-agents (?:guardian|run))", "", line).partition(" #")[0] for line in [*lines, *spans]]
    assert commands
    for command in commands:
        # In a line of a table [] is what may be left out.
        words = shlex.split(re.sub(r"[\[\]]", "", command))[1:]
        _parser(words[0]).parse_args(words)


def test_the_two_tables_of_numbers_end_as_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = re.findall(r"^echo '(.+)' \| cicd-agents guardian check --metrics-table -$", text(GUARDIAN_PAGE), re.MULTILINE)
    shown = re.findall(r"```text\n(.*?)```", text(GUARDIAN_PAGE), re.DOTALL)[0]
    for numbers, code, words in ((good, 0, "PROCEED TO NEXT STAGE"), (bad, 1, shown)):
        file = tmp_path / f"{code}.txt"
        file.write_text(numbers, encoding="utf-8")
        assert main(["guardian", "check", "--metrics-table", str(file)]) == code
        assert words in capsys.readouterr().out


def test_recorded_samples_are_read_and_made_as_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = text("docs/canary-samples.md")
    (file := tmp_path / "samples.json").write_text(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    # A minute of two pods is too little for a verdict, but all of it is read.
    assert main(["guardian", "check", "--metrics-samples", str(file)]) == 3
    assert "canary 1.42.0 against baseline 1.41.0" in capsys.readouterr().out
    done = subprocess.run([sys.executable, "-c", re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("rollback Error rate spike")


def test_the_releases_to_replay_are_read_as_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^ *```yaml\n *(# releases\.yml\n.*?)^ *```", text(GUARDIAN_PAGE), re.MULTILINE | re.DOTALL)
    file = tmp_path / "releases.yml"
    file.write_text(re.sub(r"^ {3}", "", blocks[0], flags=re.MULTILINE), encoding="utf-8")
    names = [str(entry["name"]) for entry in read_list_file(file)]
    for variable in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        monkeypatch.delenv(variable, raising=False)
    # What answers there is no Prometheus, so nothing is seen; but every line was read.
    with Server(lambda _: Reply(404)) as server:
        code = main(["guardian", "backtest", "--releases", str(file), "--prometheus-url", server.url])
    assert code == 3
    out = capsys.readouterr().out
    assert all(name in out for name in names)


def test_every_kind_of_operation_of_the_guardian_stands_in_the_page_of_approvals() -> None:
    section = text("docs/approvals.md").partition("## Operations of the guardian")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    assert set(KINDS[KINDS.index("TerminateOperation") :]) <= named
    assert named <= set(KINDS)


def test_settings_that_the_guardians_page_names_exist() -> None:
    names = {option.name for option in OF_GUARDIAN}
    page = text(GUARDIAN_PAGE)
    given = re.findall(r"`([a-z]+(?:-[a-z]+)+)(?:: [^`]*)?`", page)
    outputs = set(yaml.safe_load(text("guardian/action.yml"))["outputs"])
    others = {
        "deployment-guardian", "no-data", "dry-run", "blue-green", "a-b", "guardian-read", "guardian-act",
        "always-valid", "chi-square", "fetch-depth", "pull-requests",
    }  # fmt: skip
    assert set(given) - names - outputs - others == set()


@pytest.mark.parametrize("page", ["docs/gitlab.md", "gitlab-component/README.md", GUARDIAN_PAGE])
def test_includes_to_copy_hold_to_the_schema_and_name_inputs_that_exist(page: str, tmp_path: Path) -> None:
    names = ("pipeline-doctor", "release-manager", "deployment-guardian")
    inputs = {name: next(yaml.safe_load_all(text(f"gitlab-component/templates/{name}.yml")))["spec"]["inputs"] for name in names}
    found = recipes(page) if page != GUARDIAN_PAGE else [recipe for recipe in recipes(page) if "\ninclude:\n" in recipe]
    assert found
    for recipe in found:
        (tmp_path / "recipe.yml").write_text(recipe, encoding="utf-8")
        lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", tmp_path / "recipe.yml")
        for include in yaml.safe_load(recipe).get("include", ()):
            [name] = re.findall("|".join(names), include.get("component") or include["file"])
            assert set(include.get("inputs", {})) <= set(inputs[name])


def test_the_settings_file_to_copy_holds_to_the_schema() -> None:
    (recipe,) = recipes("docs/settings.md")
    (of_guardian,) = [recipe for recipe in recipes(GUARDIAN_PAGE) if recipe.startswith("# .cicd-agents.yml\n")]
    for each in (recipe, of_guardian):
        jsonschema.validate(yaml.safe_load(each), json.loads(settings_schema.schema()))


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
    results = {"RESULT_OUTCOME", "RESULT_CATEGORY", "RESULT_RELEASED", "RESULT_VERSION", "RESULT_TAG", "RESULT_DECISION", "GITLAB_TOKEN"}
    assert set(re.findall(r"\bCICD_AGENTS_([A-Z_]*[A-Z])\b", text(page))) <= fields | results
