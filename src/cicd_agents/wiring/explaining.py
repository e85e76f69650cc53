"""Settings → a model that explains, or none. Where none is to be asked, nothing of the advisor is imported; nothing of Google is, before one is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import UsageError
from cicd_agents.settings.model import Settings

if TYPE_CHECKING:
    from cicd_agents.advisor.rules import AdviceRules, Ports
    from cicd_agents.domain.advice import Advice, Archive, Dossier, LanguageModel
    from cicd_agents.domain.ports import AdviceMemory
    from cicd_agents.wiring.world import World


def explainer(settings: Settings, context: RunContext, world: World, left: Callable[[], float], memory: Callable[[], AdviceMemory | None]) -> Explainer | None:
    """Who asks, by the settings; None where nobody is to be asked: switched off, `auto` without a key, a run of a stranger.

    `left` tells the seconds that are left of the run's time (`Budget.left`). `memory` is called only when a model is asked; it may open a file. Raises
    UsageError where an explanation is required and there is no key, or the settings make no sense.
    """
    if settings.explain == "off" or (_strangers(context) and not settings.explain_forks):
        return None
    if not (settings.model_replay or settings.gemini_key or settings.vertex_project):
        if settings.explain == "required":
            raise UsageError("explain is `required`, and there is no key: set gemini-key (or GEMINI_API_KEY), or vertex-project.")
        return None
    from cicd_agents.wiring.explaining_model import model_of

    return Explainer(settings, context, world, left, memory, model_of(settings, context, world))


def _strangers(context: RunContext) -> bool:
    """Whether somebody whom nobody here knows wrote what would be sent."""
    return not context.trusted or bool(context.pull_request and context.pull_request.from_fork)


@dataclass(slots=True)
class Explainer:
    """Asks a model about a dossier. It raises nothing: what fails becomes the advice's `problem`. `paid` is what its questions have cost so far."""

    settings: Settings
    context: RunContext
    world: World
    left: Callable[[], float]
    memory: Callable[[], AdviceMemory | None]
    model: LanguageModel
    paid: float = field(default=0.0, init=False)

    def explain(self, made: Callable[[], tuple[Dossier, Archive] | None]) -> Advice | None:
        """What the model makes of the dossier that is made, or what was kept of the same question; None where the evidence is too little for one."""
        from cicd_agents.domain.advice import Advice

        try:
            dossier = made()
            return self._explain(*dossier) if dossier else None
        except Exception as bug:  # noqa: BLE001 an explanation is optional: a bug on the way to it must not take the verdict and its gate along
            return Advice(model=self.settings.model, problem=f"The advisor itself failed ({type(bug).__name__}); please report this.")

    def _explain(self, dossier: Dossier, archive: Archive) -> Advice:
        from dataclasses import replace

        from cicd_agents.advisor.conversation import advise
        from cicd_agents.domain.advice import Advice
        from cicd_agents.wiring.explaining_memory import NoMoney, Remembered, memory_of, question_of

        settings, world, rules, ports = self.settings, self.world, self._rules(dossier.agent), self._ports()
        remembered = Remembered(question_of(self.context, dossier, rules), memory_of(settings, self.memory, world.say), world.say)
        # Whoever records an exchange wants one to be had.
        if not settings.model_record and (known := remembered.answer(dossier, archive, rules, ports)):
            return known
        try:
            reserved = None if settings.model_replay else remembered.reserve(settings.explain_month_usd, rules, ports, world.clock.now())
        except NoMoney as why:
            return Advice(model=rules.model, problem=str(why))
        advice = advise(dossier, archive, self.model, replace(rules, usd_left=reserved.usd if reserved else None), ports)
        self.paid += advice.cost or 0.0
        remembered.keep(advice, reserved, world.clock.now())
        return advice

    def _rules(self, agent: str) -> AdviceRules:
        """The agent's limits with those of the settings. Half of what is left of the run's time is kept: what was found must still be told to people."""
        from dataclasses import replace

        from cicd_agents.advisor.rules import DEFAULTS

        settings = self.settings
        usd = None if settings.explain_run_usd is None else max(0.0, settings.explain_run_usd - self.paid)
        return replace(DEFAULTS[agent], model=settings.model, seconds=min(float(settings.explain_seconds), self.left() / 2), usd=usd)

    def _ports(self) -> Ports:
        from pathlib import Path

        from cicd_agents.advisor.rules import Ports
        from cicd_agents.clients.model_prices import cost
        from cicd_agents.clients.patch_check import applies

        workspace, environment = Path(self.context.workspace or "."), self.world.environment
        return Ports(self.world.clock.monotonic, lambda patch: applies(patch, workspace, environment), cost, lambda text: self.world.redactor.redact(text).text)
