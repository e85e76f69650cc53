"""The package managers that are on the machine accept what we wrote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Set
from pathlib import Path

import pytest

from cicd_agents.analysis.version_files.planning import planned_changes


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return found


def run(folder: Path, *command: str, **variables: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240, env={**os.environ, **variables})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def put(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


def released(folder: Path, *paths: str, new: str = "2.0.0", told: Set[str] = frozenset()) -> dict[str, str]:
    """The files after a release of `new`, written; only those in `told` may disagree."""
    files = {path: (folder / path).read_bytes().decode() for path in paths}
    plan = planned_changes(files, "1.2.3", new)
    assert {one.path for one in plan.disagreements} == told
    put(folder, dict(plan.texts))
    return {**files, **dict(plan.texts)}


def test_npm_finds_its_lock_file_in_step(tmp_path: Path) -> None:
    npm = tool("npm")
    put(tmp_path, {
        "package.json": '{"name": "@acme/root", "version": "1.2.3", "workspaces": ["packages/*"]}\n',
        "packages/a/package.json": '{"name": "@acme/a", "version": "1.2.3"}\n',
        "packages/b/package.json": '{"name": "b", "version": "1.2.3"}\n',
    })  # fmt: skip
    run(tmp_path, npm, "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    after = released(tmp_path, "package.json", "packages/a/package.json", "packages/b/package.json", "package-lock.json")
    run(tmp_path, npm, "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")
    assert (tmp_path / "package-lock.json").read_bytes().decode() == after["package-lock.json"]
    assert json.loads(run(tmp_path, npm, "pkg", "get", "version")) == "2.0.0"


def test_cargo_builds_a_workspace_with_a_locked_lock_file(tmp_path: Path) -> None:
    cargo = tool("cargo")
    put(tmp_path, {
        "Cargo.toml": '[workspace]\nmembers = ["a", "b", "c"]\nresolver = "2"\n[workspace.package]\nversion = "1.2.3" # of all\n[workspace.dependencies]\n'
        'a = { path = "a", version = "1.2" }\n',
        "a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\nedition = "2021"\n',
        "b/Cargo.toml": '[package]\nname = "b"\nversion = "1.2.3"\nedition = "2021"\n[dependencies]\n'
        "a.workspace = true\n",
        "c/Cargo.toml": '[package]\nname = "c"\nversion = "0.5.0"\nedition = "2021"\n'
        '[dependencies]\nd = { path = "../b", package = "b", version = "=1.2.3" }\n',
        "a/src/lib.rs": "", "b/src/lib.rs": "", "c/src/lib.rs": "",
    })  # fmt: skip
    run(tmp_path, cargo, "generate-lockfile", "--offline")
    released(tmp_path, "Cargo.toml", "a/Cargo.toml", "b/Cargo.toml", "c/Cargo.toml", "Cargo.lock", told={"c/Cargo.toml"})
    told = json.loads(run(tmp_path, cargo, "metadata", "--locked", "--offline", "--format-version", "1"))
    assert {package["name"]: package["version"] for package in told["packages"]} == {"a": "2.0.0", "b": "2.0.0", "c": "0.5.0"}


@pytest.mark.parametrize(("new", "python"), [("2.0.0", "2.0.0"), ("2.0.0-rc.1", "2.0.0rc1")])
def test_uv_finds_its_lock_file_up_to_date(tmp_path: Path, new: str, python: str) -> None:
    uv = tool("uv")
    put(tmp_path, {
        "pyproject.toml": '[project]\nname = "Acme.Root"\nversion = "1.2.3"\nrequires-python = ">=3.11"\ndependencies = ["member"]\n'
        '[tool.uv.workspace]\nmembers = ["member"]\n[tool.uv.sources]\nmember = { workspace = true }\n',
        "member/pyproject.toml": '[project]\nname = "member"\nversion = "1.2.3"\nrequires-python = ">=3.11"\n',
    })  # fmt: skip
    cache = str(tmp_path / ".cache")
    run(tmp_path, uv, "lock", "--offline", UV_CACHE_DIR=cache)
    after = released(tmp_path, "pyproject.toml", "member/pyproject.toml", "uv.lock", new=new)
    run(tmp_path, uv, "lock", "--check", "--offline", UV_CACHE_DIR=cache)
    assert after["uv.lock"].count(f'version = "{python}"') == 2


@pytest.mark.parametrize("new", ["2.0.0", "2.0.0-rc.1"])
def test_bundler_leaves_the_lock_file_as_we_wrote_it(tmp_path: Path, new: str) -> None:
    bundle = tool("bundle")
    put(tmp_path, {
        "Gemfile": 'gemspec name: "acme"\n',
        "acme.gemspec": 'Gem::Specification.new do |s|\n  s.name = "acme"\n  s.version = "1.2.3".freeze\n  s.summary = "x"\n  s.authors = ["x"]\nend\n',
    })  # fmt: skip
    run(tmp_path, bundle, "lock", "--local", BUNDLE_FROZEN="false")
    after = released(tmp_path, "acme.gemspec", "Gemfile.lock", new=new)
    run(tmp_path, bundle, "lock", "--local", BUNDLE_FROZEN="false")
    assert (tmp_path / "Gemfile.lock").read_bytes().decode() == after["Gemfile.lock"]


def test_composer_validates_the_file(tmp_path: Path) -> None:
    composer = tool("composer")
    put(tmp_path, {"composer.json": '{"name": "acme/acme", "description": "x", "license": "MIT", "version": "1.2.3"}\n'})
    released(tmp_path, "composer.json")
    told = run(
        tmp_path, composer, "show", "--self", "--format=json", "--no-interaction", COMPOSER_ALLOW_SUPERUSER="1", COMPOSER_HOME=str(tmp_path / ".composer")
    )
    assert json.loads(told)["versions"] == ["2.0.0"]


def test_mix_reads_the_version(tmp_path: Path) -> None:
    elixir = tool("elixir")
    put(
        tmp_path,
        {"mix.exs": 'defmodule Acme.MixProject do\n  use Mix.Project\n  @version "1.2.3"\n\n  def project, do: [app: :acme, version: @version]\nend\n'},
    )
    released(tmp_path, "mix.exs")
    told = run(tmp_path, elixir, "-e", 'Mix.start(); Code.require_file("mix.exs"); IO.puts(Mix.Project.config()[:version])', MIX_HOME=str(tmp_path / ".mix"))
    assert told.split()[-1] == "2.0.0"


def test_setuptools_reads_the_version(tmp_path: Path) -> None:
    python = tool("python3")
    if subprocess.run([python, "-c", "import setuptools"], check=False, capture_output=True).returncode:
        pytest.skip("setuptools is not on this machine")
    put(tmp_path, {"setup.py": 'from setuptools import setup\n\nVERSION = "1.2.3"\nsetup(name="acme", version=VERSION, py_modules=[])\n'})
    released(tmp_path, "setup.py", new="2.0.0-rc.1")
    assert run(tmp_path, python, "-W", "ignore", "setup.py", "--version").split()[-1] == "2.0.0rc1"
