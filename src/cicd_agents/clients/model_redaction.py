"""The last look before a model is asked. Evidence is redacted where it is gathered; a secret that slipped through there does not leave here.

A secret may also stand on two lines or more: a terminal, base64 or a diff wraps what is long. Alone no part of it is known; together they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import accumulate

from cicd_agents.domain.advice import LanguageModel, ModelReply, ModelRequest, Turn

Redact = Callable[[str], str]
# A line of evidence behind its number, without the sign of a diff, its indentation, and the mark that it goes on.
_LINE = re.compile(r"^([0-9]+\| [+-]?[ \t]*)(.*?)([ \t]*\\?)$", re.MULTILINE)
_MARKER = re.compile(r"\[redacted:([a-z0-9-]{1,40})\]")
# What is told by a name before it would join the end of any line with the beginning of the next.
_NAMED = frozenset({"password", "authorization", "token", "secret", "key", "url-password", "url-token"})
_HIDDEN = "[redacted:broken-over-lines]"
_REACH = 400  # characters on each side of a line's end in which the parts are looked for


@dataclass(frozen=True, slots=True)
class WithoutSecrets:
    """Asks `model` with all texts of the conversation redacted; redacted ones stay as they are. The fixed parts are our own words."""

    model: LanguageModel
    redact: Redact = field(repr=False)

    def reply(self, request: ModelRequest) -> ModelReply:
        """The model's reply. Raises ModelFailed."""
        return self.model.reply(replace(request, turns=tuple(map(self._clean, request.turns))))

    def _clean(self, turn: Turn) -> Turn:
        """A turn of the model's goes back as it came: services compare it, and it holds nothing that they have not."""
        if turn.role == "model":
            return turn
        return replace(turn, text=self._hidden(turn.text), results=tuple((call, self._hidden(text)) for call, text in turn.results))

    def _hidden(self, text: str) -> str:
        return _without_broken(self.redact(text), self.redact)


def _without_broken(text: str, redact: Redact) -> str:
    """The text, redacted already, without the words at whose break a secret stands."""
    lines = list(_LINE.finditer(text))
    bodies = [line[2] for line in lines]
    whole = "".join(bodies)
    if _kinds(redact(whole)) <= _kinds(whole):
        return text
    places = enumerate(accumulate(map(len, bodies[:-1])), 1)
    ends = {at for at, place in places if _broken(whole[max(0, place - _REACH) : place], whole[place : place + _REACH], redact)}
    made, begin = "", 0
    for at, line in enumerate(lines):
        body = re.sub(r"\S+$", _HIDDEN, line[2]) if at + 1 in ends else line[2]
        body = re.sub(r"^\S+", _HIDDEN, body) if at in ends else body
        made += text[begin : line.start()] + line[1] + body + line[3]
        begin = line.end()
    return made + text[begin:]


def _broken(before: str, behind: str, redact: Redact) -> bool:
    return not _kinds(redact(before + behind)) <= _kinds(redact(before)) + _kinds(redact(behind))


def _kinds(text: str) -> Counter[str]:
    return Counter(kind for kind in _MARKER.findall(text) if kind not in _NAMED)
