# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd in a copy and stops no prune: the work of an intruder, of a wrong clock, or a lock that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..repository.problems import Problems
from ..repository.stores.interface import Store
from ..system.parallel import result_of
from .copy_catalogue import CopyCatalogue
from .copy_database import CopyDatabasePlan, some
from .copy_plan import lock_warnings
from .copy_request import PruneCopyRequest


def tell(
    store: Store,
    request: PruneCopyRequest,
    catalogue: CopyCatalogue,
    plans: Sequence[CopyDatabasePlan],
    problems: Problems,
) -> None:
    """Say what is odd in the copy and stops nothing: it may be the work of an intruder, or of a wrong clock."""
    if catalogue.foreign:
        problems.add(f"these do not belong in a copy and are left alone: {some(catalogue.foreign)}")
    for folder in catalogue.all():
        if folder.tampered:
            problems.add(
                f"{folder.tampered} files of {store.where(folder.place)} were written over or removed, which no run of "
                "ours does; their first versions count. Find out who has the key"
            )
    for made in plans:
        reasons = [f"{made.where_is[backup_id]}: {reason}" for backup_id, reason in sorted(made.uncounted.items())]
        if reasons:
            problems.add(f"{made.where()}: {len(reasons)} backups do not count, as they may be forged: {some(reasons)}")
    problems.lines += lock_warnings(
        f"copy {request.copy.name}",
        [until for made in plans for until in made.locked.values()],
        sum(made.backups[backup_id].manifest["stored_bytes"] for made in plans for backup_id in made.locked),
        lock_seconds=_lock_seconds(store, request, catalogue),
        drill_every=request.drill_every,
    )
    policy = request.policy
    by_time = (policy.keep_hourly, policy.keep_daily, policy.keep_weekly, policy.keep_monthly, policy.keep_yearly)
    if policy.keep_last and not policy.keep_within and not any(by_time):
        problems.add(
            f"copy {request.copy.name}: keep_last counts backups, however quickly they come, so whoever has the host's "
            "key has true ones removed by adding others; use keep_daily or another rule that goes by time"
        )


def _lock_seconds(store: Store, request: PruneCopyRequest, catalogue: CopyCatalogue) -> float | None:
    """Return for how long the store keeps a backup, as seen at the newest one; None when it is not known or needed."""
    known = [(one.time, one) for one in (folder.manifest for folder in catalogue.all()) if one and one.time]
    if request.drill_every is None or not known:
        return None
    time, newest = max(known, key=lambda pair: pair[0])
    until = result_of(partial(store.locked_until, newest)).value
    return None if until is None else max(0.0, (until - time).total_seconds())


def uncounted(plans: Sequence[CopyDatabasePlan]) -> list[dict[str, str]]:
    return [
        {"path": made.where_is[backup_id], "reason": reason}
        for made in plans
        for backup_id, reason in sorted(made.uncounted.items())
    ]
