"""Promotion of a release through environments: what is asked for by the settings, and the operations that follow from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cicd_agents.analysis.versions.semver import parse
from cicd_agents.analysis.versions.tags import TagFormat
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.finding import Evidence
from cicd_agents.domain.operation import Operation, OperationStatus

HEALTH_SECONDS = 600.0
MOST_ENVIRONMENTS = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_WORKFLOW = re.compile(r"[\w-][\w./-]{0,254}", re.ASCII)
_APPLICATION = re.compile(r"(?:[a-z0-9-]{1,63}/)?[a-z0-9][a-z0-9.-]{0,252}(?:#[1-9][0-9]?)?")
_PATH = re.compile(r"[^\x00-\x1f\x7f\\]{1,1024}")
_AND_APPLICATION, _BY_VERSION = "+argocd:", "@version"
# How a calendar version or a version with more or fewer numbers is compared.
_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")


class Unhealthy(ServiceError):
    """An environment did not become what it should: not in time, not healthy, or its check failed. The text says which, in the tool's words."""


class Way(StrEnum):
    """How a release gets into an environment."""

    ARGOCD = "argocd"  # the target revision of an Argo CD application
    WORKFLOW = "workflow"  # a workflow (GitHub) or pipeline (GitLab) that deploys
    GIT = "git"  # a version in a file, committed and pushed


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment. `target` is the application, workflow file or path; `application` (git) the Argo CD application that follows the file.

    `by_version`: an application whose revision is the version, not the tag (a Helm chart). `check` says whether there is a check; `health_seconds`
    bounds the wait until it is healthy.
    """

    name: str
    way: Way
    target: str
    application: str = ""
    by_version: bool = False
    check: bool = False
    health_seconds: float = HEALTH_SECONDS

    @property
    def kind(self) -> str:
        """The kind of its operation; approvals can be asked for per environment by it."""
        return f"Promote:{self.name}"


@dataclass(frozen=True, slots=True)
class PromotedRelease:
    """What is promoted. `since` is when the release was made (seconds since the epoch): no deployment of it can be older."""

    repository: str
    tag: str
    version: str
    since: float

    def revision(self, environment: Environment) -> str:
        """What the environment is set to: the tag, or the version where a file or a chart states it."""
        return self.version if environment.way is Way.GIT or environment.by_version else self.tag


@dataclass(frozen=True, slots=True)
class Standing:
    """How an environment stands by looking alone. `revision` is empty where that cannot be seen; `there` and `healthy` are None where nobody tells."""

    revision: str = ""
    there: bool | None = None
    healthy: bool | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check says of an environment; `passed` None: it cannot tell. `summary` is a sentence, `output` the end of what it printed, redacted."""

    passed: bool | None
    summary: str
    output: str = ""


# Looks at an environment that is healthy at a revision. Raises ServiceError or UsageError where it cannot be asked.
Check = Callable[[Environment, str], CheckResult]


def environments(entries: Sequence[str], *, check: bool = False, health_seconds: float = HEALTH_SECONDS) -> tuple[Environment, ...]:
    """The setting `environments`, in its order: `dev=argocd:shop-dev`, `staging=workflow:deploy.yml`, `prod=git:deploy/prod/Chart.yaml+argocd:shop-prod`.

    Raises UsageError in one sentence for what cannot be read, and for two environments that are one.
    """
    if len(entries) > MOST_ENVIRONMENTS:
        raise UsageError(f"environments: {len(entries)} environments are more than the {MOST_ENVIRONMENTS} that are possible.")
    found = tuple(replace(_environment(entry.strip()), check=check, health_seconds=health_seconds) for entry in entries)
    for index, environment in enumerate(found):
        _check_apart(environment, found[:index])
    return found


def _check_apart(environment: Environment, before: Sequence[Environment]) -> None:
    """One target for two environments would promote to the later one without looking at the earlier."""
    for other in before:
        if environment.name.casefold() == other.name.casefold():
            raise UsageError(f"environments: {environment.name} is there twice; each environment has one name and one way.")
        if environment.way is not Way.WORKFLOW and (environment.way, environment.target) == (other.way, other.target):
            raise UsageError(f"environments: {other.name} and {environment.name} have the same target, {environment.target}.")


def promotions(
    wanted: Iterable[Environment], release: PromotedRelease, standings: Mapping[str, Standing] | None = None, *, force: bool = False
) -> tuple[Operation, ...]:
    """One operation per environment, in order. One that stands at a later version is refused unless `force`."""
    return tuple(_operation(environment, release, (standings or {}).get(environment.name, Standing()), force) for environment in wanted)


