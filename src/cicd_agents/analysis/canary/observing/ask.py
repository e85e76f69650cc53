"""What is asked of a metrics store (pure data)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cicd_agents.analysis.canary.defaults import default_policy
from cicd_agents.analysis.canary.observing.own import OwnQuery
from cicd_agents.domain.canary import CanaryPolicy, Samples
from cicd_agents.domain.guardian import Sides

# Without `since` so many seconds are looked at; a canary that began earlier is looked at from its beginning, but no longer than this.
USUAL, LONGEST = 3600.0, 86_400.0
# About 10 MB of JSON.
MOST_SAMPLES = 300_000


@dataclass(frozen=True, slots=True)
class MetricsAsk:
    """What to observe. `since` is when the canary began to serve, None: not known; times are seconds since the epoch.

    `pods` are the matchers of resource metrics where `sides` select series that have no pods (a mesh's workload, an ingress); None: as `sides`.
    `pack` is the name of a query pack, empty: found by probing. `calibration` seconds before `since` show how noisy the old version is; `scrape` is the
    interval of scrapes. `shift`: the baseline is asked for so many seconds earlier, where none runs beside the canary any more (`shift_before`). `share` is the
    canary's part of the traffic as the delivery tool tells it, empty: computed from the counts. `preview`: users do not reach the canary yet.
    `earlier` is of how many days before the same clock time is asked, 0: of none; `every` are the matchers of whatever version ran then, empty: the baseline's.
    `most_samples` is the most that one query may give as raw samples; beyond it the server adds up.
    """

    sides: Sides
    now: float
    since: float | None = None
    policy: CanaryPolicy = field(default_factory=default_policy)
    pods: Sides | None = None
    pack: str = ""
    own: tuple[OwnQuery, ...] = ()
    calibration: float = 1800.0
    scrape: float = 15.0
    shift: float = 0.0
    share: Samples = ()
    preview: bool = False
    earlier: int = 0
    every: str = ""
    most_samples: int = MOST_SAMPLES

    @property
    def start(self) -> float:
        """When the window begins."""
        begin = self.now - USUAL if self.since is None else self.since - self.calibration
        return max(begin, self.now - LONGEST)


def shift_before(since: float, now: float, *, spare: float = 120.0, days: int = 0) -> float:
    """The shift for a baseline before the deployment: its window ends `spare` seconds before `since`; with `days` the same time of so many days ago."""
    if days > 0:
        return days * 86_400.0
    return max(0.0, now - since) + spare
