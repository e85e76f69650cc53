"""Whether a suggested command has an allowed shape. Whole lines are matched: no pipes, redirections, substitutions, quotes, variables or URLs fit.

The table says what is allowed, not what is not. All of it is for people to read and run; nothing is run by us.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from cicd_agents.advisor.command_shapes import ALSO_FETCHING, FETCHING, FLAGS_WITH_VALUE, SHAPES

STRANGE_TARGET = "target that the evidence does not name"
STRANGE_PACKAGE = "package that the evidence does not name"
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


# The only commands that change something elsewhere, and the words of them that name nothing.
_WAY_BACK = re.compile(r"kubectl .*\bundo\b|helm rollback\b|argocd app rollback\b")
_NO_TARGET = re.compile(rf"kubectl|argo|rollouts?|undo|helm|rollback|argocd|app|[0-9]+|-.*|{_KIND}")
_STARTS = "|".join(re.escape(start).replace("\\ ", " +") for start in sorted({*FETCHING, *ALSO_FETCHING}, key=len, reverse=True))
_SPAN = re.compile(r"`([^`\n]+)`")
_FETCHES = re.compile(rf"(?:\$ +|sudo +)*(?:{_STARTS})(?: +(.*)|)$", re.IGNORECASE)
_ORDER = re.compile(
    rf"(?:^[^\w\n]*|\b(?:run|use|try|execute|type|do|call|by|with|then)[ :]+)(?:sudo +)?(?:{_STARTS}) +((?!-)[^\s`]+)", re.IGNORECASE | re.MULTILINE
)
# What often stands behind such a command in a sentence.
_NO_PACKAGES = frozenset({
    "a", "after", "again", "against", "all", "also", "an", "and", "any", "are", "as", "asks", "at", "because", "before", "but", "by", "cannot", "could",
    "did", "does", "each", "ended", "ends", "every", "exited", "exits", "failed", "fails", "finds", "first", "for", "found", "from", "gave", "gives", "had",
    "has", "if", "in", "inside", "instead", "is", "it", "its", "locally", "must", "needs", "never", "no", "not", "on", "once", "only", "or", "over", "ran",
    "reads", "reports", "runs", "should", "so", "step", "still", "stopped", "stops", "takes", "that", "the", "then", "there", "this", "to", "took", "twice",
    "under", "until", "was", "were", "when", "where", "which", "while", "will", "with", "without", "worked", "works", "would", "you",
})  # fmt: skip


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
    if not all(map(known, packages(command))):
        return STRANGE_PACKAGE
    return "" if all(map(known, _taken_back(command))) else STRANGE_TARGET


def _taken_back(command: str) -> list[str]:
    """The names of what a way back of a deployment changes, and where: workloads, releases, applications, namespaces."""
    if not _WAY_BACK.match(command):
        return []
    words = re.split(r"[ =]", command)
    return [name for word in words if (name := word.rpartition("/")[2]) and not _NO_TARGET.fullmatch(name)]


def strange_packages(text: str, known: Callable[[str], bool]) -> bool:
    """Whether prose tells people to fetch a package that the evidence does not name: in backticks, or as an order in plain words."""
    spans = (found for spelt in _SPAN.findall(text) if (found := _FETCHES.match(spelt)) and command_fault(spelt, known))
    orders = (found[1].strip("`'\".,;:()") for found in _ORDER.finditer(text))
    named = [*(name for found in spans for name in _fetched(found[1] or "")), *(_bare(word) for word in orders if word.lower() not in _NO_PACKAGES)]
    return not all(map(known, filter(None, named)))


def packages(command: str) -> list[str]:
    """The names of the packages that a command would fetch, without versions."""
    start = next((start for start in FETCHING if f"{command} ".startswith(f"{start} ")), None)
    return _fetched(command[len(start) :]) if start else []


def _fetched(operands: str) -> list[str]:
    words = operands.split()
    plain = [word for before, word in zip(["", *words], words) if before not in FLAGS_WITH_VALUE and not word.startswith("-") and word != "."]
    return list(map(_bare, plain))


def _bare(package: str) -> str:
    return re.split(r"(?<=.)@|==|~=|\[", package)[0]
