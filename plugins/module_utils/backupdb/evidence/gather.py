# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drills have shown, gathered where the backups are: nothing is signed here, and nothing is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import InvalidOption, ManifestDamaged
from ..monitoring.places import Place, places_of_repository
from ..repository import last_run, layout
from ..repository.catalogue import CLOCK_TOLERANCE, LARGEST_MANIFEST, database_folders, read_backup
from ..repository.copy_source import CopySource
from ..repository.drill_records import is_drill_file, read_drills, waiting_records
from ..repository.place import open_place
from ..repository.problems import Problems
from ..repository.subject import ACCOUNTS, Subject
from ..system.files import read_small_file
from ..system.text import iso, parse_iso, utc_now
from .facts import DatabaseFacts, Drill, Facts, Manifest

_SECOND = timedelta(seconds=1)
_SHOWN = 200  # characters of an error


def gather(
    repository: str | None, copy: CopySource | None, *, host: str | None, since: datetime, until: datetime | None = None
) -> Facts:
    """Look at all databases of a repository, or of a copy, of one host or of all (None); `until` None is now.

    Raises `InvalidOption` for a period that is none, `RepositoryError`, and what opening a store raises.
    """
    end = until or utc_now().replace(microsecond=0)
    if since >= end:
        raise InvalidOption(f"the period from {iso(since)} to {iso(end)} is none; since must be before until")
    problems = Problems()
    with open_place(repository, copy, host=host) as opened:
        problems.lines += opened.problems
        places = places_of_repository(opened.root, host, 0.0, problems)
        databases = [one for place in places for one in _databases(place, since, end, problems)]
    return Facts(
        place=opened.where,
        copy="" if copy is None else copy.settings.name,
        since=iso(since),
        until=iso(end),
        databases=tuple(sorted(databases, key=lambda one: one.folder)),
        problems=tuple(dict.fromkeys(problems.lines)),
    )


def result(facts: Facts) -> dict[str, Any]:
    """Return what was gathered as the result of a module."""
    drills = [drill for database in facts.databases for drill in database.drills]
    idle = [one for one in facts.databases if not one.drills]
    return {
        "status": "ok",
        "changed": False,
        "message": (
            f"{len(facts.databases)} databases in {facts.place}: {len(drills)} drills, "
            f"{len(idle)} databases without one, from {facts.since} to {facts.until}"
        ),
        "facts": facts.to_dict(),
        "warnings": list(facts.problems),
    }


def _databases(place: Place, since: datetime, until: datetime, problems: Problems) -> Iterator[DatabaseFacts]:
    run = last_run.read(place.record_folder, problems)
    if run is not None:
        place = place.called(run.host, run.instance)
    seen = set()
    for folder in database_folders(place.folder, problems):
        if folder.name != ACCOUNTS.folder:
            seen.add(folder.name)
            found = _database(place, folder, since, until, problems)
            if found is not None:
                yield found
    # What the newest run wanted, and of which there is not one backup.
    names = {Subject(one.name).folder: one.name for one in (run.databases if run is not None else ())}
    for name in sorted(set(names) - seen):
        yield _empty(place, name, names[name])


def _empty(place: Place, folder: str, name: str) -> DatabaseFacts:
    where = "/".join((*place.folder.parts[-2:], folder))
    return DatabaseFacts(where, place.host, place.instance, name, 0, 0, "", (), ())


def _database(place: Place, folder: Path, since: datetime, until: datetime, problems: Problems) -> DatabaseFacts | None:
    try:
        names = sorted((name for name in os.listdir(folder) if not name.startswith(".")), reverse=True)  # noqa: PTH208
    except OSError as error:
        problems.add_unreadable(folder, error)
        return None
    parsed = [(name, layout.parse_backup_folder(name)) for name in names]
    times = {name: one.time for name, one in parsed if one is not None and one.time <= until + CLOCK_TOLERANCE}
    if not times:
        return None
    waiting = waiting_records(folder)
    drills = [one for name in times for one in _drills(folder / name, waiting.get(name, ()), since, until, problems)]
    newest = next(iter(times))
    manifests = [_manifest(folder / name, problems) for name in sorted({newest, *(one.backup_id for one in drills)})]
    found = {one.backup_id: one for one in manifests if one is not None}
    return replace(
        _empty(place, folder.name, _true_name(folder / newest) or folder.name),
        backups=sum(since <= time <= until for time in times.values()),
        kept=len(times),
        newest=newest if newest in found else "",
        manifests=tuple(found.values()),
        drills=tuple(
            sorted(
                (one for one in drills if one.backup_id in found),
                key=lambda one: (one.finished, one.backup_id),
                reverse=True,
            )
        ),
    )


def _drills(
    folder: Path, waiting: Iterable[str], since: datetime, until: datetime, problems: Problems
) -> Iterator[Drill]:
    """Yield the drills of a backup that ended in the period; records are named by their end, to the second."""
    try:
        names = [*filter(is_drill_file, os.listdir(folder)), *waiting]  # noqa: PTH208  names, not paths
    except OSError as error:
        problems.add_unreadable(folder, error)
        return
    ends = [layout.parse_stamp(name[len("drill-") : -len(".json")]) for name in names]
    if not any(end is not None and since - _SECOND <= end <= until + _SECOND for end in ends):
        return
    for record in read_drills(folder, problems):
        if since <= parse_iso(record["finished"]) <= until:
            yield _drill(folder.name, record)


def _drill(backup_id: str, record: Mapping[str, Any]) -> Drill:
    """Take of a record what it says in the form that is expected: whoever writes into a repository may have made it."""
    took = record.get("seconds")
    took = took if isinstance(took, Mapping) else {}
    server = record.get("server")
    server = server if isinstance(server, Mapping) else {}
    differences = record.get("differences")
    return Drill(
        backup_id=backup_id,
        finished=iso(parse_iso(record["finished"])),
        verdict=record["verdict"],
        seconds=_number(took.get("total")),
        restore_seconds=_number(took.get("restore")),
        server=" ".join(_text(server.get(key)) for key in ("vendor", "version")).strip(),
        isolation=_text(record.get("isolation")),
        differences=len(differences) if isinstance(differences, list) else 0,
        error=_text(record.get("error")),
    )


def _manifest(folder: Path, problems: Problems) -> Manifest | None:
    path = folder / layout.MANIFEST_FILE
    try:
        return Manifest(folder.name, hashlib.sha256(read_small_file(path, LARGEST_MANIFEST)).hexdigest())
    except OSError as error:
        problems.add_unreadable(path, error)
        return None


def _true_name(folder: Path) -> str | None:
    try:
        backup = read_backup(folder)
    except ManifestDamaged:
        return None
    # One that lies in the folder of another database must not lend that its name.
    name = backup.database
    return name if name is not None and layout.encode_name(name) == folder.parent.name else None


def _text(value: Any) -> str:
    return value[:_SHOWN] if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12
    return round(float(value), 3) if is_number else None
