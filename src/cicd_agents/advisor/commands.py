"""Whether a suggested command has an allowed shape. Whole lines are matched: no pipes, redirections, substitutions, quotes, variables or URLs fit.

The table says what is allowed, not what is not. All of it is for people to read and run; nothing is run by us.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from cicd_agents.advisor.command_shapes import FETCHING, FLAGS_WITH_VALUE, SHAPES

_MOST = 200
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VERSION = r"[\^~]?[0-9A-Za-z][0-9A-Za-z.+_-]*"
_PATH = r"(?:\./)?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*/?"
_REF = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:[./][A-Za-z0-9][A-Za-z0-9_-]*)*(?:[~^][0-9]*)*"
# Kinds of Kubernetes that hold no credentials.
_KIND = (
    r"(?:pods?|po|deployments?|deploy|replicasets?|rs|statefulsets?|sts|daemonsets?|ds|services?|svc|endpoints|ingress(?:es)?|ing|nodes?|no|events?|ev|jobs?|cronjobs?"
    r"|hpa|horizontalpodautoscalers?|pdb|pvc|persistentvolumeclaims?|namespaces?|ns|rollouts?|canary|canaries|kustomizations?|helmreleases?|applications?)"
)
_PATTERNS = {
    "word": _WORD, "version": _VERSION, "path": _PATH, "ref": _REF, "number": r"[0-9]{1,9}", "time": r"[0-9]{1,6}[smh]",
    "npm": rf"(?:@{_WORD}/)?{_WORD}(?:@{_VERSION})?",
    "pip": rf"{_WORD}(?:\[{_WORD}(?:,{_WORD})*\])?(?:(?:==|~=){_VERSION})?",
    "go": rf"{_WORD}(?:/{_WORD})+(?:@{_VERSION})?",
    "test": rf"{_PATH}(?:::[A-Za-z0-9_]+)*",
    "script": r"(?:test|lint|build|format|fmt|check|typecheck|type-check|tsc|unit|e2e|integration)(?:[:-][a-z0-9]+)*",
    "gradle": r":?[A-Za-z0-9_-]+(?::[A-Za-z0-9_-]+)*:(?:test|build|check|lint|assemble|dependencies)",
    "range": rf"{_REF}(?:\.\.\.?{_REF})?",
    "object": rf"{_KIND}(?:/{_WORD})?",
    "log": rf"(?:{_KIND}/)?{_WORD}",
    "kube": rf"(?:-n|--namespace|--context)(?: |=){_WORD}",
    "selector": rf"{_WORD}(?:/{_WORD})?={_WORD}",
    "field": r"\.[A-Za-z]+(?:\.[A-Za-z]+)*",
}  # fmt: skip


@cache
def _allowed() -> re.Pattern[str]:
    return re.compile("|".join(map(_shape, SHAPES)))


def _shape(usage: str) -> str:
    """A usage line as a pattern. Repetitions never give back what they took, so that no command takes long to refuse."""
    made = ""
    for part in re.findall(r"\[[^\]]*\][*+]?|\S+", usage):
        often = part[-1] + "+" if part[0] == "[" and part[-1] in "*+" else "?" if part[0] == "[" else ""
        words = part.rstrip("*+")[1:-1] if part[0] == "[" else part
        made += rf"(?:{' ' if made else ''}(?:{'|'.join(map(_filled, words.split('|')))})(?= |$)){often}"
    return f"(?:{made})"


def _filled(words: str) -> str:
    pieces = re.split(r"\{(\w+)\}", words)
    return "".join(f"(?:{_PATTERNS[piece]})" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))


def command_fault(command: str, known: Callable[[str], bool]) -> str:
    """Why the command may not be kept; empty where it may. `known` tells whether a package's name stands in the evidence: a model must not invent one."""
    if len(command) > _MOST or not _allowed().fullmatch(command):
        return "command of another shape"
    return "" if all(map(known, packages(command))) else "package that the evidence does not name"


def packages(command: str) -> list[str]:
    """The names of the packages that a command would fetch, without versions."""
    start = next((start for start in FETCHING if f"{command} ".startswith(f"{start} ")), None)
    words = command[len(start) :].split() if start else []
    plain = [word for before, word in zip(["", *words], words) if before not in FLAGS_WITH_VALUE and not word.startswith("-") and word != "."]
    return [re.split(r"(?<=.)@|==|~=|\[", word)[0] for word in plain]
