"""From what was judged and done in one run to the verdict: words, commands, advice, links."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote

from cicd_agents.agents.guardian_details import OUTCOME_OF, Subject, actions, details_of, findings_of, title_of
from cicd_agents.context.choice import GUARDIAN
from cicd_agents.domain.canary import Decision, Judgement
from cicd_agents.domain.errors import ServiceError, UsageError
from cicd_agents.domain.finding import Fix
from cicd_agents.domain.guardian import DeliveryStanding, GuardianDetails, Link
from cicd_agents.domain.verdict import GuardianVerdict
from cicd_agents.operations.guardian_advice import Advised, Facts, advise
from cicd_agents.wiring.guardian_run import GuardianRun, Judged
from cicd_agents.wiring.guardian_scene import Scene

# Of a table of numbers nobody knows the application; whoever reads the commands does.
_COMMANDS = ("argocd app history {name}", "argocd app rollback {name} <ID>")
_CONCERN = "It stands in the explanation of this report, with what it cites. `explain: off` goes on without a model."
_LOOK = Fix("quick", "Read the model's concern and decide", _CONCERN, (), 0.9)
# A dashboard shows half an hour of before the deployment, or the last hour where nobody knows when that was.
_BEFORE, _LAST = 1800, 3600


def verdict(run: GuardianRun, judged: Judged) -> GuardianVerdict:
    """The verdict, with all that was done so far."""
    judgement, policy = judged.judgement, run.rules.policy
    subject = replace(_subject(judged), commands=_commands(run))
    details = replace(details_told(run, judged), actions=actions(judgement, policy, subject), links=_links(run, judged.scene))
    if judgement.decision is Decision.ROLLBACK and run.before is not None and not run.wish.by_hand:
        found = advised(run, judgement)
        details = replace(details, actions=(*details.actions, Fix("quick", f"Advice: {found.advice}", " ".join(found.reasons), (), 0.7)))
    if judged.concern:
        details = replace(details, actions=(_LOOK,))
    operations = tuple(run.hands.operations) if run.hands else ()
    notes = (*run.notes, *judgement.notes, *(run.hands.notes if run.hands else ()))
    return GuardianVerdict(
        GUARDIAN, OUTCOME_OF[judgement.decision], title_of(judgement, policy, subject), judgement.reason, details, findings_of(judgement, judged.seen),
        tuple(dict.fromkeys(notes)), operations, judged.advice,
    )  # fmt: skip


def details_told(run: GuardianRun, judged: Judged) -> GuardianDetails:
    """What the report and a model are told alike: all but commands and links. Of one judgement it is made once, however many ask."""
    known, made_of = run.told, replace(judged, moved=False, advice=None, concern=False)
    if known is None or known[0] != made_of:
        known = run.told = made_of, details_of(judged.judgement, run.rules.policy, _subject(judged), judged.seen)
    return known[1]


def advised(run: GuardianRun, judgement: Judgement) -> Advised:
    """Rollback, freeze or hotfix, with the reasons; of one run always the first answer, by which it acts."""
    if run.advised is None:
        run.advised = _advised(run, judgement)
    return run.advised


def _advised(run: GuardianRun, judgement: Judgement) -> Advised:
    standing = run.before
    files = run.hands.changed_files(standing) if run.hands else None
    can_freeze = bool(standing and _freezable(run, standing))
    good = bool(run.settings.rollback_to or (standing and standing.good))
    return advise(Facts(judgement.status, judgement.share, judgement.minutes or None, good, files, can_freeze))


def _freezable(run: GuardianRun, standing: DeliveryStanding) -> bool:
    try:
        return bool(run.hands and run.hands.way.freeze(standing, "asked"))
    except (ServiceError, UsageError):
        return False


def _subject(judged: Judged) -> Subject:
    found = judged.scene
    return Subject(found.service, found.environment, found.canary_version, found.baseline_version, judged.engine)


def _commands(run: GuardianRun) -> tuple[str, ...]:
    """What rolls back by hand."""
    if run.hands and run.before:
        return run.hands.way.commands(run.before, run.before.good)
    name = quote(run.settings.service) if run.settings.service else "<APPLICATION>"
    return tuple(line.format(name=name) for line in _COMMANDS)


def _links(run: GuardianRun, found: Scene) -> tuple[Link, ...]:
    dashboards = run.sources.dashboards() if run.settings.grafana_dashboard else None
    if dashboards is None:
        return ()
    now = run.world.clock.now()
    begin = found.since if found.since is not None else now - _LAST
    return (dashboards.link(run.settings.grafana_dashboard, begin - _BEFORE, now),)
