"""Kubeconfig files: read, merged as kubectl does, and the context that is meant.

Source: Kubernetes docs, "Organizing Cluster Access Using kubeconfig Files" (the first file that names something wins, paths are relative to their file) and
reference/config-api/kubeconfig.v1. What would silently act as somebody else, or by a way that is gone, is refused.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cicd_agents.clients.http import Tls
from cicd_agents.domain.errors import UsageError

MOST = 1 << 20
_GONE = (
    ("auth-provider", "is gone from Kubernetes: use the exec plugin of your cloud (`gke-gcloud-auth-plugin`, `kubelogin`) or a token"),
    ("username", "and `password` are gone from Kubernetes: use a token or a client certificate"),
    ("as", "acts as somebody else, which is not done here: use a credential with just the rights that are needed"),
    ("as-uid", "acts as somebody else, which is not done here"),
    ("as-groups", "acts as somebody else, which is not done here"),
    ("as-user-extra", "acts as somebody else, which is not done here"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A named part of a kubeconfig and the file that it stands in."""

    data: Mapping[str, Any] = field(repr=False)
    file: Path

    def text(self, key: str) -> str:
        """A text, empty where there is none. Raises UsageError for something else."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        raise UsageError(f"{self.file}: `{key}` should be a text.")

    def path(self, key: str) -> str:
        """A path, seen from the folder of the file."""
        value = self.text(key)
        return str(self.file.parent / value) if value else ""

    def pem(self, key: str) -> str:
        """Data in base64."""
        value = self.text(key)
        try:
            return base64.b64decode("".join(value.split()), validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            raise UsageError(f"{self.file}: `{key}` is not base64 of a PEM text.") from None


@dataclass(frozen=True, slots=True)
class Command:
    """A plugin that gives a credential: its words, further environment variables, the API version that it speaks, and how to install it."""

    words: tuple[str, ...] = field(repr=False)
    variables: tuple[tuple[str, str], ...] = field(repr=False)
    api_version: str
    hint: str = ""
    cluster_wanted: bool = False

    @property
    def shown(self) -> str:
        """The program, without its arguments, which may hold secrets."""
        return self.words[0]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The cluster and the user of one context."""

    context: str
    cluster: Entry
    user: Entry
    user_name: str
    namespace: str

    @property
    def where(self) -> str:
        """For messages."""
        return f"context {self.context} of {self.cluster.file}"

    @property
    def server(self) -> str:
        """The address of the API server."""
        return self.cluster.text("server")

    def tls(self, advice: str) -> Tls:
        """How the server is checked and what certificate is shown; data win over files, as kubectl has it."""
        return Tls(
            self.cluster.path("certificate-authority"), self.cluster.pem("certificate-authority-data"), self.user.path("client-certificate"),
            self.user.path("client-key"), self.user.pem("client-certificate-data"), self.user.pem("client-key-data"),
            self.cluster.text("tls-server-name"), advice,
        )  # fmt: skip

    @property
    def insecure(self) -> bool:
        """Whether it says to trust whoever answers."""
        return self.cluster.data.get("insecure-skip-tls-verify") is True

    def token(self) -> str:
        """The token that stands in the file itself; a `tokenFile` beside it wins."""
        return "" if self.user.text("tokenFile") else self.user.text("token").strip()

    def token_file(self) -> Path | None:
        """The file with the token."""
        path = self.user.path("tokenFile")
        return Path(path) if path else None

    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return tuple(filter(None, (self.user.text("token").strip(), self.user.text("client-key-data"))))

    def cluster_info(self) -> Mapping[str, Any]:
        """What a plugin may ask to know (client.authentication.k8s.io, `Cluster`)."""
        known = {
            "server": self.server, "tls-server-name": self.cluster.text("tls-server-name"),
            "certificate-authority-data": self.cluster.text("certificate-authority-data"),
        }  # fmt: skip
        return {key: value for key, value in known.items() if value}

    def command(self) -> Command | None:
        """The plugin that gives the credential. Raises UsageError for one that cannot be run here."""
        found = self.user.data.get("exec")
        if found is None:
            return None
        if not isinstance(found, Mapping):
            raise UsageError(f"{self.where}: `exec` should be an object.")
        entry = Entry(found, self.user.file)
        version = entry.text("apiVersion")
        if version not in ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"):
            raise UsageError(f"{self.where}: its plugin speaks {version[:60] or 'no version'}, which is not known; v1 or v1beta1 is. Update the plugin.")
        if entry.text("interactiveMode") == "Always":
            raise UsageError(f"{self.where}: its plugin asks a person (interactiveMode: Always), and here is none. Use another user.")
        program, words = entry.text("command"), _texts(found.get("args"))
        if not program or words is None:
            raise UsageError(f"{self.where}: `exec` needs a `command`, and `args` that are texts.")
        # A path is meant relative to the file; a bare name is looked for in PATH.
        program = str(self.user.file.parent / program) if os.sep in program else program
        return Command((program, *words), _pairs(found.get("env")), version, entry.text("installHint"), found.get("provideClusterInfo") is True)


