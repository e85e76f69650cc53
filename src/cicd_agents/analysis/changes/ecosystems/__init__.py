"""Readers of lock files, one module per family of package managers: the text in, pairs of package and version out (pure).

Packages of the repository itself (workspace members, path dependencies) are left out: their changes are commits, not updates.
"""
