# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of any content, stored by the library's own means, for tests that need no database."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from backupdb.archives.envelope import Encryption, Envelope
from backupdb.archives.write import store_document
from backupdb.repository import layout, local
from backupdb.repository.catalogue import Problems, StoredBackup, read_all, read_backup
from backupdb.signatures.keys import SigningKey
from backupdb.streams.compression import Compression
from backupdb.system.text import iso

from support.library import IDENTITY, limits

TIME = datetime(2026, 11, 20, 5, 6, 7, tzinfo=timezone.utc)
RUN = "0123456789abcdef0123456789abcdef"
PLAIN = Envelope(Compression(), Encryption(mode="none"))
SEALED = Envelope(Compression(), Encryption(recipients=(IDENTITY.recipient,)))
_LINES = [f"INSERT INTO t VALUES ('{hashlib.sha256(bytes([n % 256, n >> 8])).hexdigest()}');\n" for n in range(5000)]
DUMP = "".join([*_LINES, "-- Dump completed on 2026-11-20  5:06:08\n"]).encode("ascii")


def store(
    root: Path,
    database: str | None = "shop",
    *,
    host: str = "db1",
    instance: str = "shop-db",
    time: datetime = TIME,
    run_id: str = RUN,
    content: bytes | None = None,
    form: str = "sql",
    envelope: Envelope = PLAIN,
    key: SigningKey | None = None,
    **manifest: Any,
) -> StoredBackup:
    """Publish a backup with one archive of `content` (None: without an archive); None as database: accounts.

    With a key it is signed.
    """
    name = layout.ACCOUNTS_FOLDER if database is None else layout.encode_name(database)
    publication = local.Publication(local.make_instance_folder(root, host, instance) / name, run_id=run_id, time=time)
    archives = []
    if content is not None:
        archives = [store_document("data", content, publication, envelope, form=form, limits=limits()).record]
    values = {
        "schema": 1,
        "kind": "accounts" if database is None else "database",
        "backup_id": publication.backup_id,
        "run_id": run_id,
        "host": host,
        "instance": instance,
        **({} if database is None else {"database": database}),
        "status": "complete",
        "engine": "mariadb",
        "server": {"version": "10.11.19"},
        "started": iso(time),
        "finished": iso(time),
        "archives": archives,
        "plain_bytes": sum(archive["plain_bytes"] for archive in archives),
        "stored_bytes": sum(archive["stored_bytes"] for archive in archives),
        "missing": [],
        "warnings": [],
        **({} if key is None else {"signing_key": key.public}),
        **manifest,
    }
    return read_backup(publication.publish(values, sign=None if key is None else key.sign).folder)


def there(root: Path) -> list[str]:
    """Names of the backups in a repository, newest first; what is damaged is passed over."""
    return [backup.folder.name for backup in read_all(root, problems=Problems())]


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    """Change the manifest of a backup and the checksums, as somebody would who made such a backup on purpose."""
    path = folder / layout.MANIFEST_FILE
    content = json.dumps({**json.loads(path.read_bytes()), **changes}).encode("ascii")
    path.write_bytes(content)
    checksums = folder / layout.CHECKSUM_FILE
    others = checksums.read_text(encoding="ascii").splitlines()[1:]
    if "archives" in changes:
        others = [f"{archive.get('sha256')}  {archive.get('name')}" for archive in changes["archives"]]
    first = f"{hashlib.sha256(content).hexdigest()}  {layout.MANIFEST_FILE}"
    checksums.write_text("\n".join([first, *others]) + "\n", encoding="ascii")


def flip_bit(path: Path, position: int) -> None:
    """Flip one bit of a file; a negative position counts from its end."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
