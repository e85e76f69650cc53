"""A real Prometheus in a temporary folder and on a free port of 127.0.0.1, loaded with OpenMetrics text (tests.servers.prometheus_data) by promtool.

Where Prometheus is not installed (Debian and Ubuntu: `apt-get install prometheus`) the tests that need it are skipped, and say so. Series that are loaded
so carry no marks of staleness: they are seen for the look-back of 5 minutes after their last sample.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.prometheus_certificates import Certificates, certificates

MISSING = "Prometheus is not installed (Debian, Ubuntu: apt-get install prometheus)"
USER = "guardian"
PASSWORD = "pass:word/@#?%&+"
_HASH = "$2b$04$abcdefghijklmnopqrstuuFCAP5P/m6sSzL3SfHza/p7I3TuJFVTy"  # bcrypt of the password
_LISTENING = re.compile(r'address="?127\.0\.0\.1:([1-9][0-9]*)')
# Seconds until it must be ready, and between two looks.
_PATIENCE = 60.0
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server. `url` has no slash at its end; `certificates` are there where it serves TLS; `process` may be killed by a test."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    certificates: Certificates | None = None


_SHARED = pytest.StashKey[dict[str, Prometheus]]()


def shared(config: pytest.Config, data: str) -> Prometheus:
    """One plain server per data for all tests of a process (`request.config` of a fixture); it is stopped when pytest ends."""
    servers = config.stash.setdefault(_SHARED, {})
    if data not in servers:
        stack = ExitStack()
        servers[data] = stack.enter_context(running(data))
        config.add_cleanup(stack.close)
    return servers[data]


@contextmanager
def running(
    *data: str, basic_auth: bool = False, tls: bool = False, client_certificate: bool = False, names: str = "IP:127.0.0.1,DNS:localhost",
    prefix: str = "", flags: Sequence[str] = (),
) -> Iterator[Prometheus]:  # fmt: skip
    """A server with the data until the end of the block; skips the test where Prometheus, or `openssl` for TLS, is not installed.

    `basic_auth` asks for USER and PASSWORD, `client_certificate` (with TLS) for a certificate of the same authority, `names` are those of its own one.
    `prefix`, such as "/prometheus", is the path that it is served under; `flags` are further ones, such as "--query.timeout=1s".
    """
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip(MISSING)
    with tempfile.TemporaryDirectory(prefix="prometheus-") as name:
        folder = Path(name)
        made = certificates(folder / "tls", names=names) if tls else None
        load(folder / "data", *data)
        command = _command(folder, _web_file(folder, basic_auth, made, client_certificate), prefix, flags)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd=folder)
        try:
            yield Prometheus(_ready(folder, process, made, client_certificate, prefix), folder, process, made)
        finally:
            stop(process)


def load(data: Path, *texts: str) -> None:
    """Add OpenMetrics texts to the folder of a server that does not run."""
    data.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        file = data.parent / f"{number}.om"
        file.write_text(text)
        ended = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(data)], capture_output=True, check=False)
        file.unlink()
        if ended.returncode:
            raise RuntimeError(f"promtool: {ended.stderr.decode(errors='replace')}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server; one that has ended already is fine."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command(folder: Path, web_file: Path | None, prefix: str, flags: Sequence[str]) -> list[str]:
    settings = folder / "prometheus.yml"
    settings.write_text("global: {scrape_interval: 15s}\n")
    return [
        "prometheus", f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0", *([f"--web.config.file={web_file}"] if web_file else []),
        *([f"--web.external-url=http://localhost{prefix}/"] if prefix else []), *flags,
    ]  # fmt: skip


def _web_file(folder: Path, basic_auth: bool, made: Certificates | None, client_certificate: bool) -> Path | None:
    settings: dict[str, object] = {"basic_auth_users": {USER: _HASH}} if basic_auth else {}
    if made is not None:
        server: dict[str, str] = {"cert_file": str(made.server), "key_file": str(made.server_key)}
        known = {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(made.authority)} if client_certificate else {}
        settings["tls_server_config"] = server | known
    if not settings:
        return None
    file = folder / "web.yml"
    file.write_text(json.dumps(settings))  # JSON is YAML
    return file


def _ready(folder: Path, process: subprocess.Popen[bytes], made: Certificates | None, client_certificate: bool, prefix: str) -> str:
    """The address, once it answers. Prometheus chooses the port, so no other process can take it before."""
    context = ssl.create_default_context(cafile=made.authority) if made else None
    if context:
        context.check_hostname = False
    if context and made and client_certificate:
        context.load_cert_chain(made.client, made.client_key)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    opener.addheaders = [("authorization", f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}")]
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        found = _LISTENING.search((folder / "log").read_text(errors="replace"))
        url = f"{'https' if made else 'http'}://127.0.0.1:{found[1]}{prefix}" if found else ""
        if url and _answers(opener, f"{url}/-/ready"):
            return url
        time.sleep(_PAUSE)
    raise RuntimeError(f"Prometheus did not start:\n{(folder / 'log').read_text(errors='replace')[-3000:]}")


def _answers(opener: urllib.request.OpenerDirector, url: str) -> bool:
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as problem:  # 503: not yet
        problem.close()
        return False
    except OSError:
        return False