def files(named: str) -> tuple[Path, ...]:
    """The files of a KUBECONFIG list."""
    return tuple(dict.fromkeys(Path(part).absolute() for part in named.split(os.pathsep) if part))


def read(paths: Sequence[Path], context: str) -> Chosen:
    """The cluster and user of a context, the current one where it is not named. Files that are not there are passed over. Raises UsageError."""
    loaded = [(path, _loaded(path)) for path in paths if path.exists()]
    shown = ", ".join(str(path) for path, _ in loaded)
    wanted = context or next((str(data["current-context"]) for _, data in loaded if data.get("current-context")), "")
    if not wanted:
        raise UsageError(f"{shown}: there is no current-context. Name one by `kube-context`.")
    found = _named(loaded, "contexts", "context", wanted)
    if found is None:
        names = ", ".join(_names(loaded, "contexts")[:10]) or "none"
        raise UsageError(f"{shown}: there is no context {wanted[:80]!r}; there are: {names}.")
    cluster = _named(loaded, "clusters", "cluster", found.text("cluster"))
    if cluster is None or not cluster.text("server"):
        raise UsageError(f"{shown}: the context {wanted} names the cluster {found.text('cluster')!r}, which is not there or has no `server`.")
    user = _named(loaded, "users", "user", found.text("user"))
    if user is None:
        raise UsageError(f"{shown}: the context {wanted} names the user {found.text('user')!r}, which is not there.")
    chosen = Chosen(wanted, cluster, user, found.text("user"), found.text("namespace") or "default")
    _check(chosen)
    return chosen


def _check(chosen: Chosen) -> None:
    for key, why in _GONE:
        if chosen.user.data.get(key):
            raise UsageError(f"{chosen.where}: `{key}` of the user {chosen.user_name} {why}.")
    if chosen.cluster.text("proxy-url"):
        raise UsageError(f"{chosen.where}: `proxy-url` is not read here; set HTTPS_PROXY instead.")


def _loaded(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror or problem}.") from None
    if len(data) > MOST:
        raise UsageError(f"{path}: is larger than {MOST >> 20} MiB, which no kubeconfig needs.")
    try:
        value = yaml.safe_load(data.decode())
    except (yaml.YAMLError, RecursionError, ValueError):
        # No line is quoted: it may hold a token.
        raise UsageError(f"{path}: is not YAML.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{path}: should be a kubeconfig, a mapping with clusters, users and contexts.")
    return value


def _entries(loaded: Sequence[tuple[Path, Mapping[str, Any]]], plural: str) -> list[tuple[Path, Mapping[str, Any]]]:
    return [(path, item) for path, data in loaded if isinstance(data.get(plural), list) for item in data[plural] if isinstance(item, Mapping)]


def _names(loaded: Sequence[tuple[Path, Mapping[str, Any]]], plural: str) -> list[str]:
    return [str(item.get("name"))[:80] for _, item in _entries(loaded, plural)]


def _named(loaded: Sequence[tuple[Path, Mapping[str, Any]]], plural: str, singular: str, name: str) -> Entry | None:
    for path, item in _entries(loaded, plural):
        if name and item.get("name") == name:
            data = item.get(singular)
            return Entry(data if isinstance(data, Mapping) else {}, path)
    return None


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else None


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    entries = value if isinstance(value, list) else []
    return tuple((str(each.get("name")), str(each.get("value") or "")) for each in entries if isinstance(each, Mapping) and each.get("name"))
