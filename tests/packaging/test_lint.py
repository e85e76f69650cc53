"""Workflows, actions, Dockerfile and scripts are clean for the tools that know their rules; all of them work without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = ["action.yml", "composite/action.yml", "release/action.yml", "guardian/action.yml"]
SCRIPTS = sorted(str(path.relative_to(ROOT)) for folder in ("scripts/rig", ".github") for path in (ROOT / folder).glob("*.sh"))


def lint(tool: str, *arguments: str) -> None:
    done = subprocess.run([BIN / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing_to_improve() -> None:
    lint("zizmor", "--offline", "--quiet", "--persona", "pedantic", *ACTIONS, ".github")


def test_actionlint_finds_nothing() -> None:
    lint("actionlint", *WORKFLOWS)


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_hold_to_the_schema(schema: str) -> None:
    lint("check-jsonschema", "--builtin-schema", schema, *WORKFLOWS)


def test_actions_hold_to_the_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", *ACTIONS)


def test_dependabot_holds_to_the_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


def test_the_pipeline_of_the_component_holds_to_the_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", "gitlab-component/.gitlab-ci.yml")


def test_the_schema_of_the_settings_is_a_schema() -> None:
    lint("check-jsonschema", "--check-metaschema", "schema/settings-v1.json", "schema/canary-samples-v1.json")


def test_hadolint_finds_nothing() -> None:
    lint("hadolint", "Dockerfile", "release.Dockerfile")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not on this machine")
def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run([str(shutil.which("shellcheck")), *SCRIPTS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_by_commit_and_tells_its_version() -> None:
    used = [line for path in [*WORKFLOWS, *ACTIONS] for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if re.match(r"\s*-?\s*uses: ", line)]
    foreign = [line for line in used if not re.search(r"uses: (\./|docker://ghcr\.io/org/cicd-agents:)", line)]
    assert len(foreign) > 10
    assert [line for line in foreign if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []
