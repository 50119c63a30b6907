# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that belong to a backup of a database, from the same repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..age.stream import Identity
from ..archives.read import read_document
from ..engines.accounts_document import SCHEMA
from ..engines.accounts_form import check_form
from ..errors import ArchiveDamaged, BackupDbError
from ..repository.catalogue import StoredBackup, backups
from ..repository.problems import Problems
from ..repository.subject import ACCOUNTS
from ..signatures.check import check_backup, check_manifest


@dataclass(frozen=True)
class StoredAccounts:
    """The document, None without one, and a word on where it is from or why there is none."""

    document: Mapping[str, Any] | None
    note: str


def accounts_of(
    backup: StoredBackup, identities: Sequence[Identity], signed_by: Sequence[str] | None = None
) -> StoredAccounts:
    """Find and read the accounts that go with a backup: those of its own run, else the newest from before it.

    Raises `SignatureRefused` for accounts that are not signed as demanded.
    """
    folder = backup.instance_folder
    chosen = _choose(folder / ACCOUNTS.folder, backup) if folder is not None else None
    if chosen is None:
        return StoredAccounts(None, "there is no backup of the instance's accounts from its run or before it")
    check_manifest(chosen, signed_by)
    try:
        check_backup(chosen, signed_by)
        document = _read(chosen, identities)
    except BackupDbError as error:
        return StoredAccounts(None, f"the accounts in {chosen.folder} cannot be read: {error}")
    own = chosen.manifest["run_id"] == backup.manifest["run_id"]
    return StoredAccounts(document, "" if own else f"the accounts are those of {chosen.folder.name}, of another run")


def _choose(folder: Path, backup: StoredBackup) -> StoredBackup | None:
    found = [one for one in backups(folder, Problems()) if one.kind == "accounts"]
    own = [one for one in found if one.manifest["run_id"] == backup.manifest["run_id"]]
    before = [one for one in found if one.time <= backup.time]
    chosen = next(iter([*own, *before]), None)
    return None if chosen is None else backup.beside(chosen.folder, chosen)


def _read(backup: StoredBackup, identities: Sequence[Identity]) -> Mapping[str, Any]:
    archive = next((one for one in backup.manifest["archives"] if one["format"] == "json"), None)
    if archive is None:
        raise ArchiveDamaged(f"{backup.where} holds no document of accounts that can be read")
    document = read_document(backup.files, archive, identities)
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}")
        check_form(document)
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveDamaged(f"{backup.where}: not a document of accounts of this version: {error}") from error
    found: Mapping[str, Any] = document
    return found
