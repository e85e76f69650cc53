"""The form of a query pack (pure). Names are those of raw counters and gauges: rates are never asked for, since they hide births and resets of counters."""

from __future__ import annotations

from dataclasses import dataclass

MILLISECONDS = 0.001
# Labels that hold the pod, the likeliest first; `instance` where a series has no pod.
PODS = ("pod", "kubernetes_pod_name", "pod_name", "k8s_pod_name", "instance")


@dataclass(frozen=True, slots=True)
class Durations:
    """A family of latency buckets: `name` without `_bucket`; `to_seconds` turns its bounds into seconds."""

    name: str
    to_seconds: float = 1.0

    @property
    def buckets(self) -> str:
        """The name of the cumulative bucket counters."""
        return f"{self.name}_bucket"


@dataclass(frozen=True, slots=True)
class Pack:
    """How one kind of exporter counts requests.

    `requests` and `durations` are alternatives, the best first. `status` are the labels of a status code or class, of which the first that is not empty counts;
    `grpc` those of a gRPC status. `replica` are labels of what counted: the pod, or the proxy's pod. `matchers` always go along. `vantage` is a label and its
    values, the best first, of which one is used, so that no request is counted on both ends of a connection. `source` says where the names come from.
    """

    name: str
    title: str
    requests: tuple[str, ...]
    durations: tuple[Durations, ...]
    status: tuple[str, ...]
    source: str
    grpc: tuple[str, ...] = ()
    replica: tuple[str, ...] = PODS
    matchers: str = ""
    vantage: tuple[str, tuple[str, ...]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric name of the pack."""
        return (*self.requests, *(family.buckets for family in self.durations))


@dataclass(frozen=True, slots=True)
class Source:
    """One fact about pods: `names` are alternatives, the best first; `matchers` always go along.

    `identity` are labels beside the pod that tell its parts apart; other labels (which exporter was asked, the image) do not make another part.
    """

    role: str
    names: tuple[str, ...]
    identity: tuple[str, ...] = ()
    matchers: str = ""
