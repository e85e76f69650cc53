"""mix.lock of Elixir and Erlang (pure)."""

from __future__ import annotations

import re

from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of

_HEX = re.compile(r'^\s{0,8}"?([\w-]{1,200})"?: \{:hex, :"?([\w.-]{1,200})"?, "([^"\s]{1,100})"', re.ASCII)
_GIT = re.compile(r'^\s{0,8}"?([\w-]{1,200})"?: \{:git, "[^"\s]{1,1000}", "([0-9a-f]{7,64})"', re.ASCII)


def mix(text: str) -> Pairs:
    """One dependency a line, from Hex or from a repository."""
    for line in lines_of(text):
        if found := _HEX.match(line):
            yield found[2], found[3]
        elif found := _GIT.match(line):
            yield found[1], at_commit("", found[2])
