# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of SFTP version 3 over two pipes: many requests on their way at once, and never a wait without an end.

OpenSSH does transport, keys and host keys; its `sftp` program cannot be used, as it seeks in the files that it copies.
"""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from typing import Callable

from . import sftp_packets as sftp
from .sftp_packets import Answer, Attributes, Large, NotUnderstood, packet

BLOCK = 32 << 10  # bytes of a request; every server takes this much
READS_AHEAD = 64  # requests
WRITES_AHEAD = 32  # requests; what a server may not have written when the connection breaks
_PATIENCE = 120.0  # seconds until an answer must have come
_POLL = 1000  # milliseconds
_PIECE = 1 << 18  # bytes
_MOST_ENTRIES = 200_000  # of a folder


class Refusal(Exception):
    """The server refused a request; `code` is one of SFTP's."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class SessionLost(Exception):
    """There is no connection any more, or nothing comes of it; says why, as far as that is seen from here."""


class SftpSession:
    """A session on two pipes, which are the caller's to close. Threads may share it.

    `check` is called while it waits, and may raise. Raises `Refusal` and `SessionLost`.
    """

    def __init__(self, from_server: int, to_server: int, check: Callable[[], None]) -> None:
        self._from_server = from_server
        self._to_server = to_server
        self._check = check
        self._lock = threading.RLock()
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._answers: dict[int, Answer | None] = {}  # None: awaited
        self._unwanted: set[int] = set()
        self._last = 0
        self.lost: str | None = None
        os.set_blocking(from_server, False)
        os.set_blocking(to_server, False)
        self.extensions = self._begin()

    # -- requests -----------------------------------------------------------------------------------------------

    def look(self, path: str) -> Attributes | None:
        """Look at a name, without following a link; None when nothing is there."""
        try:
            return self._wait(self._ask(sftp.LSTAT, path), sftp.ATTRS).attributes()
        except Refusal as refusal:
            if refusal.code == sftp.NO_SUCH_FILE:
                return None
            raise

    def make_folder(self, path: str) -> None:
        """Make a folder with mode 0700."""
        self._done(self._ask(sftp.MKDIR, path, sftp.mode(0o700)))

    def rename(self, source: str, target: str) -> None:
        """Rename to a new name; version 3 refuses one that exists."""
        self._done(self._ask(sftp.RENAME, source, target))

    def remove_file(self, path: str) -> None:
        """Remove a file."""
        self._done(self._ask(sftp.REMOVE, path))

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        self._done(self._ask(sftp.RMDIR, path))

    def empty_file(self, path: str) -> None:
        """Take away all that is in a file."""
        self._close(self._open(path, sftp.FOR_WRITING | sftp.TRUNCATE))

    def _open(self, path: str, flags: int) -> bytes:
        """Open a file; a new one has mode 0600."""
        return self._wait(self._ask(sftp.OPEN, path, flags, sftp.mode(0o600)), sftp.HANDLE).handle()

    def _close(self, handle: bytes) -> None:
        self._done(self._ask(sftp.CLOSE, handle))

    def _sync(self, handle: bytes) -> None:
        """Make an open file last beyond a power cut, where the server has this extension and allows it."""
        if "fsync@openssh.com" in self.extensions:
            try:
                self._done(self._ask(sftp.EXTENDED, "fsync@openssh.com", handle))
            except Refusal as refusal:
                if refusal.code not in (sftp.PERMISSION_DENIED, sftp.UNSUPPORTED):
                    raise

    def write(self, path: str, offset: int, blocks: Iterable[bytes]) -> None:
        """Write blocks into a file, which is made when it is missing, one after the other from `offset` on."""
        handle = self._open(path, sftp.FOR_WRITING | sftp.CREATE)
        try:
            self._write(handle, offset, blocks)
            self._sync(handle)
        except BaseException:
            self._close_unheard(handle)
            raise
        self._close(handle)

    def _write(self, handle: bytes, offset: int, blocks: Iterable[bytes]) -> None:
        waiting: list[int] = []
        try:
            for block in blocks:
                waiting.append(self._ask(sftp.WRITE, handle, Large(offset), block))
                offset += len(block)
                if len(waiting) == WRITES_AHEAD:
                    self._done(waiting.pop(0))
            while waiting:
                self._done(waiting.pop(0))
        finally:
            self._forget(waiting)

    def read(self, path: str, offset: int, end: int) -> Generator[bytes, None, None]:
        """Yield a file from `offset` to `end`, or to where it ends before that."""
        handle = self._open(path, sftp.FOR_READING)
        waiting: list[tuple[int, int, int]] = []  # id, offset, length
        try:
            while True:
                while offset < end and len(waiting) < READS_AHEAD:
                    waiting.append(self._ask_for_data(handle, offset, min(BLOCK, end - offset)))
                    offset += waiting[-1][2]
                if not waiting:
                    return
                number, start, length = waiting.pop(0)
                data = self._data(number, length)
                if not data:
                    return
                if len(data) < length:  # the rest of it comes next
                    waiting.insert(0, self._ask_for_data(handle, start + len(data), length - len(data)))
                yield data
        finally:
            self._forget([number for number, _start, _length in waiting])
            self._close_unheard(handle)

    def entries(self, paths: Sequence[str]) -> list[list[tuple[bytes, Attributes]] | None]:
        """Return what is in each of these folders, read side by side; None for one that is not there."""
        handles: list[bytes | None] = []
        found: list[list[tuple[bytes, Attributes]] | None] = []
        try:
            for asked in [self._ask(sftp.OPENDIR, path) for path in paths]:
                handles.append(self._folder_handle(asked))
                found.append(None if handles[-1] is None else [])
            unread = [position for position, handle in enumerate(handles) if handle is not None]
            while unread:
                asked_for = [(position, self._ask(sftp.READDIR, handles[position] or b"")) for position in unread]
                unread = [position for position, number in asked_for if self._more(number, found[position])]
        except Refusal:
            self._lose("it refused one of many requests, and the others were given up")
            raise
        finally:
            for handle in handles:
                if handle is not None:
                    self._close_unheard(handle)
        return found

    # -- answers ------------------------------------------------------------------------------------------------

    def _begin(self) -> frozenset[str]:
        with self._lock:
            self._outgoing += packet(sftp.INIT, sftp.VERSION)
            self._answers[0] = None
            answer = self._wait(0, sftp.VERSION_ANSWER)
            version = answer.number()
            if version < sftp.VERSION:
                raise self._lose(f"it speaks version {version} of SFTP, and not {sftp.VERSION}")
            return answer.extensions()

    def _folder_handle(self, number: int) -> bytes | None:
        try:
            return self._wait(number, sftp.HANDLE).handle()
        except Refusal as refusal:
            if refusal.code == sftp.NO_SUCH_FILE:
                return None
            raise

    def _more(self, number: int, found: list[tuple[bytes, Attributes]] | None) -> bool:
        """Take a part of a folder's entries; False when there are no more."""
        try:
            part = self._wait(number, sftp.NAME).names()
        except Refusal as refusal:
            if refusal.code == sftp.END:
                return False
            raise
        if not part or found is None:
            raise self._lose("it says that a folder has more entries, and names none")
        found += part
        if len(found) > _MOST_ENTRIES:
            raise self._lose(f"a folder there has more than {_MOST_ENTRIES} entries")
        return True

    def _ask_for_data(self, handle: bytes, offset: int, length: int) -> tuple[int, int, int]:
        return self._ask(sftp.READ, handle, Large(offset), length), offset, length

    def _data(self, number: int, length: int) -> bytes:
        """Return what was read, none at the end of the file."""
        try:
            data = self._wait(number, sftp.DATA).data()
        except Refusal as refusal:
            if refusal.code == sftp.END:
                return b""
            raise
        if not 0 < len(data) <= length:
            raise self._lose(f"it sent {len(data)} bytes instead of {length}")
        return data

    def _close_unheard(self, handle: bytes) -> None:
        with suppress(SessionLost):
            self._forget([self._ask(sftp.CLOSE, handle)])

    # -- packets ------------------------------------------------------------------------------------------------

    def _ask(self, kind: int, *fields: int | bytes | str) -> int:
        """Put a request on its way and return its number."""
        with self._lock:
            if self.lost is not None:
                raise SessionLost(self.lost)
            self._last = self._last % 0xFFFFFFFF + 1
            self._answers[self._last] = None
            self._outgoing += packet(kind, self._last, *fields)
            self._move(0)
            return self._last

    def _done(self, number: int) -> None:
        """Wait for the answer that all went well."""
        self._wait(number, sftp.STATUS)

    def _wait(self, number: int, kind: int) -> Answer:
        """Wait for the answer to a request, of that kind; raises `Refusal` when it is another status than OK."""
        late = time.monotonic() + _PATIENCE
        while True:
            with self._lock:
                answer = self._answers[number]
                if answer is not None:
                    del self._answers[number]
                    return self._judged(answer, kind)
                self._move(_POLL)
            if time.monotonic() > late:
                raise self._lose(f"it gave no answer for {_PATIENCE:g} seconds")
            self._check()

    def _judged(self, answer: Answer, kind: int) -> Answer:
        try:
            if answer.kind == sftp.STATUS:
                code, words = answer.status()
                if code != sftp.OK:
                    raise Refusal(code, words)
            if answer.kind != kind:
                raise NotUnderstood(f"it answered with packet {answer.kind} instead of {kind}")
        except NotUnderstood as error:
            raise self._lose(str(error)) from error
        return answer

    def _forget(self, numbers: Iterable[int]) -> None:
        """Let the answers to requests come without taking them."""
        with self._lock:
            for number in numbers:
                if self._answers.pop(number, None) is None:
                    self._unwanted.add(number)

    def _move(self, wait: int) -> None:
        """Send and receive what can be, after a wait for it of at most so many milliseconds."""
        if self.lost is not None:
            raise SessionLost(self.lost)
        poll = select.poll()
        poll.register(self._from_server, select.POLLIN)
        if self._outgoing:
            poll.register(self._to_server, select.POLLOUT)
        ready = [descriptor for descriptor, _event in poll.poll(wait)]
        try:
            if self._to_server in ready:
                with memoryview(self._outgoing)[:_PIECE] as piece:
                    sent = os.write(self._to_server, piece)
                del self._outgoing[:sent]
            if self._from_server in ready:
                self._receive(os.read(self._from_server, _PIECE))
        except BlockingIOError:
            return
        except NotUnderstood as error:
            raise self._lose(str(error)) from error
        except OSError as error:
            raise self._lose(f"the connection ended ({error.strerror})") from error

    def _receive(self, piece: bytes) -> None:
        if not piece:
            raise self._lose("the connection ended")
        self._incoming += piece
        position = 0
        while len(self._incoming) - position >= 4:
            (length,) = struct.unpack_from(">I", self._incoming, position)
            if not 5 <= length <= sftp.LARGEST:
                start = sftp.printable(bytes(self._incoming[position : position + 80]))
                raise NotUnderstood(f"it does not speak SFTP: {start!r}")
            if len(self._incoming) - position < 4 + length:
                break
            self._accept(Answer(bytes(self._incoming[position + 4 : position + 4 + length])))
            position += 4 + length
        del self._incoming[:position]

    def _accept(self, answer: Answer) -> None:
        number = 0 if answer.kind == sftp.VERSION_ANSWER else answer.number()
        if number in self._unwanted:
            self._unwanted.remove(number)
        elif number in self._answers and self._answers[number] is None:
            self._answers[number] = answer
        else:
            raise NotUnderstood("it answered what it was not asked")

    def _lose(self, reason: str) -> SessionLost:
        self.lost = self.lost or reason
        return SessionLost(self.lost)
