"""An authority of the tests' own, with a certificate for a server on 127.0.0.1 and one for a client, made by `openssl`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM. `authority` signed both others; `client` and `client_key` are for a server that wants to know its clients."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def certificates(folder: Path, *, names: str = "IP:127.0.0.1,DNS:localhost") -> Certificates:
    """New ones in the folder, valid for two days; `names` are those of the server. Skips the test where `openssl` is not installed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(*(folder / name for name in ("ca.crt", "server.crt", "server.key", "client.crt", "client.key")))
    authority_key = folder / "ca.key"
    _openssl("req", "-x509", *_CURVE, "-keyout", authority_key, "-out", made.authority, "-days", "2", "-subj", "/CN=Authority of the tests")
    extension = folder / "names"
    extension.write_text(f"subjectAltName={names}\n")
    for who, certificate, key in (("server", made.server, made.server_key), ("client", made.client, made.client_key)):
        request = folder / f"{who}.csr"
        _openssl("req", "-new", *_CURVE, "-keyout", key, "-out", request, "-subj", f"/CN={who}")
        signing = ("-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "2", "-extfile", extension)
        _openssl("x509", "-req", "-in", request, "-out", certificate, *signing)
    return made


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
