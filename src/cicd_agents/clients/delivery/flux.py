"""Flux through the API of its cluster: read, suspend, resume, ask for a reconciliation.

What we suspend bears an annotation, written in the same patch, so that nothing else is ever resumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cicd_agents.clients.delivery import flux_shapes as shapes
from cicd_agents.clients.delivery.cluster_objects import list_path, missing_rights, object_path, read
from cicd_agents.clients.delivery.object_shapes import annotation, status_of
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.cluster import Cluster, PatchForm
from cicd_agents.domain.delivery_flux import FluxKind, FluxState, FluxTarget, ImageAutomation
from cicd_agents.domain.delivery_objects import SUSPENDED_BY_US, ObjectName
from cicd_agents.domain.errors import NotAllowed, NotFound, UsageError

# Group, versions from the newest, plural.
_KINDS = {
    FluxKind.KUSTOMIZATION: ("kustomize.toolkit.fluxcd.io", ("v1", "v1beta2"), "kustomizations"),
    FluxKind.HELM_RELEASE: ("helm.toolkit.fluxcd.io", ("v2", "v2beta2", "v2beta1"), "helmreleases"),
}
_IMAGE_GROUP, _IMAGE_VERSIONS, _AUTOMATIONS = "image.toolkit.fluxcd.io", ("v1", "v1beta2", "v1beta1"), "imageupdateautomations"

_SOURCE_GROUP, _SOURCE_VERSIONS = "source.toolkit.fluxcd.io", ("v1", "v1beta2")
_SOURCES = {shapes.GIT_REPOSITORY: "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}


class FluxObjects:
    """The Flux of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._versions: dict[FluxKind, str] = {}

    def state(self, target: FluxTarget) -> FluxState:
        """How a target stands, with the image automations that write to its Git source. Raises UsageError where there is none."""
        data = self._read(target)
        source, notes = self._source(target, data)
        automations, more = self._automations(source.name) if source.name and source.kind == shapes.GIT_REPOSITORY else ((), ())
        return shapes.state(target, data, source, automations, (*notes, *more))

    def missing_rights(self, state: FluxState) -> tuple[str, ...]:
        """Which rights the credential has not."""
        group, _, plural = _KINDS[state.target.kind]
        found = missing_rights(self._cluster, state.target.name, [("patch", group, plural)])
        more = (text for each in state.automations for text in missing_rights(self._cluster, each.name, [("patch", _IMAGE_GROUP, _AUTOMATIONS)]))
        return tuple(dict.fromkeys((*found, *more)))

    def suspend(self, target: FluxTarget, suspend: bool) -> bool:
        """Suspend it with our mark, or resume what bears that; False where it is so."""
        data = self._read(target)
        return self._switch(self._path(target), data, suspend)

    def suspend_automation(self, automation: ImageAutomation, suspend: bool) -> bool:
        """The same for an image automation; one that is gone is as good as suspended."""
        path = object_path(f"{_IMAGE_GROUP}/{automation.api}", _AUTOMATIONS, automation.name)
        try:
            data = Shape.of(self._cluster.read(path), f"Flux: the image automation {automation.name.shown}")
        except NotFound:
            return False
        return self._switch(path, data, suspend)

    def request(self, target: FluxTarget, token: str) -> bool:
        """Ask for a reconciliation; False where that token was handled."""
        data = self._read(target)
        if status_of(data).text("lastHandledReconcileAt", "") == token:
            return False
        if annotation(data, shapes.REQUESTED_AT) != token:
            self._patch(self._path(target), {"metadata": {"annotations": {shapes.REQUESTED_AT: token}}})
        return True

    def _switch(self, path: str, data: Shape, suspend: bool) -> bool:
        suspended, ours = data.inner("spec").flag("suspend"), annotation(data, SUSPENDED_BY_US) is not None
        if suspend and suspended:
            return False
        if not suspend and not ours:
            return False
        # Removed, not set to false: what Git may say then holds again (Flux docs, "Resume a Kustomization").
        wanted = (True, "true") if suspend else (None, None)
        self._patch(path, {"metadata": {"annotations": {SUSPENDED_BY_US: wanted[1]}}, "spec": {"suspend": wanted[0]}})
        return True

    def _patch(self, path: str, body: Mapping[str, Any]) -> None:
        self._cluster.patch(path, body, PatchForm.MERGE)

    def _path(self, target: FluxTarget) -> str:
        group, versions, plural = _KINDS[target.kind]
        return object_path(f"{group}/{self._versions.get(target.kind, versions[0])}", plural, target.name)

    def _read(self, target: FluxTarget) -> Shape:
        """The object, in the newest version that the cluster serves, which is remembered."""
        group, versions, plural = _KINDS[target.kind]
        where = f"Flux: the {target.kind.shown_kind} {target.name.shown}"
        missing = f"{where} is not there, or Flux is not installed: check the target `{target.shown}`"
        if target.kind in self._versions:
            return read(self._cluster, self._path(target), where, missing)
        for version in versions[:-1]:
            try:
                data = Shape.of(self._cluster.read(object_path(f"{group}/{version}", plural, target.name)), where)
            except NotFound:
                continue
            self._versions[target.kind] = version
            return data
        self._versions[target.kind] = versions[-1]
        try:
            return read(self._cluster, self._path(target), where, missing)
        except UsageError:
            del self._versions[target.kind]
            raise

    def _source(self, target: FluxTarget, data: Shape) -> tuple[shapes.Source, tuple[str, ...]]:
        """The source that says what is deployed: of a HelmRelease that of the Kustomization that applied it. Notes where it cannot be told."""
        holder = data
        if target.kind is FluxKind.HELM_RELEASE:
            owner = shapes.owner_of(data)
            if owner is None:
                return shapes.Source(), ("No Kustomization applied this HelmRelease, so image automations that write to its source are not looked for.",)
            try:
                holder = self._read(FluxTarget(FluxKind.KUSTOMIZATION, owner))
            except (UsageError, NotAllowed) as problem:
                return shapes.Source(), (f"Image automations that write to its source are not looked for: {problem}",)
        found = shapes.source_of(holder)
        return (shapes.Source(*found, self._source_revision(*found)) if found else shapes.Source()), ()

    def _source_revision(self, kind: str, name: ObjectName) -> str:
        """What a source holds now; empty where that is not told."""
        for version in _SOURCE_VERSIONS:
            try:
                found = self._cluster.read(object_path(f"{_SOURCE_GROUP}/{version}", _SOURCES[kind], name)) if kind in _SOURCES else {}
            except NotFound:
                continue
            except NotAllowed:
                return ""
            return shapes.revision_of(Shape.of(found, f"Flux: the {kind} {name.shown}"))
        return ""

    def _automations(self, source: ObjectName) -> tuple[tuple[ImageAutomation, ...], tuple[str, ...]]:
        """Those that write to the source, in all namespaces where that may be asked, else in the source's own."""
        try:
            return tuple(self._writing_to(source, "")), ()
        except NotAllowed:
            pass
        try:
            found = tuple(self._writing_to(source, source.namespace))
        except NotAllowed as problem:
            return (), (f"Image automations cannot be listed, so one may commit the bad image again: {problem}",)
        return found, (f"Image automations were only looked for in {source.namespace}; those of other namespaces cannot be listed with this credential.",)

    def _writing_to(self, source: ObjectName, namespace: str) -> Iterator[ImageAutomation]:
        for version in _IMAGE_VERSIONS:
            try:
                listed = list(self._cluster.listed(list_path(f"{_IMAGE_GROUP}/{version}", _AUTOMATIONS, namespace)))
            except NotFound:
                continue
            for each in listed:
                found, written = shapes.automation(Shape.of(each, "Flux: an image automation"), version)
                if written == (shapes.GIT_REPOSITORY, source):
                    yield found
            return
