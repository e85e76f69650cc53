"""With what a server of metrics is asked: a bearer token, or a user and password, a tenant, further headers, and certificates."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cicd_agents.clients.http import Tls
from cicd_agents.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials; all may be empty. `tenant` is the X-Scope-OrgID of Mimir and Cortex; `more` are further headers, such as those of a gateway."""

    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    tenant: str = ""
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers(self) -> Mapping[str, str]:
        """The headers that they are sent as. Raises UsageError for two credentials, half of one, and a user that basic authentication cannot send."""
        if self.token and (self.user or self.password):
            raise UsageError("Give `prometheus-token`, or `prometheus-user` and `prometheus-password`, not both.")
        if bool(self.user) != bool(self.password):
            raise UsageError("`prometheus-user` and `prometheus-password` belong together; one of them is empty.")
        if ":" in self.user:
            raise UsageError("`prometheus-user` holds a colon, which basic authentication cannot send (RFC 7617).")
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        credential = f"Bearer {self.token}" if self.token else f"Basic {basic}" if self.user else ""
        named = {"authorization": credential, "x-scope-orgid": self.tenant}
        return {**{name.lower(): value for name, value in self.more.items()}, **{name: value for name, value in named.items() if value}}


def tls_of(authority: str, certificate: str, key: str) -> Tls:
    """The settings for TLS by the files of `prometheus-ca`, `prometheus-cert` and `prometheus-key`; all may be empty, and the key may stand in the second.

    Raises UsageError for a key without its certificate.
    """
    if key and not certificate:
        raise UsageError("`prometheus-key` is the key of a client certificate: name that one in `prometheus-cert`.")
    return Tls(ca_file=authority, cert_file=certificate, key_file=key)
