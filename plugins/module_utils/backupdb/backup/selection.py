# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which databases a run takes, and why each of the others is left out."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from ..engines.values import Database
from ..errors import SelectionError
from .request import Selection

_NAMES_SHOWN = 10


@dataclass(frozen=True)
class Skipped:
    """A database that the run leaves alone.

    `fault`: it was wanted and cannot be taken. `notable`: nobody asked for it, but somebody may miss it. `unavailable`:
    a pattern means it, and only what it is now keeps it out: somebody misses it if it had backups.
    """

    name: str
    reason: str
    fault: bool = False
    notable: bool = False
    unavailable: bool = False


def select(databases: Sequence[Database], selection: Selection, *, where: str) -> tuple[list[Database], list[Skipped]]:
    """Split the server's databases into those to back up and those left out, each with its reason.

    A name or pattern is compared with the whole name; an entry that equals a name exactly means that database,
    also when it holds `*`, `?` or `[`. Case counts. An entry of `include` that matches nothing is a fault which names
    the nearest name there is; a pattern may match nothing where `allow_empty` is set. `SelectionError` is raised for
    such a fault when nothing else is selected, and for an empty outcome unless `allow_empty`.
    """
    names = {database.name for database in databases}
    absent = {
        entry: _nothing_matches(entry, sorted(names))
        for entry in selection.include
        if not _matches_any(entry, names) and not (_has_wildcard(entry) and selection.allow_empty)
    }
    selected: list[Database] = []
    skipped: list[Skipped] = []
    for database in databases:
        reason = _why_not(database, selection)
        if reason is None:
            selected.append(database)
        else:
            skipped.append(reason)
    if absent and not selected:
        raise SelectionError(f"{where}: {'; '.join(absent.values())}")
    if not selected and not selection.allow_empty:
        raise SelectionError(
            f"{where}: no database is selected ({_left_out(skipped, selection)}); "
            "change databases or exclude, or set allow_empty if that is right"
        )
    # The others must not go without a backup because one was dropped or misspelt.
    return selected, [*skipped, *(Skipped(entry, reason, fault=True) for entry, reason in absent.items())]


def _left_out(skipped: Sequence[Skipped], selection: Selection) -> str:
    """Say why what was asked for is left out; where nothing there was asked for, why the others are."""
    wanted = [entry for entry in skipped if any(matches(pattern, entry.name) for pattern in selection.include)]
    by_name = [entry for entry in wanted if entry.name in selection.include]
    shown = (by_name + [entry for entry in wanted if entry not in by_name]) or skipped
    return "; ".join(f"{entry.name!r}: {entry.reason}" for entry in shown[:_NAMES_SHOWN]) or (
        "the server shows this login none"
    )


def _why_not(database: Database, selection: Selection) -> Skipped | None:
    wanted = next((entry for entry in selection.include if matches(entry, database.name)), None)
    named = database.name in selection.include
    if database.is_system and not (database.on_request and named):
        return _system(database, named=named)
    if wanted is None:
        return Skipped(database.name, "not named by databases")
    for entry in selection.exclude:
        if matches(entry, database.name):
            return Skipped(database.name, f"excluded by {entry!r}")
    if database.reason is not None and not (database.on_request and named):
        return Skipped(database.name, database.reason, fault=named or database.unaddressable, unavailable=True)
    if not database.connectable:
        return Skipped(database.name, "does not accept connections", fault=named, unavailable=True)
    return None


def _system(database: Database, *, named: bool) -> Skipped:
    """It belongs to the server, and accounts are exported apart: to name it exactly is a mistake to be told."""
    reason = database.reason or "system database"
    if database.on_request and database.tables:
        reason += f"; it holds {database.tables} tables of your own: name it in databases to have it backed up"
        return Skipped(database.name, reason, notable=True)
    return Skipped(database.name, reason, fault=named)


def matches(entry: str, name: str) -> bool:
    """Tell whether an entry of a selection means this database."""
    return entry == name or fnmatch.fnmatchcase(name, entry)


def _matches_any(entry: str, names: set[str]) -> bool:
    return entry in names or any(fnmatch.fnmatchcase(name, entry) for name in names)


def _has_wildcard(entry: str) -> bool:
    return any(character in entry for character in "*?[")


def _nothing_matches(entry: str, names: Sequence[str]) -> str:
    # Compared without case: a wrong capital is the commonest slip, and the closest thing to the right name.
    by_lower = {name.lower(): name for name in names}
    nearest = difflib.get_close_matches(entry.lower(), list(by_lower), n=1, cutoff=0.0)
    hint = f"; the nearest name is {by_lower[nearest[0]]!r}" if nearest else "; the server has no databases"
    return f"databases has {entry!r}, which matches no database of this server{hint}"
