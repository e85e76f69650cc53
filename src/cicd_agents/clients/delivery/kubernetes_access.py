"""How a cluster is reached: its address, its authority, and our credential, from a kubeconfig or from the pod that we run in.

Sources: Kubernetes docs, "Organizing Cluster Access Using kubeconfig Files" and "Accessing the Kubernetes API from a Pod".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cicd_agents.clients.delivery import kubernetes_kubeconfig as kubeconfigs
from cicd_agents.clients.http import Tls
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.ports import Clock

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# The kubelet renews a mounted token before it expires; clients are asked to look again about every minute.
_SECONDS_KEPT = 60.0
_MOST_TOKEN = 64 << 10
_CA_ADVICE = "Is `certificate-authority` in the kubeconfig that of this cluster?"


class Token(Protocol):
    """Gives the token as it is now."""

    def __call__(self) -> str:
        """The token. Raises UsageError where there is none."""
        ...


class Bearer(Mapping[str, str]):
    """The header with the token, which is asked for anew with every request."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __getitem__(self, name: str) -> str:
        if name != "authorization":
            raise KeyError(name)
        return f"Bearer {self._token()}"

    def __iter__(self) -> Iterator[str]:
        return iter(("authorization",))

    def __len__(self) -> int:
        return 1


class FileToken:
    """A token in a file that others renew; read again after a minute."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._kept = ""
        self._until = 0.0

    def __call__(self) -> str:
        """The token. Raises UsageError for a file that cannot be read, or is empty."""
        if not self._kept or self._clock.monotonic() >= self._until:
            self._kept = read_text(self._path, "the token of the cluster", _MOST_TOKEN).strip()
            self._until = self._clock.monotonic() + _SECONDS_KEPT
            if not self._kept:
                raise UsageError(f"{self._path}: the token of the cluster is empty.")
        return self._kept


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs. `origin` says in words where it comes from; `user` what our credential is called there."""

    server: str
    origin: str
    user: str = ""
    namespace: str = "default"
    tls: Tls = field(default_factory=Tls, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AccessWishes:
    """What the settings say. `kubeconfig` and `context` are empty where they don't; a plugin that logs in is only run where `allow_exec` is on."""

    kubeconfig: str = ""
    context: str = ""
    allow_exec: bool = False


def access(wishes: AccessWishes, variables: Mapping[str, str], clock: Clock, *, home: Path | None = None, service_account: Path = SERVICE_ACCOUNT) -> Access:
    """The way to the cluster: the kubeconfig of the settings, else KUBECONFIG, else the pod that we run in, else `~/.kube/config`.

    Raises UsageError where there is none, or it asks for what is not allowed.
    """
    named = wishes.kubeconfig or variables.get("KUBECONFIG", "")
    inside = bool(variables.get("KUBERNETES_SERVICE_HOST")) and (service_account / "token").exists()
    if not named and not wishes.context and inside:
        return _in_cluster(variables, clock, service_account)
    paths = kubeconfigs.files(named) or ((home or Path.home()) / ".kube" / "config",)
    if not any(path.exists() for path in paths):
        places = ", ".join(map(str, paths))
        raise UsageError(f"No way to a cluster: there is no {places}, and this is no pod with a service account. Name a kubeconfig by `kubeconfig`.")
    return from_kubeconfig(kubeconfigs.read(paths, wishes.context), wishes, variables, clock)


def from_kubeconfig(chosen: kubeconfigs.Chosen, wishes: AccessWishes, variables: Mapping[str, str], clock: Clock) -> Access:
    """The way that a context of a kubeconfig describes."""
    if chosen.insecure:
        raise UsageError(f"{chosen.where}: it says `insecure-skip-tls-verify`, so anybody could answer. Put its `certificate-authority` there.")
    tls, token, secrets = chosen.tls(_CA_ADVICE), chosen.token(), chosen.secrets()
    source: Token | None = (lambda: token) if token else FileToken(path, clock) if (path := chosen.token_file()) else None
    if command := chosen.command():
        from cicd_agents.clients.delivery.kubernetes_exec import ExecToken  # only where a kubeconfig asks for it

        if not wishes.allow_exec:
            raise UsageError(f"{chosen.where}: its user logs in by running {command.shown}. Allow that by `kube-exec`, or use a token.")
        plugin = ExecToken(command, variables, clock, chosen.cluster_info())
        tls, source = plugin.with_certificate(tls), source or (plugin if plugin.has_token else None)
    return Access(
        chosen.server, chosen.where, chosen.user_name, chosen.namespace, tls, Bearer(source) if source else {}, secrets,
    )  # fmt: skip


def _in_cluster(variables: Mapping[str, str], clock: Clock, folder: Path) -> Access:
    host, port = variables["KUBERNETES_SERVICE_HOST"], variables.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    place = folder / "namespace"
    namespace = read_text(place, "the namespace of the pod", 1 << 10).strip() if place.exists() else "default"
    tls = Tls(ca_file=str(folder / "ca.crt"), advice=f"Is {folder / 'ca.crt'} that of this cluster?")
    headers = Bearer(FileToken(folder / "token", clock))
    return Access(f"https://{address}:{port}", "the pod's service account", "the pod's service account", namespace or "default", tls, headers)


def read_text(path: Path, what: str, most: int) -> str:
    """A small text file. Raises UsageError where it cannot be read, or is larger."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
        text = data.decode()
    except OSError as problem:
        raise UsageError(f"{path}: {what} cannot be read: {problem.strerror or problem}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: {what} is not UTF-8.") from None
    if len(data) > most:
        raise UsageError(f"{path}: {what} is larger than {most >> 10} KiB.")
    return text
