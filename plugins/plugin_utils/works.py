# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The works of all roles, by the names of their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .backup_work import ACCOUNT, BACKUP, COPY
from .doctor_work import DOCTOR
from .evidence_work import EVIDENCE
from .gate_work import GATE
from .overview import Columns
from .proof_work import DRILL, PRUNE, VERIFY
from .refresh_work import REFRESH
from .report_work import REPORT
from .restore_work import REBUILD, RESTORE
from .schedule_work import SCHEDULE
from .status_work import STATUS
from .summaries import Done
from .work import Work


def _prepared(done: Done) -> dict[str, Any]:
    is_well = not done.error and not any(one.has_failed for one in done.called[-1:])
    status = "ok" if is_well else "unreachable" if done.last.get("unreachable") else "failed"
    return {"status": status, "message": done.error or (not is_well and done.last.get("msg")) or "prepared"}


PREPARATION = Work(
    name="backupdb",
    title="Preparation",
    nothing="Nothing was prepared",
    sum_up=_prepared,
    columns=Columns(known="", cells={}),
    is_announced=False,
    is_notified=False,
)

WORKS: Mapping[str, Work] = {
    work.name: work
    for work in (
        ACCOUNT,
        BACKUP,
        COPY,
        DOCTOR,
        DRILL,
        EVIDENCE,
        GATE,
        PREPARATION,
        PRUNE,
        REBUILD,
        REFRESH,
        REPORT,
        RESTORE,
        SCHEDULE,
        STATUS,
        VERIFY,
    )
}
