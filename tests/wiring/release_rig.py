"""A project with a remote, and runs of the release-manager in it, as a job of GitHub Actions for a push or a tag."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.servers.clock import FakeClock
from tests.servers.github import WORKFLOW_TOKEN, GitHub
from tests.servers.repositories import ENVIRONMENT, START, Repository, bare_remote, clone, git, new_repository
from tests.wiring.rig import Ran

from cicd_agents.analysis.logs.bundled import bundled
from cicd_agents.domain.redaction import Redactor
from cicd_agents.wiring.ci import run_in_ci
from cicd_agents.wiring.world import World

NOW = START + 10 * 86_400.0
PACKAGE = '{\n  "name": "app",\n  "version": "1.2.0"\n}\n'


@dataclass(slots=True)
class Project:
    """A project with releases up to v1.2.0 and a feature since, its bare remote, and the forge that follows that remote."""

    folder: Path
    hub: GitHub
    sources: Repository
    remote: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    _count: int = 0

    def commit(self, message: str, files: Mapping[str, str | bytes] | None = None) -> str:
        """A commit on main of the remote."""
        sha = self.sources.commit(message, files)
        self.sources.git("push", "--quiet", "origin", "main")
        return sha

    def checkout(self) -> Repository:
        """A new clone, as each job makes one; its folder is the job's workspace."""
        self._count += 1
        job = self.folder / f"job-{self._count}"
        job.mkdir()
        return clone(self.remote, job / "work")

    def run(self, *, at: Repository | None = None, ref: str = "refs/heads/main", event: str = "push", environment: Mapping[str, str] | None = None) -> Ran:
        """One job of a clone (a new one by default) for a push of the ref."""
        work = at or self.checkout()
        folder = work.folder.parent
        if ref.startswith("refs/tags/"):
            work.checkout(ref)
        for name in ("output", "summary"):
            (folder / name).unlink(missing_ok=True)
        out: list[str] = []
        said: list[str] = []
        variables = {**self.variables(work, ref, event), **(environment or {})}
        secrets = Redactor(tuple(value for name, value in variables.items() if "TOKEN" in name))
        code = run_in_ci({}, None, World(variables, out.append, said.append, secrets, lambda _: bundled(), self.clock))
        return Ran(code, "".join(out), said, folder)

    def tags(self) -> dict[str, str]:
        """The remote's tags and their commits."""
        lines = git(self.remote, "for-each-ref", "--format=%(refname:short) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", "refs/tags")
        return {name: sha for name, _, sha in (line.partition(" ") for line in lines.splitlines())}

    def show(self, path: str, ref: str = "main") -> str:
        """A file of the remote."""
        return git(self.remote, "show", f"{ref}:{path}")

    @property
    def _repository(self) -> dict[str, object]:
        return {"id": self.hub.repository.id, "full_name": self.hub.repository.full_name, "default_branch": "main"}

    def variables(self, work: Repository, ref: str = "refs/heads/main", event: str = "push") -> dict[str, str]:
        """The variables of a job whose workspace is the clone."""
        folder = work.folder.parent
        (folder / "event.json").write_text(json.dumps({"ref": ref, "repository": self._repository}))
        return {
            **ENVIRONMENT,
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(folder / "event.json"), "INPUT_AGENT": "release-manager",
            "GITHUB_REPOSITORY": self.hub.repository.full_name, "GITHUB_API_URL": self.hub.api_url, "GITHUB_SERVER_URL": self.hub.server.url,
            "GITHUB_RUN_ID": "4242", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "release", "GITHUB_SHA": work.git("rev-parse", "HEAD"), "GITHUB_REF": ref,
            "GITHUB_WORKFLOW": "Release", "GITHUB_WORKSPACE": str(work.folder), "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_TOKEN": WORKFLOW_TOKEN, "INPUT_TOKEN": WORKFLOW_TOKEN, "GITHUB_ACTOR": "mona",
        }  # fmt: skip


def project(folder: Path, hub: GitHub) -> Project:
    """The project, new."""
    template = _template()
    for name in ("sources", "remote.git"):
        shutil.copytree(template.folder.parent / name, folder / name)
    sources, remote = Repository(folder / "sources", template.clock), folder / "remote.git"
    sources.git("remote", "set-url", "origin", str(remote))
    hub.follow(remote)
    return Project(folder, hub, sources, remote)


@cache
def _template() -> Repository:
    # Made once and copied: it takes some twenty processes.
    home = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, home)
    sources = new_repository(home / "sources")
    sources.commit("feat: begin", {"package.json": PACKAGE, "README.md": "hello\n"})
    sources.tag("v1.2.0", "Release v1.2.0")
    bare_remote(home / "remote.git", sources)
    sources.commit("feat(cart): sum up (#7)\n\nCloses #3", {"cart.js": "sum\n"})
    sources.git("push", "--quiet", "origin", "main")
    return sources
