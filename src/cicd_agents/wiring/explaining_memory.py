"""What is remembered of a model: the answer to the same question, and what the month has cost.

A memory that fails costs a note; where the month's money is limited, nothing is asked then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

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

    def money_left(self, limit: float | None, now: float) -> float | None:
        """What the month still allows; None: there is no limit. Raises NoMoney where that cannot be told: nobody would count what is paid."""
        if limit is None:
            return None
        if self.memory is None:
            raise NoMoney("explain-month-usd needs a memory that counts what was paid: set `history` or `history-url`, or take the limit away.")
        if not self.memory.writable:
            raise NoMoney(
                "explain-month-usd needs a memory that can be written, and a dry run or a stranger's run writes none: take the limit away for such runs."
            )
        try:
            return max(0.0, limit - self.memory.spent_since(self.question.repository, _month(now)))
        except (ServiceError, UsageError) as problem:
            raise NoMoney(f"What the model has cost this month cannot be read, so nothing is asked (explain-month-usd): {problem}") from None

    def keep(self, advice: Advice, now: float) -> None:
        """Remember the answer and what was paid; of a question without an answer the price alone."""
        if self.memory is None or not self.memory.writable or not advice.calls:
            return
        text, used = "" if advice.problem else kept(advice), advice.usage
        asked, tokens = self.question, used.prompt + used.output + used.thoughts
        try:
            self.memory.record_advice(PastAdvice(asked.repository, asked.key, asked.run_id, now, asked.agent, advice.model, text, advice.cost, tokens))
        except (ServiceError, UsageError) as problem:
            self.say(f"{_FORGOTTEN}: {problem}")


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
