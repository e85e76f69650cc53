"""What the images are: small, without root, without tools, and enough for themselves; the one for releases has git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.servers.repositories import new_repository

from cicd_agents import __version__

ROOT = Path(__file__).resolve().parents[2]

# Bytes of our own layers: of all that every run needs, and of the client of the model.
MOST_OF_CORE = 30_000_000
MOST_OF_MODEL = 52_000_000


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def inside(image: str, program: str) -> str:
    return docker("run", "--rm", "--network", "none", "--entrypoint", "/opt/cicd-agents/bin/python", image, "-c", program)


def layers(image: str) -> list[int]:
    """The bytes of each layer, the newest first; also of those that only set something."""
    return [int(line) for line in docker("history", "--human=false", "--format", "{{.Size}}", image).split()]


def test_it_runs_without_network_and_without_writing(docker_image: str) -> None:
    assert docker("run", "--rm", "--network", "none", "--read-only", docker_image, "--version") == f"cicd-agents {__version__}\n"


def test_its_own_layers_are_small(docker_image: str, base_image: str) -> None:
    own = layers(docker_image)[: -len(layers(base_image))]
    model, core = (size for size in own if size > 10_000)
    assert core <= MOST_OF_CORE
    assert model <= MOST_OF_MODEL


def test_it_can_ask_a_model(docker_image: str) -> None:
    program = """
from cicd_agents.clients.gemini import Gemini
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.clients.clock import SystemClock
from cicd_agents.domain.advice import ModelFailed, ModelRequest, Turn
import google.genai, google.genai.types
gemini = Gemini(GeminiAccess("key", base_url="http://127.0.0.1:9"), SystemClock())
try:
    gemini.reply(ModelRequest("gemini-2.5-flash", "system", (Turn("user", "why?"),), (), {}, 0.2, 100, 60.0))
except ModelFailed as failed:
    print(failed)
"""
    assert inside(docker_image, program) == "Gemini: no connection to the server. Is the network up, and the address right?\n"


def test_the_compiled_files_of_the_model_name_where_they_stand(docker_image: str) -> None:
    where = inside(docker_image, "import google.genai; print(google.genai.__cached__, google.genai.Client.__init__.__code__.co_filename)").split()
    assert all(path.startswith("/opt/cicd-agents/lib/") for path in where)
    assert where[0].endswith(".pyc")


@pytest.mark.parametrize("arguments", [["--version"], ["doctor", "/tmp/a.log"], ["run", "--agent", "pipeline-doctor", "--log", "/tmp/a.log"]])
def test_a_run_without_a_key_loads_nothing_of_the_model(docker_image: str, arguments: list[str]) -> None:
    program = f"""
