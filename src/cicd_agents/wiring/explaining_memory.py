"""What is remembered of a model: the answer to the same question, and what the month has cost.

A memory that fails costs a note; where the month's money is limited, nothing is asked then. With such a limit the most that an explanation can cost is
reserved before it is asked for, so that runs at the same time do not pass the limit together. Of a run that is killed nobody knows what it has paid: its
reservation stays, and counts as paid until the month ends. To let it lapse would lose money that was paid; to keep it costs at most explanations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cicd_agents.advisor.conversation import NO_PRICE
from cicd_agents.advisor.memory import kept, question_key, recalled
from cicd_agents.advisor.rules import AdviceRules, Ports
from cicd_agents.domain.advice import Advice, Archive, Dossier
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.history import PastAdvice
from cicd_agents.domain.ports import AdviceMemory
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.world import Say

_FORGOTTEN = "The model's answers and costs are not remembered"


class NoMoney(Exception):
    """Nothing may be asked, and why."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is remembered: of which repository and run, by which agent, under which key."""

    repository: str
    run_id: str
    agent: str
    key: str


def question_of(context: RunContext, dossier: Dossier, rules: AdviceRules) -> Question:
    """The question that the dossier asks in this run."""
    run = context.own_run or context.target
    return Question(context.repository, run.id if run else "", dossier.agent, question_key(dossier, rules))


@dataclass(frozen=True, slots=True)
class Remembered:
    """The memory around one question; `memory` is None where there is none."""

    question: Question
    memory: AdviceMemory | None
    say: Say

    def answer(self, dossier: Dossier, archive: Archive, rules: AdviceRules, ports: Ports) -> Advice | None:
        """The checked answer to the same question; None where there is none that holds."""
        if self.memory is None:
            return None
        try:
            text = self.memory.advice(self.question.repository, self.question.key)
        except (ServiceError, UsageError) as problem:
            self.say(f"The model's earlier answers could not be read: {problem}")
            return None
        return recalled(text, dossier, archive, rules, ports) if text else None

    def reserve(self, limit: float | None, rules: AdviceRules, ports: Ports, now: float) -> PastAdvice | None:
        """What of the month's money this question alone may use; None: there is no limit.

        Raises NoMoney where nothing is left, or where that cannot be told: nobody would count what is paid.
        """
        if limit is None:
            return None
        if self.memory is None:
            raise NoMoney("explain-month-usd needs a memory that counts what was paid: set `history` or `history-url`, or take the limit away.")
        if not self.memory.writable:
            raise NoMoney(
                "explain-month-usd needs a memory that can be written, and a dry run or a stranger's run writes none: take the limit away for such runs."
            )
        most = ports.cost(rules.model, rules.most)
        if most is None:
            raise NoMoney(NO_PRICE)
        wanted, month = self._past(rules.model, now, "", most if rules.usd is None else min(most, rules.usd), 0), _month(now)
        try:
            reserved = self.memory.reserve(wanted, month, limit)
            if reserved is not None:
                return reserved
            spent = self.memory.spent_since(wanted.repository, month)
        except (ServiceError, UsageError) as problem:
            raise NoMoney(f"What the model has cost this month cannot be read or written, so nothing is asked (explain-month-usd): {problem}") from None
        raise NoMoney(f"The month's money for the model (explain-month-usd: {limit:g}) is used up: {spent:.2f} US dollars are paid, or reserved by other runs.")

    def keep(self, advice: Advice, reserved: PastAdvice | None, now: float) -> None:
        """Remember the answer and what was paid, in place of what was reserved for it; of a question without an answer the price alone."""
        if self.memory is None or not self.memory.writable:
            return
        text, used = "" if advice.problem else kept(advice), advice.usage
        time = reserved.time if reserved else now
        asked = self._past(advice.model, time, text, advice.cost, used.prompt + used.output + used.thoughts) if advice.calls else None
        try:
            if reserved:
                self.memory.settle(reserved, asked)
            elif asked:
                self.memory.record_advice(asked)
        except (ServiceError, UsageError) as problem:
            self.say(f"{_FORGOTTEN}: {problem}")

    def _past(self, model: str, time: float, text: str, usd: float | None, tokens: int) -> PastAdvice:
        asked = self.question
        return PastAdvice(asked.repository, asked.key, asked.run_id, time, asked.agent, model, text, usd, tokens)


def memory_of(settings: Settings, memory: Callable[[], AdviceMemory | None], say: Say) -> AdviceMemory | None:
    """The memory, opened; None where there is none, or where a recording answers: that costs nothing and must not depend on what was asked before."""
    if settings.model_replay:
        return None
    try:
        return memory()
    except (ServiceError, UsageError) as problem:
        say(f"{_FORGOTTEN}: {problem}")
        return None


def _month(now: float) -> float:
    """The first second of the month, in UTC."""
    return datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
