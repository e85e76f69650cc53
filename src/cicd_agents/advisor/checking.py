"""What is kept of an answer: parts that hold, in the order in which they came. What does not hold is dropped whole and counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cicd_agents.advisor.answer import Answer
from cicd_agents.advisor.citing import cited
from cicd_agents.advisor.commands import STRANGE_PACKAGE, command_fault, strange_packages
from cicd_agents.advisor.patches import PatchRules, patch_fault
from cicd_agents.advisor.prose import Allowed, fault
from cicd_agents.advisor.rules import SCOPES, AdviceRules, Ports
from cicd_agents.advisor.shown import Shown
from cicd_agents.domain.advice import Advice, Citation, Dossier, Hypothesis, Suggestion
from cicd_agents.domain.invisible import seen

_NARRATIVE, _WHY, _EXTRA, _CONCERN, _TITLE = 2000, 600, 4000, 600, 160
_EXTRAS = {"title": 80}  # what is asked for; the others are texts of some length
_MOST_CITATIONS, _MOST_HYPOTHESES, _MOST_SUGGESTIONS, _MOST_COMMANDS = 12, 3, 3, 6
_MANY, _UNASKED, _UNPROVED = "more than may be shown", "part that nobody asked for", "claim without evidence that holds"
_NONE = frozenset({"", "none", "none of these"})


def checked(answer: Answer, dossier: Dossier, shown: Shown, rules: AdviceRules, ports: Ports) -> Advice:
    """The advice that holds; where no citation holds, only the counts are left."""
    return _Check(dossier, shown, rules, ports).advice(answer)


class _Check:
    """One answer's examination, with the counts of what was dropped."""

    def __init__(self, dossier: Dossier, shown: Shown, rules: AdviceRules, ports: Ports) -> None:
        self._dossier, self._shown, self._ports = dossier, shown, ports
        self._scope = SCOPES[dossier.agent]
        hosts = frozenset(host.lower() for host in rules.hosts)
        self._allowed = Allowed(hosts, shown.packages())
        self._patches = PatchRules(ports.applies, hosts, shown.names)
        self._dropped = Counter[str]()

    def advice(self, answer: Answer) -> Advice:
        self._drop(_UNASKED, answer.unasked)
        citations = self._citations(answer.citations)
        concern, concern_citations = self._concern(answer)
        hypotheses = tuple(self._hypotheses(answer.hypotheses))
        proved = bool(citations)
        made = Advice(
            narrative=self._text(answer.narrative, _NARRATIVE) if self._proved(answer.narrative, proved) else "",
            hypotheses=hypotheses,
            suggestions=tuple(self._suggestions(answer.suggestions, proved or bool(hypotheses))),
            extra=tuple(self._extra(answer.extra, proved)),
            citations=tuple(dict.fromkeys([*concern_citations, *citations]))[:_MOST_CITATIONS],
            concern=concern,
            confidence=answer.confidence if 0 <= answer.confidence <= 1 else 0.0,
        )
        said = made.narrative or made.hypotheses or made.suggestions or made.extra or made.concern
        kept = made if said else Advice()
        return replace(kept, dropped=tuple(sorted(self._dropped.items())))

    def _drop(self, reason: str, count: int = 1) -> None:
        if count > 0:
            self._dropped[reason] += count

    def _proved(self, said: object, proved: bool) -> bool:
        if said and not proved:
            self._drop(_UNPROVED)
        return proved

    def _text(self, text: str, most: int) -> str:
        """The text as it is seen, or nothing."""
        shown = seen(text).strip()
        reason = fault(shown, most, self._allowed) or self._secret(shown) or self._strange(shown)
        if reason:
            self._drop(reason)
        return "" if reason else shown

    def _strange(self, text: str) -> str:
        """A command in prose is no way around the check of commands."""
        return STRANGE_PACKAGE if strange_packages(text, self._shown.names) else ""

    def _secret(self, text: str) -> str:
        return "secret" if self._ports.redact(text) != text else ""

    def _citations(self, citations: tuple[Citation, ...]) -> list[Citation]:
        kept: list[Citation] = []
        for citation in citations[:_MOST_CITATIONS]:
            found, reason = cited(citation, self._shown, self._allowed)
            reason = reason or self._secret(citation.quote)
            if found is None or reason:
                self._drop(reason)
            elif found not in kept:
                kept.append(found)
        self._drop(_MANY, len(citations) - _MOST_CITATIONS)
        return kept

    def _concern(self, answer: Answer) -> tuple[str, list[Citation]]:
        """A concern needs evidence of its own."""
        if not answer.concern.strip():
            return "", []
        citations = self._citations(answer.concern_citations)
        text = self._text(answer.concern, _CONCERN) if self._proved(answer.concern, bool(citations)) else ""
        return text, citations if text else []

    def _hypotheses(self, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Hypothesis]:
        names = {candidate.id for candidate in self._dossier.candidates}
        taken = set[str]()
        for hypothesis in hypotheses[:_MOST_HYPOTHESES]:
            candidate = "" if hypothesis.candidate.strip().lower() in _NONE else hypothesis.candidate.strip()
            if candidate and candidate not in names:
                self._drop("hypothesis that is none of the candidates")
                continue
            citations = self._citations(hypothesis.citations)
            if candidate in taken or not 0 <= hypothesis.confidence <= 1:
                self._drop("hypothesis that was named twice or has no confidence")
            elif self._proved(hypothesis.why, bool(citations)) and (why := self._text(hypothesis.why, _WHY)):
                taken.add(candidate)
                yield Hypothesis(candidate, why, hypothesis.confidence, tuple(citations))
        self._drop(_MANY, len(hypotheses) - _MOST_HYPOTHESES)

    def _suggestions(self, suggestions: tuple[Suggestion, ...], proved: bool) -> Iterator[Suggestion]:
        """A suggestion is kept whole or not at all."""
        for suggestion in suggestions[:_MOST_SUGGESTIONS]:
            if not self._proved(suggestion, proved) or not (title := self._text(suggestion.title, _TITLE)):
                continue
            reason = next(filter(None, self._suggestion_faults(suggestion)), "")
            if reason:
                self._drop(reason)
            else:
                yield replace(suggestion, title=title)
        self._drop(_MANY, len(suggestions) - _MOST_SUGGESTIONS)

    def _suggestion_faults(self, suggestion: Suggestion) -> Iterable[str]:
        """Lazily, so that a patch is tried last."""
        if (suggestion.patch and not self._scope.patches) or (suggestion.commands and not self._scope.commands):
            yield _UNASKED
        if len(suggestion.commands) > _MOST_COMMANDS:
            yield _MANY
        for command in suggestion.commands:
            yield command_fault(command, self._shown.names) or self._secret(command)
        if suggestion.patch:
            yield self._secret(suggestion.patch)
            yield patch_fault(suggestion.patch, self._patches)

    def _extra(self, extra: tuple[tuple[str, str], ...], proved: bool) -> Iterator[tuple[str, str]]:
        for name, text in extra:
            if text.strip() and self._proved(text, proved) and (kept := self._text(text, _EXTRAS.get(name, _EXTRA))):
                yield name, kept
