"""A TCP proxy that closes a connection at one exact message, like a primary that is killed.

It searches the data for certain bytes and knows no protocol.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Literal

Where = Literal["request", "reply"]


class CuttingProxy:
    """Listens on a loopback port of its own and forwards to ``target``.

    Use it as a context manager: it closes all connections at the end.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut: tuple[bytes, Where] | None = None
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.cuts = 0

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._listener.getsockname()[1]}/?directConnection=true"

    def cut_once(self, at: bytes, before: Where) -> None:
        """Closes the connection at the next request with these bytes.

        It closes before the server gets the request, or before the client gets the reply.
        """
        self._cut = (at, before)

    def __enter__(self) -> CuttingProxy:  # noqa: PYI034 - Self is younger than Python 3.10
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._listener)
        self._threads[0].join()
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                thread = threading.Thread(target=self._serve, args=(client, server))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        replies_pass = threading.Event()
        replies_pass.set()
        back = threading.Thread(target=self._relay_replies, args=(client, server, replies_pass))
        back.start()
        with suppress(OSError):
            while data := client.recv(65_536):
                if self._cut is not None and self._cut[0] in data:
                    before = self._cut[1]
                    self._cut = None
                    self.cuts += 1
                    if before == "request":
                        break
                    replies_pass.clear()
                server.sendall(data)
        _end(client)
        _end(server)
        back.join()

    def _relay_replies(self, client: socket.socket, server: socket.socket, passes: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if not passes.is_set():
                    break
                client.sendall(data)
        _end(client)
        _end(server)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
