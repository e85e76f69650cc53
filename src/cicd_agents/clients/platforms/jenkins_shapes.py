"""What Jenkins says of builds, changes and stages, read into our words.

Sources: the JSON of Jenkins' own remote API (jenkinsci/jenkins: Run, Result, InterruptedBuildAction), of the plugins Git (BuildData, GitChangeSet),
Pipeline (ReplayCause, TimeoutStepExecution), Rebuilder and Naginator, and of Pipeline's REST API (wfapi).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.ci import Commit, FileChange, Status, Step

# What `tree=` asks for: without it Jenkins sends all it has, which may be many megabytes.
_ACTIONS = "actions[_class,parameters[_class,name,value],causes[_class,shortDescription],lastBuiltRevision[SHA1,branch[SHA1,name]],remoteUrls]"
BUILD = f"_class,number,url,result,building,timestamp,duration,fullDisplayName,builtOn,{_ACTIONS}"
_ITEMS = "items[commitId,msg,timestamp,author[fullName],affectedPaths,paths[editType,file]]"
CHANGES = f"number,{_ACTIONS},changeSet[{_ITEMS}],changeSets[{_ITEMS}]"

_RESULTS = {
    "SUCCESS": Status.SUCCESS, "FAILURE": Status.FAILURE, "UNSTABLE": Status.FAILURE, "ABORTED": Status.CANCELLED, "NOT_BUILT": Status.SKIPPED,
}  # fmt: skip
_STAGES = {
    "SUCCESS": Status.SUCCESS, "FAILED": Status.FAILURE, "UNSTABLE": Status.FAILURE, "ABORTED": Status.CANCELLED, "NOT_EXECUTED": Status.SKIPPED,
    "IN_PROGRESS": Status.RUNNING, "PAUSED_PENDING_INPUT": Status.RUNNING,
}  # fmt: skip
# A replay may have been started with another script, a rebuild runs the same one.
REPLAY, REBUILD = "replay", "rebuild"
_EVENTS = (
    ("Replay", REPLAY), ("Rebuild", REBUILD), ("Naginator", REBUILD), ("TimerTrigger", "schedule"), ("SCMTrigger", "push"), ("Push", "push"),
    ("BranchEvent", "push"), ("BranchIndexing", "push"), ("Upstream", "upstream"), ("UserId", "manual"), ("Remote", "remote"),
)  # fmt: skip
_EDITS = {"add": "added", "edit": "modified", "delete": "removed"}
_REPEATED = re.compile(r"#([0-9]{1,9})\b")
_REMOTE_BRANCH = re.compile(r"^(?:(?:refs/)?(?:remotes/)?[^/]+/|refs/heads/)")
MAX_TEXT = 4096
MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class Build:
    """A build. `sha` and `branch` are empty where it checked out nothing; `parameters` are names with values as a form has them, None where they are not told.

    `repeats` is the number of the build that this one was started as a repetition of, `pipeline` whether it may have stages.
    """

    number: int
    url: str
    name: str
    status: Status
    started: float | None
    completed: float | None
    sha: str
    branch: str
    event: str
    runner: str
    parameters: tuple[tuple[str, str | None], ...]
    repeats: int | None
    pipeline: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """What a build brought: its commits with their files, the oldest first. `sha` is the commit that it built."""

    number: int
    sha: str
    commits: tuple[tuple[Commit, tuple[FileChange, ...]], ...]


def build(data: Shape, job: str, remote: str = "") -> Build:
    """A build of the job. `remote` is the URL of the repository that it is about, where that is known: libraries of a Pipeline are checked out too."""
    actions = _objects(data, "actions")
    causes = [cause for action in actions for cause in _objects(action, "causes")]
    revision = _revision(actions, job.rpartition("/")[2], remote)
    started = _seconds(data.optional_number("timestamp"))
    running = data.flag("building")
    duration = _seconds(data.optional_number("duration"))
    branch = revision.items("branch", missing_ok=True) if revision else ()
    return Build(
        data.number("number"), data.text("url", ""), data.text("fullDisplayName", "")[:MAX_TEXT], _status(data, causes), started,
        started + (duration or 0) if started is not None and not running else None, revision.text("SHA1", "") if revision else "",
        _branch(branch[0].text("name", "")) if branch else "", _event(causes), data.text("builtOn", "") or "", _parameters(actions), _repeats(causes),
        "WorkflowRun" in data.text("_class", ""),
    )  # fmt: skip


def builds(data: Shape, job: str, remote: str = "") -> tuple[Build, ...]:
    """The builds in a job's answer."""
    return tuple(build(item, job, remote) for item in data.items("builds", missing_ok=True))


