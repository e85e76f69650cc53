"""Who made a release, and who did so for the first time. Mail addresses tell people apart; they are never shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cicd_agents.domain.release import HistoryCommit

_COAUTHOR = re.compile(r"^co-authored-by:[ \t]*([^<\n]{1,200}?)[ \t]*<([^>\n]{1,320})>", re.IGNORECASE | re.MULTILINE)
# Accounts that are no people: apps of GitHub end in [bot], bots of GitLab's tokens have such names; the others are known services.
_BOT = re.compile(
    r"\[bot\]$|[-_ ]bot$|^(?:dependabot|renovate|mend renovate|greenkeeper|depfu|pyup|snyk|scala steward|pre-commit-ci)\b"
    r"|^(?:github actions?|gitlab ci|allcontributors|imgbot)\b|^(?:project|group)_\d+_bot",
    re.IGNORECASE,
)
_BOT_MAIL = re.compile(r"\[bot\]@|^(?:noreply@github\.com|bot@renovateapp\.com|support@(?:dependabot|greenkeeper)|(?:project|group)_?\d+_bot)", re.IGNORECASE)
_DEPENDENCY_BOT = re.compile(r"dependabot|renovate|greenkeeper|depfu|pyup|snyk|scala[- ]steward", re.IGNORECASE)
_NOREPLY = re.compile(r"^\d{1,20}\+(?=[^@]*@users\.noreply\.github\.com$)")  # GitHub's private addresses exist with and without the account's number
_MAIL = re.compile(r"(?<=\w)@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class Person:
    """An author as git names them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Contributor:
    """Someone who took part in a release, by name; `first_time` where nothing of theirs is older."""

    name: str
    first_time: bool


def is_bot(person: Person) -> bool:
    """Whether an author is an account of a machine."""
    return bool(_BOT.search(person.name[:200].strip()) or _BOT_MAIL.search(person.email[:320]))


def is_dependency_bot(name: str) -> bool:
    """Whether a bot of this name is a service that updates dependencies."""
    return _DEPENDENCY_BOT.search(name[:200]) is not None


def people_of(commit: HistoryCommit) -> Iterator[Person]:
    """The author of a commit and those whom its `Co-authored-by` trailers name."""
    yield Person(commit.author, commit.email)
    if _names_others(commit):
        for name, email in _COAUTHOR.findall(commit.message):
            yield Person(name, email)


def _names_others(commit: HistoryCommit) -> bool:
    return "uthored-" in commit.message or "UTHORED-" in commit.message


class Newcomers:
    """Knows with which commit each person came. A person is known by a normalised name or a normalised mail address: either is enough.

    Built from the authors of before and, oldest first, the commits since; for a whole history the commits alone are enough. Linear.
    """

    __slots__ = ("_first",)

    def __init__(self, commits: Iterable[HistoryCommit], earlier: Iterable[Person] = ()) -> None:
        self._first: dict[str, str] = {}
        for person in earlier:
            for key in keys_of(person):
                self._first[key] = ""
        seen: set[tuple[str, str]] = set()
        for commit in commits:
            if (commit.author, commit.email) in seen and not _names_others(commit):
                continue
            seen.add((commit.author, commit.email))
            for person in people_of(commit):
                self._meet(person, commit.sha)

    def _meet(self, person: Person, sha: str) -> None:
        keys = keys_of(person)
        came = next((self._first[key] for key in keys if key in self._first), sha)
        for key in keys:
            self._first.setdefault(key, came)

    def came_with(self, person: Person) -> str | None:
        """The commit that was a person's first; "" for those of before, None for people never seen."""
        return next((self._first[key] for key in keys_of(person) if key in self._first), None)


def contributors(commits: Iterable[HistoryCommit], newcomers: Newcomers | None = None) -> tuple[Contributor, ...]:
    """The people of a release in the order of their commits, each once, without bots. Without `newcomers` nobody is called new."""
    commits = list(commits)
    shas = {commit.sha for commit in commits}
    index: dict[str, int] = {}
    found: list[Contributor] = []
    seen: set[tuple[str, str]] = set()
    for commit in commits:
        if (commit.author, commit.email) in seen and not _names_others(commit):
            continue
        for person in people_of(commit):
            if (person.name, person.email) in seen:
                continue
            seen.add((person.name, person.email))
            if is_bot(person) or not person.name.strip():
                continue
            keys = keys_of(person)
            known = next((index[key] for key in keys if key in index), None)
            if known is None:
                known = len(found)
                found.append(Contributor(shown_name(person.name), newcomers is not None and newcomers.came_with(person) in shas))
            for key in keys:
                index.setdefault(key, known)
    return tuple(found)


def shown_name(name: str) -> str:
    """A name as git has it; where it is a mail address itself, without its host."""
    return _MAIL.sub("", name[:200]).strip()


def keys_of(person: Person) -> tuple[str, ...]:
    """What a person is known by: the name and the mail address, without differences of case, width, accents' spelling and blanks."""
    name = " ".join(unicodedata.normalize("NFKC", person.name[:200]).casefold().split())
    mail = _NOREPLY.sub("", person.email[:320].strip().casefold())
    return tuple(key for key in (f"name {name}" if name else "", f"mail {mail}" if mail else "") if key)
