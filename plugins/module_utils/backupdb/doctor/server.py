# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of one instance: the login, its rights, the databases, and the programs that dump and restore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..backup.plan import BackupPlan, make_plan
from ..backup.request import BackupRequest
from ..backup.survey import Survey, survey
from ..engines.interface import Engine
from ..engines.registry import open_engine
from ..engines.values import FATAL
from ..errors import BackupDbError
from ..repository import local
from ..repository.catalogue import StoredBackup
from ..repository.lock import lock_owner
from ..system.files import is_folder
from ..system.parallel import result_of
from ..system.run_id import run_id_or_new
from ..system.text import counted
from .finding import FAILED, OK, UNKNOWN, WARNING, Finding, failed, tried


class Examined:
    """What one instance tells the other looks: the sizes that will come, and its newest backups."""

    def __init__(self) -> None:
        self.needed: dict[str, int | None] = {}
        self.newest: list[StoredBackup] = []


def look_at_server(request: BackupRequest, examined: Examined) -> Iterator[Finding]:
    """Yield what is found of a server; it is only asked, and nothing in it is changed."""
    about = request.instance.id
    with ExitStack() as stack:
        opened = result_of(lambda: stack.enter_context(open_engine(request.instance)))
        if opened.value is None:
            yield failed("login", opened.error or BackupDbError("it could not be tried"), about)
            return
        engine = opened.value
        facts = engine.facts
        user = request.instance.user or "the user of the operating system"
        what = f"{user} at {_place(request)}: {facts.vendor} {facts.version}, {facts.role}"
        yield Finding("login", OK, what, subject=about)
        yield from tried("databases", lambda: _look(engine, request, examined), about)


def _look(engine: Engine, request: BackupRequest, examined: Examined) -> Iterator[Finding]:
    found = survey(engine, request.selection, request.dump)
    folder = local.instance_path(Path(request.repository), request.host, request.instance.id)
    known = folder if is_folder(folder) else None
    plan = make_plan(request, found, known, run_id_or_new(), empty_bytes=engine.EMPTY_BYTES)
    examined.needed = {
        planned.subject.title: None if planned.forecast is None else planned.forecast.likely
        for planned in plan.backups
        if planned.database
    }
    examined.newest = list(plan.previous.newest.values())
    yield from _databases(plan)
    yield from _rights(found, request)
    yield from _dump_client(found, request)
    yield from tried("restore client", lambda: _restore_client(engine, request, examined.newest), request.instance.id)
    owner = lock_owner(folder) if is_folder(folder) else ""
    if owner:
        yield Finding("lock", OK, f"a run is in progress: {owner}", subject=request.instance.id)


def _databases(plan: BackupPlan) -> Iterator[Finding]:
    found, about = plan.found, plan.request.instance.id
    for skipped in found.skipped:
        if skipped.fault:
            yield Finding("databases", FAILED, f"{skipped.name!r} is not backed up: {skipped.reason}", subject=about)
    for name, reason in found.unexamined.items():
        yield Finding("databases", WARNING, f"{name!r} could not be looked into: {reason}", subject=about)
    what = f"{counted(len(found.selected), 'database')} of {len(found.databases)} will be backed up"
    accounts = ", and the accounts" if plan.request.accounts else ", without the accounts"
    yield Finding("databases", OK, what + accounts, subject=about)


def _rights(found: Survey, request: BackupRequest) -> Iterator[Finding]:
    about = request.instance.id
    for entry in found.missing:
        where = "" if entry.database is None else f" in {entry.database!r}"
        what = f"{entry.privilege} is missing{where}: {entry.effect}"
        yield Finding("rights", FAILED if entry.severity == FATAL else WARNING, what, entry.grant, about)
    if not found.missing:
        yield Finding("rights", OK, "the login has all that these backups need", subject=about)


def _dump_client(found: Survey, request: BackupRequest) -> Iterator[Finding]:
    about = request.instance.id
    client = result_of(lambda: found.usable_client(request.instance.where()))
    if client.value is not None:
        yield Finding("dump client", OK, f"{client.value.path} {client.value.version}", subject=about)
    elif client.error is not None:
        yield failed("dump client", client.error, about)


def _restore_client(engine: Engine, request: BackupRequest, newest: Sequence[StoredBackup]) -> Iterator[Finding]:
    about = request.instance.id
    backup = next((backup for backup in newest if backup.kind == "database"), None)
    if backup is None:
        yield Finding("restore client", UNKNOWN, "there is no backup yet that says which one it needs", subject=about)
        return
    client = engine.usable_restore_client(backup.manifest)
    yield Finding("restore client", OK, f"{client.path} {client.version}", subject=about)


def _place(request: BackupRequest) -> str:
    instance = request.instance
    return instance.unix_socket or (f"{instance.host}:{instance.port}" if instance.port else str(instance.host))