import io, pathlib, sys
from cicd_agents.cli import main
pathlib.Path("/tmp/a.log").write_text("npm error code ENOSPC\\n")
said, sys.stdout = sys.stdout, io.StringIO()
code = main({arguments!r})
sys.stdout = said
print(code, sorted(name for name in sys.modules if name.split(".")[0] in ("google", "pydantic", "websockets", "requests")))
"""
    assert inside(docker_image, program) == "0 []\n"


def test_neither_is_root_nor_may_change_itself(docker_image: str, release_image: str) -> None:
    users = [image["Config"]["User"] for image in json.loads(docker("image", "inspect", docker_image, release_image))]
    assert users == ["1001:1001", "1001:1001"]
    assert inside(docker_image, "import os; print([path for path, _, _ in os.walk('/opt/cicd-agents') if os.access(path, os.W_OK)])") == "[]\n"


def test_what_is_shipped_is_compiled_and_starts_nothing_by_itself(docker_image: str) -> None:
    """A .pth file runs at every start of Python; that is how a stolen release of litellm worked."""
    program = (
        "import pathlib, sys; site = pathlib.Path(sys.prefix) / 'lib'; print(len(list(site.rglob('*.pth'))), len(list(site.rglob('cicd_agents/**/cli.*.pyc'))))"
    )
    assert inside(docker_image, program) == "0 1\n"


def test_no_installer_is_shipped(docker_image: str) -> None:
    program = "import importlib.metadata as m, sys; print(sorted(d.name for d in m.distributions(path=[p for p in sys.path if p.startswith('/opt/')])))"
    shipped = inside(docker_image, program)
    assert "cicd-agents" in shipped
    assert not any(f"'{name}'" in shipped for name in ("pip", "setuptools", "hatchling"))


def test_it_diagnoses_a_log_from_the_workspace(docker_image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "failed.log").write_text("npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write\n", encoding="utf-8")
    docker("run", "--rm", "--network", "none", "--volume", f"{tmp_path}:/workspace", docker_image, "run", "--agent", "pipeline-doctor", "--log", "failed.log")
    assert json.loads((tmp_path / "cicd-agents-report" / "report.json").read_text(encoding="utf-8"))["details"]["category"] == "disk_full"


def test_only_the_image_for_releases_has_git(docker_image: str, release_image: str) -> None:
    found = [
        docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", "command -v git || echo none") for image in (docker_image, release_image)
    ]
    assert found == ["none\n", "/usr/bin/git\n"]


@pytest.mark.parametrize("name", ["pipeline-doctor", "release-manager", "deployment-guardian"])
def test_the_job_of_a_component_can_write_what_the_runner_has_restored(docker_image: str, release_image: str, tmp_path: Path, name: str) -> None:
    """Cache and artifacts of earlier jobs may come back as files of root, which the image is not."""
    workspace = tmp_path / "app"
    kept = [workspace / ".cicd-agents/history.sqlite", workspace / "cicd-agents-report/audit.jsonl"]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.write_text("kept\n", encoding="utf-8")
    workspace.chmod(0o777)
    (job,) = list(yaml.safe_load_all((ROOT / f"gitlab-component/templates/{name}.yml").read_text(encoding="utf-8")))[1].values()
    script = "\n".join(["set -e", *job["script"][:-1], "for file in .cicd-agents/history.sqlite cicd-agents-report/audit.jsonl; do echo more >> $file; done"])
    run = ["run", "--rm", "--network", "none", "--volume", f"{workspace}:/builds/app", "--workdir", "/builds/app", "--env", "CI_PROJECT_DIR=/builds/app"]
    image = docker_image if name == "pipeline-doctor" else release_image
    docker(*run, "--env", "CICD_AGENTS_REPORT_DIR=cicd-agents-report/", "--entrypoint", "sh", image, "-c", script)
    assert [file.read_text(encoding="utf-8") for file in kept] == ["kept\nmore\n", "kept\nmore\n"]


def judged(image: str, table: str) -> tuple[int, str]:
    """What the guardian says of a table of numbers on its standard input, without a network, and its exit code."""
    run = ["run", "--rm", "--interactive", "--network", "none", "--read-only", image, "guardian", "check", "--metrics-table", "-"]
    done = subprocess.run(["docker", *run], input=table, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_judges_numbers_without_network_and_without_writing(docker_image: str) -> None:
    code, said = judged(docker_image, "Error rate: 0.12% (baseline: 0.10%)\nP95 latency: 165ms (baseline: 150ms)\nCPU: 48% (baseline: 45%)\n")
    assert code == 0, said
    assert "PROCEED" in said
    assert "Error rate within threshold" in said
    code, said = judged(docker_image, "Error rate: 5.2% (baseline: 0.10%)\nP95 latency: 450ms (baseline: 150ms)\n")
    assert code == 1, said
    assert "ROLLBACK" in said
    assert "argocd app rollback" in said


def test_the_job_of_the_component_trusts_a_clone_that_another_user_made(release_image: str, tmp_path: Path) -> None:
    """GitLab's runner clones as root and lets everybody write there."""
    repository = new_repository(tmp_path / "clone")
    repository.commit("feat: begin", {"a.txt": "a\n"})
    subprocess.run(["chmod", "-R", "a+rwX", tmp_path], check=True)
    template = list(yaml.safe_load_all((ROOT / "gitlab-component/templates/release-manager.yml").read_text(encoding="utf-8")))[1]
    (job,) = template.values()
    assert job["script"][-1] == "cicd-agents run"
    script = "\n".join(["set -e", *job["script"][:-1], "cicd-agents release plan"])
    run = [
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{repository.folder}:/builds/app",
        "--workdir",
        "/builds/app",
        "--env",
        "CI_PROJECT_DIR=/builds/app",
    ]
    assert "feat: begin" in docker(*run, "--entrypoint", "sh", release_image, "-c", script)
