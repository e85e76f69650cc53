"""A model's advice on what the guardian judged: after it acted, but for a GO, which a concern may hold before it is acted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cicd_agents.agents.guardian_details import OUTCOME_OF
from cicd_agents.context.choice import GUARDIAN
from cicd_agents.domain.canary import Decision, Status
from cicd_agents.domain.verdict import Outcome
from cicd_agents.wiring.explaining import Explainer, explainer
from cicd_agents.wiring.guardian_run import GuardianRun, Judged
from cicd_agents.wiring.guardian_verdict import details_told
from cicd_agents.wiring.memory import SharedMemory, has_memory

if TYPE_CHECKING:
    from cicd_agents.domain.advice import Archive, Dossier

_RAISED = (
    "A model raised a concern, so a person must look at it before the new version goes on; by the numbers alone it would be a GO. "
    "It stands in the explanation of the report; `explain: off` goes on without a model."
)


class Asking:
    """Asks about one judgement, where a model is to be asked at all: a person who acts by hand asks none.

    Raises UsageError where an explanation is required and nobody can be asked.
    """

    def __init__(self, run: GuardianRun, memory: SharedMemory) -> None:
        self._run = run
        self._explainer: Explainer | None = None
        if not run.wish.by_hand:
            self._explainer = explainer(run.settings, run.context, run.world, run.budget.left, lambda: memory.opened() if has_memory(run.settings) else None)

    def before(self, judged: Judged) -> Judged:
        """A GO with its advice, before anything is done by it; with a concern it becomes a HOLD."""
        asked = self._asked(judged)
        if asked.advice is None:
            return judged
        from cicd_agents.advisor.effect import concerned

        if concerned(OUTCOME_OF[judged.judgement.decision], asked.advice) is Outcome.PASS:
            return asked
        judgement = replace(judged.judgement, status=Status.INCONCLUSIVE, decision=Decision.HOLD, reason=_RAISED)
        return replace(asked, judgement=judgement, concern=True)

    def at_end(self, judged: Judged) -> Judged:
        """The same at the end of the watch. Not of what was asked already, nor of a stage that the watch has promoted, or tried to."""
        last = judged.judgement.stage + 1 >= len(self._run.rules.policy.stages)
        if judged.judgement.decision is not Decision.PROMOTE or judged.advice is not None or (judged.moved and not last):
            return judged
        return self.before(judged)

    def after(self, judged: Judged, earlier: Sequence[str]) -> Judged:
        """A NO-GO or a HOLD with its advice, after all was done; `earlier` says how the deployments before went."""
        if judged.advice is not None or judged.judgement.decision is Decision.PROMOTE:
            return judged
        return self._asked(judged, earlier)

    def _asked(self, judged: Judged, earlier: Sequence[str] = ()) -> Judged:
        if self._explainer is None:
            return judged
        return replace(judged, advice=self._explainer.explain(lambda: self._dossier(judged, earlier)))

    def _dossier(self, judged: Judged, earlier: Sequence[str]) -> tuple[Dossier, Archive] | None:
        from cicd_agents.agents.guardian_dossier import Judgment, dossier_of

        run, found = self._run, judged.scene
        known = Judgment(GUARDIAN, details_told(run, judged), judged.seen.messages, judged.judgement.notes, tuple(earlier), found.since)
        return dossier_of(known, run.world.redactor)
