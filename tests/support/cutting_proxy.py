# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy in front of a server, which loses the answer to a chosen statement: the server has got it by then."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BLOCK = 65536


class CuttingProxy:
    """Passes everything on until a client sends `word` after `after`; it reaches the server, and its answer nobody.

    `cut` is set from then on. With `for_good` the proxy takes no further connections after that.
    """

    def __init__(self, host: str, port: int, after: bytes, word: bytes, *, for_good: bool) -> None:
        self.cut = threading.Event()
        self._server = (host, port)
        self._after, self._word = after, word
        self._armed = False
        self._for_good = for_good
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for work in (self._requests, self._answers):
                threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := client.recv(_BLOCK):
                self._armed = self._armed or self._after in block
                if self._armed and self._word in block and not self.cut.is_set():
                    self.cut.set()
                    client.shutdown(socket.SHUT_RDWR)
                    if self._for_good:
                        self.close()
                    server.sendall(block)
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(block)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while block := server.recv(_BLOCK):
                client.sendall(block)  # fails where the client's end was cut
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(host: str, port: int, after: bytes, word: bytes, *, for_good: bool = False) -> Iterator[CuttingProxy]:
    """Run such a proxy until the block is left."""
    proxy = CuttingProxy(host, port, after, word, for_good=for_good)
    try:
        yield proxy
    finally:
        proxy.close()
