"""What a cluster tells of a target: which pods are of the new version and which of the old one, since when, and the canary's part of the traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cicd_agents.domain.delivery_flagger import PROMOTING, sides
from cicd_agents.domain.delivery_objects import ObjectName, escaped
from cicd_agents.domain.delivery_rollouts import RolloutPhase
from cicd_agents.domain.errors import Unavailable, UsageError
from cicd_agents.domain.guardian import PodState, Sides
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.promotion_delivery import looks

if TYPE_CHECKING:
    from cicd_agents.domain.delivery_flagger import Flagger, FlaggerState
    from cicd_agents.domain.delivery_rollouts import RolloutState
    from cicd_agents.domain.delivery_workload import Pods, PodsVersion, PodsVersions, WorkloadState

# How long a controller may take to see a change, and to make the first pod of it.
SECONDS_TO_SEE = 60.0
PODS = ("deployment", "statefulset", "daemonset", "rollout")
# How the names of pods go on behind that of their owner (Kubernetes docs, "Deployments", "StatefulSets", "DaemonSet").
_ENDINGS = {"statefulset": "-[0-9]+", "daemonset": "-[a-z0-9]{5}"}
_OF_SETS = "-[a-z0-9]+-[a-z0-9]{5}"
# Kubernetes cuts longer names in the middle; then all that begin so are taken.
_LONGEST = 45

BothPods = tuple[tuple[PodState, ...], tuple[PodState, ...]]


@dataclass(frozen=True, slots=True)
class InCluster:
    """What was found. `version` tells versions of the target apart; `canary` and `baseline` are their images, for people and for comparison.

    `concurrent` is False where no old pod is left. `pods` lists those of both versions as they are now. `every` fits the pods of all versions. `lasting` is
    False where names do not tell versions, so that `sides` must be found anew with every look.
    """

    version: str
    sides: Sides
    canary: str
    baseline: str
    since: float | None
    concurrent: bool
    pods: Callable[[], BothPods]
    every: str
    lasting: bool = True
    notes: tuple[str, ...] = ()


def wait_until_seen(unseen: Callable[[], str], clock: Clock) -> None:
    """Wait while the controller has not seen the newest change: until then the old version would be taken for the new one. Raises Unavailable."""
    why = ""
    for _ in looks(clock, SECONDS_TO_SEE):
        if not (why := unseen()):
            return
    raise Unavailable(f"{why}, also after {SECONDS_TO_SEE:.0f} s, so it cannot be told which pods are those of the new version.")


def not_seen(state: WorkloadState) -> str:
    """Why the pods of the newest template cannot be told from others yet; empty: they can."""
    target = state.workload.target
    if not state.observed:
        return f"The controller of {target} has not seen its newest change"
    if state.current is None:
        return f"{target} has no {'pods of its newest template, since it is paused' if state.paused else 'revision of its newest template'}"
    return "" if state.updated or not state.wanted else f"{target} has no pod of its newest template"


def rollout_not_seen(state: RolloutState) -> str:
    """The same of a Rollout."""
    target = f"rollout:{state.name.shown}"
    return f"The controller of {target} has not seen its newest change" if not state.current or state.phase is RolloutPhase.OBSERVING else ""


def canary_not_seen(state: FlaggerState) -> str:
    """The same of a Canary: Flagger looks for a new version once in each interval of its analysis."""
    waits = state.same is False and not state.coming and state.phase not in PROMOTING
    return f"canary:{state.name.shown}: Flagger has not begun to bring in what its target asks for ({state.word or 'new'})" if waits else ""


def images_of(pods: Pods, target: str) -> tuple[str, str]:
    """The images of the new and the old version that have pods; empty where there is none."""
    versions = pods.versions(target)
    old = next((each for each in versions.old if each.names), None)
    return _shown(versions.new) if versions.new else "", _shown(old) if old else ""


def of_workload(pods: Pods, target: str) -> InCluster:
    """A Deployment, StatefulSet, DaemonSet or Rollout. Raises ServiceError, Unavailable where it has no pod of the version that it asks for."""
    versions = pods.versions(target)
    if versions.new is None or not versions.new.names:
        raise Unavailable(f"{target} has no pod of the version that it asks for, so there is nothing to judge yet; see `kubectl describe`.")
    new, old = versions.new, next((each for each in versions.old if each.names), None)
    namespace, every = f'namespace="{escaped(versions.namespace)}"', f'pod=~"{_every(target)}"'

    def seen() -> BothPods:
        there = pods.pods(target)
        return tuple(pod for pod in there if pod.version == new.version), tuple(pod for pod in there if old is not None and pod.version == old.version)

    return InCluster(
        new.version, Sides(f'pod=~"{new.pattern}"', f'pod=~"{old.pattern}"' if old else every, namespace), _shown(new), _shown(old) if old else "",
        _began(seen()[0]), old is not None, seen, f"{namespace},{every}", new.lasting, _notes(versions, target),
    )  # fmt: skip


def of_canary(flagger: Flagger, pods: Pods, name: str, clock: Clock) -> InCluster:
    """A Canary of Flagger: its target against the primary. Raises UsageError where no version is on its way in, and ServiceError."""
    place = ObjectName.of(name, "a Canary")
    wait_until_seen(lambda: canary_not_seen(flagger.state(place)), clock)
    state = flagger.state(place)
    found = sides(state)
    if found is None or state.target is None:
        raise UsageError(f"canary:{name}: Flagger has no version on its way in, so there is nothing to judge.")
    kind, namespace = state.target_kind.lower(), state.name.namespace
    targets = f"{kind}:{namespace}/{state.target.name}", f"{kind}:{namespace}/{state.target.name}-primary"
    new = pods.versions(targets[0]).new
    if new is None or not new.names:
        raise Unavailable(f"canary:{name}: its target has no pod of the version that it asks for, so there is nothing to judge yet; see `kubectl describe`.")

    def seen() -> BothPods:
        return tuple(pod for pod in pods.pods(targets[0]) if pod.version == new.version), pods.pods(targets[1])

    primary = state.primary.images if state.primary else ()
    return InCluster(
        new.version, Sides(f'pod=~"{new.pattern}"', found.baseline, found.common), _shown(new), " ".join(primary)[:300], _began(seen()[0]), True, seen,
        f'{found.common},pod=~"{_every(targets[0])}|{_every(targets[1])}"',
    )  # fmt: skip


def _every(target: str) -> str:
    """The pods of all versions of a target."""
    kind, _, place = target.partition(":")
    name = place.rpartition("/")[2]
    return f"{escaped(name)}{_ENDINGS.get(kind, _OF_SETS)}" if len(name) <= _LONGEST else f"{escaped(name[:_LONGEST])}.*"


def _began(pods: tuple[PodState, ...]) -> float | None:
    return min((pod.started for pod in pods if pod.started is not None), default=None)


def _shown(version: PodsVersion) -> str:
    return " ".join(version.images)[:300] or version.version


def _notes(versions: PodsVersions, target: str) -> tuple[str, ...]:
    several = [each for each in versions.old if each.names]
    return (f"{target} has pods of {len(several)} older versions; the newest of them is the baseline.",) if len(several) > 1 else ()
