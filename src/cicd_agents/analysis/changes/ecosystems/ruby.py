"""Gemfile.lock (pure)."""

from __future__ import annotations

import re

from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of

_GEM = re.compile(r"^ {4}([\w.-]{1,200}) \(([^()\s]{1,100})\)$", re.ASCII)


def bundler(text: str) -> Pairs:
    """Gems with their versions, without the platform behind a dash; Ruby and Bundler themselves where the file names them."""
    section, commit = "", ""
    for line in lines_of(text):
        if line[:1] not in {" ", ""}:
            section, commit = line.strip(), ""
        elif section in {"GEM", "GIT", "PLUGIN SOURCE"}:
            if line.startswith("  revision: "):
                commit = line[12:].strip()
            elif found := _GEM.match(line):
                yield found[1], at_commit(found[2].partition("-")[0], commit if section == "GIT" else "")
        elif section == "BUNDLED WITH" and line.strip():
            yield "bundler", line.strip()
        elif section == "RUBY VERSION" and line.strip():
            yield "ruby", line.strip().removeprefix("ruby ")
