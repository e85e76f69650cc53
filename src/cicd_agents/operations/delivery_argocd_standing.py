"""How an application of Argo CD stands, for a rollback: what runs, which earlier deployment is known to be good, and why not to act now. Pure.

Argo CD's history does not say whether a deployment was good. Here one is known to be good when it stayed for a while (`good_seconds`) and nobody went back from
it to an earlier one. The last entry is what runs: a rollback does not change what Git states, so `status.sync` speaks of Git.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cicd_agents.domain.delivery_argocd import Application, AppOperation, Deployed, HistoryEntry
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision

# Argo CD's words (swagger, operationState.phase; docs, operator-manual/health).
ACTIVE, FAILED, SUCCEEDED = ("Running", "Terminating"), ("Failed", "Error"), "Succeeded"
_HEALTHY, _PROGRESSING = "Healthy", "Progressing"
_NOT_HEALTHY = ("Degraded", "Progressing", "Suspended", "Missing")


@dataclass(frozen=True, slots=True)
class Rights:
    """What the credential may do; None: not known."""

    sync: bool | None = None
    rollback: bool | None = None
    update: bool | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How a rollback goes about it. `good_seconds`: how long a good deployment must have stayed. `prune`: what the earlier version lacks is deleted.

    `allow_owned`: also where an ApplicationSet or application makes this one; `terminate`: an operation that runs is ended.
    """

    good_seconds: float = 3600.0
    allow_owned: bool = False
    terminate: bool = False
    prune: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """Entries in a row that deployed the same; `stayed` in seconds, None where it still runs or that is not told."""

    entry: HistoryEntry
    since: float | None
    stayed: float | None


def standing_of(target: str, app: Application, habits: Habits, rights: Rights, now: float) -> DeliveryStanding:
    """The standing in the words of all tools."""
    spans = _spans(app.history, now)
    tried = _tried(app)
    current = _current(spans, tried, app)
    bad, good = _verdicts(spans, habits.good_seconds, current.id if current else "")
    left = {app.paused.left: app.paused.images} if app.paused else {}
    earlier = tuple(_known(span, bad, good, left) for span in reversed(spans if tried else spans[:-1]))
    running = _running(app)
    known_good = next((one for one in earlier if one.good and current is not None and one.id != current.id and one.id.partition("/")[2]), None)
    return DeliveryStanding(
        target, current, known_good, earlier, healthy=_healthy(app), settled=not running and app.health != _PROGRESSING, failed=_failed(app),
        health=f"{app.health}{f': {app.health_message}' if app.health_message else ''}", obstacles=_obstacles(app, habits, rights), notes=_notes(app, habits),
    )  # fmt: skip


def serving(app: Application) -> Deployed | None:
    """What runs, or is tried: what a sync brings or failed to bring, else what the history ends with; None where neither is known."""
    return _tried(app) or (app.history[-1].what if app.history else None)


def entry_of(history: Sequence[HistoryEntry], key: str) -> HistoryEntry | None:
    """The newest entry that deployed this (domain.delivery_argocd.Deployed.key) and that Argo CD can go to."""
    return next((one for one in reversed(history) if one.what.source and one.what.key == key), None)


def going_to(operation: AppOperation | None) -> Deployed | None:
    """What a rollback that runs goes to; None where none runs."""
    runs = operation is not None and operation.phase in ACTIVE and operation.own_source and operation.whole
    return operation.what if operation is not None and runs else None


def _spans(history: Sequence[HistoryEntry], now: float) -> list[_Span]:
    spans: list[_Span] = []
    for entry in history:
        if spans and spans[-1].entry.what.key == entry.what.key:
            spans[-1] = _Span(entry, spans[-1].since, None)
            continue
        if spans:
            spans[-1] = _Span(spans[-1].entry, spans[-1].since, _between(spans[-1].since, entry.deployed))
        spans.append(_Span(entry, entry.deployed, None))
    if spans:
        spans[-1] = _Span(spans[-1].entry, spans[-1].since, _between(spans[-1].since, now))
    return spans


def _between(start: float | None, end: float | None) -> float | None:
    return end - start if start is not None and end is not None else None


