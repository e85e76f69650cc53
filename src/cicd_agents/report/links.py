"""Links in Markdown: only to the hosts that we were told of, so that no text from outside sends a reader elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cicd_agents.report.escape import code_span

_MAX_URL = 2000
_URL = re.compile(r"https://([\w.-]+(?::\d{1,5})?)(?:/[\w./?=&%#:@~+,;!*-]*)?", re.ASCII)


def https_host(url: str | None) -> str | None:
    """Host and port of a plain https address; None for anything else: other schemes, user names, characters that end a link."""
    found = _URL.fullmatch(url) if url and len(url) <= _MAX_URL else None
    return found.group(1).lower() if found else None


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links to `hosts` (names with the port, where it is not 443)."""

    hosts: Sequence[str] = ()

    def allows(self, url: str | None) -> bool:
        """Whether the address is one of ours."""
        return https_host(url) in {host.lower() for host in self.hosts}

    def link(self, label: str, url: str | None) -> str:
        """The label, which is Markdown already, as a link; of an address elsewhere, the label with the address as code."""
        if not url:
            return label
        return f"[{label}]({url})" if self.allows(url) else f"{label} ({code_span(url)})"
