# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts' own story: find their backup, open the server, restore; and looking at accounts anywhere."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..archives.keys import Keys, load_identities
from ..connection.instance import Instance
from ..engines.registry import open_engine
from ..repository.copy_source import CopySource
from ..repository.find import BackupSelector
from ..repository.lock import readers_lock
from ..repository.place import find_in_place
from ..signatures.check import check_backup
from ..system.stopping import stop_signals
from .restore import export, restore_accounts
from .stored import read_document
from .summary import summarise


@dataclass(frozen=True)
class StoredAccounts:
    """Where the backup of the accounts is, what opens it, and who must have signed it."""

    wanted: BackupSelector
    repository: str | None = None
    keys: Keys = field(default_factory=Keys)
    signed_by: tuple[str, ...] | None = None
    copy: CopySource | None = None


@dataclass(frozen=True)
class AccountRestoreRequest:
    """Accounts of a backup into one server; `instance` is the server. The rest as in `accounts.plan.Choice`."""

    instance: Instance
    source: StoredAccounts
    patterns: tuple[str, ...] = ("*",)
    existing: str = "skip"
    object_grants_for: tuple[str, ...] | None = None


def restore(request: AccountRestoreRequest, *, check_mode: bool = False) -> dict[str, Any]:
    """Restore and return the result as plain values; in check mode the plan, and nothing is changed.

    Raises `BackupDbError` when nothing could be begun. One account that fails does not stop the others.
    """
    document, origin, warnings = _read(request.source)
    cancel = threading.Event()
    databases = None if request.object_grants_for is None else set(request.object_grants_for)
    with stop_signals(cancel), open_engine(request.instance, cancel) as engine:
        facts = engine.facts
        outcome = restore_accounts(
            engine,
            document,
            patterns=request.patterns,
            existing=request.existing,
            object_grants_for=databases,
            check_mode=check_mode,
        )
    about = {"instance": request.instance.id, "engine": facts.vendor, "server_version": facts.version, **origin}
    outcome = replace(outcome, warnings=[*warnings, *outcome.warnings], facts={**about, **outcome.facts})
    return outcome.to_dict()


def look_at_server(instance: Instance, patterns: Sequence[str], *, show_hashes: bool = False) -> dict[str, Any]:
    """Return the accounts of a server; raises what connecting and exporting raise."""
    with open_engine(instance) as engine:
        facts = engine.facts
        exported = export(engine)
    return {
        "instance": instance.id,
        "engine": facts.vendor,
        "server_version": facts.version,
        "accounts": summarise(exported, patterns, show_hashes=show_hashes),
        "missing": list(exported["missing"]),
    }


def look_at_backup(source: StoredAccounts, patterns: Sequence[str], *, show_hashes: bool = False) -> dict[str, Any]:
    """Return the accounts of a backup; raises what finding and reading it raise."""
    document, origin, warnings = _read(source)
    return {
        "engine": document["vendor"],
        "server_version": document["server_version"],
        **origin,
        "accounts": summarise(document, patterns, show_hashes=show_hashes),
        "missing": list(document["missing"]),
        "warnings": warnings,
    }


def _read(source: StoredAccounts) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return the document, what names the backup in a result, and warnings."""
    with (
        find_in_place(source.repository, source.copy, source.wanted) as found,
        readers_lock(found.backup.instance_folder) as unlocked,
    ):
        signature = check_backup(found.backup, source.signed_by)
        document = read_document(found.backup, load_identities(source.keys))
    origin = {"backup_id": found.backup.manifest["backup_id"], "path": found.backup.where, "signature": signature}
    return document, origin, [*found.warnings, *unlocked]
