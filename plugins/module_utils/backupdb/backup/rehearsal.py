# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would become of each backup of a plan: the same steps as in a run, up to the first byte that would be written.

Every step here is one that the run takes, by the same function, so that check mode and a run cannot come to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..engines.interface import Engine
from ..engines.values import Client, Database, MissingPrivilege
from ..errors import BackupDbError, SnapshotLost
from ..repository.local import check_folder
from ..repository.subject import Subject
from .gate import Gate
from .one_database import absent_from, lesser_ways, require_rights
from .plan import BackupPlan, PlannedBackup
from .space import Space
from .survey import missing_rights


@dataclass(frozen=True)
class Foreseen:
    """What would become of one backup: `error` where it would fail, `missing` what it would not have."""

    error: str | None = None
    missing: Sequence[str] = ()
    warnings: Sequence[str] = ()

    @property
    def status(self) -> str:
        """In the words of a result: planned, partial or failed."""
        return "failed" if self.error is not None else "partial" if self.missing else "planned"


@dataclass(frozen=True)
class Stage:
    """Where the backups are rehearsed.

    `root` and `folder` (the instance's) are None where there is no repository that can be used, `client` where none can
    be. Why, stands in `faults`, which no backup of the run would outlive.
    """

    engine: Engine
    client: Client | None
    root: Path | None
    folder: Path | None
    faults: Sequence[BackupDbError] = field(default_factory=tuple)


def rehearse(plan: BackupPlan, stage: Stage) -> dict[Subject, Foreseen]:
    """Say of each backup that is due what would become of it; raises `Interrupted`."""
    foreseen: dict[Subject, Foreseen] = {}
    taken = 0  # by the backups before, at least
    for planned in plan.to_make:
        foreseen[planned.subject] = _rehearsed(plan, planned, stage, taken)
        if foreseen[planned.subject].error is None and planned.forecast is not None:
            taken += planned.forecast.least
    return foreseen


def _rehearsed(plan: BackupPlan, planned: PlannedBackup, stage: Stage, taken: int) -> Foreseen:
    missing: list[MissingPrivilege] = []
    absent: list[str] = []
    warnings: list[str] = []
    gate = Gate(only_looking=True)
    if planned.database is not None:
        with gate.passing():
            missing += missing_rights(stage.engine, plan.found, planned.database, plan.request.dump)
            require_rights(missing)
            warnings += lesser_ways(missing)
    if stage.root is not None and stage.folder is not None:
        with gate.passing():
            check_folder(stage.root, stage.folder / planned.subject.folder)
        with gate.passing():
            Space(stage.root, stage.engine.server.cancel).require(planned.forecast, taken=taken)
    faults = [*stage.faults, *gate.faults]
    if not faults and stage.client is not None:
        with gate.passing():
            try:
                absent += _absent(plan, planned.database, stage.engine, stage.client, missing)
            except SnapshotLost as fault:  # the schema changes just now, which a run waits out
                warnings.append(str(fault))
        faults = gate.faults
    error = "; ".join(dict.fromkeys(map(str, faults))) if faults else None
    return Foreseen(error, [] if faults else absent, warnings)


def _absent(
    plan: BackupPlan,
    database: Database | None,
    engine: Engine,
    client: Client,
    missing: Sequence[MissingPrivilege],
) -> list[str]:
    if database is None:
        return list(engine.export_accounts(client).missing)
    return absent_from(engine.foresee(client, database, plan.request.dump, missing), missing)