def is_later(current: str, release: PromotedRelease) -> bool:
    """Whether an environment's revision is a later version than the release, by tags of the same format; what is no such version (a branch) is not."""
    prefix, _, suffix = release.tag.partition(release.version)
    text = TagFormat(prefix, suffix).inside(current) or current
    mine, theirs = parse(release.version), parse(text)
    if mine and theirs:
        return theirs.precedence > mine.precedence
    if _NUMBERS.fullmatch(text) and _NUMBERS.fullmatch(release.version):
        return _numbers(text) > _numbers(release.version)
    return False


def downgrade(environment: Environment, current: str, release: PromotedRelease) -> str:
    """The sentence that refuses a step back."""
    return f"{environment.name} is at {current}, which is later than {release.tag}; nothing is taken back unless that is forced."


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def _operation(environment: Environment, release: PromotedRelease, standing: Standing, force: bool) -> Operation:
    """The operation. How the environment stands now is evidence: an approval is about the rest, and must hold when half of the plan is done."""
    refused = not force and is_later(standing.revision, release)
    parameters = {
        "environment": environment.name, "way": environment.way.value, "target": environment.target, "application": environment.application,
        "revision": release.revision(environment), "steps": "; ".join(steps(environment, release)), "forced": "true" if force else "",
    }  # fmt: skip
    return Operation(
        kind=environment.kind,
        target=f"{release.repository} {environment.name}",
        why=f"{release.tag} was released.",
        reverse=f"Promote the release that {environment.name} had before again; the result names it.",
        key=f"{environment.kind}:{release.repository}:{release.tag}",
        evidence=tuple(Evidence("environment", environment.name, text) for text in (standing.revision and f"is at {standing.revision}", standing.said) if text),
        parameters=tuple((name, value) for name, value in parameters.items() if value),
        status=OperationStatus.REFUSED if refused else OperationStatus.PLANNED,
        result=downgrade(environment, standing.revision, release) if refused else "",
    )


def steps(environment: Environment, release: PromotedRelease) -> tuple[str, ...]:
    """What a promotion to the environment does, in words; it depends on the settings and the release alone."""
    revision = release.revision(environment)
    limit = f"at most {environment.health_seconds:.0f} s"
    healthy = f"until it is synced and healthy, {limit}"
    done = {
        Way.ARGOCD: (f"let the Argo CD application {environment.target} follow {revision}", "sync it unless it syncs by itself", f"wait {healthy}"),
        Way.WORKFLOW: (f"start {environment.target} on {revision} for {environment.name}, unless a run is there", f"wait for its end, {limit}"),
        Way.GIT: (f"write {revision} into {environment.target}", "commit and push it"),
    }[environment.way]
    if environment.application:
        done = (*done, f"sync the Argo CD application {environment.application} unless it syncs by itself", f"wait {healthy}")
    return (*done, "run the check") if environment.check else done


def _environment(entry: str) -> Environment:
    name, equals, rest = entry.partition("=")
    way, colon, target = rest.partition(":")
    if not (equals and colon and target) or way not in set(Way):
        raise UsageError(f"environments: {entry[:80]!r} must be NAME=argocd:APPLICATION, NAME=workflow:FILE or NAME=git:PATH.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"environments: {name[:80]!r} is no name of an environment; use letters, digits, dots, hyphens and underscores.")
    return {Way.ARGOCD: _argocd, Way.WORKFLOW: _workflow, Way.GIT: _git}[Way(way)](name, target)


def _argocd(name: str, target: str) -> Environment:
    return Environment(name, Way.ARGOCD, _application(name, target.removesuffix(_BY_VERSION)), by_version=target.endswith(_BY_VERSION))


def _application(name: str, text: str) -> str:
    if not _APPLICATION.fullmatch(text):
        raise UsageError(f"environments: {name}: {text[:80]!r} is no Argo CD application; write APPLICATION or NAMESPACE/APPLICATION.")
    return text


def _workflow(name: str, target: str) -> Environment:
    if not _WORKFLOW.fullmatch(target) or ".." in target:
        raise UsageError(f"environments: {name}: {target[:80]!r} is no workflow file; write its name, such as deploy.yml (GitLab: any word).")
    return Environment(name, Way.WORKFLOW, target)


def _git(name: str, target: str) -> Environment:
    path, follows, application = target.partition(_AND_APPLICATION)
    parts = path.split("/")
    if not _PATH.fullmatch(path) or {"", ".", "..", ".git"} & {part.lower() for part in parts}:
        raise UsageError(f"environments: {name}: {path[:80]!r} is no path inside the repository.")
    return Environment(name, Way.GIT, path, _application(name, application) if follows else "")
