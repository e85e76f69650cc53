"""From the answers about both sides to the Observation that is judged (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cicd_agents.analysis.canary.history import shifted
from cicd_agents.analysis.canary.observing.ask import MetricsAsk
from cicd_agents.analysis.canary.observing.plan import BASELINE, CANARY
from cicd_agents.analysis.canary.observing.shares import before_the_switch, share_of
from cicd_agents.analysis.canary.observing.versions import Answers, Told, version_of
from cicd_agents.analysis.canary.packs.choice import Choice
from cicd_agents.domain.canary import Observation, Samples, Version
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.guardian import MetricsAnswer, Sampled

PREVIEW = "users do not reach the new version yet: its requests are those of smoke tests and health checks only"


def observed(answers: Mapping[str, Answers], choice: Choice, ask: MetricsAsk, warnings: Iterable[str] = ()) -> tuple[Observation, tuple[str, ...]]:
    """The observation, and notes on how it was made. `answers` are those of each side, by role. Raises UsageError where both sides are the same series."""
    told = Told(warnings=list(warnings))
    sides = dict(answers) if ask.shift > 0 else _apart(answers, told)
    versions = {side: version_of(side, sides.get(side, {}), choice, ask, told) for side in (CANARY, BASELINE)}
    share = ask.share or _share(versions[CANARY], versions[BASELINE], ask, told)
    if ask.preview and not (share and share[-1][1] > 0):
        told.warnings.append(PREVIEW)
    seen = Observation(versions[BASELINE], versions[CANARY], ask.since, share, warnings=tuple(dict.fromkeys(told.warnings)))
    return (before(seen, versions[BASELINE], ask.shift) if ask.shift > 0 else seen), tuple(dict.fromkeys(told.notes))


def before(observation: Observation, earlier: Version, seconds: float) -> Observation:
    """The observation with a baseline of so many seconds earlier, moved onto the canary's time: for rolling updates and 100 %, where none runs beside it."""
    return replace(observation, baseline=shifted(earlier, seconds), concurrent=False, moved=seconds)


def _share(canary: Version, baseline: Version, ask: MetricsAsk, told: Told) -> Samples:
    if ask.preview:
        return before_the_switch(canary, baseline, ask)
    if ask.shift > 0 or ask.since is None:
        return ()
    share = share_of(canary, baseline, ask.since, ask.now, ask.policy)
    if share:
        told.notes.append(f"the canary's share of the traffic, {100 * share[-1][1]:.0f} %, is computed from the requests that both versions counted")
    return share


def _apart(answers: Mapping[str, Answers], told: Told) -> dict[str, Answers]:
    """The sides without series that both selected: matchers such as app="api" for the baseline hold the canary's pods too."""
    result: dict[str, dict[str, MetricsAnswer]] = {side: dict(answers.get(side, {})) for side in (CANARY, BASELINE)}
    left_out: dict[str, int] = {CANARY: 0, BASELINE: 0}
    for role in [role for role in result[CANARY] if role in result[BASELINE] and not role.startswith("value ")]:
        keys = {side: {_key(item) for item in result[side][role].series} for side in result}
        shared = keys[CANARY] & keys[BASELINE]
        if not shared:
            continue
        if role == "requests" and keys[CANARY] == keys[BASELINE]:
            raise UsageError("canary-selector and baseline-selector select the very same series: both versions would be the same.")
        side = BASELINE if len(keys[BASELINE]) >= len(keys[CANARY]) else CANARY
        answer = result[side][role]
        result[side][role] = replace(answer, series=tuple(item for item in answer.series if _key(item) not in shared))
        left_out[side] += len(shared)
    told.notes += [f"{side}: {number} series are the other version's too and were left out of it" for side, number in left_out.items() if number]
    return {side: dict(of_side) for side, of_side in result.items()}


def _key(item: Sampled) -> frozenset[tuple[str, str]]:
    return frozenset(item.labels.items())
