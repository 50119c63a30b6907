# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies on another host, over SFTP: any OpenSSH server, or a storage box that speaks it."""

from __future__ import annotations

import posixpath
import stat
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Callable, ClassVar

from ...errors import ArchiveDamaged, StoreError, StoreFull, StoreRefused, StoreUnavailable
from ..sealed import ROOT
from . import sftp_packets as sftp
from .interface import UNKNOWN, YES, Meter, Reader, Right, Upload
from .outgoing import outgoing
from .patience import Patience
from .settings import CopySettings
from .sftp_packets import NotUnderstood
from .sftp_protocol import BLOCK, WRITES_AHEAD, Refusal, SessionLost, SftpSession
from .sftp_ssh import SftpConnection, address_from
from .tree import FILE, FOLDER, Entry, TreeStore

# What a server may have written in any order when a connection broke, and so is sent again.
_UNSURE = WRITES_AHEAD * BLOCK
_READ_BACK = 1 << 20  # bytes: a manifest or its checksums, not an archive


class SftpStore(TreeStore):
    """The store of a copy of type sftp. What is there is trusted by its size here; `verify` reads it.

    A file that broke off is gone on with: what this host sent then is hashed again, what lies there is not.
    """

    TYPE: ClassVar[str] = "sftp"
    MEDIA: ClassVar[str] = "another host"

    def __init__(self, copy: CopySettings, patience: Patience) -> None:
        super().__init__(patience)
        self._top = str(copy.place["path"]).rstrip("/")
        self._address = address_from(copy.place, f"copy {copy.name}")
        self._lock = threading.Lock()
        self._connection: SftpConnection | None = None
        self._made: set[str] = set()

    def where(self, name: str = "") -> str:
        return f"{self._address}{self._path(name)}"

    def close(self) -> None:
        with self._lock:
            self._drop()

    # -- the single steps ---------------------------------------------------------------------------------------

    def check_top(self) -> None:
        if "" in self._made:  # it was seen in this session
            return
        entry = self.look("")
        if entry is None or entry.kind != FOLDER:
            raise StoreError(
                f"{self.where()} is not there; make it for that user, or, where the server shows the user only a part "
                "of its folders (chroot), write `path` as the user sees it"
            )
        self._made.add("")

    def look(self, name: str) -> Entry | None:
        with self._asking("looking at", name) as session:
            attributes = session.look(self._path(name))
            return None if attributes is None else attributes.entry()

    def contents(self, folders: Sequence[str]) -> list[dict[str, Entry] | None]:
        with self._asking("reading", folders[0] if len(folders) == 1 else "") as session:
            found = session.entries([self._path(folder) for folder in folders])
            return [
                None if part is None else self._entries(session, folder, part) for folder, part in zip(folders, found)
            ]

    def _entries(
        self, session: SftpSession, folder: str, found: list[tuple[bytes, sftp.Attributes]]
    ) -> dict[str, Entry]:
        entries = {}
        for raw, attributes in found:
            name = raw.decode("utf-8", "surrogateescape")
            if "/" in name or name in (".", "..", ""):
                continue
            if attributes.mode is None:  # a server that says little in a list
                attributes = session.look(posixpath.join(self._path(folder), name)) or attributes
            entries[name] = attributes.entry()
        return entries

    def make_folder(self, name: str) -> None:
        if name in self._made:
            return
        with self._asking("making", name) as session:
            path = self._path(name)
            there = session.look(path)
            if there is None:
                try:
                    session.make_folder(path)
                except Refusal:  # made by another run just now
                    there = session.look(path)
                    if there is None:
                        raise
            if there is not None and there.entry().kind != FOLDER:
                raise StoreError(f"{self.where(name)} is in the way: it should be a folder; look at it")
        self._made.add(name)

    def send(self, upload: Upload, name: str, there: Entry | None, meter: Meter) -> None:
        if there is not None and there.kind != FILE:
            raise StoreError(f"{self.where(name)} is in the way: it should be a file of a backup; look at it")
        if there is not None and there.size > upload.size:
            self.remove_file(name)
            there = None
        if there is not None and there.size == upload.size:  # its end was sent when all of it was known to be good
            return
        try:
            with self._asking("writing", name) as session:
                self._send(session, upload, self._path(name), there, meter)
        except ArchiveDamaged:
            self._empty(name)
            raise

    def _send(self, session: SftpSession, upload: Upload, path: str, there: Entry | None, meter: Meter) -> None:
        offset = max(0, there.size - _UNSURE) if there is not None else 0
        with outgoing(upload) as source:
            digest = source.digest_of(offset)
            blocks = source.blocks(offset, BLOCK, digest)
            session.write(path, offset, self._counted(blocks, meter))
        arrived = session.look(path)
        if arrived is None or arrived.size != upload.size:
            raise StoreError(
                f"{self._address}{path} should have {upload.size} bytes and has {arrived and arrived.size}; look "
                "whether that filesystem is full, or who else writes there"
            )

    def _counted(self, blocks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
        for block in blocks:
            self.patience.check()
            meter.count(len(block))
            yield block

    def _empty(self, name: str) -> None:
        """Leave nothing of a file with which nobody shall go on; one that cannot be removed is made empty."""
        with suppress(StoreError), self._asking("removing", name) as session:
            try:
                session.remove_file(self._path(name))
            except Refusal:
                session.empty_file(self._path(name))

    def is_same(self, upload: Upload, name: str) -> bool:
        if upload.size > _READ_BACK:
            return True
        with self._asking("reading", name) as session, outgoing(upload) as source:
            there = b"".join(session.read(self._path(name), 0, upload.size))
            return there == b"".join(source.blocks(0, BLOCK, source.digest_of(0)))

    def rename_new(self, source: str, target: str) -> None:
        with self._asking("publishing", target) as session:
            if session.look(self._path(target)) is not None:  # a server that replaces would do it
                raise StoreError(f"{self.where(target)} is there already, and nothing is ever replaced; look at it")
            session.rename(self._path(source), self._path(target))
        self._made.discard(source)

    def remove_file(self, name: str) -> None:
        with self._asking("removing", name) as session:
            _unless_gone(session.remove_file, self._path(name))

    def remove_folder(self, name: str) -> None:
        with self._asking("removing", name) as session:
            _unless_gone(session.remove_folder, self._path(name))
        self._made.discard(name)

    def open_file(self, name: str, offset: int, size: int) -> Reader:
        connection = self._connected()
        with self.told("reading", name, connection):
            there = connection.session.look(self._path(name))
            if there is None or there.entry().kind != FILE:
                raise StoreError(f"{self.where(name)} is not there any more; list the copy again")
        blocks = connection.session.read(self._path(name), offset, size)
        return _RemoteReader(lambda: self.told("reading", name, connection), blocks)

    def further_rights(self) -> Sequence[Right]:
        with self._asking("looking at", "") as session:
            top = session.look(self._path(""))
        sealed = top is not None and top.owner == ROOT and bool((top.mode or 0) & stat.S_ISVTX)
        after = "not what is sealed there, if `backupdb seal` runs on that host" if sealed else ""
        return [
            Right("read", YES if not sealed else UNKNOWN, "what this user wrote"),
            Right("write", UNKNOWN),
            Right("overwrite", UNKNOWN, after or "a user can change what it wrote; sealing on that host ends this"),
            Right("remove", UNKNOWN, after or "a user can remove what it wrote; sealing on that host ends this"),
            Right("lock", UNKNOWN, "SFTP knows of none"),
        ]

    # -- the connection -----------------------------------------------------------------------------------------

    @contextmanager
    def _asking(self, doing: str, name: str) -> Iterator[SftpSession]:
        """Give the session, and turn what goes wrong into the kind of `StoreError` that says what to do."""
        connection = self._connected()
        with self.told(doing, name, connection):
            yield connection.session

    @contextmanager
    def told(self, doing: str, name: str, connection: SftpConnection) -> Iterator[None]:
        """Turn what goes wrong in a session into a `StoreError`."""
        try:
            yield
        except Refusal as error:
            raise _refusal(error, f"{doing} {self.where(name)}") from error
        except (SessionLost, NotUnderstood) as error:
            with self._lock:
                if self._connection is connection:
                    self._drop()
            raise connection.lost(error) from error

    def _connected(self) -> SftpConnection:
        with self._lock:
            if self._connection is not None and self._connection.session.lost is not None:
                self._drop()
            if self._connection is None:
                self._connection = SftpConnection(self._address, self.patience.check)
            return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._made.clear()

    def _path(self, name: str) -> str:
        return f"{self._top}/{name}".rstrip("/") or "/"


class _RemoteReader:
    """Reads a file, with requests on their way for what comes next."""

    def __init__(self, told: Callable[[], AbstractContextManager[None]], blocks: Generator[bytes, None, None]) -> None:
        self._told = told
        self._blocks = blocks
        self._block = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end; raises `StoreError`."""
        if not self._block:
            with self._told():
                self._block = memoryview(next(self._blocks, b""))
        piece, self._block = self._block[:size], self._block[size:]
        return bytes(piece)

    def close(self) -> None:
        """End it."""
        self._block = memoryview(b"")
        self._blocks.close()


def _unless_gone(step: Callable[[str], None], path: str) -> None:
    try:
        step(path)
    except Refusal as refusal:
        if refusal.code != sftp.NO_SUCH_FILE:
            raise


def _refusal(error: Refusal, doing: str) -> StoreError:
    words = error.words or f"status {error.code}"
    if error.code == sftp.PERMISSION_DENIED:
        return StoreRefused(f"{doing}: {words}; look at owner and mode of it and of the folder above it")
    if error.code in (sftp.NO_CONNECTION, sftp.CONNECTION_LOST):
        return StoreUnavailable(f"{doing}: {words}")
    if error.code == sftp.NO_SUCH_FILE:
        return StoreError(f"{doing}: {words}; somebody removed it, or a folder above it, meanwhile")
    if error.code == sftp.FAILURE and doing.startswith(("writing", "making")):
        return StoreFull(f"{doing}: {words}; that filesystem is probably full, or a quota is used up: look there")
    if error.code == sftp.UNSUPPORTED:
        return StoreRefused(f"{doing}: {words}; that server does not do what a store of copies needs")
    return StoreError(f"{doing}: {words}; look there, and at the log of that server")
