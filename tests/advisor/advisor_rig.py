"""A dossier, an archive, a model with prepared replies, and what the tests say of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cicd_agents.advisor.rules import Ports
from cicd_agents.domain.advice import Candidate, Dossier, DossierItem, DossierKind, ModelFailed, ModelReply, ModelRequest, Usage
from cicd_agents.domain.redaction import Redactor

SECRET = "kd93-canary-Zq81"
LOG = (
    "> shop@1.0.0 test",
    "FAIL src/price.test.js",
    "  adds the tax: expected 119 but received 100",
    "  at Object.<anonymous> (src/price.test.js:7:22)",
    "npm error Lifecycle script `test` failed with lodash missing",
)
DIFF = ("@@ -1,3 +1,3 @@", " function gross(net, rate) {", "-  return net * (1 + rate);", "+  return net;", " }", 'import fp from "@babel/core";')
PATCH = """\
--- a/src/price.js
+++ b/src/price.js
@@ -1,3 +1,3 @@
 function gross(net, rate) {
-  return net;
+  return net * (1 + rate);
 }
"""
QUOTED = {"item": "log:test", "line": 3, "quote": "expected 119 but received 100"}


def dossier(agent: str = "pipeline-doctor", **changes: Any) -> Dossier:
    """Two items, of each of which the archive holds more."""
    items = (
        DossierItem("log:test", DossierKind.LOG, "job test", LOG, 1, 500),
        DossierItem("diff:src/price.js", DossierKind.DIFF, "src/price.js", DIFF, 1, 40),
    )
    given: dict[str, Any] = {
        "agent": agent,
        "question": "Why did the run fail?",
        "verdict": "fail",
        "items": items,
        "candidates": (Candidate("jest.assertion", "A test failed", "log:test", 3),),
    } | changes
    return Dossier(**given)


class Shelf:
    """An archive whose lines say where they stand."""

    def __init__(self, items: Iterable[DossierItem] = dossier().items) -> None:
        self.items = {item.id: item for item in items}
        self.asked: list[tuple[str, int, int]] = []

    def lines(self, item: str, first: int, last: int) -> tuple[str, ...] | None:
        self.asked.append((item, first, last))
        if item not in self.items:
            return None
        whole = self.items[item]
        return tuple(
            whole.lines[number - whole.first] if whole.first <= number <= whole.last else f"line {number} of {item}"
            for number in range(first, min(last, whole.total) + 1)
        )


@dataclass
class Prepared:
    """A model that gives its replies in turn; a failure among them is raised. `requests` is what it was asked."""

    replies: list[ModelReply | ModelFailed]
    before: Callable[[], None] = lambda: None
    requests: list[ModelRequest] = field(default_factory=list)

    def reply(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        self.before()
        reply = self.replies.pop(0)
        if isinstance(reply, ModelFailed):
            raise reply
        return reply


def said(answer: object, usage: Usage = Usage(1000, 100, 50, 10)) -> ModelReply:  # noqa: B008 frozen
    return ModelReply(json.dumps(answer), usage=usage, finish="STOP")


def answer(**parts: Any) -> dict[str, Any]:
    """A good answer, with some parts otherwise."""
    return {"narrative": "The function `gross` leaves the tax out, so the test reads the net price.", "citations": [QUOTED], "confidence": 0.8} | parts


def ports(clock: Callable[[], float] = lambda: 0.0, applies: bool = True, price: float | None = 1e-6, secret: str = SECRET) -> Ports:
    redactor = Redactor((secret,))

    def cost(model: str, usage: Usage) -> float | None:
        return None if price is None else price * (usage.prompt + usage.output + usage.thoughts)

    return Ports(clock, lambda _: applies, cost, lambda text: redactor.redact(text).text)
