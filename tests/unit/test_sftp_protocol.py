# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SFTP client against servers that lie: it ends with an error, soon, and takes in no more than it asked for.

Real servers are in tests/integration/test_store_sftp.py; none of them does what these do.
"""

from __future__ import annotations

import os
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from backupdb.repository.stores import sftp_packets as sftp
from backupdb.repository.stores import sftp_protocol
from backupdb.repository.stores.sftp_packets import packet
from backupdb.repository.stores.sftp_protocol import BLOCK, Refusal, SessionLost, SftpSession

Reply = Callable[[int, int, bytes], bytes]  # kind, number and fields of a request; the bytes that answer it
HELLO = packet(sftp.VERSION_ANSWER, sftp.VERSION)
FILE_THERE = sftp.Raw(struct.pack(">IQI", 0x05, 10, 0o100600))


class _Peer:
    """A server made of a function, on two pipes."""

    def __init__(self, reply: Reply, hello: bytes = HELLO) -> None:
        self.from_server, self._to_client = os.pipe()
        self._from_client, self.to_server = os.pipe()
        self._reply = reply
        self._hello = hello
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with (
            suppress(OSError, EOFError),
            os.fdopen(self._to_client, "wb", 0) as out,
            os.fdopen(self._from_client, "rb") as requests,
        ):
            self._request(requests.read)
            out.write(self._hello)
            while True:
                content = self._request(requests.read)
                out.write(self._reply(content[0], *struct.unpack(">I", content[1:5]), content[5:]))

    @staticmethod
    def _request(read: Callable[[int], bytes]) -> bytes:
        head = read(4)
        if len(head) < 4:
            raise EOFError
        return read(*struct.unpack(">I", head))

    def close(self) -> None:
        """End it."""
        os.close(self.to_server)
        os.close(self.from_server)
        self._thread.join(5)


@pytest.fixture
def session() -> Iterator[Callable[..., SftpSession]]:
    """`session(reply)` begins a session with such a server."""
    peers: list[_Peer] = []

    def begin(reply: Reply, hello: bytes = HELLO, check: Callable[[], None] = lambda: None) -> SftpSession:
        peers.append(_Peer(reply, hello))
        return SftpSession(peers[-1].from_server, peers[-1].to_server, check)

    yield begin
    for peer in peers:
        peer.close()


def status(number: int, code: int, words: str = "") -> bytes:
    return packet(sftp.STATUS, number, code, words, "")


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        (b"Welcome to vault!\r\n", "does not speak SFTP: 'Welcome to vault!  '"),
        (b"\x1b[2J\x1b[31mred and more", r"does not speak SFTP: ' \[2J \[31mred"),
        (struct.pack(">I", 0) + b"xxxxxx", "does not speak SFTP"),
        (struct.pack(">I", 1 << 31) + b"xxxxxx", "does not speak SFTP"),
        (struct.pack(">I", sftp.LARGEST + 1) + b"xxxxxx", "does not speak SFTP"),
        (packet(sftp.VERSION_ANSWER, 2), "version 2"),
        (packet(sftp.VERSION_ANSWER, 3, b"half"), "ends too early"),
        (packet(sftp.VERSION_ANSWER, 3, sftp.Raw(b"\xff\xff\xff\xff")), "ends too early"),
        (status(0, sftp.OK), "packet 101 instead of 2"),
        (packet(sftp.DATA, 7, b"x"), "what it was not asked"),
        (HELLO + HELLO, "what it was not asked"),
    ],
)
def test_a_beginning_that_is_none_of_the_protocol_ends_it(
    session: Callable[..., SftpSession], hello: bytes, said: str
) -> None:
    with pytest.raises((SessionLost, sftp.NotUnderstood), match=said):
        session(lambda *_request: b"", hello).look("/x")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda number: packet(sftp.ATTRS, number + 1, FILE_THERE), "what it was not asked"),
        (lambda number: packet(sftp.DATA, number, b"x"), "packet 103 instead of 105"),
        (lambda number: packet(99, number), "packet 99 instead of 105"),
        (lambda number: packet(sftp.ATTRS, number, 0x01), "ends too early"),
        (lambda number: packet(sftp.ATTRS, number, 0x80000000, 0xFFFFFFFF), "ends too early"),
        (lambda number: packet(sftp.STATUS, number), "ends too early"),
        (lambda _number: b"\x00\x00\x00\x03abc", "does not speak SFTP"),
    ],
)
def test_an_answer_that_does_not_fit_ends_it(
    session: Callable[..., SftpSession], answer: Callable[[int], bytes], said: str
) -> None:
    ours = session(lambda _kind, number, _fields: answer(number))
    with pytest.raises((SessionLost, sftp.NotUnderstood), match=said):
        ours.look("/x")


def test_two_answers_to_one_request_end_it(session: Callable[..., SftpSession]) -> None:
    ours = session(lambda _kind, number, _fields: 2 * packet(sftp.ATTRS, number, FILE_THERE))
    with pytest.raises(SessionLost, match="not asked"):
        for _time in range(3):
            ours.look("/x")
    with pytest.raises(SessionLost, match="not asked"):
        ours.look("/x")


def test_what_a_server_says_cannot_reach_a_terminal(session: Callable[..., SftpSession]) -> None:
    ours = session(lambda _kind, number, _fields: status(number, sftp.FAILURE, "\x1b]0;title\x07 no\n" + "x" * 9999))
    with pytest.raises(Refusal) as caught:
        ours.remove_file("/x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize("handle", [b"", b"x" * 257])
def test_a_handle_has_a_length(session: Callable[..., SftpSession], handle: bytes) -> None:
    ours = session(lambda _kind, number, _fields: packet(sftp.HANDLE, number, handle))
    with pytest.raises(sftp.NotUnderstood, match="handle"):
        ours.entries(["/x"])


def folder_server(answer: Callable[[int], bytes]) -> Reply:
    """A server whose folders say what `answer` says of the number of a request."""

    def reply(kind: int, number: int, _fields: bytes) -> bytes:
        if kind == sftp.OPENDIR:
            return packet(sftp.HANDLE, number, b"h")
        return answer(number) if kind == sftp.READDIR else status(number, sftp.OK)

    return reply


def test_a_folder_without_an_end_ends(session: Callable[..., SftpSession], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_protocol, "_MOST_ENTRIES", 1000)
    entry = [b"name", b"line", FILE_THERE]
    with pytest.raises(SessionLost, match="more than 1000 entries"):
        session(folder_server(lambda number: packet(sftp.NAME, number, 100, *entry * 100))).entries(["/x"])
    with pytest.raises(SessionLost, match="names none"):
        session(folder_server(lambda number: packet(sftp.NAME, number, 0))).entries(["/x"])
    with pytest.raises(sftp.NotUnderstood, match="too early"):
        session(folder_server(lambda number: packet(sftp.NAME, number, 0xFFFFFFFF, *entry))).entries(["/x"])


def file_server(content: bytes, answer: Callable[[int, bytes], bytes]) -> Reply:
    """A server with one file; `answer` makes what is sent of number and the bytes that were asked for."""

    def reply(kind: int, number: int, fields: bytes) -> bytes:
        if kind == sftp.OPEN:
            return packet(sftp.HANDLE, number, b"h")
        if kind != sftp.READ:
            return status(number, sftp.OK)
        offset, length = struct.unpack(">QI", fields[5:])
        piece = content[offset : offset + length]
        return answer(number, piece) if piece else status(number, sftp.END)

    return reply


def test_a_server_that_gives_less_than_asked_is_asked_for_the_rest(session: Callable[..., SftpSession]) -> None:
    content = random.Random(1).randbytes(BLOCK * 70 + 5)  # noqa: S311
    ours = session(file_server(content, lambda number, piece: packet(sftp.DATA, number, piece[: len(piece) // 2 + 1])))
    assert b"".join(ours.read("/x", 3, len(content))) == content[3:]


@pytest.mark.parametrize("data", [b"", b"x" * (BLOCK + 1)])
def test_a_server_that_gives_nothing_or_more_than_asked_ends_it(
    session: Callable[..., SftpSession], data: bytes
) -> None:
    ours = session(file_server(b"y" * BLOCK * 3, lambda number, _piece: packet(sftp.DATA, number, data)))
    with pytest.raises(SessionLost, match=f"sent {len(data)} bytes instead of {BLOCK}"):
        list(ours.read("/x", 0, BLOCK * 3))


def test_a_file_that_ends_early_ends_there(session: Callable[..., SftpSession]) -> None:
    ours = session(file_server(b"y" * 1000, lambda number, piece: packet(sftp.DATA, number, piece)))
    assert b"".join(ours.read("/x", 0, 10 * BLOCK)) == b"y" * 1000
    ours.remove_file("/x")  # the answers that nobody waited for do not disturb


def test_a_server_that_says_nothing_or_little_is_not_waited_for(
    session: Callable[..., SftpSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp_protocol, "_PATIENCE", 0.5)
    started = time.monotonic()
    with pytest.raises(SessionLost, match="no answer"):
        session(lambda *_request: b"").look("/x")

    def dribble() -> Iterator[bytes]:
        yield from (bytes([byte]) for byte in packet(sftp.ATTRS, 1, FILE_THERE))

    drops = dribble()
    peer_reads, peer_writes = os.pipe()
    stop = threading.Event()

    def drip() -> None:
        os.write(peer_writes, HELLO)
        for drop in drops:
            if stop.wait(0.2):
                return
            os.write(peer_writes, drop)

    requests_out, requests_in = os.pipe()
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        ours = SftpSession(peer_reads, requests_in, lambda: None)
        with pytest.raises(SessionLost, match="no answer"):
            ours.look("/x")
    finally:
        stop.set()
        thread.join()
        for descriptor in (peer_reads, peer_writes, requests_out, requests_in):
            os.close(descriptor)
    assert time.monotonic() - started < 20


def test_a_wait_can_be_ended_from_outside(session: Callable[..., SftpSession]) -> None:
    asked_to_stop = threading.Event()

    def check() -> None:
        if asked_to_stop.is_set():
            raise InterruptedError

    ours = session(lambda *_request: b"", check=check)
    asked_to_stop.set()
    with pytest.raises(InterruptedError):
        ours.look("/x")


def test_a_server_that_goes_away_is_told(session: Callable[..., SftpSession]) -> None:
    def reply(*_request: object) -> bytes:
        raise EOFError

    ours = session(reply)
    for _time in range(2):
        with pytest.raises(SessionLost, match="the connection ended"):
            ours.look("/x")


def test_any_bytes_end_it_in_an_orderly_way(session: Callable[..., SftpSession]) -> None:
    for seed in range(150):
        noise = random.Random(seed)  # noqa: S311

        def reply(_kind: int, number: int, _fields: bytes, noise: random.Random = noise) -> bytes:
            kind = noise.choice([sftp.STATUS, sftp.HANDLE, sftp.DATA, sftp.NAME, sftp.ATTRS])
            fields = sftp.Raw(noise.randbytes(noise.randrange(60)))
            return packet(kind, number, fields) if noise.random() < 0.9 else noise.randbytes(64)

        with suppress(SessionLost, Refusal, sftp.NotUnderstood):
            ours = session(reply)
            ours.look("/x")
            ours.entries(["/a", "/b"])
            list(ours.read("/x", 0, 3 * BLOCK))
            ours.write("/x", 0, [b"x" * BLOCK] * 3)
