"""`cicd-agents guardian backtest`: past releases from a file or the memory, replayed on the metrics that the server still has, or on recorded samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cicd_agents.agents.guardian_backtest import PastRelease, backtest, told
from cicd_agents.agents.guardian_metrics import MetricsAsk, gather
from cicd_agents.analysis.canary.observing.ask import shift_before
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.samples_file import read_samples_file
from cicd_agents.domain.canary import CanaryPolicy, Decision, Observation
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import Sides
from cicd_agents.domain.history import PastDecision
from cicd_agents.domain.verdict import EXIT_PASS, EXIT_UNDECIDED
from cicd_agents.report.escape import plain, workflow_safe
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.guardian_given import rules_of
from cicd_agents.wiring.guardian_scene import moment_of, named
from cicd_agents.wiring.guardian_sources import Sources
from cicd_agents.wiring.memory import has_memory, open_memory

if TYPE_CHECKING:
    from cicd_agents.wiring.world import World

MOST_RELEASES = 200
_SAME_RELEASE = 3600
_KEYS = frozenset({"name", "at", "minutes", "canary", "baseline", "common", "samples", "good"})


def run_backtest(file: str | None, settings: Settings, context: RunContext, world: World) -> int:
    """Replay and print; the exit code: 0, or 3 where no release could be seen. Raises UsageError where there is nothing to replay."""
    rules = rules_of(settings, context)
    minutes = sum(stage.minutes for stage in rules.policy.stages)
    with ExitStack() as stack:
        sources = Sources(settings, world, Budget(world.clock, settings.time_limit), stack)
        releases = _of_file(Path(file), world.clock.now(), minutes, rules.policy) if file else _of_memory(settings, context, world, minutes)
        store = None if all(release.samples for release in releases) else sources.metrics()

        def observe(release: PastRelease) -> Observation:
            if store is None or release.samples:
                return read_samples_file(Path(release.samples), rules.policy).observation
            shift = 0.0 if release.sides.baseline else shift_before(release.since, release.until)
            ask = MetricsAsk(release.sides, release.until, release.since, rules.policy, own=rules.own, shift=shift)
            return gather(store, ask).observation

        found = backtest(releases, observe, rules.policy)
    text = told(found)
    world.out(workflow_safe(plain(world.redactor.redact(text).text, 200_000)))
    return EXIT_PASS if found.seen else EXIT_UNDECIDED


def _of_file(path: Path, now: float, minutes: float, policy: CanaryPolicy) -> tuple[PastRelease, ...]:
    from cicd_agents.clients.guardian_files import read_list_file

    entries = read_list_file(path)
    if not entries or len(entries) > MOST_RELEASES:
        raise UsageError(f"{path}: 1 to {MOST_RELEASES} releases are expected, each a mapping with `at` and `canary`, or with `samples`.")
    return tuple(_release(entry, _Place(path.parent, f"{path}, release {number}"), now, minutes, policy) for number, entry in enumerate(entries, 1))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry stands: the folder of its file, and what is said of it to people."""

    folder: Path
    where: str


def _release(entry: Mapping[str, Any], place: _Place, now: float, minutes: float, policy: CanaryPolicy) -> PastRelease:
    where = place.where
    unknown = sorted(set(map(str, entry)) - _KEYS)
    if unknown:
        raise UsageError(f"{where}: {unknown[0][:60]!r} is not known; there are {', '.join(sorted(_KEYS))}.")
    length, good = entry.get("minutes", minutes), entry.get("good")
    if isinstance(length, bool) or not isinstance(length, int | float) or not 1 <= length <= 1440:
        raise UsageError(f"{where}: `minutes` must be 1 to 1440.")
    if not isinstance(good, bool | None):
        raise UsageError(f"{where}: `good` must be true or false.")
    if entry.get("samples") is not None:
        return _recorded(entry, place, length, good, policy)
    since = _moment(entry.get("at"), where, now)
    sides = Sides(*(_text(entry, key, where) for key in ("canary", "baseline", "common")))
    if not (sides.canary or sides.common):
        raise UsageError(f"{where}: `canary` is missing: PromQL matchers of the new version (or `samples`: a file that record-samples kept).")
    return PastRelease(_text(entry, "name", where) or str(entry["at"]), since, min(now, since + 60 * length), sides, good)


def _recorded(entry: Mapping[str, Any], place: _Place, minutes: float, good: bool | None, policy: CanaryPolicy) -> PastRelease:
    """A release whose samples were kept; the file lies beside the list, and tells when it began and until when it was seen."""
    beside = sorted(set(entry) & {"at", "canary", "baseline", "common"})
    if beside:
        raise UsageError(f"{place.where}: `{beside[0]}` and `samples` exclude each other: the recorded samples tell it.")
    path = place.folder / _text(entry, "samples", place.where)
    recorded = read_samples_file(path, policy)
    since = recorded.observation.since
    if since is None:
        raise UsageError(f"{path}: `since` is missing: when the version began to serve.")
    until = min(recorded.now, since + 60 * minutes)
    return PastRelease(_text(entry, "name", place.where) or path.name, since, until, Sides("", ""), good, str(path))


def _moment(at: object, where: str, now: float) -> float:
    try:
        since = moment_of("" if at is None else str(at), now)
    except UsageError:
        raise UsageError(f"{where}: `at` is {str(at)[:40]!r}, which is no time in the past; write it in ISO 8601, such as 2026-03-01T10:00:00Z.") from None
    if since is None:
        raise UsageError(f"{where}: `at` is missing: when the version began to serve, in ISO 8601.")
    return since


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{where}: `{key}` must be a text.")
    return value or ""


def _of_memory(settings: Settings, context: RunContext, world: World, minutes: float) -> tuple[PastRelease, ...]:
    if not has_memory(settings):
        raise UsageError("Nothing says which releases were: give a file by --releases, or the memory by history.")
    with open_memory(settings, Path(context.workspace or "."), world, writable=False) as memory:
        known = memory.decisions(context.repository, *named(settings, context), MOST_RELEASES)
    found = _first_of_each(known, minutes, world.clock.now())
    if not found:
        raise UsageError("The memory holds no decision with selectors for this service and environment; give a file by --releases.")
    return found


def _first_of_each(known: Sequence[PastDecision], minutes: float, now: float) -> tuple[PastRelease, ...]:
    """One release for each version and beginning. What was rolled back then is taken for bad, which is a guess: a false alarm is in it too."""
    found: dict[tuple[str, int], PastRelease] = {}
    for one in known:
        if one.canary or one.common:
            # "20 minutes ago", said by two jobs, is not the same second.
            key = (one.version, int(one.since // _SAME_RELEASE))
            was_bad = one.decision == Decision.ROLLBACK or (key in found and found[key].good is False)
            sides = Sides(one.canary, one.baseline, one.common)
            until = min(now, one.since + 60 * minutes)
            found[key] = PastRelease(one.version or f"{one.since:.0f}", one.since, until, sides, False if was_bad else None)
    return tuple(found.values())
