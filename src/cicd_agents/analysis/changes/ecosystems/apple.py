"""Podfile.lock of CocoaPods and Package.resolved of the Swift Package Manager (pure)."""

from __future__ import annotations

import re

from cicd_agents.analysis.changes.ecosystems import json_shapes as shapes
from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of

_POD = re.compile(r'^ {2}- "?([^\s"/]{1,200})(?:/[^\s"]{1,300})? \(([^()\s]{1,100})\)"?:?$')


def cocoapods(text: str) -> Pairs:
    """Pods; a subspec (`Firebase/Auth`) counts as its pod, whose version it shares."""
    inside = False
    for line in lines_of(text):
        if line[:1] not in {" ", ""}:
            inside = line.rstrip() == "PODS:"
        elif inside and (found := _POD.match(line)):
            yield found[1], found[2]


def swift(text: str) -> Pairs:
    """Pins, in the forms of versions 1, 2 and 3; a branch is told with its commit."""
    data = shapes.loaded(text)
    for pin in (*shapes.items(data, "pins"), *shapes.items(data.get("object"), "pins")):
        state = shapes.entries(pin, "state")
        version, branch = shapes.text(state, "version"), shapes.text(state, "branch")
        name = shapes.text(pin, "identity") or shapes.text(pin, "package")
        yield name, version or at_commit(branch, shapes.text(state, "revision"))
