"""Whether a suggested patch may be shown: a strict unified diff of text files that exist or are made, and nothing else between its lines.

Every line is accounted for, so that `git apply` cannot read more out of the patch than was checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cicd_agents.advisor.commands import STRANGE_PACKAGE
from cicd_agents.advisor.paths import names_packages, path_fault
from cicd_agents.advisor.prose import FETCH_AND_RUN, blob, foreign_links
from cicd_agents.domain.invisible import seen

_MOST_BYTES, _MOST_LINES, _MOST_FILES = 8_000, 300, 8
_NEW, _OLD = re.compile(r"\+\+\+ b/(.+)"), re.compile(r"--- (?:a/(.+)|/dev/null)")
_GIT, _INDEX, _MADE = re.compile(r"diff --git a/(.+) b/(.+)"), re.compile(r"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: 100644)?"), "new file mode 100644"
_HUNK = re.compile(r"@@ -([0-9]{1,7})(?:,([0-9]{1,5}))? \+([0-9]{1,7})(?:,([0-9]{1,5}))? @@(?: (.*))?")
_NO_END = "\\ No newline at end of file"
_INSTALL_HOOK = re.compile(r"[\"'](?:pre|post)?(?:install|prepare|prepublish|publish|pack)(?:Only)?[\"']\s*:|dependencies\s*:|cmdclass|build\.rs")
_WORKFLOW = re.compile(
    r"^[ +-]?\s*::|##[\w.-]*\[|section_(?:start|end):\s*\d|::(?:set-output|set-env|add-path|add-mask|save-state)\b|GITHUB_(?:ENV|PATH|OUTPUT|STATE)"
)
# Who is named so in a comment starts to work, whatever the name stands in.
_ROBOT = re.compile(
    r"@(?:dependabot|mergify(?:io)?|renovate(?:bot)?|bors|homu|rustbot|k8s-ci-robot|copilot|codex|claude|coderabbitai|gemini(?:-cli)?|cursor(?:agent)?|"
    r"devin(?:-ai-integration)?|openhands(?:-agent)?|sweep(?:-ai)?|jules|greptileai|github-actions)(?![\w/-])",
    re.IGNORECASE,
)
# A letter that looks like another alphabet's, within a word of that alphabet.
_ALIKE = "\u0400-\u052f\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
_MIXED = re.compile(f"[A-Za-z][{_ALIKE}]|[{_ALIKE}][A-Za-z]")
# Keys by which a file is a pipeline, wherever it lies: GitLab includes any path, Azure and others as well. In Groovy the steps of Jenkins.
_PIPELINE = re.compile(
    r"^[ +-]\s*(?:-\s+)?(?:(?:before_|after_)?script|stages?|runs-on|uses|steps|vmImage|workflow_(?:call|dispatch)|pull_request(?:_target)?)[\"']?\s*:"
)
_GROOVY = re.compile(r"^[ +-]\s*(?:pipeline|stages?|steps|node|sh|withCredentials)\b\s*[({'\"]")
_RUNS = re.compile(FETCH_AND_RUN, re.IGNORECASE)
# Words in a list of packages: names, and what is no version.
_VERSION, _NAME = re.compile(r"(?<![\w@/-])[v^~<>=!\s]*\d[\w.+*-]*"), re.compile(r"[@A-Za-z_][\w@./-]*")
_GRAMMAR = frozenset({
    "dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "dev-dependencies", "build-dependencies", "overrides", "resolutions",
    "require", "require-dev", "version", "features", "optional", "true", "false", "python", "node", "npm", "engines", "dependency", "groupId", "artifactId",
    "scope",
})  # fmt: skip
_SHAPE = "no plain unified diff"


def _no_word(_word: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PatchRules:
    """How to try whether a patch applies, the hosts that it may name, and the words (names of packages) that stand in the evidence."""

    applies: Callable[[str], bool]
    hosts: Collection[str] = ()
    known: Callable[[str], bool] = _no_word


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that follow each other, with their signs; `ends` are the places of those that have no line feed behind them, `head` stands after its numbers."""

    old_start: int
    new_start: int
    lines: tuple[str, ...]
    ends: frozenset[int] = frozenset()
    head: str = ""

    @property
    def added(self) -> tuple[str, ...]:
        """What it puts there."""
        return tuple(line[1:] for line in self.lines if line.startswith("+"))

    @property
    def present(self) -> tuple[str, ...]:
        """What stands there before."""
        return tuple(line[1:] for line in self.lines if not line.startswith("+"))

    @property
    def at_begin(self) -> bool:
        """Whether it stands at the beginning of the file and nowhere else."""
        return self.old_start <= 1

    @property
    def at_end(self) -> bool:
        """Whether it stands at the end of the file and nowhere else: nothing is kept behind its last change."""
        return not self.lines[-1].startswith(" ")

    def before(self) -> list[bytes]:
        """The lines that stand there before."""
        return self._with(" -")

    def after(self) -> list[bytes]:
        """The lines that stand there after."""
        return self._with(" +")

    def _with(self, signs: str) -> list[bytes]:
        return [line[1:].encode() + (b"" if at in self.ends else b"\n") for at, line in enumerate(self.lines) if line[0] in signs]


@dataclass(frozen=True, slots=True)
class Change:
    """What a patch does to one file; `old` is its path before, None for a file that is made."""

    path: str
    old: str | None
    hunks: tuple[Hunk, ...]


