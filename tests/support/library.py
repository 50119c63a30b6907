# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling the library on private servers, without Ansible."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import backupdb
from backupdb.age.stream import X25519Identity
from backupdb.archives.envelope import Encryption
from backupdb.archives.keys import Keys
from backupdb.archives.read import plain_blocks
from backupdb.backup import run as backup
from backupdb.backup.request import BackupRequest, Selection
from backupdb.connection.instance import Instance
from backupdb.engines.filters import Filters
from backupdb.engines.values import DumpOptions
from backupdb.errors import BackupDbError
from backupdb.repository import catalogue, layout, local
from backupdb.repository.archive_files import LocalFiles
from backupdb.repository.catalogue import Problems, StoredBackup
from backupdb.streams.compression import Compression
from backupdb.streams.pipeline import Limiter, Limits

from support.private_server import PrivateServer

LIBRARY = Path(backupdb.__file__).resolve().parents[1]  # what PYTHONPATH must have
SCHEMAS = Path(__file__).parent / "schemas"
IDENTITY = X25519Identity.generate()
KEYS = Keys(identity=IDENTITY.reveal())
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"  # nobody has its key
HOST = "host1"


def limits(**values: Any) -> Limits:
    """Limits of work that nothing stops, but for what `values` say."""
    return Limits(**{"cancel": threading.Event(), "limiter": Limiter(None), **values})


def instance_of(server: PrivateServer, **changes: Any) -> Instance:
    """The superuser's login over TCP; `changes` replace fields."""
    instance = Instance(
        id="test",
        engine=server.engine,
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
    )
    return replace(instance, **changes)


def request_for(
    instance: Instance, repository: Path, *, databases: Sequence[str] = ("*",), **options: Any
) -> BackupRequest:
    """A run encrypted for `IDENTITY`; options are fields of the request, of `DumpOptions` or of `Filters`."""
    dump = {name: options.pop(name) for name in list(options) if name in DumpOptions.__dataclass_fields__}
    dump.setdefault("jobs_min_size", 0)  # databases of tests are small
    filters = {name: options.pop(name) for name in list(options) if name in Filters.__dataclass_fields__}
    fields: dict[str, Any] = {
        "selection": Selection(include=tuple(databases)),
        "encryption": Encryption(recipients=(IDENTITY.recipient,)),
        "compression": Compression(),
        "host": HOST,
        **options,
    }
    return BackupRequest(
        instance=instance, repository=str(repository), dump=DumpOptions(filters=Filters(**filters), **dump), **fields
    )


def back_up(server: PrivateServer, repository: Path, **options: Any) -> dict[str, Any]:
    """Run a backup with the superuser's login and return the result."""
    return backup.run(request_for(instance_of(server), repository, **options))


def database_folder(repository: Path, name: str, *, instance: str = "test") -> Path:
    """Where the backups of a database lie."""
    return local.instance_path(repository, HOST, instance) / layout.encode_name(name)


def stored_backups(repository: Path, name: str) -> list[StoredBackup]:
    """The backups of a database, newest first; fails on anything that cannot be read."""
    problems = Problems()
    found = list(catalogue.backups(database_folder(repository, name), problems))
    if problems.lines:
        raise AssertionError(problems.lines)
    return found


def entry_of(result: dict[str, Any], name: str) -> dict[str, Any]:
    """The result of one database."""
    found: dict[str, Any] = next(entry for entry in result["databases"] if entry["name"] == name)
    return found


def plain(folder: str | Path, part: str = "data", **wanted: Any) -> bytes:
    """The plain stream of one part of a backup."""
    backup_here = catalogue.read_backup(Path(folder))
    archive = next(
        entry
        for entry in backup_here.manifest["archives"]
        if entry["part"] == part and all(entry[key] == value for key, value in wanted.items())
    )
    return b"".join(plain_blocks(LocalFiles(Path(folder)), archive, [IDENTITY]))


def unpublished(repository: Path) -> list[Path]:
    """What lies in a repository under no final name."""
    return sorted(repository.glob(f"*/*/*/{layout.PARTIAL_PREFIX}*"))


def descendants(pid: int) -> dict[int, str]:
    """The processes below a process: pid to program name."""
    found: dict[int, str] = {}
    parents: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _mark, tail = path.read_text().rpartition(")")
        except OSError:  # it ended in between
            continue
        parents[int(path.parent.name)] = (int(tail.split()[1]), head.partition("(")[2])
    for child, (_parent, name) in parents.items():
        above = child
        while above in parents and above != pid:
            above = parents[above][0]
        if above == pid and child != pid:
            found[child] = name
    return found


def wait_for(condition: Callable[[], Any], *, seconds: float = 20.0, what: str = "the condition") -> Any:
    """Wait until `condition()` is true and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {seconds:g} seconds")


class BackgroundRun(threading.Thread):
    """A run in a thread of this process."""

    def __init__(self, request: BackupRequest) -> None:
        super().__init__(daemon=True)
        self._request = request
        self._result: dict[str, Any] = {}
        self._error: BackupDbError | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = backup.run(self._request)
        except BackupDbError as error:
            self._error = error

    def result(self, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the end; raises what the run raised."""
        self.join(seconds)
        if self.is_alive():
            raise AssertionError(f"the run did not end within {seconds:g} seconds")
        if self._error is not None:
            raise self._error
        return self._result


def at_work(pid: int, program: str) -> int | None:
    """The client `program` below a process, or None; one that is only asked for its version is not at work."""
    for client, name in descendants(pid).items():
        if name.startswith(program[:15]):
            try:
                words = Path(f"/proc/{client}/cmdline").read_bytes().split(b"\0")
            except OSError:  # it ended in between
                continue
            if len(words) > 1 and b"--version" not in words:
                return client
    return None


def client_pid(program: str, *, of: int | None = None) -> int:
    """Wait for a dump client of this process (or of process `of`) and return its pid."""
    pid: int = wait_for(lambda: at_work(of or os.getpid(), program), what=program)
    return pid