def _verdicts(spans: Sequence[_Span], least: float, current: str) -> tuple[frozenset[str], frozenset[str]]:
    """The keys that somebody went back from, and those that are known to be good. Going back to one that was left so before is no verdict on the other."""
    keys, bad = [span.entry.what.key for span in spans], set[str]()
    for index, following in enumerate(keys[1:]):
        if following in keys[: index + 1] and following not in bad:
            bad.add(keys[index])
    stayed = {key for key, span in zip(keys, spans, strict=True) if span.stayed is not None and span.stayed >= least}
    return frozenset(bad), frozenset(stayed - bad - {current})


def _known(span: _Span, bad: frozenset[str], good: frozenset[str], images: Mapping[str, Sequence[str]]) -> KnownRevision:
    key, entry = span.entry.what.key, span.entry
    verdict = False if key in bad else True if key in good else None
    stayed = f"it stayed for {span.stayed / 60:.0f} minutes" if span.stayed is not None else "it is not told how long it stayed"
    return KnownRevision(
        key, _version(entry.what, entry.id, images.get(key, ())), span.since, verdict, "it was rolled back from" if verdict is False else stayed
    )


def _version(what: Deployed, history: int | None, images: Sequence[str] = ()) -> str:
    number = f" history={history}" if history is not None else ""
    return f"{', '.join(what.revisions)}{number}{''.join(f' {image}' for image in images)}"


def _tried(app: Application) -> Deployed | None:
    """What a sync tries or failed to bring, where that is not what the history ends with; a rollback that runs is told by what it left."""
    operation = app.operation
    if operation is None or operation.what is None or operation.own_source or not operation.whole or operation.phase not in (*ACTIVE, *FAILED):
        return None
    last = app.history[-1].what if app.history else None
    return operation.what if last is None or operation.what.revisions != last.revisions else None


def _current(spans: Sequence[_Span], tried: Deployed | None, app: Application) -> KnownRevision | None:
    if tried is not None:
        return KnownRevision(tried.key, _version(tried, None, app.images), app.operation.began if app.operation else None, None, "its sync did not succeed")
    if not spans:
        return None
    entry = spans[-1].entry
    return KnownRevision(entry.what.key, _version(entry.what, entry.id, app.images), spans[-1].since, None, "it was synced last")


def _running(app: Application) -> bool:
    return app.operation is not None and app.operation.phase in ACTIVE


def _healthy(app: Application) -> bool | None:
    return True if app.health == _HEALTHY else False if app.health in _NOT_HEALTHY else None


def _failed(app: Application) -> str:
    operation = app.operation
    if operation is None or operation.phase not in FAILED:
        return ""
    return f"Its last sync {operation.phase.lower()}{f': {operation.message}' if operation.message else ''}."


def _obstacles(app: Application, habits: Habits, rights: Rights) -> tuple[str, ...]:
    found = []
    if _running(app) and going_to(app.operation) is None and not habits.terminate:
        found.append("Another operation of Argo CD is running; wait for its end, or have it ended (argocd-terminate).")
    if rights.sync is False and rights.rollback is not True:
        found.append("The token lacks the right `applications, sync` on it.")
    if app.auto_sync and rights.update is False:
        found.append("Automated sync is on, and the token lacks the right `applications, update` to switch it off.")
    if app.auto_sync and app.owner and not habits.allow_owned:
        found.append(f"It is made by the {app.owner}, which puts automated sync back and so the bad version: revert in Git, or allow it (argocd-owned).")
    return tuple(found)


def _notes(app: Application, habits: Habits) -> tuple[str, ...]:
    found = []
    if app.paused is not None and not app.auto_sync:
        found.append("Automated sync was switched off by an earlier rollback; it is to be switched on again when Git holds the good version.")
    if app.owner and (habits.allow_owned or not app.auto_sync):
        found.append(f"It is made by the {app.owner}, which may put automated sync back.")
    if app.perhaps_owner:
        found.append(f"It may be made by the {app.perhaps_owner}, which would put automated sync back.")
    if going_to(app.operation) is not None:
        found.append("A rollback is running.")
    return tuple(found)
