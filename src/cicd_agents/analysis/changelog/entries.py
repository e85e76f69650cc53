"""The entries of a release: one line for each change, with its scope, references and commit, sorted into sections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from cicd_agents.analysis.changelog.escape import escaped, visible, word
from cicd_agents.analysis.changelog.forge import Forge
from cicd_agents.analysis.changelog.people import Person, is_bot, is_dependency_bot, shown_name
from cicd_agents.analysis.changelog.prose import blocks, line
from cicd_agents.analysis.changelog.style import Style
from cicd_agents.analysis.commits.merges import is_merge_title
from cicd_agents.analysis.commits.own_releases import is_own_release
from cicd_agents.analysis.commits.references import REQUEST
from cicd_agents.domain.release import Change, HistoryCommit

_SHORT = 7  # hex digits of a commit that are shown
_MOST_REFERENCES = 6
_MOST_TITLES = 10_000
_LONGEST_SCOPE = 100
_TELLS_NOTHING = frozenset({"", "chore", "build", "ci", "release", "bump"})  # types under which merges and releases are found
_SHA = re.compile(r"[0-9a-f]{7,64}")
_DEPENDENCY_SCOPE = re.compile(r"(?:.{0,80}[-/_ ,])?(?:deps?|dependency|dependencies)(?:[-/_ ,].{0,80})?", re.IGNORECASE)

_USUAL = frozenset({"scope", "subject", "links", "refs", "commit"})
_Key = tuple[str, bool, str | None, str, str]  # title, whether it breaks nothing, scope, subject, note


class EntryWriter:
    """Writes entries by the templates of a style, with links to a forge where one is known."""

    def __init__(self, style: Style, forge: Forge | None) -> None:
        self._style, self._forge = style, forge
        self._issues = forge.issues if forge else ""
        self._requests = forge.requests if forge else ""
        self._commits = forge.commit("") if forge else ""
        self._wants_authors = "authors" in style.templates.entry.names | style.templates.breaking.names
        self._titles: dict[tuple[str, str | None, bool, bool], str] = {}

    def grouped(self, changes: Iterable[Change], commits: Iterable[HistoryCommit] = ()) -> dict[str, list[str]]:
        """Entries by the title of their section; in each the breaking ones first. Changes that say the same in the same words share one entry.

        Left out are merges that bring nothing of their own, and commits of release tools.
        """
        commits = list(commits)
        bots = {commit.sha for commit in commits if _is_dependency_name(commit.author) and is_bot(Person(commit.author, commit.email))}
        authors = {commit.sha: commit.author for commit in commits} if self._wants_authors else {}
        same: dict[_Key, list[Change]] = {}
        for change in changes:
            title = self._title(change, change.sha in bots)
            if not title or (change.type in _TELLS_NOTHING and _tells_nothing(change)):
                continue
            key = (title, not change.breaking, change.scope, change.subject, change.note)
            if known := same.get(key):
                known.append(change)
            else:
                same[key] = [change]
        groups: dict[str, list[str]] = {}
        for key, alike in sorted(same.items(), key=_is_calm):
            groups.setdefault(key[0], []).append(self._entry(alike, authors))
        return groups

    def _title(self, change: Change, by_bot: bool) -> str:
        key = (change.type, change.scope, change.breaking, by_bot)
        title = self._titles.get(key)
        if title is None:
            if len(self._titles) >= _MOST_TITLES:
                self._titles.clear()
            dependency = by_bot or (change.scope is not None and _DEPENDENCY_SCOPE.fullmatch(change.scope[:_LONGEST_SCOPE]) is not None)
            title = self._titles[key] = self._style.title_of(change.type, change.scope, change.breaking, dependency)
        return title

    def _entry(self, changes: list[Change], authors: Mapping[str, str]) -> str:
        change = changes[0]
        template = self._style.templates.breaking if change.breaking else self._style.templates.entry
        references = self._references(changes)
        commits = self._commit(change.sha) if len(changes) == 1 else ", ".join([self._commit(sha) for sha in dict.fromkeys(each.sha for each in changes)])
        values = {
            "scope": scope_text(change.scope[:_LONGEST_SCOPE]) if change.scope else "",
            "subject": line(change.subject, self._forge, change.scope or "") or "(no subject)",
            "links": f" ({references}, {commits})" if references else f" ({commits})",
            "refs": references, "commit": commits,
        }  # fmt: skip
        if not template.names <= _USUAL:
            people = dict.fromkeys(shown_name(authors[each.sha]) for each in changes if each.sha in authors)
            values["authors"] = ", ".join(line(name, None, limit=100) for name in people)
            values["note"] = note_text(change, self._forge)
            values["hash"], values["type"] = "".join(visible(change.sha, 40).split()), line(change.type, None, limit=40)
        return template.filled(values)

    def _commit(self, sha: str) -> str:
        if not _SHA.fullmatch(sha):
            return word("".join(visible(sha, 40).split()))
        return f"[{sha[:_SHORT]}]({self._commits}{sha})" if self._commits else f"`{sha[:_SHORT]}`"

    def _references(self, changes: list[Change]) -> str:
        """Links to the request of a change and to what its message names, each once and not again where the subject has it."""
        found: dict[str, str] = {}
        for change in changes:
            for reference in change.refs[:_MOST_REFERENCES]:
                target = reference.target
                if target not in found and target not in change.subject:
                    found[target] = self._reference(target, reference.action == REQUEST)
        return ", ".join(found.values())

    def _reference(self, target: str, request: bool) -> str:
        if target[:1] == "#" and target[1:].isdecimal() and target.isascii() and len(target) < 12:  # the common case
            return f"[{target}]({self._requests if request else self._issues}{target[1:]})" if self._issues else f"`{target}`"
        url = self._forge.reference(target, request) if self._forge else ""
        return f"[{escaped(target)}]({url})" if url else word("".join(visible(target, 100).split()))


def note_text(change: Change, forge: Forge | None) -> str:
    """The text of a breaking change, where it says more than the subject, indented to stand in a list's item."""
    if not change.note.strip() or change.note.strip() == change.subject.strip():
        return ""
    return "\n\n" + "\n".join(f"  {each}" if each else "" for each in blocks(change.note, forge))


@lru_cache(maxsize=1000)
def scope_text(scope: str) -> str:
    """A scope in bold, with the blank that follows it."""
    return f"**{line(scope, None)}:** "


@lru_cache(maxsize=1000)
def _is_dependency_name(name: str) -> bool:
    return is_dependency_bot(name)


def _tells_nothing(change: Change) -> bool:
    return is_own_release(change) or (not change.type and is_merge_title(change.subject))


def _is_calm(item: tuple[_Key, object]) -> bool:
    return item[0][1]
