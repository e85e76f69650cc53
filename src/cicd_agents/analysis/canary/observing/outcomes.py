"""From the labels of a counter to the class of its outcome: "2xx", "4xx", "5xx", or unknown (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cicd_agents.analysis.canary.outcomes import UNKNOWN

_CODE = re.compile(r"([1-5])(?:[0-9]{2}|xx|XX)?")
# Micrometer's `outcome`, Linkerd's `classification`, and words that client libraries are given.
_WORDS = {
    "informational": "1xx", "success": "2xx", "ok": "2xx", "redirection": "3xx", "client_error": "4xx", "server_error": "5xx", "failure": "5xx",
    "error": "5xx", "failed": "5xx",
}  # fmt: skip
# What a server is to blame for: OpenTelemetry, "Semantic conventions for gRPC", status of server spans. The others are the caller's.
_GRPC_SERVER = {"2", "4", "12", "13", "14", "15", "unknown", "deadlineexceeded", "unimplemented", "internal", "unavailable", "dataloss"}
_GRPC_CALLER = {
    "1", "3", "5", "6", "7", "8", "9", "10", "11", "16", "canceled", "cancelled", "invalidargument", "notfound", "alreadyexists", "permissiondenied",
    "resourceexhausted", "failedprecondition", "aborted", "outofrange", "unauthenticated",
}  # fmt: skip


def outcome(labels: Mapping[str, str], status: Sequence[str], grpc: Sequence[str] = ()) -> str:
    """The class of the outcome. A gRPC status that is an error goes before the HTTP status, which is 200 then."""
    of_grpc = next((text for label in grpc if (text := _plain(labels.get(label, "")))), "")
    if of_grpc in _GRPC_SERVER:
        return "5xx"
    if of_grpc in _GRPC_CALLER:
        return "4xx"
    for label in status:
        value = labels.get(label, "").strip()
        if found := _CODE.fullmatch(value):
            return f"{found[1]}xx"
        if word := _WORDS.get(value.lower()):
            return word
    return "2xx" if of_grpc in ("0", "ok") else UNKNOWN


def _plain(text: str) -> str:
    """`DEADLINE_EXCEEDED`, `DeadlineExceeded` and `deadline exceeded` are one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
