"""The packs of request counters and latency buckets, in the order in which they are preferred (pure data).

What stands before the service comes first: it also sees requests that a broken service never counts (refused connections, time-outs, crashes).
"""

from __future__ import annotations

from cicd_agents.analysis.canary.packs.pack import MILLISECONDS, PODS, Durations, Pack

# Requests of probes and scrapers: every pod gets as many, whatever its share of the traffic, and they would dilute its errors. They stand in a label whose
# name differs; a label that a series does not have is empty, and an empty one passes.
_CHECKS = "/(actuator|health|healthz|livez|readyz|live|ready|liveness|readiness|metrics|ping)(/.*)?"
NO_CHECKS = ",".join(f'{label}!~"{_CHECKS}"' for label in ("uri", "path", "handler", "route", "endpoint", "url", "http_route"))

_STATUS = ("status", "code", "status_code", "http_status", "http_status_code", "http_response_status_code", "response_code", "status_class", "outcome")

ISTIO = Pack(
    "istio", "Istio", ("istio_requests_total",), (Durations("istio_request_duration_milliseconds", MILLISECONDS),), ("response_code",),
    "Istio, Standard Metrics (latest and 1.5 on: milliseconds)", grpc=("grpc_response_status",),
    vantage=("reporter", ("destination", "waypoint", "source")),
)  # fmt: skip

LINKERD = Pack(
    "linkerd", "Linkerd", ("response_total",), (Durations("response_latency_ms", MILLISECONDS),), ("status_code", "classification"),
    "Linkerd, Proxy Metrics", grpc=("grpc_status", "grpc_status_code"), vantage=("direction", ("inbound", "outbound")),
)  # fmt: skip

ENVOY_LISTENER = Pack(
    "envoy-listener", "Envoy (downstream)", ("envoy_http_downstream_rq_xx",), (Durations("envoy_http_downstream_rq_time", MILLISECONDS),),
    ("envoy_response_code_class",), "Envoy, HTTP connection manager statistics; /stats/prometheus",
    matchers='envoy_http_conn_manager_prefix!~"admin|stats"',
)  # fmt: skip

ENVOY = Pack(
    "envoy", "Envoy (upstream cluster)", ("envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_xx"),
    (Durations("envoy_cluster_upstream_rq_time", MILLISECONDS),), ("envoy_response_code", "envoy_response_code_class"),
    "Envoy, cluster manager statistics; /stats/prometheus",
)  # fmt: skip

NGINX = Pack(
    "nginx-ingress", "NGINX ingress", ("nginx_ingress_controller_requests",), (Durations("nginx_ingress_controller_request_duration_seconds"),), ("status",),
    "ingress-nginx, Monitoring; `status` is a class such as 2xx with --report-status-classes", replica=("controller_pod", *PODS),
)  # fmt: skip

TRAEFIK = Pack(
    "traefik", "Traefik", ("traefik_service_requests_total",), (Durations("traefik_service_request_duration_seconds"),), ("code",),
    "Traefik, Metrics Overview",
)  # fmt: skip

OTEL = Pack(
    "opentelemetry", "OpenTelemetry HTTP server", ("http_server_request_duration_seconds_count", "http_server_duration_milliseconds_count"),
    (Durations("http_server_request_duration_seconds"), Durations("http_server_duration_milliseconds", MILLISECONDS)),
    ("http_response_status_code", "http_status_code"), "OpenTelemetry, Semantic conventions for HTTP metrics; before 1.23: http.server.duration",
    matchers=NO_CHECKS,
)  # fmt: skip

SPRING = Pack(
    "http_server", "Spring Boot, Micrometer", ("http_server_requests_seconds_count",), (Durations("http_server_requests_seconds"),), ("status", "outcome"),
    "Spring Boot, Metrics; buckets only with management.metrics.distribution.percentiles-histogram.http.server.requests=true", matchers=NO_CHECKS,
)  # fmt: skip

HTTP = Pack(
    "http", "HTTP of client libraries",
    ("http_requests_total", "http_request_duration_seconds_count", "http_requests_received_total", "flask_http_request_total"),
    (Durations("http_request_duration_seconds"), Durations("flask_http_request_duration_seconds")), _STATUS,
    "prometheus-fastapi-instrumentator, express-prom-bundle, prometheus-net, promhttp, flask_exporter", matchers=NO_CHECKS,
)  # fmt: skip

GRPC = Pack(
    "grpc", "gRPC of client libraries", ("grpc_server_handled_total",), (Durations("grpc_server_handling_seconds"),), (),
    "go-grpc-middleware, Prometheus provider", grpc=("grpc_code", "code"), matchers='grpc_service!~"grpc.health.v1.Health|grpc.reflection.*"',
)  # fmt: skip

TRAFFIC = (ISTIO, LINKERD, ENVOY_LISTENER, ENVOY, NGINX, TRAEFIK, OTEL, SPRING, HTTP, GRPC)
