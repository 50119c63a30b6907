# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One database, or the accounts, from snapshot to published backup; what goes wrong stays with that one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Callable

from ..archives.envelope import Envelope
from ..archives.write import Archive, dump_part, store_document
from ..engines.interface import Engine
from ..engines.values import (
    DEGRADED,
    FATAL,
    PARTIAL,
    Client,
    Database,
    DumpOptions,
    MissingPrivilege,
    Part,
    Snapshot,
    SnapshotDetails,
)
from ..errors import BackupDbError, Interrupted, PrivilegeMissing, SnapshotLost
from ..hooks.run import Hooks
from ..repository.left_out import FILTERS
from ..repository.local import Publication, Published, own_second
from ..repository.manifest import SCHEMA
from ..repository.subject import ACCOUNTS, Subject
from ..signatures.keys import SigningKey
from ..streams.pipeline import Limiter, Limits
from ..system.parallel import Tasks
from ..system.process import RunAs
from ..system.text import iso, utc_now
from ..version import VERSION
from .survey import privilege_text

_ATTEMPTS = 3  # a schema that changes under three dumps in a row is being migrated: leave it alone
_WAIT = 0.25  # seconds


@dataclass(frozen=True)
class RunContext:
    """What all backups of a run share."""

    run_id: str
    host: str
    folder: Path  # of the instance
    engine: Engine
    client: Client
    options: DumpOptions
    envelope: Envelope
    limiter: Limiter
    signing_key: SigningKey | None
    hooks: Hooks


@dataclass(frozen=True)
class CompletedBackup:
    """A published backup."""

    published: Published
    manifest: Mapping[str, Any]  # with warnings that came too late to be published with it

    @classmethod
    def of(cls, publication: Publication, manifest: Mapping[str, Any], key: SigningKey | None) -> CompletedBackup:
        """Publish the backup, signed if there is a key."""
        if key is not None:
            manifest = {**manifest, "signing_key": key.public}
        published = publication.publish(manifest, sign=None if key is None else key.sign)
        late = [published.warning] if published.warning is not None else []
        return cls(published, {**manifest, "warnings": [*manifest["warnings"], *late]})


def back_up_database(
    context: RunContext, database: Database, missing: Sequence[MissingPrivilege], dumped: Callable[[], None]
) -> CompletedBackup:
    """Back up one database; raises a `BackupDbError`, and then nothing of it is in the repository.

    `dumped` is called when the server is no longer needed, before the wait for the disk. That no right lacks without
    which it would not be true is for `require_rights`, beforehand.
    """
    limits = _limits(context)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _attempt(context, database, missing, limits, dumped)
        except SnapshotLost as error:
            if attempt == _ATTEMPTS:
                raise SnapshotLost(f"{error} (tried {_ATTEMPTS} times; run again when no migration runs)") from error
    raise SnapshotLost("no attempt was made")


def require_rights(missing: Sequence[MissingPrivilege]) -> None:
    """Raise `PrivilegeMissing`, with the statements that mend it, for rights without which nothing true can be made."""
    fatal = [privilege_text(entry) for entry in missing if entry.severity == FATAL]
    if fatal:
        raise PrivilegeMissing("; ".join(fatal))


def absent_from(named: Sequence[str], missing: Sequence[MissingPrivilege]) -> list[str]:
    """Put together what a backup does not have: what the engine has named, and what rights that lack leave out."""
    lacking = [entry for entry in missing if entry.severity == PARTIAL]
    # An engine may name what a right that lacks leaves out, too; the line with the statement that gives it says more.
    named_by_right = {f"{entry.privilege}: {entry.effect}" for entry in lacking}
    return list(dict.fromkeys([*(line for line in named if line not in named_by_right), *map(privilege_text, lacking)]))


def lesser_ways(missing: Sequence[MissingPrivilege]) -> list[str]:
    """Say what is done in a lesser way for want of a right; the backup is whole all the same."""
    return [privilege_text(entry) for entry in missing if entry.severity == DEGRADED]


def back_up_accounts(context: RunContext) -> CompletedBackup:
    """Back up users, roles and grants; raises a `BackupDbError`, and then nothing of it is in the repository."""
    limits = _limits(context)
    with _publication(context, ACCOUNTS) as (publication, started):
        export = context.engine.export_accounts(context.client)
        archives = [
            store_document("accounts", content, publication, context.envelope, form=form, limits=limits)
            for form, content in (
                ("json", _json(export.document)),
                ("sql", export.sql.encode("utf-8", "surrogateescape")),
            )
        ]
        publication.sync()
        manifest = {
            **_common(context, ACCOUNTS, publication.backup_id, started, archives),
            "status": "partial" if export.missing else "complete",
            "accounts": len(export.document.get("accounts", ())),
            "missing": list(export.missing),
            "warnings": list(export.warnings),
        }
        limits.check()  # a run that gave up on us holds the lock no longer, so that we must not publish
        return CompletedBackup.of(publication, manifest, context.signing_key)


def _attempt(
    context: RunContext,
    database: Database,
    missing: Sequence[MissingPrivilege],
    limits: Limits,
    dumped: Callable[[], None],
) -> CompletedBackup:
    limits = replace(limits, abort=threading.Event())
    engine = context.engine.using(context.engine.server.stopped_by(limits.abort))
    with _publication(context, Subject(database.name)) as (publication, started):
        with (
            limits.watched(),
            engine.snapshot(context.client, database, _options_for(context.options, database), missing) as snapshot,
        ):
            archives, details = _dump(context, snapshot, publication, limits)
        dumped()
        publication.sync()
        manifest = _database_manifest(context, database, missing, publication.backup_id, started, archives, details)
        limits.check()  # a run that gave up on us holds the lock no longer, so that we must not publish
        return CompletedBackup.of(publication, manifest, context.signing_key)


