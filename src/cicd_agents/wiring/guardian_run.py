"""What all parts of one run of the guardian share: what is asked for, by what it is done, and what has come out of it so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.guardian_details import Seen
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.domain.canary import Decision, Judgement
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.guardian import DeliveryStanding, GuardianDetails, Sides
from cicd_agents.operations.guardian_advice import Advised
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import Rules, rules_of
from cicd_agents.wiring.guardian_scene import Scene, named
from cicd_agents.wiring.guardian_sources import Sources

if TYPE_CHECKING:
    from cicd_agents.domain.advice import Advice
    from cicd_agents.wiring.guardian_acting import Acting
    from cicd_agents.wiring.world import World

WATCH, ROLLBACK, RESUME = "watch", "rollback", "resume"
_WORDS = {Decision.ROLLBACK: "NO-GO", Decision.PROMOTE: "GO", Decision.HOLD: "Not decided"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `check` is one look, `watch` looks until it is decided, `rollback` and `resume` act without a judgement, for `reason`."""

    what: str = WATCH
    form: str = "text"
    reason: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether a person decides."""
        return self.what in (ROLLBACK, RESUME)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out of it. `moved`: the watch gave the traffic itself, as far as it went.

    `advice` is what a model made of it, None: none was asked; `concern`: it holds what would be a GO.
    """

    scene: Scene
    judgement: Judgement
    seen: Seen
    engine: str
    moved: bool = False
    advice: Advice | None = None
    concern: bool = False


@dataclass(slots=True)
class GuardianRun:
    """One run. `hands` act, where the settings name something to act by; `before` is how that stood before anything was done; `notes` are for people.

    `misconfigured`: something could not be done by these settings. `unpromoted`: a promotion that was asked for was refused before any write.
    `advised` is what was advised before anything was done; afterwards the tool would tell otherwise. `told` is what was last made of a judgement for people
    and models, and of which (wiring.guardian_verdict).
    `last_told` is the kind of the last message about this deployment (report.guardian_slack), empty: none is known; `keep_told` keeps it for the next run.
    """

    settings: Settings
    context: RunContext
    world: World
    wish: Wish
    services: ReleaseServices | None
    budget: Budget
    stack: ExitStack
    sources: Sources = field(init=False)
    rules: Rules = field(init=False)
    notes: list[str] = field(default_factory=list, init=False)
    hands: Acting | None = field(default=None, init=False)
    before: DeliveryStanding | None = field(default=None, init=False)
    misconfigured: bool = field(default=False, init=False)
    unpromoted: bool = field(default=False, init=False)
    advised: Advised | None = field(default=None, init=False)
    told: tuple[Judged, GuardianDetails] | None = field(default=None, init=False)
    last_told: str = field(default="", init=False)
    keep_told: Callable[[str], object] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.sources = Sources(self.settings, self.world, self.budget, self.stack)
        self.rules = rules_of(self.settings, self.context)
        self.notes += self.rules.notes

    @property
    def named(self) -> tuple[str, str]:
        """Service and environment."""
        return named(self.settings, self.context)

    @property
    def nothing_seen(self) -> Scene:
        """The scene of a run that looks at no series and no pods."""
        return Scene(*self.named, Sides("", ""), None)

    @property
    def workspace(self) -> Path:
        """Where files of the settings lie."""
        return Path(self.context.workspace or ".")

    @property
    def number(self) -> str:
        """The CI run, empty: there is none."""
        return self.context.own_run.id if self.context.own_run else ""

    @property
    def moves(self) -> bool:
        """Whether the watch itself gives the canary its shares."""
        return self.hands is not None and self.settings.promote == "auto" and self.wish.what == WATCH

    def version(self, found: Scene) -> str:
        """The version that is judged: its images as pods show them, else as the tool tells it, else the commit of this job.

        What the scene says without pods are selectors, which are the same for every version; they are all there is outside of CI.
        """
        runs = self.before.current if self.before else None
        seen = found.canary_version if found.pods else ""
        return seen or (runs.version or runs.id if runs else "") or self.context.sha or found.canary_version

    @property
    def must_promote(self) -> bool:
        """Whether a GO is to be followed by a promotion, and not only shown."""
        return self.settings.promote == "auto" and not self.settings.dry_run and self.context.trusted

    def not_promoted(self, share: float | None, reason: str) -> None:
        """Note that the canary did not get the share (None: all) that it must get. The gate stays shut: who reads 0 takes it for promoted."""
        self.unpromoted = True
        wanted = "all of the traffic" if share is None else f"{100 * share:g} % of the traffic"
        self.notes.append(f"GO, but the new version was not given {wanted}, as promote: auto asks, so the gate stays shut: {reason.rstrip('.')}.")

    def why(self, judgement: Judgement) -> str:
        """Why something is done: the judgement's own sentence; where a person must approve it, one without numbers.

        Numbers change from look to look, and an approval holds for the very plan that was shown.
        """
        if not self.settings.approval_required or self.hands is None:
            return judgement.reason
        service, environment = self.named
        where = f" in {environment}" if environment else ""
        word = _WORDS[judgement.decision]
        return f"{word} for {' '.join((service, *self.hands.judged))}{where}; what that rests on stands in the guardian's report."

    def redacted(self, text: str) -> str:
        """The text without secrets."""
        return self.world.redactor.redact(text).text
