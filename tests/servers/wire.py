"""A server that sends bytes as a test says, for what no HTTP library sends: slow, endless, broken or wrong answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

Script = Callable[[bytes], Iterator[bytes]]


class Wire:
    """Answers every request with the pieces that `script` gives for its head, then closes the connection; `heads` are the requests that came."""

    def __init__(self, script: Script) -> None:
        self.heads: list[bytes] = []
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Stop; a connection that is open is cut."""
        # Closing alone would not wake a thread that waits for a connection.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        self.heads.append(head)
        try:
            for piece in self._script(head):
                connection.sendall(piece)
        except OSError:
            return  # the client has gone
