# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that rclone reaches: Azure, B2, Google's, WebDAV, SMB and others that have no store of their own here.

It cannot rename folders everywhere, and keeps no versions or locks for us: files go in their order, the manifest last,
and each is looked for before. Nothing that is there is replaced, but for what a sending of ours has left half done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from ...errors import StoreError, StoreUnavailable
from ...system.files import open_regular
from ...system.json_text import count
from ...system.process import Running
from ...system.text import parse_iso
from ..files import storage_errors
from .interface import UNKNOWN, YES, Arrival, Meter, Reader, Right, Store, StoredObject, Upload
from .notes import Notes
from .outgoing import damaged
from .patience import Patience
from .rclone_program import NOTHING_THERE, Rclone, sent_bytes
from .s3_upload import part_size
from .settings import CopySettings

_BLOCK = 1 << 20  # bytes
_MOST_PARTS = 10000
_SENDING = "sending "


class RcloneStore(Store):
    """A remote of rclone, and a path in it."""

    TYPE = "rclone"
    MEDIA = "remote of rclone"

    def __init__(self, copy: CopySettings, patience: Patience, notes: Notes | None = None) -> None:
        self.copy = copy
        self.patience = patience
        self.notes = notes or Notes()
        self.program = Rclone(copy, patience.check)

    def where(self, name: str = "") -> str:
        """Return `remote:path/name`."""
        return self.program.target(name)

    def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield the files by name; rclone lists folders in any order."""
        folder = under.rstrip("/")
        found = self.patience.call(lambda: self._list(folder))
        yield from sorted((entry for entry in found if entry.name > after), key=lambda entry: entry.name)

    def _list(self, folder: str) -> list[StoredObject]:
        words = ("lsjson", "-R", "--files-only", "--fast-list", "--no-mimetype", self.where(folder))
        found: list[StoredObject] = []
        with self.program.running(*words) as program:
            last = b""
            for line in _lines(program):
                last = line
                if line.startswith(b"{"):
                    entry = _entry(line.rstrip(b","), folder)
                    if entry is not None:
                        found.append(entry)
            status = program.wait()
            if status in NOTHING_THERE:
                return []
            if status != 0:
                raise self.program.error(program, status, "listing", folder)
        if last != b"]":
            raise StoreUnavailable(f"copy {self.copy.name}: the list of {self.where(folder)} broke off")
        return found

    def facts(self, name: str) -> StoredObject | None:
        """Look at one file."""
        found = self.look(name)
        return None if found is None else _object(found, name)

    def look(self, name: str, *, hashes: bool = False) -> dict[str, Any] | None:
        """Return what rclone says of a file; None when there is none by this name."""
        words = ["lsjson", "--stat", "--no-mimetype", *(["--hash"] if hashes else []), self.where(name)]
        output = self.patience.call(lambda: self.program.say("looking at", name, *words))
        try:
            found = json.loads(output) if output else None
        except ValueError as error:
            raise StoreError(f"copy {self.copy.name}: rclone says of {self.where(name)} what is no JSON") from error
        return found if isinstance(found, dict) and not found.get("IsDir") else None

    def open(self, wanted: StoredObject, offset: int = 0) -> Reader:
        """Begin to read a file; one attempt, see `patience.SteadyReader`."""
        return _Output(self.program, wanted.name, offset)

    def arrival(self, place: str, meter: Meter) -> Arrival:
        """Send files one by one: the manifest, which is the last, makes the backup exist."""
        return _RcloneArrival(self, place, meter)

    def remove(self, place: str, objects: Sequence[StoredObject]) -> None:
        """Remove the manifest before all else."""
        for entry in sorted(objects, key=lambda entry: not entry.name.endswith("/manifest.json")):
            self.remove_file(entry.name)
        if objects:  # where folders are real, they are empty now; elsewhere there are none
            self.patience.call(lambda: self.program.say("removing", place, "rmdirs", self.where(place)))

    def remove_file(self, name: str) -> None:
        """Remove one file; harmless when it is gone."""
        self.patience.call(lambda: self.program.say("removing", name, "deletefile", self.where(name)))

    def rights(self) -> list[Right]:
        """Only a list is tried; of what else the key may do rclone knows nothing before it does it."""
        self.patience.call(lambda: self.program.say("listing", "", "lsf", "--max-depth=1", self.where()))
        return [
            Right("list", YES),
            *(Right(name, UNKNOWN, "nothing is written or read to try") for name in ("read", "write", "remove")),
            Right("versions", UNKNOWN, "rclone shows what names lead to now; see the settings of the store itself"),
            Right("lock", UNKNOWN, "rclone cannot lock; a rule of the store itself can"),
        ]


class _RcloneArrival(Arrival):
    """One backup, file by file."""

    def __init__(self, store: RcloneStore, place: str, meter: Meter) -> None:
        self._store = store
        self._place = place
        self._meter = meter

    def put(self, upload: Upload) -> None:
        """Send one file."""
        md5 = _md5_of(upload)
        if self._is_there(upload, md5):
            return
        self._store.notes.keep(upload.name, _SENDING + upload.sha256)
        self._store.patience.call(lambda: self._send(upload))
        arrived = self._store.look(upload.name, hashes=True)
        if arrived is None or not _is_same(arrived, upload, md5):
            raise StoreError(
                f"copy {self._store.copy.name}: {self._store.where(upload.name)} is not what was sent; the next run "
                "sends it again"
            )

    def finish(self) -> None:
        """Forget what was noted on the way."""
        self._store.notes.forget_below(self._place)

    def _is_there(self, upload: Upload, md5: str) -> bool:
        there = self._store.look(upload.name, hashes=True)
        if there is None:
            return False
        if _is_same(there, upload, md5):
            return True
        if self._store.notes.get(upload.name) == _SENDING + upload.sha256:
            self._store.remove_file(upload.name)  # an earlier run of ours was ended while it sent this
            return False
        raise StoreError(
            f"copy {self._store.copy.name}: {self._store.where(upload.name)} is there, and is something else "
            f"({there.get('Size')} bytes); nothing is replaced: look who has written it"
        )

    def _send(self, upload: Upload) -> None:
        program = self._store.program
        words = ["copyto", "--ignore-existing", "--stats=1s", "--use-json-log", "--stats-log-level=NOTICE"]
        words += [f"--s3-chunk-size={part_size(upload.size, _MOST_PARTS)}B"]
        if self._store.copy.bandwidth is not None:
            words.append(f"--bwlimit={self._store.copy.bandwidth}B")
        seen, counted = 0, 0

        def watch(line: str) -> None:
            nonlocal seen
            seen = max(seen, min(sent_bytes(line) or 0, upload.size))

        def count() -> None:
            nonlocal counted
            new, counted = seen - counted, seen
            if new:
                self._meter.count(new)

        with program.running(*words, str(upload.path), self._store.where(upload.name), watch=watch) as running:
            status = program.wait(running, count)
            if status != 0:
                raise program.error(running, status, "sending", upload.name)
        seen = upload.size
        count()


class _Output:
    """What `rclone cat` writes; begins at the first read."""

    def __init__(self, program: Rclone, name: str, offset: int) -> None:
        self._program = program
        self._name = name
        self._stack = ExitStack()
        self._running = self._stack.enter_context(program.running("cat", f"--offset={offset}", program.target(name)))

    def read(self, size: int) -> bytes:
        block = self._running.stdout.read(size) or b""
        if not block:
            status = self._running.wait()
            if status != 0:
                raise self._program.error(self._running, status, "reading", self._name)
        return block

    def close(self) -> None:
        self._stack.close()


def _md5_of(upload: Upload) -> str:
    """Read a file and return its MD5, by which many stores know it; raises `ArchiveDamaged` when it has rotted."""
    digest, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with storage_errors(upload.path, "reading"):
        descriptor = open_regular(upload.path)
        try:
            while block := os.read(descriptor, _BLOCK):
                digest.update(block)
                md5.update(block)
                size += len(block)
        finally:
            os.close(descriptor)
    if (size, digest.hexdigest()) != (upload.size, upload.sha256):
        raise damaged(upload)
    return md5.hexdigest()


def _is_same(there: dict[str, Any], upload: Upload, md5: str) -> bool:
    """Tell whether a file of the store is the one that is sent, by its size and what hashes the store knows."""
    hashes = there.get("Hashes")
    known = hashes if isinstance(hashes, dict) else {}
    return bool(
        there.get("Size") == upload.size
        and known.get("sha256") in (None, "", upload.sha256)
        and known.get("md5") in (None, "", md5)
    )


def _lines(program: Running) -> Iterator[bytes]:
    """Yield the lines that a program writes."""
    rest = b""
    while block := program.stdout.read(1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        yield from (line for line in lines if line)
    if rest:
        yield rest


def _entry(line: bytes, folder: str) -> StoredObject | None:
    try:
        values = json.loads(line)
        path = str(values["Path"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("rclone lists a file in a form that is not understood") from error
    return _object(values, f"{folder}/{path}" if folder else path)


def _object(values: dict[str, Any], name: str) -> StoredObject:
    try:
        size = count(values.get("Size"))
    except ValueError:
        size = 0  # some stores cannot tell; what is read from it then is not what the manifest says
    return StoredObject(name, size, _time(values.get("ModTime")))


def _time(text: Any) -> datetime | None:
    """Read a time; rclone writes nanoseconds, which are cut."""
    try:
        head, dot, fraction = str(text).partition(".")
        digits = fraction.rstrip("Z")
        zone = next((digits[at:] for at, sign in enumerate(digits) if sign in "+-"), "Z")
        whole = head if not dot else f"{head}.{digits[:6].ljust(6, '0')}{zone}" if zone == "Z" else f"{head}{zone}"
        return parse_iso(whole)
    except ValueError:
        return None
