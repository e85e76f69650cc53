"""go.sum and go.mod (pure)."""

from __future__ import annotations

from cicd_agents.analysis.changes.packages import Pairs, lines_of


def go_sum(text: str) -> Pairs:
    """The modules whose code is used. Lines that end in /go.mod are of the module graph only: those versions are not built."""
    for line in lines_of(text):
        words = line.split(None, 3)
        if len(words) == 3 and words[2].startswith("h1:") and not words[1].endswith("/go.mod"):
            yield words[0], words[1]


def go_mod(text: str) -> Pairs:
    """Required and replaced modules; the language version counts as the package `go`, a toolchain line as `toolchain`."""
    block = ""
    for line in lines_of(text):
        words = line.partition("//")[0].split(None, 8)
        if not words:
            continue
        if words == [")"]:
            block = ""
        elif len(words) == 2 and words[1] == "(":
            block = words[0]
        elif block:
            yield _directive(block, words)
        else:
            yield _directive(words[0], words[1:])


def _directive(verb: str, words: list[str]) -> tuple[str, str]:
    if verb == "require" and len(words) == 2:
        return words[0], words[1]
    if verb in {"go", "toolchain"} and len(words) == 1:
        return verb, words[0]
    if verb == "replace" and "=>" in words[:-1]:
        return words[0], "replaced by " + " ".join(words[words.index("=>") + 1 :])
    return "", ""
