# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode: what a run would do, found out by the same looking and choosing, with nothing written."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ..engines.interface import Database
from ..engines.registry import open_server
from ..errors import RepositoryError
from ..repository import local
from ..repository.lock import lock_owner
from ..system.stopping import stop_signals
from ..system.text import human_size
from . import result
from .forecast import forecast
from .previous import Past, fresh_reason, gone, look_back, new
from .request import BackupRequest
from .survey import survey


def make(request: BackupRequest, run_id: str) -> dict[str, Any]:
    """Return the plan in the form of a result; raises what connecting and selecting raise.

    What a first run of the play would bring - the repository's folder, the dump client - is a warning here.
    """
    warnings: list[str] = []
    free: int | None = None
    try:
        free = local.free_bytes(local.open_repository(request.repository))
    except RepositoryError as error:
        warnings.append(str(error))
    cancel = threading.Event()
    with stop_signals(cancel), open_server(request.instance, cancel) as (engine, server):
        found = survey(engine, server, request.selection, request.dump)
    folder = local.instance_path(Path(request.repository), request.host, request.instance.id)
    past = look_back(folder, found) if free is not None else Past({}, frozenset(), ())
    owner = lock_owner(folder)
    if owner:
        warnings.append(f"a run is under way: {owner}")
    if found.client is None:
        warnings.append(f"no usable dump client on this host; install {found.package_hint}")

    entries: list[dict[str, Any]] = []
    accounts: dict[str, Any] | None = None
    wanted: list[Database | None] = [*([None] if request.accounts else []), *found.selected]
    for database in wanted:
        name = database.name if database is not None else None
        last = past.newest.get(name)
        reason = fresh_reason(request, last)
        entry = result.entry(name, "planned" if reason is None else "skipped", reason=reason)
        if database is None:
            accounts = entry
            continue
        entry["plan"] = {
            "client": found.client.path if found.client else None,
            "jobs": request.dump.jobs,
            "forecast_bytes": forecast(database, last),
            "free_bytes": free,
            "would_skip": reason is not None,
        }
        entries.append(entry)
    needed = sum(entry["plan"]["forecast_bytes"] or 0 for entry in entries if entry["status"] == "planned")
    if free is not None and needed > free:
        warnings.append(
            f"about {human_size(needed)} are needed and {human_size(free)} are free in {request.repository}"
        )
    return result.of_plan(
        request,
        run_id=run_id,
        found=found,
        entries=entries,
        accounts=accounts,
        warnings=[*past.problems, *warnings],
        gone=gone(past, found),
        new=new(past, found),
        past=past,
    )
