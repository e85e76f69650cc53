"""The same question is asked once: its key, and an advice in a form that can be kept. What is taken out of memory is checked like an answer."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from cicd_agents.advisor.answer import read, schema
from cicd_agents.advisor.checking import checked
from cicd_agents.advisor.dossier_text import bounded, system_text
from cicd_agents.advisor.rules import AdviceRules, Ports
from cicd_agents.advisor.shown import Shown
from cicd_agents.domain.advice import Advice, Archive, Citation, Dossier
from cicd_agents.domain.errors import ServiceError

_MOST_CITED = 100  # a kept answer has half of it; each may cost a look into a log
_RULES = ("model", "temperature", "max_tokens", "calls", "tokens", "opening_bytes", "hosts")  # what is left of time and money changes no answer


def question_key(dossier: Dossier, rules: AdviceRules) -> str:
    """The same for the same dossier, rules, prompt and shape of the answer, on any machine."""
    asked = {name: getattr(rules, name) for name in _RULES}
    whole = [asdict(dossier), asked, system_text(dossier.agent), schema(dossier.agent)]
    return sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def kept(advice: Advice) -> str:
    """An advice as JSON, in the shape of an answer. One with a problem is not worth keeping."""
    citations = [_citation(citation) for citation in advice.citations]
    whole: dict[str, Any] = {"narrative": advice.narrative, "citations": citations, "confidence": advice.confidence}
    if advice.hypotheses:
        whole["hypotheses"] = [{**asdict(each), "citations": [_citation(citation) for citation in each.citations]} for each in advice.hypotheses]
    if advice.suggestions:
        whole["suggestions"] = [
            {name: value for name, value in (("title", each.title), ("patch", each.patch), ("commands", list(each.commands))) if value}
            for each in advice.suggestions
        ]
    if advice.extra:
        whole["extra"] = dict(advice.extra)
    if advice.concern:
        whole["concern"] = {"text": advice.concern, "citations": citations}
    return json.dumps(whole, sort_keys=True)


def recalled(text: str, dossier: Dossier, archive: Archive, rules: AdviceRules, ports: Ports) -> Advice | None:
    """The advice that was kept for this question, checked anew; None where it is damaged or does not hold any more."""
    shorter = bounded(dossier, rules.opening_bytes)
    shown = Shown(shorter)
    try:
        answer = read(text, dossier.agent)
        cited = (*answer.citations, *answer.concern_citations, *(each for hypothesis in answer.hypotheses for each in hypothesis.citations))
        if len(cited) > _MOST_CITED:
            return None
        for citation in cited:
            _look_up(citation, archive, shown)
    except ServiceError:  # a damaged memory, or an archive that does not answer
        return None
    advice = checked(answer, dossier, shown, rules, ports)
    if advice.dropped:
        return None
    return replace(advice, model=rules.model, remembered=True)


def _citation(citation: Citation) -> dict[str, Any]:
    return asdict(citation)


def _look_up(citation: Citation, archive: Archive, shown: Shown) -> None:
    """What the model had asked for then is asked for again."""
    item = shown.item(citation.item)
    if (
        item is not None
        and citation.line > 0
        and shown.line(item.id, citation.line) is None
        and (lines := archive.lines(item.id, citation.line, citation.line))
    ):
        shown.add(item.id, citation.line, lines[:1])
