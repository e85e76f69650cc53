"""Remote URLs: which forge, owner and name they mean. Credentials in them are dropped, never kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Forge(StrEnum):
    """The kind of server; `unknown` where its name does not tell (the CI context may)."""

    GITHUB = "github"
    GITLAB = "gitlab"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server. `owner` may be several groups (`group/sub`), or empty; `url` is its page in the browser, without a slash at the end."""

    forge: Forge
    host: str
    owner: str
    name: str
    url: str

    @property
    def path(self) -> str:
        """Owner and name as the forge's API takes them."""
        return f"{self.owner}/{self.name}" if self.owner else self.name


# git-fetch(1), "GIT URLS": scheme://[user[:password]@]host[:port]/path, or [user@]host:path where no slash comes before the first colon. A user or
# password may hold an unescaped @.
_URL = re.compile(
    r"(?P<scheme>https?|ssh|git|git\+ssh|ssh\+git)://(?:[^/]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/:@\[\]]+)(?::(?P<port>[0-9]*))?/+(?P<path>.+)", re.IGNORECASE
)
_SCP = re.compile(r"(?:[^/:]+@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/:@\[\]]{2,}):(?!//)(?P<path>.+)")
_LONGEST = 2000


def parse_remote(url: str) -> Remote | None:
    """The repository that a remote URL means; None for a folder, a file:// address and what is no URL of git.

    A host is told by its name: a part between dots or dashes that is `github` or `gitlab`. A drive letter (`C:/x`) is no host.
    """
    if len(url) > _LONGEST or re.search(r"[\s\x00-\x1f\x7f]", url):
        return None
    found = _URL.fullmatch(url) or (None if "://" in url else _SCP.fullmatch(url))
    if found is None:
        return None
    host = found["host"].lower()
    path = re.split(r"[?#]", found["path"])[0].strip("/").removesuffix(".git").strip("/")
    owner, _, name = path.rpartition("/")
    if not name or any(part in {"", ".", ".."} for part in path.split("/")):
        return None
    return Remote(_forge(host), host, owner, name, f"{_site(found.groupdict(), host)}/{path}")


def _site(parts: dict[str, str | None], host: str) -> str:
    # The port of ssh or git says nothing about the pages; that of http does.
    scheme = (parts.get("scheme") or "").lower()
    port = f":{parts['port']}" if scheme in {"http", "https"} and parts.get("port") else ""
    # GitHub and GitLab also take ssh on port 443 under names of their own, which serve no pages.
    pages = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}.get(host, host)
    return f"{'http' if scheme == 'http' else 'https'}://{pages}{port}"


def _forge(host: str) -> Forge:
    parts = set(re.split(r"[.-]", host))
    return next((forge for forge in (Forge.GITHUB, Forge.GITLAB) if forge.value in parts), Forge.UNKNOWN)
