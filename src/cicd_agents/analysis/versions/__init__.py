"""Versions as values: SemVer, PEP 440 and CalVer; the next one, the tags that carry them and the branches that may make them. Pure."""
