"""The conversation with a model: it is shown a dossier, may read on in it, and answers. Whatever goes wrong costs its explanation and nothing else."""

from __future__ import annotations

import json
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

NO_PRICE = "No price of this model is known, so the money limit cannot be kept; take the limit away or name another model."
ANSWER_NOW = "Answer now: one JSON object of the schema, nothing before or after it. No more lines can be asked for."
_BYTES_OF_TOKEN = 3  # logs have more tokens than prose; an estimate that is rather too high
_LEAST_SECONDS = 1.0
_MOST_CALLS_OF_TURN = 8
_MOST_SAID_AGAIN = 4_000  # characters of words in place of an answer; a flood of them is not paid for twice
_MOST_OF_SYSTEM = 20_000  # tokens of what a service adds to a prompt: functions, the schema, its own frame


def advise(dossier: Dossier, archive: Archive, model: LanguageModel, rules: AdviceRules, ports: Ports, reading: Reading = READING) -> Advice:
    """What the model makes of the dossier, as far as it holds; every failure becomes `problem`. What was used up is told in either case."""
    account = _Account(rules, ports, ports.clock())
    try:
        advice = _advice(dossier, archive, model, account, reading)
    except ModelFailed as failed:
        account.add(failed.usage, failed.untold)
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
        account.add_reply(reply)
        if reply.calls and request.tools:
            results = tuple((call, desk.answer(call)) for call in reply.calls[:_MOST_CALLS_OF_TURN])
            turns = (*turns, Turn("model", reply.text, tuple(call for call, _ in results)), Turn("user", results=results))
            continue
        try:
            return _answer(reply, dossier.agent, account.rules)
        except NotAnAnswer:
            if not request.tools or account.spent:
                raise
            said = (Turn("model", reply.text),) if reply.text.strip() and len(reply.text) <= _MOST_SAID_AGAIN else ()
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
    asked: int = 0  # tokens of the prompt that was asked last, from above

    @property
    def spent(self) -> bool:
        """Whether no call is left."""
        return self.calls >= self.rules.calls

    @property
    def last(self) -> bool:
        """Whether the next call is the last one."""
        return self.calls + 1 >= self.rules.calls

    def add(self, usage: Usage, untold: bool = False) -> None:
        """What a call took as the service told it, and its prompt where it was sent without being told what that took.

        No text has more tokens than bytes, and no answer more than its limit: counts beyond are a fault of the service, and would use up a month's money.
        """
        most, longest = _BYTES_OF_TOKEN * self.asked + _MOST_OF_SYSTEM, self.rules.max_tokens
        told = Usage(min(usage.prompt, most), min(usage.cached, most), min(usage.output, longest), min(usage.thoughts, longest), usage.estimated)
        self.usage = self.usage.plus(told)
        if untold:
            self.usage = self.usage.plus(Usage(prompt=self.asked, estimated=self.asked))

    def add_reply(self, reply: ModelReply) -> None:
        """The same for a reply. A service that tells nothing is no service that costs nothing."""
        self.add(reply.usage)
        if not reply.usage.prompt + reply.usage.output + reply.usage.thoughts:
            said = _tokens(_bytes("", (Turn("model", reply.text, reply.calls),)))
            self.add(Usage(self.asked, output=said, estimated=self.asked + said))

    def request(self, system: str, turns: tuple[Turn, ...], tools: tuple[ToolSpec, ...], shape: Mapping[str, Any]) -> ModelRequest:
        """The next request, counted. Raises ModelFailed where a limit is reached or might be passed by it."""
        left = self.rules.seconds - (self.ports.clock() - self.started)
        prompt = _tokens(_bytes(system, turns))
        likely = self.usage.plus(Usage(prompt=prompt, output=self.rules.max_tokens))
        if self.spent:
            raise ModelFailed(f"The limit of {self.rules.calls} calls to the model was reached.")
        if left < _LEAST_SECONDS:
            raise ModelFailed(f"The time for the explanation ({self.rules.seconds:g} s) is over.")
        if likely.prompt + likely.output + likely.thoughts > self.rules.tokens:
            raise ModelFailed(f"The next call might pass the limit of {self.rules.tokens:,} tokens.")
        self._check_money(likely)
        self.calls += 1
        self.asked = prompt
        return ModelRequest(self.rules.model, system, turns, tools, shape, self.rules.temperature, self.rules.max_tokens, left)

    def _check_money(self, likely: Usage) -> None:
        rules, price = self.rules, self.ports.cost(self.rules.model, likely)
        if rules.usd is None and rules.usd_left is None:
            return
        if price is None:
            raise ModelFailed(NO_PRICE)
        if rules.usd is not None and price > rules.usd:
            raise ModelFailed("The next call might pass the run's limit of money for the model (explain-run-usd).")
        if rules.usd_left is not None and price > rules.usd_left:
            raise ModelFailed("The next call might pass the month's limit of money for the model (explain-month-usd).")

    def noted(self, advice: Advice) -> Advice:
        """The advice with what it took; without a call it cost nothing, whatever the model's price."""
        cost = self.ports.cost(self.rules.model, self.usage) if self.calls else 0.0
        seconds = max(0.0, self.ports.clock() - self.started)
        return replace(advice, model=self.rules.model, usage=self.usage, seconds=seconds, cost=cost, calls=self.calls)


def _tokens(size: int) -> int:
    return size // _BYTES_OF_TOKEN + 1


def _bytes(system: str, turns: tuple[Turn, ...]) -> int:
    """All that is sent; a model's calls go back to it with their arguments, which may be long."""
    texts = (text for turn in turns for text in (turn.text, *(result for _, result in turn.results)))
    calls = (len(json.dumps(call.arguments, default=str)) + len(call.name) + len(call.id) + len(call.signature) for turn in turns for call in turn.calls)
    return len(system.encode()) + sum(len(text.encode(errors="replace")) for text in texts) + sum(calls)