class _NoDiff(Exception):
    """The text is not of the one shape that is read."""


def patch_fault(patch: str, rules: PatchRules) -> str:
    """Why the patch may not be kept; empty where it may. `git apply --check` is asked last, and only for a patch that is harmless otherwise."""
    body = patch.removesuffix("\n")
    if len(patch.encode(errors="replace")) > _MOST_BYTES or body.count("\n") >= _MOST_LINES:
        return "too long"
    if seen(body) != body:
        return "invisible or unusual characters"
    changes = changes_of(body + "\n")
    if changes is None:
        return _SHAPE
    if any(_WORKFLOW.search(line) for line in body.split("\n")):
        return "workflow command"
    if _ROBOT.search(body):
        return "mention"
    reasons = (reason for change in changes if (reason := _change_fault(change, rules)))
    return next(reasons, "") or ("" if rules.applies(body + "\n") else "does not apply")


def changes_of(patch: str) -> tuple[Change, ...] | None:
    """What the patch does, file by file; None where it is no unified diff of the one shape that is read."""
    try:
        return _changes(patch.removesuffix("\n").split("\n"))
    except _NoDiff:
        return None


def _change_fault(change: Change, rules: PatchRules) -> str:
    if change.old is not None and change.old != change.path:
        return _SHAPE
    if reason := path_fault(change.path) or _pipeline_fault(change):
        return reason
    lines = [line for hunk in change.hunks for line in hunk.added]
    present = "\n".join(line for hunk in change.hunks for line in hunk.present)
    added = "\n".join([*lines, *(hunk.head for hunk in change.hunks)])  # nothing checks what stands behind the numbers of a hunk
    if "[redacted:" in added:
        return "placeholder of a hidden secret"
    if foreign_links(added, rules.hosts, present):
        return "link"
    if blob(added):
        return "data URL or encoded blob"
    if _MIXED.search(added):
        return "invisible or unusual characters"
    if _RUNS.search(added):
        return "shell line"
    if change.path.rpartition("/")[2].casefold() == "package.json" and any(map(_INSTALL_HOOK.search, lines)):
        return "hook or Git configuration"
    strange = names_packages(change.path) and any(not _is_known(word, present, rules) for line in lines for word in _names(line))
    return STRANGE_PACKAGE if strange else ""


def _pipeline_fault(change: Change) -> str:
    name = change.path.casefold()
    keys = _PIPELINE if name.endswith((".yml", ".yaml")) else _GROOVY if name.endswith(".groovy") else None
    lines = (line for hunk in change.hunks for line in hunk.lines)
    return "CI or workflow file" if keys and any(map(keys.search, lines)) else ""


def _names(line: str) -> list[str]:
    return [word.rstrip("./-") for word in _NAME.findall(_VERSION.sub(" ", line))]


def _is_known(word: str, present: str, rules: PatchRules) -> bool:
    """Whether a word of a list of packages is nothing new: it stands in the lines that the patch touches, or in the evidence."""
    return word in _GRAMMAR or bool(re.search(rf"(?<![\w@/.-]){re.escape(word)}(?![\w/-])", present)) or rules.known(word)


def _changes(lines: list[str]) -> tuple[Change, ...]:
    found: list[Change] = []
    at = 0
    while at < len(lines):
        change, at = _change(lines, at)
        found.append(change)
    if not found or len(found) > _MOST_FILES or len({change.path.casefold() for change in found}) != len(found):
        raise _NoDiff
    return tuple(found)


def _change(lines: list[str], at: int) -> tuple[Change, int]:
    """One file's part, and where the next begins."""
    names, made = set[str](), False
    if git := _GIT.fullmatch(_line(lines, at)):
        names |= {git[1], git[2]}
        at += 1
        if _line(lines, at) == _MADE:
            made, at = True, at + 1
        if _INDEX.fullmatch(_line(lines, at)):
            at += 1
    old, new = _OLD.fullmatch(_line(lines, at)), _NEW.fullmatch(_line(lines, at + 1))
    if not old or not new or names - {new[1]} or (made and old[1] is not None):
        raise _NoDiff
    at += 2
    hunks: list[Hunk] = []
    while head := _HUNK.fullmatch(_peek(lines, at)):
        hunk, at = _hunk(lines, at + 1, head)
        hunks.append(hunk)
    if not hunks:
        raise _NoDiff
    return Change(new[1], old[1], tuple(hunks)), at


def _hunk(lines: list[str], at: int, head: re.Match[str]) -> tuple[Hunk, int]:
    """A hunk whose lines are as many as its head says, and where it ends."""
    old, new = int(head[2] or 1), int(head[4] or 1)
    found: list[str] = []
    ends: set[int] = set()
    while old or new:
        line = _line(lines, at) or " "  # editors strip the blank of an empty line
        old, new = old - (line[0] in " -"), new - (line[0] in " +")
        if line[0] not in " +-":
            raise _NoDiff
        found.append(line)
        at += 1
        if _peek(lines, at) == _NO_END:
            ends.add(len(found) - 1)
            at += 1
    if all(line.startswith(" ") for line in found):
        raise _NoDiff
    return Hunk(int(head[1]), int(head[3]), tuple(found), frozenset(ends), head[5] or ""), at


def _line(lines: list[str], at: int) -> str:
    if at >= len(lines):
        raise _NoDiff
    return lines[at]


def _peek(lines: list[str], at: int) -> str:
    return lines[at] if at < len(lines) else ""
