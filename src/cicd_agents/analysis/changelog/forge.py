"""The addresses of a repository on its forge: commits, comparisons, issues, pull and merge requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_WEB = re.compile(r"https?://[\w.-]+(?::\d{1,5})?(?:/[\w.~+-]+)*", re.ASCII)

# A reference as people write it: #12, GH-12, !3, owner/repo#12, group/sub/app!3. Before it stands no part of a longer word.
REFERENCE = re.compile(r"(?<![\w/#!&.@~%$-])(?:([\w.-]++(?:/[\w.-]++)+)?([#!])|GH-)(\d{1,10})(?![\w-])", re.ASCII)
_ENCODED = re.compile(r"[^\w./@~-]+", re.ASCII)


class ForgeKind(StrEnum):
    """The forges whose addresses we know."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Forge:
    """A repository on a forge. `web_url` is its page without a final slash; `server_url` the forge's own, where it is not just the host (GitLab below a path).

    Raises ValueError for an address that is no plain http(s) one: it goes into links as it is.
    """

    kind: ForgeKind
    web_url: str
    server_url: str = ""

    def __post_init__(self) -> None:
        for url in (self.web_url, self.server_url):
            if url and not _WEB.fullmatch(url):
                raise ValueError(f"{url!r} is not the address of a repository: https://HOST/PATH is needed.")

    @property
    def issues(self) -> str:
        """What stands before an issue's number in its address."""
        return f"{self._pages}/issues/"

    @property
    def requests(self) -> str:
        """What stands before the number in the address of what `#12` names where it is known to be a pull request; on GitLab that is an issue all the same."""
        return f"{self._pages}/pull/" if self.kind is ForgeKind.GITHUB else self.issues

    def commit(self, sha: str) -> str:
        """The page of a commit."""
        return f"{self._pages}/commit/{quoted(sha)}"

    def compare(self, older: str, newer: str) -> str:
        """The page of what came between two tags; without an older one, of all that led to the newer."""
        if not older:
            return f"{self._pages}/commits/{quoted(newer)}"
        return f"{self._pages}/compare/{quoted(older)}...{quoted(newer)}"

    def release(self, tag: str) -> str:
        """The page of a tag's release."""
        path = "releases/tag" if self.kind is ForgeKind.GITHUB else "releases"
        return f"{self._pages}/{path}/{quoted(tag)}"

    def reference(self, target: str, request: bool = False) -> str:
        """The page of an issue or request such as `#12` or `group/app!3`, "" for what this forge does not have.

        `request`: a bare number is known to be a pull request. GitHub sends the reader on where it guessed wrong.
        """
        found = REFERENCE.fullmatch(target)
        if found is None:
            return ""
        path, sign, number = found.groups()
        pages = self._other(path) if path else self.web_url
        if not pages:
            return ""
        if self.kind is ForgeKind.GITHUB:
            return "" if sign == "!" else f"{pages}/{'pull' if request else 'issues'}/{number}"
        if sign is None:
            return ""
        return f"{pages}/-/{'issues' if sign == '#' else 'merge_requests'}/{number}"

    def _other(self, path: str) -> str:
        """Another repository of the same forge."""
        parts = path.split("/")
        if any(not part.strip(".") for part in parts) or (self.kind is ForgeKind.GITHUB and len(parts) != 2):
            return ""
        return f"{self.server_url or '/'.join(self.web_url.split('/')[:3])}/{path}"

    @property
    def _pages(self) -> str:
        return self.web_url if self.kind is ForgeKind.GITHUB else f"{self.web_url}/-"


def quoted(text: str) -> str:
    """A tag or commit as a part of an address: percent-encoded, but for what paths of forges hold as it is. Of 500 characters; no name of git is longer."""
    return _ENCODED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace")), text[:500])
