"""Which addresses may be called: https unless allowed, never link-local or metadata addresses, no credentials inside URLs.

Metadata addresses hand out the machine's cloud credentials: 169.254.169.254 and relatives (RFC 3927, RFC 4291), fd00:ec2::254 (AWS),
fd20:ce::254 (Google), 100.100.100.200 (Alibaba Cloud), 192.0.0.192 (Oracle Cloud), 168.63.129.16 (Azure).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from cicd_agents.domain.errors import Refused

_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32")
)
# IPv4 addresses inside IPv6 ones, beside the mapped form that `ipaddress` knows: NAT64 (RFC 6052) and the old compatible form.
_CARRIERS = tuple(ipaddress.ip_network(network) for network in ("64:ff9b::/96", "::/96"))
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"})
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_LONGEST_NAME = 253
_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What may be called. `allow_http`: hosts, or host:port, that may be called without TLS."""

    service: str
    allow_http: Sequence[str] = ()

    def check(self, url: httpx.URL) -> None:
        """Raises Refused, before anything is sent, for an address that may not be called; its text holds the host only."""
        name = host(url)
        if url.scheme not in _PORTS or not _HOST.fullmatch(name) or len(name) > _LONGEST_NAME or port(url) > _LAST_PORT:
            raise Refused(f"{self.service}: the address must begin with https:// and name a host.")
        if url.userinfo:
            raise Refused(f"{self.service}: the address of {name} holds a user name or password. Give the credential by its own setting.")
        if forbidden_host(name):
            raise Refused(f"{self.service}: {name} is a link-local or metadata address and is never called.")
        if url.scheme == "http" and not (is_loopback(name) or self._allowed(url)):
            raise Refused(f"{self.service}: {name} would be called without TLS. Use https, or name the host in `allow-http`.")

    def _allowed(self, url: httpx.URL) -> bool:
        allowed = {entry.strip().lower().removeprefix("http://").rstrip("/") for entry in self.allow_http}
        name = host(url)
        return bool({name, name.strip("[]"), f"{name}:{port(url)}"} & allowed)


def host(url: httpx.URL) -> str:
    """The host in ASCII (a name with other letters in its coded form), an IPv6 address in brackets: as it may be printed."""
    name = url.raw_host.decode("ascii")
    return f"[{name}]" if ":" in name else name


def port(url: httpx.URL) -> int:
    """The port that is really called."""
    return url.port or _PORTS.get(url.scheme, 0)


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Same scheme, host and port (RFC 6454)."""
    return (one.scheme, one.host, port(one)) == (other.scheme, other.host, port(other))


def origin(url: httpx.URL) -> str:
    """Scheme, host and port where it is a special one: all that may be told of an address that holds secrets."""
    return f"{url.scheme}://{host(url)}" + (f":{url.port}" if url.port else "")


def parsed(text: str, service: str) -> httpx.URL:
    """A URL. Raises Refused for what is none, without its text."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Refused(f"{service}: the address holds control characters.")
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        pass
    raise Refused(f"{service}: the address is not a valid URL.")


def below(base: httpx.URL, path: str, service: str) -> httpx.URL:
    """The address of a path below the base, or of a full address on its origin. Raises Refused for another origin and for paths that lead elsewhere."""
    if "#" in path or any(segment in (".", "..") for segment in unquote(unquote(path.partition("?")[0])).replace("\\", "/").split("/")):
        raise Refused(f"{service}: the path of the request holds `#`, or `.` or `..` as a name.")
    if not path.startswith(("http://", "https://")):
        return parsed(f"{str(base).rstrip('/')}/{path.lstrip('/')}", service)
    url = parsed(path, service)
    if not same_origin(url, base):
        raise Refused(f"{service}: {origin(url)} is another server than {origin(base)} and is not called. Is the API's address right?")
    return url


def is_loopback(name: str) -> bool:
    """Whether the host is this machine."""
    address = _address(name)
    if address is None:
        return name.lower() == "localhost"
    mapped = None if isinstance(address, ipaddress.IPv4Address) else address.ipv4_mapped
    return (mapped or address).is_loopback


def forbidden_host(name: str) -> bool:
    """Whether a host, by its name or written as an address, is link-local or a metadata service."""
    address = _address(name)
    return name.rstrip(".").lower() in _METADATA_NAMES if address is None else forbidden(address)


def forbidden(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is link-local or a metadata service, also inside an IPv6 address."""
    return any(address in network or _inner(address) in network for network in _FORBIDDEN)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]").rstrip("."))
    except ValueError:
        return None


def _inner(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    carried = address.ipv4_mapped or address.sixtofour
    if carried is None and any(address in network for network in _CARRIERS):
        carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return carried or address
