"""The changelogs of a Jenkins job as a repository (port `Repository`): commits with their files, but no contents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cicd_agents.clients.http import Http
from cicd_agents.clients.platforms import jenkins_shapes as shapes
from cicd_agents.clients.platforms.jenkins_service import job_path
from cicd_agents.clients.platforms.jenkins_shapes import Brought
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Commit, Comparison, FileChange
from cicd_agents.domain.errors import NotFound

MAX_BUILDS = 100
# Git's plugin writes no more commits into one changelog (GitSCM.MAX_CHANGELOG).
MAX_CHANGELOG = 1024


@dataclass(frozen=True, slots=True)
class JenkinsChanges:
    """What the builds of one job brought. `remote` as in `Jenkins`."""

    http: Http
    job: str
    remote: str = ""

    def compare(self, base: str, head: str) -> Comparison:
        """The commits of all builds after the one that built `base`, up to the first one that built `head`, the oldest first.

        It is not complete where a build between them was deleted, or `base` was built by none that is kept. Raises NotFound where `head` was not.
        """
        found = self._builds()
        last = next((build for build in found if build.sha == head), None)
        if last is None:
            raise NotFound(f"Jenkins: no build of {self.job} that is kept has built commit {head[:12]}, so its changes are not known.")
        first = next((build for build in reversed(found) if build.sha == base and build.number < last.number), None)
        between = [build for build in found if build.number <= last.number and (first is None or build.number > first.number)]
        complete = first is not None and len(between) == last.number - first.number and all(len(build.commits) < MAX_CHANGELOG for build in between)
        commits = {commit.sha: (commit, changes) for build in between for commit, changes in build.commits}
        return Comparison(base, head, tuple(commit for commit, _ in commits.values()), _files(changes for _, changes in commits.values()), complete)

    def commit(self, sha: str) -> Commit:
        """A commit that a build brought, with its files. Raises NotFound for any other."""
        for build in self._builds():
            for commit, _ in build.commits:
                if commit.sha == sha:
                    return commit
        raise NotFound(f"Jenkins: no build of {self.job} that is kept has brought commit {sha[:12]}.")

    def read_file(self, path: str, ref: str, most: int) -> bytes | None:  # noqa: ARG002 the port's signature
        """Raises NotFound: Jenkins keeps no files of commits."""
        raise NotFound(f"Jenkins: {path[:200]} cannot be read, for Jenkins has only the names of changed files.")

    def _builds(self) -> Sequence[Brought]:
        """The newest builds with their changes, the oldest first."""
        tree = f"builds[{shapes.CHANGES}]{{0,{MAX_BUILDS}}}"
        data = Shape.of(self.http.get_json(job_path(self.job, "api/json"), {"tree": tree}), f"Jenkins: the changes of {self.job}")
        found = (shapes.brought(item, self.job, self.remote) for item in data.items("builds", missing_ok=True))
        return sorted(found, key=lambda build: build.number)


def _files(changes: Iterable[Sequence[FileChange]]) -> tuple[FileChange, ...]:
    """What all changes together did to each path; what was added and removed again did not change."""
    status: dict[str, str] = {}
    for change in (change for of_commit in changes for change in of_commit):
        before = status.get(change.path)
        if before == "added" and change.status == "removed":
            del status[change.path]
        elif before == "added" or (before == "removed" and change.status == "added"):
            status[change.path] = "added" if before == "added" else "modified"
        else:
            status[change.path] = change.status
    return tuple(FileChange(path, what) for path, what in status.items())
