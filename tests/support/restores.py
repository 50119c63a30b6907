# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling a restore of the library on private servers, without Ansible; the same words for every engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backupdb.archives.envelope import Encryption, Envelope
from backupdb.connection.instance import Instance
from backupdb.engines.registry import open_engine
from backupdb.engines.values import DumpOptions, RestoreOptions, SnapshotDetails
from backupdb.repository.find import BackupSelector
from backupdb.repository.manifest import serialise
from backupdb.restore import run as restore
from backupdb.restore.compare import inspect
from backupdb.restore.request import RestoreRequest, Safety
from backupdb.streams.compression import Compression

from support import mysql_dumps, postgresql_dumps
from support.library import HOST, IDENTITY, KEYS, instance_of, plain
from support.private_server import PrivateServer
from support.servers import PrivatePostgres

_OF_WANTED = ("path", "at", "backup_id")


def restore_request(server: PrivateServer, repository: Path, database: str, **options: Any) -> RestoreRequest:
    """A restore with the superuser's login from the newest backup; options are fields of the request or its parts."""
    instance: Instance = options.pop("instance", None) or instance_of(server)
    chosen = {name: options.pop(name) for name in list(options) if name in RestoreOptions.__dataclass_fields__}
    which = {name: options.pop(name) for name in list(options) if name in _OF_WANTED}
    wanted = BackupSelector(**which) if "path" in which else BackupSelector(instance="test", database=database, **which)
    fields = {"keys": KEYS, "safety": Safety(host=HOST), **options}
    return RestoreRequest(
        instance=instance, wanted=wanted, options=RestoreOptions(**chosen), repository=str(repository), **fields
    )


def restored(server: PrivateServer, repository: Path, database: str, **options: Any) -> dict[str, Any]:
    """Restore and return the result; fails unless everything came back and was found to be equal."""
    result = restore.run(restore_request(server, repository, database, **options))
    if result["status"] != "restored":
        raise AssertionError(result["message"])
    return result


def differences(result: dict[str, Any]) -> Sequence[str]:
    """What the comparison found, objects and rows together."""
    return [*result["inventory_difference"], *result["row_count_difference"]]


def details_of(server: PrivateServer, database: str) -> SnapshotDetails:
    """Everything that can be counted and summed up of a database, in one snapshot."""
    with open_engine(instance_of(server)) as engine:
        client = engine.usable_dump_client(DumpOptions())
        return inspect(engine, client, database, DumpOptions(row_counts=True, fingerprints=True))


def names(server: PrivateServer) -> set[str]:
    """The databases that are there."""
    statement = "SELECT datname FROM pg_database" if server.engine == "postgresql" else "SHOW DATABASES"
    return {row[0] for row in server.sql(statement)}


def make_database(server: PrivateServer, name: str) -> None:
    """Make an empty database in UTF-8."""
    if isinstance(server, PrivatePostgres):
        postgresql_dumps.make_database(server, name, options="ENCODING UTF8")
    else:
        server.sql(f"CREATE DATABASE {quoted(server, name)} CHARACTER SET utf8mb4")


def drop_database(server: PrivateServer, name: str) -> None:
    """Drop a database, if it is there."""
    if isinstance(server, PrivatePostgres):
        postgresql_dumps.drop_database(server, name)
    else:
        server.sql(f"DROP DATABASE IF EXISTS {quoted(server, name)}")


@contextmanager
def clean(server: PrivateServer) -> Iterator[None]:
    """Drop at the end what was not there at the beginning."""
    before = names(server)
    try:
        yield
    finally:
        for name in names(server) - before:
            drop_database(server, name)


def quoted(server: PrivateServer, name: str) -> str:
    """The name as an identifier."""
    if server.engine == "postgresql":
        return postgresql_dumps.identifier(name)
    return mysql_dumps.quoted(name)


def rewritten(folder: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Make a backup say something else, with manifest and checksums as if it had been dumped so."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    archive = next(entry for entry in manifest["archives"] if entry["part"] == part)
    content = change(plain(folder, part))
    stored = content
    envelope = Envelope(Compression(archive["compression"]), Encryption(recipients=(IDENTITY.recipient,)))
    for stage in envelope.transforms():
        stored = stage.update(stored) + stage.finish()
    (folder / archive["name"]).write_bytes(stored)
    archive.update(
        plain_bytes=len(content),
        plain_sha256=hashlib.sha256(content).hexdigest(),
        stored_bytes=len(stored),
        sha256=hashlib.sha256(stored).hexdigest(),
    )
    manifest["plain_bytes"] = sum(entry["plain_bytes"] for entry in manifest["archives"])
    manifest["stored_bytes"] = sum(entry["stored_bytes"] for entry in manifest["archives"])
    document = serialise(manifest)
    lines = [f"{hashlib.sha256(document).hexdigest()}  manifest.json"]
    lines += [f"{entry['sha256']}  {entry['name']}" for entry in manifest["archives"]]
    (folder / "manifest.json.sha256").write_text("\n".join(lines) + "\n", encoding="ascii")
    path.write_bytes(document)