def brought(data: Shape, job: str, remote: str = "") -> Brought:
    """A build with its changes. A freestyle build has one set of them, a Pipeline one per checkout."""
    one = data.maybe("changeSet")
    sets = (*((one,) if one else ()), *data.items("changeSets", missing_ok=True))
    found = [_commit(item) for changes in sets for item in changes.items("items", missing_ok=True) if item.optional_text("commitId")]
    revision = _revision(_objects(data, "actions"), job.rpartition("/")[2], remote)
    sha = revision.text("SHA1", "") if revision else ""
    if len(found) > 1 and found[0][0].sha == sha:
        found.reverse()  # some releases of Git's plugin list the newest first
    return Brought(data.number("number"), sha, tuple(found))


def steps(data: Shape) -> tuple[Step, ...]:
    """The stages of a Pipeline."""
    return tuple(_step(number, stage) for number, stage in enumerate(data.items("stages", missing_ok=True)[:MAX_STEPS], 1))


def _step(number: int, stage: Shape) -> Step:
    started = _seconds(stage.optional_number("startTimeMillis"))
    duration = _seconds(stage.optional_number("durationMillis"))
    status = _STAGES.get(stage.text("status", ""), Status.UNKNOWN)
    ended = started + (duration or 0) if started is not None and status is not Status.RUNNING else None
    return Step(number, stage.text("name", "")[:MAX_TEXT], status, started, ended)


def _status(data: Shape, causes: Sequence[Shape]) -> Status:
    """A running build may know its result already: in the `post` section of a Pipeline it does."""
    result = data.optional_text("result")
    if result is None:
        return Status.RUNNING if data.flag("building") else Status.UNKNOWN
    if result == "ABORTED" and any("ExceededTimeout" in cause.text("_class", "") for cause in causes):
        return Status.TIMED_OUT
    return _RESULTS.get(result, Status.UNKNOWN)


def _revision(actions: Sequence[Shape], leaf: str, remote: str) -> Shape | None:
    """The revision of the repository that the build is about: of the known remote, else of the branch after which the job is named, else the last one.

    Libraries are checked out before the Pipeline's own code.
    """
    found = [(action, revision) for action in actions if (revision := action.maybe("lastBuiltRevision")) is not None]
    of_remote = [revision for action, revision in found if remote and remote in action.texts("remoteUrls", missing_ok=True)]
    of_branch = [revision for _, revision in found for item in revision.items("branch", missing_ok=True) if named_after(leaf, _branch(item.text("name", "")))]
    return next(iter(of_remote or of_branch or [revision for _, revision in reversed(found)]), None)


def named_after(leaf: str, branch: str) -> bool:
    """Whether a job of a multibranch project is the branch's: it is called like it, with its slashes as %2F."""
    return bool(branch) and branch_job(branch) == leaf.replace("%2f", "%2F")


def branch_job(branch: str) -> str:
    """The name that a multibranch project gives the job of a branch."""
    return branch.replace("%", "%25").replace("/", "%2F")


def _branch(name: str) -> str:
    return "" if name == "detached" else _REMOTE_BRANCH.sub("", name) if name.startswith(("refs/", "origin/")) else name


def _event(causes: Sequence[Shape]) -> str:
    for part, event in _EVENTS:
        if any(part in cause.text("_class", "") for cause in causes):
            return event
    return "build"


def _repeats(causes: Sequence[Shape]) -> int | None:
    """The build that was repeated; Jenkins tells its number in words only, and after a # in every language."""
    for cause in causes:
        if any(part in cause.text("_class", "") for part, event in _EVENTS if event in (REPLAY, REBUILD)):
            found = _REPEATED.search(cause.text("shortDescription", ""))
            if found:
                return int(found[1])
    return None


def _parameters(actions: Sequence[Shape]) -> tuple[tuple[str, str | None], ...]:
    """Names and values. Passwords and files have no value in the answer."""
    return tuple(
        (item.text("name"), _form_text(item.data.get("value"))) for action in actions for item in _objects(action, "parameters") if "name" in item.data
    )


def _form_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _commit(item: Shape) -> tuple[Commit, tuple[FileChange, ...]]:
    author = item.maybe("author")
    changes = tuple(_changes(item))
    commit = Commit(
        item.text("commitId"), item.text("msg", "")[:MAX_TEXT], author.text("fullName", "")[:MAX_TEXT] if author else "",
        _seconds(item.optional_number("timestamp")), files=tuple(change.path for change in changes),
    )  # fmt: skip
    return commit, changes


def _changes(item: Shape) -> Iterator[FileChange]:
    """What Git's plugin says of each path; other plugins only name the paths."""
    told = {path.text("file"): _EDITS.get(path.text("editType", ""), "modified") for path in item.items("paths", missing_ok=True)}
    for path in dict.fromkeys((*told, *item.texts("affectedPaths", missing_ok=True))):
        yield FileChange(path, told.get(path, "modified"))


def _objects(data: Shape, key: str) -> list[Shape]:
    """The objects of a list; Jenkins puts empty ones and, in old releases, nulls among them for what may not be seen."""
    found = data.data.get(key)
    return [Shape.of(item, data.where, f"{data.path}.{key}") for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _seconds(milliseconds: int | None) -> float | None:
    return milliseconds / 1000 if milliseconds is not None and 0 <= milliseconds < 1 << 50 else None
