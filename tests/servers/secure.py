"""TLS for the stand-ins: the same server by https, with a certificate of the tests' own, and asking for one where wanted."""

from __future__ import annotations

import ssl

from tests.servers.http_server import Server
from tests.servers.prometheus_certificates import Certificates


def secured(server: Server, certificates: Certificates, *, client_needed: bool = False) -> str:
    """The https address of the server, which answers by TLS from now on; with `client_needed` only those who show a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    if client_needed:
        context.load_verify_locations(certificates.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    inner = server._server
    inner.socket = context.wrap_socket(inner.socket, server_side=True)
    return server.url.replace("http://", "https://", 1)
