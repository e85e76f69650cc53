"""Delivery tools behind the port `Delivery`, one file per tool."""
