"""Tells people what was found: one file per destination."""
