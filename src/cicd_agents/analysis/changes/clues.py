"""Clues: what ties a changed file to a failure, each with a weight and a reason in words (pure). No file is suspected without one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.changes import mentions
from cicd_agents.analysis.changes.paths import BY_CATEGORY, DEPENDENCY_CATEGORIES, is_ci_file, is_dependency_file, serves
from cicd_agents.analysis.changes.places import Sameness, changed_lines, edited_text, like
from cicd_agents.domain.ci import FileChange
from cicd_agents.domain.doctor import Failure, PackageChange

# A frame a few lines off the edited one is in the same function more often than not.
_NEAR = 3
# How much a clue is worth: only their order matters, which is that of docs/changes.md.
WEIGHTS: Mapping[str, int] = {
    "line": 100, "near line": 94, "failing file": 90, "missing file": 86, "package": 84, "test": 80, "step": 76, "installed package": 72,
    "named file": 68, "like file": 60, "traceback": 54, "subject": 50, "dependencies": 40, "category": 36,
}  # fmt: skip
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """What is known of a failure as far as it can point to a change; unknown is empty. `path` and `line` are as the log prints them.

    `tool` is the one that complains, `text` its message, `excerpt` the lines around it, `command` what the failing step ran; a `transient` failure is
    nobody's change.
    """

    path: str = ""
    line: int | None = None
    tool: str = ""
    category: str = ""
    phase: str = ""
    title: str = ""
    text: str = ""
    step: str = ""
    command: str = ""
    excerpt: tuple[str, ...] = ()
    transient: bool = False

    @property
    def said(self) -> str:
        """The message and what it means."""
        return f"{self.text[: mentions.MAX_TEXT]}\n{self.title[:500]}"


def facts_of(failure: Failure) -> FailureFacts:
    """The facts of a diagnosed failure."""
    place = failure.location
    return FailureFacts(
        path=place.path if place else "", line=place.line if place else None, tool=failure.tool or "", category=failure.category,
        phase=failure.phase, title=failure.title, text=failure.text, step=failure.step or "", command=failure.command,
        excerpt=failure.excerpt.lines, transient=failure.transient,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clue:
    """A changed file that may have to do with the failure. `alone` is the reason where one commit touches the file, `shared` where several may."""

    rule: str
    path: str
    alone: str
    shared: str

    @property
    def weight(self) -> int:
        """How much it is worth."""
        return WEIGHTS[self.rule]


def clues_of(failure: FailureFacts, files: Sequence[FileChange], packages: Sequence[PackageChange]) -> Iterator[Clue]:
    """All clues in the changed files, each file as often as something ties it to the failure."""
    about = _About(failure, "\n".join(failure.excerpt)[: 4 * mentions.MAX_TEXT], mentions.names_of_tests(failure.said))
    meant = like(failure.path, [change.path for change in files])
    for change in files:
        yield from _of_place(failure, change, meant.get(change.path, Sameness.NO))
        yield from _of_text(about, change)
        yield from _of_step(failure, change)
        if not failure.transient:
            yield from _of_category(failure, change)
    for package in packages:
        yield from _of_package(about, package)


@dataclass(frozen=True, slots=True)
class _About:
    failure: FailureFacts
    excerpt: str
    tests: Sequence[str]


def _of_place(failure: FailureFacts, change: FileChange, sameness: Sameness) -> Iterator[Clue]:
    path = _short(change.path)
    if sameness is Sameness.SAME:
        at = _distance(failure.line, change.patch)
        where = f"at the failing line {failure.line}" if at == 0 else f"next to the failing line {failure.line}"
        if at is not None and at <= _NEAR:
            rule = "line" if at == 0 else "near line"
            touched = f"touches the failing file {path}"
            yield Clue(rule, change.path, f"{touched} {where}", f"{touched}, which changed {where} since the last good run")
        else:
            verb = "adds" if change.status == "added" else "touches"
            yield Clue("failing file", change.path, f"{verb} the failing file {path}", f"touches the failing file {path}")
    elif sameness is not Sameness.NO:
        yield _clue("like file", change.path, f"touches {path}, which may be the failing file {_short(failure.path)}")
    elif mentions.is_named_after(failure.path, change.path):
        yield _clue("subject", change.path, f"touches {path}, after which the failing test file {_short(failure.path)} is named")


def _distance(line: int | None, patch: str | None) -> int | None:
    """Lines from the failing one to the nearest edited one; None where that is not known."""
    if line is None or not patch:
        return None
    return min((abs(number - line) for number in changed_lines(patch)), default=None)


def _of_text(about: _About, change: FileChange) -> Iterator[Clue]:
    path, said = _short(change.path), about.failure.said
    gone = change.previous_path if change.status == "renamed" else change.path
    if change.status in {"removed", "renamed"} and gone and (mentions.names_file(said, gone) or mentions.misses_module(said, gone)):
        done = f"renames {_short(gone)} to {path}" if change.status == "renamed" else f"removes {path}"
        yield _clue("missing file", change.path, f"{done}, which the failure names")
    elif mentions.names_file(said, change.path):
        yield _clue("named file", change.path, f"touches {path}, which the failure names")
    elif mentions.names_file(about.excerpt, change.path):
        yield _clue("traceback", change.path, f"touches {path}, which stands in the lines around the failure")
    if about.tests and (reason := _touched_test(about.tests, change)):
        yield _clue("test", change.path, reason)


def _touched_test(tests: Sequence[str], change: FileChange) -> str | None:
    """In words, that the file holds one of the failing tests, and whether its lines are among those that changed."""
    path = _short(change.path)
    if change.patch and mentions.is_test_file(change.path):
        edited = "\n".join(edited_text(change.patch))
        if test := next((test for test in tests if re.search(rf"\b{test}\b", edited)), None):
            return f"touches the failing test {test} in {path}"
    held = any(test in mentions.stems(change.path) for test in tests)
    return f"touches {path}, which holds the failing test" if held else None


def _of_step(failure: FailureFacts, change: FileChange) -> Iterator[Clue]:
    """A change of the CI configuration in which the failing step or its command is written."""
    if not change.patch or not is_ci_file(change.path):
        return
    written = (failure.step.removeprefix("Run ").strip(), failure.command.strip())
    edited = "\n".join(edited_text(change.patch))
    if any(len(words) > 3 and words in edited for words in written):
        name = _short(failure.step.strip() or failure.command.strip())
        yield _clue("step", change.path, f"changes the failing step “{name}” in {_short(change.path)}")


def _of_category(failure: FailureFacts, change: FileChange) -> Iterator[Clue]:
    path, category = _short(change.path), failure.category
    if category in DEPENDENCY_CATEGORIES and is_dependency_file(change.path) and serves(change.path, failure.tool):
        yield _clue("dependencies", change.path, f"touches {path}; the failure is one of dependencies")
    kind = next((kind for kind in BY_CATEGORY.get(category, ()) if kind.holds(change.path)), None)
    if kind:
        yield _clue("category", change.path, f"touches the {kind.name} {path}; failures of the kind {category.replace('_', ' ')} can come from there")


def _of_package(about: _About, change: PackageChange) -> Iterator[Clue]:
    dependencies = about.failure.category in DEPENDENCY_CATEGORIES
    if mentions.names_package(about.failure.said, change, about_dependencies=dependencies):
        rule, why = "package", "the failure names it"
    elif mentions.runs_package(f"{about.failure.said}\n{about.excerpt}", change):
        rule, why = "installed package", "the lines around the failure run through it"
    elif dependencies and mentions.names_package(about.excerpt, change, about_dependencies=False):
        rule, why = "installed package", "the lines around the failure name it"
    else:
        return
    file = _short(change.file)
    yield Clue(rule, change.file, f"{_update(change)} in {file}; {why}", f"touches {file}, where {_moved(change)}; {why}")


def _update(change: PackageChange) -> str:
    if change.old is None or change.new is None:
        return f"adds {change.package} {change.new}" if change.old is None else f"removes {change.package} {change.old}"
    return f"changes {change.package} from {change.old} to {change.new}"


def _moved(change: PackageChange) -> str:
    if change.old is None or change.new is None:
        return f"{change.package} {change.new} was added" if change.old is None else f"{change.package} {change.old} was removed"
    return f"{change.package} went from {change.old} to {change.new}"


def _clue(rule: str, path: str, reason: str) -> Clue:
    return Clue(rule, path, reason, reason)


def _short(text: str) -> str:
    """A path or name fit for a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else "…" + text[-_LONGEST:]
