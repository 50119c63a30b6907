# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers of notifications on this machine: web servers that answer as told, and mail servers."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backupdb.notify.options import TYPES

WEB_TYPES = [kind for kind in TYPES if kind not in ("email", "apprise")]
LONGER_THAN_ANY_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    content_type: str
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class WebReceiver:
    """A web server; `answers` are the statuses it gives in turn, the last one for ever. 0 means none at all."""

    port: int
    scheme: str
    answers: list[int]
    location: str = ""
    received: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.received]


@contextmanager
def web_receiver(
    *answers: int, certificate: tuple[Path, Path] | None = None, location: str = ""
) -> Iterator[WebReceiver]:
    """Run a web server while the block lasts; with `certificate` (and key) it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            request = Received("POST", self.path, self.headers["Content-Type"], self.rfile.read(length).decode())
            receiver.received.append(request)
            status = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            if status == 0:
                receiver.closing.wait(LONGER_THAN_ANY_TIMEOUT)
                return
            # As a careless server does: the address in the reason and in the body.
            self.send_response(status, f"about {self.path}")
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.received.append(Received("GET", self.path, "", ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Nothing on the tests' screen."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: Any) -> None:
            """A client that does not trust the certificate, or has waited long enough, leaves."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver = WebReceiver(server.server_port, "https" if certificate else "http", list(answers) or [200], location)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake is left to the thread of the connection: a broken one must not end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def receiver_options(kind: str, url: str, **more: Any) -> dict[str, Any]:
    """Options of a notification that does not wait between its attempts."""
    return {"name": f"the {kind}", "type": kind, "url": url, "events": None, "backoff": "0s", **more}


def sent_names(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    return [outcome["name"] for outcome in outcomes if outcome["sent"]]
