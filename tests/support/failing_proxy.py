# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP proxy in front of a store, which counts what passes and makes chosen requests fail.

It is no forward proxy: clients take it for the store itself, so signatures stay as they are.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_BLOCK = 1 << 16
_OF_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "expect")


@dataclass
class Request:
    """One request; `passed` are the bytes of its body that have come so far, `status` what the store has answered."""

    number: int
    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    passed: int = 0
    status: int | None = None

    def is_part(self) -> bool:
        """Tell whether it sends a part of an object."""
        return self.method == "PUT" and "partNumber=" in self.target


@dataclass(frozen=True)
class Answer:
    """What the proxy says instead of the store, which hears nothing of it."""

    status: int
    code: str
    seconds_ahead: float = 0.0  # of the clock of whoever answers

    def content(self) -> bytes:
        return f"<Error><Code>{self.code}</Code><Message>said by the proxy</Message></Error>".encode()


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many bytes of the body; with `answer` after so many bytes of the store's answer."""

    after: int = 0
    answer: bool = False


Fault = "Answer | Cut | None"


class FailingProxy:
    """Listens on `port`. `fault` is asked of each request, `passing` is told of a body's progress, `answered` of ends."""

    def __init__(self, host: str, port: int) -> None:
        self.store = (host, port)
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Fault] = lambda _request: None
        self.passing: Callable[[Request], None] = lambda _request: None
        self.answered: Callable[[Request], None] = lambda _request: None
        self._guard = threading.Lock()
        proxy = self

        class Handler(_Handler):
            of = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sent(self) -> int:
        """Return how many bytes of bodies have come from clients."""
        return sum(request.passed for request in self.requests if request.method == "PUT")

    def of(self, method: str, word: str = "") -> list[Request]:
        """Return the requests of a method whose target has a word."""
        return [request for request in self.requests if request.method == method and word in request.target]

    def reset(self) -> None:
        """Forget all faults and requests."""
        self.fault = lambda _request: None
        self.passing = self.answered = lambda _request: None
        self.requests = []

    def note(self, method: str, target: str, headers: Mapping[str, str]) -> Request:
        with self._guard:
            request = Request(len(self.requests) + 1, method, target, headers)
            self.requests.append(request)
        return request

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    of: FailingProxy

    def log_message(self, format: str, *args: Any) -> None:  # its name there
        """Stay silent."""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _serve(self) -> None:
        request = self.of.note(self.command, self.path, dict(self.headers.items()))
        fault = self.of.fault(request)
        try:
            if isinstance(fault, Answer):
                self._read_body(request, self._size())
                self._say(fault)
            elif isinstance(fault, Cut) and not fault.answer:
                self._read_body(request, min(fault.after, self._size()))
                self._hang_up()
            else:
                self._pass_on(request, fault.after if fault is not None else None)
        except (OSError, HTTPException):
            self._hang_up()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # their names there

    def _size(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def _read_body(self, request: Request, size: int) -> None:
        for _block in self._blocks(request, size):
            pass

    def _blocks(self, request: Request, size: int) -> Iterator[bytes]:
        left = size
        while left:
            block = self.rfile.read1(min(left, _BLOCK))  # type: ignore[attr-defined]
            if not block:
                raise ConnectionError("the client has gone")
            left -= len(block)
            request.passed += len(block)
            self.of.passing(request)
            yield block

    def _say(self, answer: Answer) -> None:
        content = answer.content()
        self.send_response_only(answer.status, answer.code)
        self.send_header("Date", formatdate(_now() + answer.seconds_ahead, usegmt=True))
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _pass_on(self, request: Request, cut_after: int | None) -> None:
        store = HTTPConnection(*self.of.store, timeout=120)
        try:
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _OF_CONNECTION:
                    store.putheader(name, value)
            store.endheaders()
            for block in self._blocks(request, self._size()):
                store.send(block)
            answer = store.getresponse()
            request.status = answer.status
            self.of.answered(request)
            if cut_after == 0:
                self._hang_up()
                return
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_CONNECTION:
                    self.send_header(name, value)
            if answer.chunked:
                self._answer_of_unknown_size(answer.read())
            else:
                self.end_headers()
                self._answer(answer, cut_after)
        finally:
            store.close()

    def _answer_of_unknown_size(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, answer: Any, cut_after: int | None) -> None:
        left = cut_after
        while block := answer.read(_BLOCK if left is None else min(_BLOCK, left)):
            self.wfile.write(block)
            if left is not None:
                left -= len(block)
                if left == 0:
                    self._hang_up()
                    return

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _now() -> float:
    import time

    return time.time()


@contextmanager
def failing(host: str, port: int) -> Iterator[FailingProxy]:
    """Run such a proxy until the block is left."""
    proxy = FailingProxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
