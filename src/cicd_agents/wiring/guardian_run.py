"""What all parts of one run of the guardian share: what is asked for, by what it is done, and what has come out of it so far."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cicd_agents.agents.guardian_details import Seen
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.platforms.release_services import ReleaseServices
from cicd_agents.domain.canary import Decision, Judgement
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.guardian import DeliveryStanding, Sides
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import Rules, rules_of
from cicd_agents.wiring.guardian_scene import Scene, named
from cicd_agents.wiring.guardian_sources import Sources

if TYPE_CHECKING:
    from cicd_agents.wiring.guardian_acting import Acting
    from cicd_agents.wiring.world import World

WATCH, ROLLBACK, RESUME = "watch", "rollback", "resume"


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
    """What came out of it. `moved`: the watch gave the traffic itself, as far as it went."""

    scene: Scene
    judgement: Judgement
    seen: Seen
    engine: str
    moved: bool = False


@dataclass(slots=True)
class GuardianRun:
    """One run. `hands` act, where the settings name something to act by; `before` is how that stood before anything was done; `notes` are for people.

    `misconfigured`: something could not be done by these settings.
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

    def why(self, judgement: Judgement) -> str:
        """Why something is done: the judgement's own sentence; where a person must approve it, one without numbers.

        Numbers change from look to look, and an approval holds for the very plan that was shown.
        """
        if not self.settings.approval_required or self.hands is None:
            return judgement.reason
        service, environment = self.named
        where = f" in {environment}" if environment else ""
        word = "NO-GO" if judgement.decision is Decision.ROLLBACK else "GO"
        return f"{word} for {' '.join((service, *self.hands.judged))}{where}; what that rests on stands in the guardian's report."

    def redacted(self, text: str) -> str:
        """The text without secrets."""
        return self.world.redactor.redact(text).text
