"""Makes calls to other hosts impossible in the process of the tests."""

from __future__ import annotations

import ipaddress
import re
import sys
from typing import Any


class CalledElsewhere(RuntimeError):
    """A test was about to call a host that is not this machine."""


def forbid_other_hosts() -> None:
    """From now on this process cannot look up a public name or connect to a public address; there is no way back. Not for child processes."""
    sys.addaudithook(_watch)


# Names that nobody can own (RFC 2606, RFC 6761), which tests may look up.
_NOBODYS = re.compile(r"(?:.*\.)?(?:localhost|invalid|test|example|example\.(?:com|net|org))\.?", re.IGNORECASE)

# Other spellings of an address: to look them up asks nobody, and whoever connects afterwards names the usual one.
_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host or ""
    if name and not _is_near(name):
        raise CalledElsewhere(f"A test may not call {name}.")


def _is_near(name: str) -> bool:
    try:
        return not ipaddress.ip_address(name).is_global and name != "169.254.169.254"
    except ValueError:
        return bool(_NOBODYS.fullmatch(name) or _NUMBERS.fullmatch(name)) or "." not in name
