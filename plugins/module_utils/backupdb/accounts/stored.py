# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the document of accounts out of a backup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..age.recipients import Identity
from ..archives import read as archives
from ..engines.accounts_document import SCHEMA
from ..engines.accounts_form import check_form
from ..errors import ArchiveDamaged, InvalidOption
from ..repository.catalogue import StoredBackup


def read_document(backup: StoredBackup, identities: Sequence[Identity]) -> dict[str, Any]:
    """Return the document of a backup of accounts; it holds hashes of passwords, and so stays in memory.

    Raises `InvalidOption` for a backup of a database, and `ArchiveDamaged` and `WrongKey`.
    """
    if backup.manifest["kind"] != "accounts":
        raise InvalidOption(
            f"{backup.where} is a backup of database {backup.database!r}; accounts have backups of their own, in the "
            "instance's folder @accounts"
        )
    archive = next((entry for entry in backup.manifest["archives"] if entry["format"] == "json"), None)
    if archive is None:
        raise ArchiveDamaged(f"{backup.where} holds no document of accounts (accounts.json)")
    document = archives.read_document(backup.files, archive, identities)
    try:
        schema = document["schema"]
    except (KeyError, TypeError) as error:
        raise ArchiveDamaged(f"{backup.files.where(archive['name'])} holds no document of accounts") from error
    if schema != SCHEMA:
        raise InvalidOption(
            f"{backup.files.where(archive['name'])} has schema {schema}, this version of vya.backupdb reads {SCHEMA}; "
            "use a newer one"
        )
    try:
        check_form(document)
    except ValueError as error:
        raise ArchiveDamaged(f"{backup.files.where(archive['name'])} holds no document of accounts: {error}") from error
    return dict(document)
