"""How Grafana is called and its errors are said."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.clients.http import Service, Tls

_CA_ADVICE = "Check the host in `grafana-url`; if the authority is your own, name its file in SSL_CERT_FILE."


def grafana_service(url: str, token: str) -> Service:
    """The service; `url` is the address before /api, with the path that a proxy serves it under."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Service("Grafana", url.rstrip("/").removesuffix("/api"), headers, advice=_advice, naming=_naming)


def advised(tls: Tls | None) -> Tls:
    """The settings for TLS, with what to mend where a certificate is not trusted."""
    return replace(tls or Tls(), advice=_CA_ADVICE)


def _naming(method: str, path: str) -> str:
    if path.endswith("/status/buildinfo"):
        return "the check of the data source"
    if "/proxy/" in path:
        return "a query to the data source"
    if path.endswith("/annotations"):
        return "writing an annotation" if method == "POST" else "reading the annotations"
    return "the list of data sources"


def _advice(method: str, path: str, status: int) -> str:
    if status == 401:
        return "Check `grafana-token`: it is the token of a service account, whole and not expired."
    if status == 403:
        return f"Give the service account {_right(method, path)}."
    if "/proxy/" in path:
        return "Check `grafana-datasource`: it is the name or uid of a data source."
    return "Check `grafana-url`: it is the address before /api."


def _right(method: str, path: str) -> str:
    if "/proxy/" in path:
        return "the right `datasources:query` for this data source (the role Viewer has it)"
    if path.endswith("/annotations"):
        return "the right `annotations:create` (the role Editor has it)" if method == "POST" else "the right `annotations:read`"
    return "the right `datasources:read`, or name the uid of the data source in `grafana-datasource`"
