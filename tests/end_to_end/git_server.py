"""Bare repositories served by git's own daemon, so that containers reach them by the network of this machine."""

from __future__ import annotations

import socketserver
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread


@dataclass(frozen=True, slots=True)
class GitServer:
    """Serves what lies in a folder; whoever asks may push, as far as the hooks of a repository let them."""

    folder: Path
    port: int

    def url(self, repository: Path) -> str:
        """The address of a repository of the folder."""
        return f"git://127.0.0.1:{self.port}/{repository.relative_to(self.folder)}"


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """Serve the repositories below a folder until the end of the block."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            command = ["git", "daemon", "--inetd", f"--base-path={folder}", "--export-all", "--enable=receive-pack"]
            subprocess.run(command, stdin=self.request.fileno(), stdout=self.request.fileno(), stderr=subprocess.DEVNULL, check=False)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield GitServer(folder, server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
