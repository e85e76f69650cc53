"""The way to the network: proxies and CA bundles of the environment, checked addresses, and no read or write beyond the budget of time.

httpx has timeouts per read only, and looks up names by itself; so both rules sit below it, at httpcore's network backend, where nothing gets around them.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http_addresses import forbidden, same_origin
from cicd_agents.clients.http_tls import Tls
from cicd_agents.domain.errors import Refused, UsageError


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for one connect (per address), one read, one write."""

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the budget."""

    def __init__(self, inner: httpcore.NetworkStream, budget: Budget) -> None:
        self._inner = inner
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _within(self._budget, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _within(self._budget, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> httpcore.NetworkStream:
        limit = _within(self._budget, timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit), self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Connects to addresses that were checked: the name is looked up here, once, so that it cannot mean something else a moment later."""

    def __init__(self, service: str, budget: Budget) -> None:
        self._service = service
        self._budget = budget
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        problem: Exception = httpcore.ConnectError("no address")
        for address in self._addresses(host, port):
            limit = _within(self._budget, timeout, httpcore.ConnectTimeout)
            try:
                return _Stream(self._system.connect_tcp(address, port, limit, local_address, socket_options), self._budget)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                problem = failed
        raise problem

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise httpcore.ConnectError(f"the name {host} could not be looked up") from problem
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if any(forbidden(ipaddress.ip_address(address)) for address in addresses):
            raise Refused(f"{self._service}: {host} leads to a link-local or metadata address and is never called.")
        return addresses


class _Body(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Transport(httpx.BaseTransport):
    """Sends requests directly or by the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).

    `tls` holds for the origin of `home` only: no other host sees our certificate. Raises the errors of httpcore, Refused for a host that leads to a forbidden
    address, and UsageError for certificates that cannot be loaded.
    """

    def __init__(self, service: str, budget: Budget, home: httpx.URL | None = None, tls: Tls | None = None) -> None:
        self._service = service
        self._network = _Network(service, budget)
        self._pools: dict[str, httpcore.ConnectionPool] = {}
        self._usual: ssl.SSLContext | None = None
        self._home = home
        self._tls = tls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and give the answer with its body still to be read."""
        url = request.url
        tls = self._own_tls(url)
        named = {"sni_hostname": tls.server_name} if tls and tls.server_name else {}
        sent = httpcore.Request(
            request.method, httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw, content=request.stream, extensions={**request.extensions, **named},
        )  # fmt: skip
        answer = self._pool(url).handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        proxy = _proxy_for(url)
        secure = url.scheme == "https" or proxy.startswith("https")
        own = self._own_tls(url)
        # A context costs tens of milliseconds: none is made where all is plain http.
        key = f"{proxy} {secure} {own is not None}"
        if key not in self._pools:
            tls = (own.context(_new_context, self._service) if own else self._usual_context()) if secure else None
            if proxy:
                self._pools[key] = _proxy_pool(proxy, tls, self._usual_context() if proxy.startswith("https") else None, self._network)
            else:
                self._pools[key] = httpcore.ConnectionPool(ssl_context=tls, network_backend=self._network)
        return self._pools[key]

    def _own_tls(self, url: httpx.URL) -> Tls | None:
        """The service's own settings, where this is the service."""
        return self._tls if self._home is not None and url.scheme == "https" and same_origin(url, self._home) else None

    def _usual_context(self) -> ssl.SSLContext:
        if self._usual is None:
            self._usual = _new_context()
        return self._usual


def _new_context() -> ssl.SSLContext:
    """Trusts certifi's authorities, those of the system, and SSL_CERT_FILE or SSL_CERT_DIR."""
    try:
        context = httpx.create_ssl_context()
        context.load_default_certs()
    except OSError as problem:
        raise UsageError(f"The file or folder that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {problem}.") from None
    return context


def _within(budget: Budget, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
    """The seconds that an operation may take. Raises `error` when the budget is spent."""
    left = budget.left()
    if left <= 0:
        raise error
    return left if timeout is None else min(left, timeout)


def _proxy_for(url: httpx.URL) -> str:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(f"{url.host}:{url.port}" if url.port else url.host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy_pool(proxy: str, tls: ssl.SSLContext | None, to_proxy: ssl.SSLContext | None, network: httpcore.NetworkBackend) -> httpcore.ConnectionPool:
    address = httpx.URL(proxy)
    if address.scheme not in ("http", "https"):
        raise httpcore.ProxyError("only proxies by http:// and https:// are supported")
    login = (address.username, address.password) if address.userinfo else None
    return httpcore.HTTPProxy(
        str(address.copy_with(username=None, password=None)), login, ssl_context=tls,
        proxy_ssl_context=to_proxy, network_backend=network,
    )  # fmt: skip