def _options_for(options: DumpOptions, database: Database) -> DumpOptions:
    """Return the options with one job where several would not pay: each client reads all definitions for itself."""
    size = database.size_bytes
    return replace(options, jobs=1) if size is not None and size < options.jobs_min_size else options


def _dump(
    context: RunContext, snapshot: Snapshot, publication: Publication, limits: Limits
) -> tuple[list[Archive], SnapshotDetails]:
    """Run the clients of a snapshot's parts, and meanwhile read its details; the first error ends everything."""
    begun = threading.Event()
    dumps = [
        # The first ones must begin in one snapshot; the engine tells them from later ones by that these do not run yet.
        partial(_dump_or_abort, context, part, publication, limits, None if number < snapshot.at_once else begun)
        for number, part in enumerate(snapshot.parts)
    ]
    tasks = Tasks(dumps, at_once=snapshot.at_once, name="dump")
    try:
        snapshot.begun(tasks.ended)
        begun.set()
        details = snapshot.details()
    except BaseException as error:
        limits.abort.set()
        _ended(tasks)
        if isinstance(error, BackupDbError):
            raise (_worst(tasks, limits, error) or error) from error
        raise
    _ended(tasks)
    failure = _worst(tasks, limits, None)
    if failure is not None:
        raise failure
    snapshot.check()
    return [result.value for result in tasks.results() if result and result.value is not None], details


def _ended(tasks: Tasks[Archive]) -> None:
    while not tasks.wait(_WAIT):
        pass  # each client's thread looks at the clock and the flags itself


def _worst(tasks: Tasks[Archive], limits: Limits, error: BackupDbError | None) -> BackupDbError | None:
    """Return the error that explains most: a client's own words, then the coordinator's, then "was stopped"."""
    errors = [result.error for result in tasks.results() if result is not None and result.error is not None]
    for candidate in (*errors, error):
        if candidate is not None and not isinstance(candidate, Interrupted):
            return candidate
    try:
        limits.check()
    except BackupDbError as reason:
        if errors or error is not None:
            return reason
    return error or (errors[0] if errors else None)


def _dump_or_abort(
    context: RunContext, part: Part, publication: Publication, limits: Limits, after: threading.Event | None
) -> Archive:
    try:
        limits.check()
        while after is not None and not after.wait(_WAIT):
            limits.check()
        run_as = RunAs(context.engine.server.instance.system_user, context.options.nice)
        return dump_part(part, publication, context.envelope, limits=limits, run_as=run_as)
    except BaseException:
        limits.abort.set()
        raise


@contextmanager
def _publication(context: RunContext, subject: Subject) -> Iterator[tuple[Publication, datetime]]:
    folder = context.folder / subject.folder
    started = own_second(folder)
    publication = Publication(folder, run_id=context.run_id, time=started)
    try:
        yield publication, started
    finally:
        publication.abandon()


def _limits(context: RunContext) -> Limits:
    return Limits.within(context.options.timeout or None, context.engine.server.cancel, limiter=context.limiter)


def _common(
    context: RunContext, subject: Subject, backup_id: str, started: datetime, archives: Sequence[Archive]
) -> dict[str, Any]:
    finished, engine = utc_now(), context.engine
    records = [archive.record for archive in archives]
    return {
        "schema": SCHEMA,
        "kind": subject.kind,
        "tool": {"name": "vya.backupdb", "version": VERSION},
        "backup_id": backup_id,
        "run_id": context.run_id,
        "host": context.host,
        "instance": engine.server.instance.id,
        "engine": engine.facts.vendor,
        "server": {
            "version": context.engine.facts.version,
            "role": context.engine.facts.role,
            "settings": dict(context.engine.facts.settings),
        },
        "client": {"path": context.client.path, "vendor": context.client.vendor, "version": context.client.version},
        "started": iso(started),
        "finished": iso(finished),
        "duration_seconds": round((finished - started).total_seconds(), 3),
        "archives": records,
        "plain_bytes": sum(record["plain_bytes"] for record in records),
        "stored_bytes": sum(record["stored_bytes"] for record in records),
    }


def _database_manifest(
    context: RunContext,
    database: Database,
    missing: Sequence[MissingPrivilege],
    backup_id: str,
    started: datetime,
    archives: Sequence[Archive],
    details: SnapshotDetails,
) -> dict[str, Any]:
    absent = absent_from(details.missing, missing)
    warnings = [*details.warnings, *lesser_ways(missing)]
    return {
        **_common(context, Subject(database.name), backup_id, started, archives),
        "database": database.name,
        "status": "partial" if absent else "complete",
        "size_bytes": database.size_bytes,
        "snapshot": dict(details.position),
        "properties": dict(details.properties),
        "inventory": dict(details.inventory),
        "inventory_trusted": details.inventory_trusted,
        "row_counts": dict(details.row_counts) if details.row_counts is not None else None,
        "fingerprints": dict(details.fingerprints) if details.fingerprints is not None else None,
        "missing": absent,
        "warnings": [*warnings, *(line for archive in archives for line in archive.warnings)],
        "engine_details": dict(details.extra),
        **({FILTERS: details.filtered.to_manifest()} if context.options.filters else {}),
    }


def _json(document: Mapping[str, Any]) -> bytes:
    import json

    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode("ascii")
