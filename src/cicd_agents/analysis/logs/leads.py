"""Hits with their surroundings → leads: signature, captures, root line, what speaks for and against (pure but for reading windows)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.analysis.logs.matching import Match, match_at
from cicd_agents.analysis.logs.passing import of_passing_test
from cicd_agents.analysis.logs.places import place_of
from cicd_agents.analysis.logs.reader import Line, Log
from cicd_agents.analysis.logs.scan import Catalogue, Hit
from cicd_agents.analysis.logs.signature import Signature
from cicd_agents.domain.finding import Location

_BEFORE, _AFTER = 40, 40
_RETRIED = re.compile(
    rb"(?i)\bretry(?:ing)?\b|\bwill (?:be )?retr|\battempt \d|\btrying again\b|\bignor(?:ed|ing)\b|allowed to fail|\bnon-?fatal\b|\(ignored\)|continuing anyway"
)
# The same tool went on and succeeded: the error before it was not the end.
_RECOVERED = re.compile(rb"^(?:Successfully installed |added \d+ packages|Setting up [\w.+-]+ \(|\[\d/\d\] Building fresh)")
_RECOVERS = ("pip", "npm", "yarn", "apt", "dpkg", "network")
# A level below error in front of the message: "DEBUG client: …", "[WARN] …", "2s INFO …", "lint: warning: …".
_BENIGN = re.compile(
    rb"^.{0,60}?(?:^|[\s\[(:|])(?:DEBUG|TRACE|INFO|NOTICE|WARN(?:ING)?)(?:[\s\])|:]|$)"
    rb"|^\W{0,3}(?i:warn(?:ing)?|debug|trace|info|note|notice)\b[\]:\s]|^[^:]{1,80}: warning:"
)


@dataclass(frozen=True, slots=True)
class Lead:
    """A line that a signature holds to be a root cause, with what stands around it."""

    line: int
    offset: int
    text: bytes
    marker: bytes
    signature: Signature
    captures: Mapping[str, str]
    location: Location | None
    retried: bool
    benign: bool
    window: tuple[Line, ...]


def leads_of(hits: Iterable[Hit], rules: Catalogue, log: Log) -> list[Lead]:
    """All leads of the hits, in the order of lines. Reads one window of the log per hit that needs one."""
    leads: list[Lead] = []
    for hit in hits:
        signatures = [rules.signatures[index] for index in hit.rules]
        if not signatures:
            continue
        before = max(_BEFORE, -min((near.first for rule in signatures for near in rule.nearby), default=0))
        after = max(_AFTER, max((near.last for rule in signatures for near in rule.nearby), default=0))
        window = log.window(hit.line, hit.offset, before, after)
        at = next((index for index, line in enumerate(window) if line.number == hit.line), None)
        if at is None:
            continue
        texts = [line.text.decode(errors="replace") for line in window]
        for rule in signatures:
            match = match_at(rule, texts, at)
            if match is not None:
                leads.append(_lead(rule, match, window))
    return leads


def _lead(rule: Signature, match: Match, window: Sequence[Line]) -> Lead:
    root, texts = window[match.root], [line.text for line in window]
    around = texts[match.root + 1 : match.root + 4]
    return Lead(
        line=root.number, offset=root.offset, text=root.text, marker=root.marker, signature=rule, captures=match.captures,
        location=place_of(rule, match.captures, window[: match.root + 40], match.root),
        retried=any(_RETRIED.search(text) for text in (root.text, *around)) or _recovered(rule, texts[match.root + 1 : match.root + 16]),
        benign=_benign(rule, root) or any(text == b"...ignoring" for text in around)  # Ansible's ignore_errors
        or of_passing_test(texts[: match.root], root.text, texts[match.root + 1 :]),
        window=tuple(window[max(0, match.root - 12) : match.root + 25]),
    )  # fmt: skip


def _recovered(rule: Signature, after: Sequence[bytes]) -> bool:
    return rule.family in _RECOVERS and any(_RECOVERED.search(text) for text in after)


def _benign(rule: Signature, root: Line) -> bool:
    """Whether the line is logged below the level of an error, and the rule does not mean such lines."""
    if root.marker in (b"warning", b"debug", b"command"):
        return True
    return bool(_BENIGN.search(root.text)) and not re.search(r"(?i)warn|info|debug|notice|\[a-z", rule.match)
