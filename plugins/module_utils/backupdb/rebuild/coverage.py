# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backups of a host cover: each instance with its accounts and databases, and what is known to be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from ..engines.registry import find_engine
from ..errors import BackupNotFound
from ..repository import last_run, layout
from ..repository.catalogue import StoredBackup, backups, database_folders
from ..repository.last_run import LastRun
from ..repository.problems import Problems
from ..restore.request import SAFETY_SUFFIX
from ..system.files import is_folder
from ..system.text import iso
from .choose import Chooser, Chosen
from .request import RebuildRequest

_SHOWN = 10


@dataclass(frozen=True)
class DatabaseCoverage:
    """One database: its folder, and the backup to use. `dropped` says since when it is gone from its server."""

    name: str
    folder: Path
    chosen: Chosen
    dropped: str | None = None


@dataclass(frozen=True)
class InstanceCoverage:
    """One instance of the host. `not_covered` are databases without a backup, each with what is known of it."""

    name: str
    engine: str
    version: str
    databases: Sequence[DatabaseCoverage]
    accounts: Chosen
    not_covered: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def look(request: RebuildRequest, chooser: Chooser) -> list[InstanceCoverage]:
    """Look through the backups of the host; raises `BackupNotFound` with the hosts that there are."""
    roots = [place.root for place in chooser.places]
    folders = [root / layout.encode_name(request.host) for root in roots]
    if not any(map(is_folder, folders)):
        hosts = sorted({_decoded(path) for root in roots for path in _folders(root)})
        there = ", ".join(repr(name) for name in hosts[:_SHOWN]) or "no host at all"
        raise BackupNotFound(f"{chooser.where} has no backup of host {request.host!r}; it has {there}")
    names = sorted({path.name for folder in folders if is_folder(folder) for path in _folders(folder)})
    found = [_instance([folder / name for folder in folders], request, chooser) for name in names]
    covered = [entry for entry in found if entry is not None and not _is_of_safety(entry.name, request)]
    if not covered:
        raise BackupNotFound(f"{chooser.where} has a folder of host {request.host!r}, and no backup in it")
    return covered


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if is_folder(path) and not path.name.startswith("."))


def _instance(there: Sequence[Path], request: RebuildRequest, chooser: Chooser) -> InstanceCoverage | None:
    """Look at an instance, which has a folder in any of the places."""
    folder = next(path for path in there if is_folder(path))
    run = next(filter(None, (last_run.read(path, chooser.problems) for path in there)), None)
    folders = {path.name: path for one in reversed(there) for path in database_folders(one, chooser.problems)}
    chosen = {path: chooser.newest(path) for _name, path in sorted(folders.items())}
    manifests = [one.backup for one in chosen.values() if one.backup is not None]
    if not manifests and run is None and not any(one.passed_over for one in chosen.values()):
        return None  # such as the safety backups of a restore that were removed
    newest = max(manifests, key=lambda backup: backup.time, default=None)
    accounts = next((chosen.pop(path) for path in list(chosen) if path.name == layout.ACCOUNTS_FOLDER), Chosen(None))
    databases = [
        DatabaseCoverage(name, path, one, _dropped(name, one.backup, run, request))
        for path, one in chosen.items()
        for name in [_name(path, one.backup)]
    ]
    return InstanceCoverage(
        name=_true(newest, "instance", folder),
        engine=str(newest.manifest["engine"]) if newest is not None else run.engine if run is not None else "",
        version=_version(newest, run),
        databases=databases,
        accounts=accounts,
        not_covered=_not_covered({one.name for one in databases}, run),
        warnings=_maybe_dropped(databases, manifests) if run is None else (),
    )


def _is_of_safety(name: str, request: RebuildRequest) -> bool:
    """Tell whether an instance is where restores put the databases that they replaced, and is not asked for."""
    return name.endswith(SAFETY_SUFFIX) and name not in request.servers


def _name(folder: Path, backup: StoredBackup | None) -> str:
    """Return the true name of a database, from any manifest of it that can be read."""
    known = backup or next((one for one in backups(folder, Problems()) if one.is_in_place()), None)
    return known.database if known is not None and known.database is not None else _decoded(folder)


def _true(backup: StoredBackup | None, key: str, folder: Path) -> str:
    return str(backup.manifest[key]) if backup is not None else _decoded(folder)


def _decoded(folder: Path) -> str:
    return unquote(folder.name, errors="surrogateescape")


def _version(backup: StoredBackup | None, run: LastRun | None) -> str:
    if backup is not None:
        return str(backup.manifest["server"].get("version") or "")
    return run.server_version if run is not None else ""


def _dropped(name: str, backup: StoredBackup | None, run: LastRun | None, request: RebuildRequest) -> str | None:
    """Say since when a database is gone from its server; what was there at an earlier time asked for is wanted."""
    if run is None or backup is None or request.at is not None or name in run.present:
        return None
    if run.started <= backup.time or any(outcome.name == name for outcome in run.databases):
        return None
    return f"it was no longer on its server at the run of {iso(run.started)}"


def _not_covered(known: set[str], run: LastRun | None) -> dict[str, str]:
    """Return what the last run saw and of which there is no backup at all."""
    if run is None:
        return {}
    wanted = {outcome.name: outcome.error for outcome in run.databases}
    engine = find_engine(run.engine)
    system = {name.lower() for name in engine.SYSTEM_DATABASES} if engine is not None else set()
    seen = {name for name in run.present if name.lower() not in system}
    found = {name: "the last run saw it, and it was not to be backed up" for name in seen - set(wanted) - known}
    failed = {
        name: f"its backup failed: {error}" if error else "there is no backup of it"
        for name, error in wanted.items()
        if name not in known
    }
    return {**found, **failed}


def _maybe_dropped(databases: Sequence[DatabaseCoverage], manifests: Sequence[StoredBackup]) -> list[str]:
    """Warn of databases that the newest run did not back up: without its record nobody knows whether they are gone."""
    newest = max((backup.time for backup in manifests), default=None)
    run_id = next((backup.manifest["run_id"] for backup in manifests if backup.time == newest), None)
    began: Mapping[str, datetime] = _begun(manifests)
    return [
        f"the newest backup of {one.name!r} is of {iso(one.chosen.backup.time)}, and the newest run of its instance of "
        f"{iso(began[str(run_id)])} did not back it up: it may have been dropped before"
        for one in databases
        if one.chosen.backup is not None and one.chosen.backup.manifest["run_id"] != run_id
    ]


def _begun(manifests: Sequence[StoredBackup]) -> dict[str, datetime]:
    """Return when each run made its first backup that is there."""
    began: dict[str, datetime] = {}
    for backup in manifests:
        run_id = str(backup.manifest["run_id"])
        began[run_id] = min(backup.time, began.get(run_id, backup.time))
    return began
