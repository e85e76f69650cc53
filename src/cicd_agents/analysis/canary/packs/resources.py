"""Where CPU, memory, restarts, readiness, start times and connections of pods are found (pure data).

Sources: cAdvisor, "Monitoring cAdvisor with Prometheus"; kube-state-metrics, "Pod Metrics" (names before version 2 as the last alternatives); Prometheus client
libraries, process metrics; HikariCP, Go's sql.DBStats, OpenTelemetry database metrics.
"""

from __future__ import annotations

from cicd_agents.analysis.canary.packs.pack import Source

# Series of the whole pod and of its pause container are not a container's.
_CONTAINERS = 'container!="",container!="POD"'
# Without honor_labels the pod of what is told stands in `exported_pod`, and `pod` is the exporter's own.
RESOURCE_PODS = ("exported_pod", "pod", "pod_name", "kubernetes_pod_name", "instance")

CPU = Source("cpu", ("container_cpu_usage_seconds_total",), ("container",), _CONTAINERS)
CPU_LIMIT = Source("cpu_limit", ("kube_pod_container_resource_limits", "kube_pod_container_resource_limits_cpu_cores"), ("container",))
MEMORY = Source("memory", ("container_memory_working_set_bytes",), ("container",), _CONTAINERS)
MEMORY_LIMIT = Source(
    "memory_limit",
    ("kube_pod_container_resource_limits", "kube_pod_container_resource_limits_memory_bytes", "container_spec_memory_limit_bytes"), ("container",)
)  # fmt: skip
RESTARTS = Source("restarts", ("kube_pod_container_status_restarts_total",), ("container",))
OOM = Source("oom", ("kube_pod_container_status_last_terminated_reason",), ("container",), 'reason="OOMKilled"')
OOM_EVENTS = Source("oom_events", ("container_oom_events_total",), ("container",), _CONTAINERS)
POD_START = Source("pod_start", ("kube_pod_start_time",))
PROCESS_START = Source("process_start", ("process_start_time_seconds",), ("instance", "job"))
READY = Source("ready", ("kube_pod_status_ready",), (), 'condition="true"')
CONNECTIONS = Source(
    "connections",
    (
        "hikaricp_connections_active", "go_sql_in_use_connections", "db_client_connections_usage",
        "http_server_active_requests", "tomcat_threads_busy_threads", "envoy_http_downstream_cx_active",
    ),
)  # fmt: skip

SOURCES = (CPU, CPU_LIMIT, MEMORY, MEMORY_LIMIT, RESTARTS, OOM, OOM_EVENTS, POD_START, PROCESS_START, READY, CONNECTIONS)
# What kube_pod_container_resource_limits is asked for.
LIMIT_OF = {"cpu_limit": 'resource="cpu"', "memory_limit": 'resource="memory"'}
# Whether `{state="used"}` and the like are needed.
NARROWED = {"db_client_connections_usage": 'state="used"'}
