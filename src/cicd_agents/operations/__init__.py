"""Applies proposed operations under policy."""
