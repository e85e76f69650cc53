"""Stores of metrics behind the port `MetricsStore`: Prometheus and what speaks its API, directly or by Grafana."""
