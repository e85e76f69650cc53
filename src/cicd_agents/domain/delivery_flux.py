"""Flux in our words: a Kustomization or HelmRelease, the image automations that write to its source, and the port that reads and changes them.

Source of the names: Flux docs, "Kustomization" and "HelmRelease" API references; fluxcd/pkg, apis/meta.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cicd_agents.domain.delivery_objects import ObjectName


class FluxKind(StrEnum):
    """What reconciles: the values are those of targets."""

    KUSTOMIZATION = "kustomization"
    HELM_RELEASE = "helmrelease"

    @property
    def shown_kind(self) -> str:
        """The kind as Flux writes it."""
        return "Kustomization" if self is FluxKind.KUSTOMIZATION else "HelmRelease"


@dataclass(frozen=True, slots=True)
class FluxTarget:
    """One of them: `kustomization:NS/NAME`, `helmrelease:NS/NAME`."""

    kind: FluxKind
    name: ObjectName

    @property
    def shown(self) -> str:
        """The target as settings name it."""
        return f"{self.kind}:{self.name.shown}"


@dataclass(frozen=True, slots=True)
class HelmSnapshot:
    """A release of a chart, as `status.history` tells. `version` counts releases; `status` is Helm's word, such as deployed, superseded, failed."""

    version: int
    chart: str
    status: str
    deployed: float | None
    app_version: str = ""

    @property
    def good(self) -> bool | None:
        """Whether it was deployed once; None for a word that does not tell."""
        return {"deployed": True, "superseded": True, "failed": False}.get(self.status)


@dataclass(frozen=True, slots=True)
class ImageAutomation:
    """An ImageUpdateAutomation; `ours`: we suspended it. `api` is the version that the cluster serves it in."""

    name: ObjectName
    suspended: bool
    ours: bool
    api: str


@dataclass(frozen=True, slots=True)
class FluxState:
    """How a target stands. `ready` is its condition (None: unknown, or not told), with `reason` and `message`.

    `observed`: the controller has seen the newest spec; while suspended it does not look. `revision` is the last applied one, `attempted` the last tried.
    `handled` is the token of the last request that was handled. `remediation` says what Helm does by itself.
    `stalled`: why the controller has given up, empty: it has not. `source_revision`: what the source holds now, empty where that is not told.
    """

    target: FluxTarget
    suspended: bool
    ours: bool
    ready: bool | None
    reason: str
    message: str
    reconciling: bool
    observed: bool
    revision: str
    attempted: str
    handled: str
    source: ObjectName | None
    automations: tuple[ImageAutomation, ...] = ()
    history: tuple[HelmSnapshot, ...] = ()
    remediation: str = ""
    stalled: str = ""
    source_revision: str = ""
    notes: tuple[str, ...] = ()


def would_come_back(state: FluxState) -> bool:
    """Whether a Kustomization that is resumed would apply just what it applied, or tried to, last; of a HelmRelease that cannot be seen."""
    last = state.attempted or state.revision
    return state.target.kind is FluxKind.KUSTOMIZATION and bool(last) and state.source_revision == last


class Flux(Protocol):
    """The Flux of a cluster. The writes look first and answer False where nothing was to be done; all raise ServiceError."""

    def state(self, target: FluxTarget) -> FluxState:
        """How a target stands. Raises UsageError where there is none."""
        ...

    def missing_rights(self, state: FluxState) -> tuple[str, ...]:
        """Which rights the credential has not, in sentences."""
        ...

    def suspend(self, target: FluxTarget, suspend: bool) -> bool:
        """Suspend it and mark that it was us, or resume what bears that mark."""
        ...

    def suspend_automation(self, automation: ImageAutomation, suspend: bool) -> bool:
        """The same for an image automation."""
        ...

    def request(self, target: FluxTarget, token: str) -> bool:
        """Ask for a reconciliation now, by a token; False where that token was handled."""
        ...
