# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on each server, and what became of it: filled by the plan, then by the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..connection.instance import Instance
from ..repository.catalogue import StoredBackup
from .coverage import DatabaseCoverage, InstanceCoverage
from .order import Piece
from .predict import Prediction

PLANNED = "planned"
PRESENT = "present"  # it is on the server, as in its backup
DROPPED = "dropped"  # it was gone from its server before the last run, and is not asked for
BLOCKED = "blocked"  # something stands in the way; nothing was tried
NO_BACKUP = "no_backup"
RESTORED = "restored"
WITH_ERRORS = "restored_with_errors"
FAILED = "failed"
NOT_BEGUN = "not_begun"
THERE = (PRESENT, RESTORED, WITH_ERRORS)


@dataclass
class DatabaseWork:
    """One database. `backup` is the one in use, which an older one replaces when it turns out to be damaged."""

    coverage: DatabaseCoverage
    backup: StoredBackup | None
    status: str = PLANNED
    reasons: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    prediction: Prediction | None = None
    target: str = ""
    replaces_empty: bool = False
    needed_bytes: int | None = None
    needs: frozenset[str] = frozenset()
    seconds: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.coverage.name


@dataclass
class AccountsWork:
    """The accounts of an instance. `outcome` is that of the last pass over them."""

    backup: StoredBackup | None
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    passed_over: list[str] = field(default_factory=list)
    outcome: Mapping[str, Any] | None = None
    created: list[str] = field(default_factory=list)
    changed: bool = False
    errors: list[str] = field(default_factory=list)

    def failures(self) -> list[str]:
        """Return what could not be restored of them, each once."""
        more = self.outcome["errors"] if self.outcome is not None else ()
        return list(dict.fromkeys([*self.errors, *more]))


@dataclass
class InstanceWork:
    """One instance and the server that it goes to, None where none was given; it has a version once it has answered.

    `shortage` says that there is not room for everything.
    """

    coverage: InstanceCoverage
    server: Instance | None
    accounts: AccountsWork
    databases: list[DatabaseWork]
    server_engine: str | None = None
    server_version: str | None = None
    obstacles: list[str] = field(default_factory=list)
    shortage: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.coverage.name

    def pieces(self) -> list[Piece]:
        """Return the databases that are to be restored, as pieces of work."""
        mine = {work.name for work in self.databases if work.status == PLANNED}
        return [
            Piece(
                key=(self.name, work.name),
                needs=frozenset((self.name, name) for name in work.needs & mine),
                seconds=work.prediction.seconds if work.prediction is not None else 0.0,
            )
            for work in self.databases
            if work.status == PLANNED
        ]
