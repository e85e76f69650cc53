"""The conversation with a model: it is shown a dossier, may read on in it, and answers. Whatever goes wrong costs its explanation and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cicd_agents.advisor.answer import Answer, NotAnAnswer, read, schema
from cicd_agents.advisor.checking import checked
from cicd_agents.advisor.dossier_text import bounded, opening, system_text
from cicd_agents.advisor.rules import READING, AdviceRules, Ports, Reading
from cicd_agents.advisor.shown import Shown
from cicd_agents.advisor.tools import Desk, specs
from cicd_agents.domain.advice import Advice, Archive, Dossier, LanguageModel, ModelFailed, ModelReply, ModelRequest, ToolSpec, Turn, Usage
from cicd_agents.domain.errors import ServiceError

ANSWER_NOW = "Answer now: one JSON object of the schema, nothing before or after it. No more lines can be asked for."
_BYTES_OF_TOKEN = 3  # logs have more tokens than prose; an estimate that is rather too high
_LEAST_SECONDS = 1.0
_MOST_CALLS_OF_TURN = 8


def advise(dossier: Dossier, archive: Archive, model: LanguageModel, rules: AdviceRules, ports: Ports, reading: Reading = READING) -> Advice:
    """What the model makes of the dossier, as far as it holds; every failure becomes `problem`. What was used up is told in either case."""
    account = _Account(rules, ports, ports.clock())
    try:
        advice = _advice(dossier, archive, model, account, reading)
    except ModelFailed as failed:
        account.add(failed.usage)
        advice = Advice(problem=str(failed))
    except ServiceError as failed:
        advice = Advice(problem=str(failed))
    except Exception as bug:  # noqa: BLE001 an explanation is optional: a bug in it must not take the verdict and its gate along
        advice = Advice(problem=f"The advisor itself failed ({type(bug).__name__}); please report this.")
    return account.noted(advice)


def _advice(dossier: Dossier, archive: Archive, model: LanguageModel, account: _Account, reading: Reading) -> Advice:
    shorter = bounded(dossier, account.rules.opening_bytes)
    shown = Shown(shorter)
    answer = _converse(shorter, model, account, Desk(archive, shown, reading))
    advice = checked(answer, dossier, shown, account.rules, account.ports)
    empty = not (advice.narrative or advice.hypotheses or advice.suggestions or advice.extra or advice.concern)
    return replace(advice, problem="Nothing that the model said held when it was checked.") if empty else advice


def _converse(dossier: Dossier, model: LanguageModel, account: _Account, desk: Desk) -> Answer:
    system, offered = system_text(dossier.agent), specs(dossier)
    turns: tuple[Turn, ...] = (opening(dossier),)
    pressed = False
    while True:
        last = pressed or account.last or not desk.open
        request = account.request(system, turns, () if last else offered, schema(dossier.agent))
        reply = model.reply(request)
        account.add(reply.usage)
        if reply.calls and request.tools:
            results = tuple((call, desk.answer(call)) for call in reply.calls[:_MOST_CALLS_OF_TURN])
            turns = (*turns, Turn("model", reply.text, tuple(call for call, _ in results)), Turn("user", results=results))
            continue
        try:
            return _answer(reply, dossier.agent, account.rules)
        except NotAnAnswer:
            if not request.tools or account.spent:
                raise
            said = (Turn("model", reply.text),) if reply.text.strip() else ()
            turns, pressed = (*turns, *said, Turn("user", ANSWER_NOW)), True


def _answer(reply: ModelReply, agent: str, rules: AdviceRules) -> Answer:
    if reply.finish.upper().endswith("MAX_TOKENS"):
        raise ModelFailed(f"The model's answer was cut at its limit of {rules.max_tokens} tokens.")
    if not reply.text.strip():
        raise NotAnAnswer("The model gave no answer.")
    return read(reply.text, agent)


@dataclass(slots=True)
class _Account:
    """What a conversation has used, and whether it may go on."""

    rules: AdviceRules
    ports: Ports
    started: float
    usage: Usage = field(default_factory=Usage)
    calls: int = 0

    @property
    def spent(self) -> bool:
        """Whether no call is left."""
        return self.calls >= self.rules.calls

    @property
    def last(self) -> bool:
        """Whether the next call is the last one."""
        return self.calls + 1 >= self.rules.calls

    def add(self, usage: Usage) -> None:
        self.usage = self.usage.plus(usage)

    def request(self, system: str, turns: tuple[Turn, ...], tools: tuple[ToolSpec, ...], shape: Mapping[str, Any]) -> ModelRequest:
        """The next request, counted. Raises ModelFailed where a limit is reached or might be passed by it."""
        left = self.rules.seconds - (self.ports.clock() - self.started)
        likely = self.usage.plus(Usage(prompt=_bytes(system, turns) // _BYTES_OF_TOKEN + 1, output=self.rules.max_tokens))
        if self.spent:
            raise ModelFailed(f"The limit of {self.rules.calls} calls to the model was reached.")
        if left < _LEAST_SECONDS:
            raise ModelFailed(f"The time for the explanation ({self.rules.seconds:g} s) is over.")
        if likely.prompt + likely.output + likely.thoughts > self.rules.tokens:
            raise ModelFailed(f"The next call might pass the limit of {self.rules.tokens:,} tokens.")
        self._check_money(likely)
        self.calls += 1
        return ModelRequest(self.rules.model, system, turns, tools, shape, self.rules.temperature, self.rules.max_tokens, left)

    def _check_money(self, likely: Usage) -> None:
        rules, price = self.rules, self.ports.cost(self.rules.model, likely)
        if rules.usd is None and rules.usd_left is None:
            return
        if price is None:
            raise ModelFailed("No price of this model is known, so the money limit cannot be kept; take the limit away or name another model.")
        if rules.usd is not None and price > rules.usd:
            raise ModelFailed("The next call might pass the run's limit of money for the model (explain-run-usd).")
        if rules.usd_left is not None and price > rules.usd_left:
            raise ModelFailed("The next call might pass the month's limit of money for the model (explain-month-usd).")

    def noted(self, advice: Advice) -> Advice:
        """The advice with what it took; without a call it cost nothing, whatever the model's price."""
        cost = self.ports.cost(self.rules.model, self.usage) if self.calls else 0.0
        seconds = max(0.0, self.ports.clock() - self.started)
        return replace(advice, model=self.rules.model, usage=self.usage, seconds=seconds, cost=cost, calls=self.calls)


def _bytes(system: str, turns: tuple[Turn, ...]) -> int:
    texts = (text for turn in turns for text in (turn.text, *(result for _, result in turn.results)))
    return len(system.encode()) + sum(len(text.encode(errors="replace")) for text in texts)
