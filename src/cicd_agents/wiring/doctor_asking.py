"""A model's advice on what the doctor found: the logs are kept for it, and the dossier is made of what was gathered anyway."""

from __future__ import annotations

from pathlib import Path

from cicd_agents.agents.doctor_dossier import FailedLog, Gathered, dossier_of
from cicd_agents.agents.pipeline_doctor import Consultation
from cicd_agents.clients.checkout_files import CheckoutFiles
from cicd_agents.clients.kept_logs import KeptLogs
from cicd_agents.domain.advice import Advice, Archive, Dossier, DossierKind
from cicd_agents.domain.ci import Comparison
from cicd_agents.domain.verdict import Outcome, Verdict
from cicd_agents.wiring.explaining import Explainer


class DoctorAsking:
    """Asks about one diagnosis. `logs` keeps what it reads, until `close`."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self._context, self._redactor = explainer.context, explainer.world.redactor
        self.logs = KeptLogs(explainer.settings.max_log_mb << 20, self._redactor)

    def about(self, found: Consultation, outcome: Outcome) -> Advice | None:
        """The advice on a run, where there is a failure to explain; `outcome` is the one that is told."""
        read = [(job, job.verdict) for job in found.failed if job.verdict is not None]
        main = next((FailedLog(job.job.name, job.job.id, verdict) for job, verdict in read if verdict is found.verdict), None)
        if main is None or outcome not in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            return None
        others = tuple(FailedLog(job.job.name, job.job.id, verdict) for job, verdict in read if verdict is not found.verdict)
        return self._advice(found.verdict, main, others, found.comparison)

    def about_log(self, verdict: Verdict, log: str) -> Advice | None:
        """The advice on a log alone."""
        if verdict.outcome not in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            return None
        return self._advice(verdict, FailedLog(Path(log).name, log, verdict), (), None)

    def close(self) -> None:
        """Give the logs back."""
        self.logs.close()

    def _advice(self, verdict: Verdict, main: FailedLog, others: tuple[FailedLog, ...], comparison: Comparison | None) -> Advice | None:
        sources = CheckoutFiles(Path(self._context.workspace or "."))
        gathered = Gathered(verdict, main, others, self.logs, sources, self._redactor, comparison, self._context.repository)
        return self._explainer.explain(lambda: _dossier(gathered))


def _dossier(gathered: Gathered) -> tuple[Dossier, Archive] | None:
    """None where nothing of the failure itself could be read: then there is nothing to explain."""
    dossier, archive = dossier_of(gathered)
    told = any(item.kind in (DossierKind.LOG, DossierKind.FINDING) and item.lines for item in dossier.items)
    return (dossier, archive) if told else None
