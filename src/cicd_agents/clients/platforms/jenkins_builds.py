"""The newest builds of a job, and which of them ran the same code; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cicd_agents.clients.platforms.jenkins_shapes import Build
from cicd_agents.domain.ci import RunRef, Status


class Builds:
    """The listed builds of a job, the newest first."""

    def __init__(self, job: str, builds: Sequence[Build]) -> None:
        self.job = job
        self._builds = tuple(sorted(builds, key=lambda build: build.number, reverse=True))
        self._repeats = {build.number: build.repeats for build in builds}

    def __iter__(self) -> Iterator[Build]:
        return iter(self._builds)

    def same_code(self, build: Build) -> Iterator[Build]:
        """Other builds of the same code with the same parameters, the newest first: of the same commit, or repetitions of each other.

        A repeated build of a change request merges the same change again, which gives the merge another hash.
        """
        origin = self._origin(build)
        for other in self._builds:
            same = (bool(build.sha) and build.sha == other.sha) or self._origin(other) == origin
            if other.number != build.number and other.parameters == build.parameters and same:
                yield other

    def ref(self, build: Build) -> RunRef:
        """The build with the attempt that it is: one more than the builds of the same code that failed since its last success.

        Of builds that checked out nothing nobody can say whether their code is the same; for them, failures in a row count as attempts.
        """
        attempt = 1
        for other in self.same_code(build) if build.sha else self._builds:
            if other.number >= build.number or other.parameters != build.parameters:
                continue
            if other.status is Status.SUCCESS:
                break
            attempt += other.status.failed
        return RunRef(f"{self.job}#{build.number}", attempt)

    def _origin(self, build: Build) -> int:
        """The number of the build that this one repeats, directly or through others; else its own."""
        number, before = build.number, build.repeats
        while before is not None and before < number:
            number, before = before, self._repeats.get(before)
        return number
