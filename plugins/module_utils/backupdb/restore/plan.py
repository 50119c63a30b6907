# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking before a restore: what would be made, dropped and needed, and everything that forbids it.

Check mode returns this; the real run starts from it. Nothing is changed to find it out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..age.stream import Identity
from ..archives.read import plain_blocks
from ..engines.format_check import CompletionMark
from ..engines.interface import Engine, no_usable_client
from ..engines.registry import find_engine
from ..engines.side_names import RESTORING, beside
from ..engines.values import FATAL, ArchiveSource, Client, Database, DumpOptions, MissingPrivilege, ServerFacts
from ..errors import ArchiveDamaged, InvalidOption, RepositoryError, RestoreRefused
from ..repository.best_place import check_sizes
from ..repository.catalogue import StoredBackup
from ..repository.left_out import is_whole, names_left_out, patterns_text, without
from ..repository.local import free_bytes
from ..system.files import is_folder
from ..system.text import human_size, utc_now
from .request import RestoreRequest, new_name

ADMINISTRATOR_ADVICE = (
    "log in as the server's administrator: login_user with login_password, or through the socket login_system_user"
)


@dataclass(frozen=True)
class RestorePlan:
    """What a restore would do, and why it may not. `scratch` is the name it is loaded under before it replaces."""

    backup: StoredBackup
    facts: ServerFacts
    sources: Sequence[ArchiveSource]
    target: str
    exists: bool
    scratch: str | None
    safety_backup: bool
    client: Client | None
    inspection_client: Client | None
    needed_bytes: int | None
    free_bytes: int | None
    missing: Sequence[MissingPrivilege]
    refusals: Sequence[str]
    warnings: Sequence[str]

    def usable_clients(self) -> tuple[Client, Client]:
        """Return the client that loads and the one to look with; raises `RestoreRefused` with all that forbids it."""
        if self.refusals or self.client is None or self.inspection_client is None:
            raise RestoreRefused("; ".join(self.refusals))
        return self.client, self.inspection_client

    def creates(self) -> list[str]:
        """Name the databases that would be made."""
        if self.exists and self.scratch is None:
            return []
        return [self.target] if self.scratch is None else [self.scratch, self.target]

    def drops(self) -> list[str]:
        """Name the databases whose present content would be gone from under their name."""
        return [self.target] if self.exists and self.scratch is not None else []

    def describe(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "creates": self.creates(),
            "drops": self.drops(),
            "safety_backup": self.safety_backup,
            "client": self.client.path if self.client else None,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
            "missing_privileges": [asdict(entry) for entry in self.missing],
            "refusals": list(self.refusals),
        }


def make_plan(
    request: RestoreRequest,
    backup: StoredBackup,
    identities: Sequence[Identity],
    engine: Engine,
) -> RestorePlan:
    """Look at the backup and at the server; raises what asking and opening the archives raise."""
    if backup.database is None:
        raise InvalidOption(f"{backup.where} is a backup of accounts; restore it with account_restore")
    manifest = backup.manifest
    sources = open_archives(backup, identities)
    facts = engine.facts
    now = utc_now()
    target = _as_stored(request.target or new_name(backup.database, now, "restored"), facts)
    databases = engine.databases()
    existing = next((one for one in databases if one.name == target), None)
    replaces = existing is not None and request.replace
    scratch = _as_stored(_scratch_name(request, target, now), facts) if replaces or request.masking else None
    refusals = [*_engine_refusals(manifest, facts), *_target_refusals(request, backup, target, existing)]
    refusals += _table_refusals(request, engine, manifest)
    refusals += _source_refusals(request, backup, engine)
    missing: Sequence[MissingPrivilege] = ()
    warnings: Sequence[str] = ()
    clients: Sequence[Client] = ()
    if manifest["engine"] == facts.vendor:
        problems = engine.restore_problems(manifest, target, request.options)
        missing, warnings = problems.missing, problems.warnings
        refusals += engine.swap_blockers(target) if replaces else []
        refusals += engine.closing_problems(str(scratch)) if request.masking else []
        clients = engine.restore_clients(manifest)
        refusals += problems.refusals
        refusals += _login_refusals([entry for entry in missing if entry.severity == FATAL])
        if not any(client.usable for client in clients):
            refusals.append(no_usable_client(facts, clients, "restore", engine.restore_package_hint(manifest)))
    dump_clients = engine.dump_clients(DumpOptions())
    if not any(client.usable for client in dump_clients):
        refusals.append(no_usable_client(facts, dump_clients, "dump", engine.package_hint()))
    needed = _needed_bytes(request, manifest, copies=2 if scratch is not None and not engine.SWAPS else 1)
    free = _free_bytes(engine)
    if needed is not None and free is not None and needed > free:
        refusals.append(
            f"about {human_size(needed)} are needed and {human_size(free)} are free where the server keeps its data"
        )
    return RestorePlan(
        backup=backup,
        facts=facts,
        sources=sources,
        target=target,
        exists=existing is not None,
        scratch=scratch,
        safety_backup=existing is not None and request.safety.wanted,
        client=_first_usable(clients),
        inspection_client=_first_usable(dump_clients),
        needed_bytes=needed,
        free_bytes=free,
        missing=missing,
        refusals=refusals,
        warnings=[
            *warnings,
            *_table_warnings(request, engine, manifest),
            *_lost_by_replacing(manifest, target, replaces=replaces),
            *beside(target, (one.name for one in databases)),
        ],
    )


def open_archives(backup: StoredBackup, identities: Sequence[Identity]) -> list[ArchiveSource]:
    """Return the archives of a backup, ready to be read.

    Raises `WrongKey` and `ArchiveDamaged` for what shows at once: a missing or shortened file, a key that does not fit.
    """
    check_sizes(backup)
    sources = []
    for archive in backup.manifest["archives"]:
        source = ArchiveSource(
            part=archive["part"],
            format=archive["format"],
            plain_bytes=archive["plain_bytes"],
            longest_statement_bytes=archive.get("longest_statement_bytes"),
            open=partial(_whole_blocks, backup, archive, identities),
        )
        _open_once(source.open())
        sources.append(source)
    return sources


def _whole_blocks(backup: StoredBackup, archive: Mapping[str, Any], identities: Sequence[Identity]) -> Iterator[bytes]:
    """Yield the plain stream; raises `ArchiveDamaged` too for one that was cut before it was stored.

    Its digests are right then, and a client that reads statements takes the end of its input for the end of them.
    """
    engine = find_engine(str(backup.manifest["engine"]))
    check = CompletionMark(engine.completion_mark(archive) if engine is not None else None)
    for block in plain_blocks(backup.files, archive, identities):
        check.feed(block)
        yield block
    problem = check.finish()
    if problem is not None:
        raise ArchiveDamaged(f"{backup.files.where(archive['name'])}: {problem}; use another backup")


def _open_once(blocks: Iterator[bytes]) -> None:
    next(blocks, None)


def _scratch_name(request: RestoreRequest, target: str, now: datetime) -> str:
    """Return the name to load under. What is to be masked gets one that nobody foresees and few patterns match."""
    return new_name(f"backupdb_{secrets.token_hex(8)}" if request.masking else target, now, RESTORING)


def _as_stored(name: str, facts: ServerFacts) -> str:
    """Return a name as the server will list it: some keep every name in small letters."""
    return name.lower() if str(facts.settings.get("lower_case_table_names")) == "1" else name


def _engine_refusals(manifest: Mapping[str, Any], facts: ServerFacts) -> Iterator[str]:
    if manifest["engine"] != facts.vendor:
        yield (
            f"the backup is of {manifest['engine']} {manifest['server'].get('version')}, the server is {facts.vendor} "
            f"{facts.version}; restore it into a server of its own kind"
        )


def _target_refusals(
    request: RestoreRequest, backup: StoredBackup, target: str, existing: Database | None
) -> Iterator[str]:
    if existing is None:
        if request.options.data_only:
            yield f"data_only loads rows into tables that are there, but database {target!r} does not exist"
        elif request.confirm not in (None, target):
            yield f"confirm is {request.confirm!r}, but the database restored to is {target!r}; make them equal"
        return
    # Every server has one of that name: where nobody uses it, the one of the backup may take its place.
    unused = existing.on_request and existing.tables == 0 and target == backup.database
    if existing.is_system and not unused:
        own = " and has tables of its own" if existing.on_request and existing.tables else ""
        yield f"{target!r} belongs to the server itself ({existing.reason}){own}; restore under another name"
        return
    if not request.writes_into_target():
        yield (
            f"database {target!r} exists; restore under another name, or allow that it is replaced with "
            f"replace and confirm: {target}"
        )
    elif request.confirm != target:
        given = "is not given" if request.confirm is None else f"is {request.confirm!r}"
        yield f"database {target!r} exists and would be changed; to allow it, confirm must be its name, but it {given}"
    if request.writes_into_target() and request.safety.wanted and request.safety_repository() is None:
        yield (
            f"there is no repository for the safety backup of {target!r}; give repository or safety_repository, or "
            "set safety_backup to false to go without"
        )


def _source_refusals(request: RestoreRequest, backup: StoredBackup, engine: Engine) -> Iterator[str]:
    if not request.only_elsewhere:
        return
    manifest = backup.manifest
    names = (manifest["host"], manifest["instance"])
    known = engine.is_source_of(manifest) if manifest["engine"] == engine.VENDOR else None
    if known:
        why = "it is the server that the backup is of, or was cloned from it"
    elif names == (request.safety.host, request.instance.id):
        why = f"the backup is of instance {names[1]} of host {names[0]}, which is the one that is restored into"
    else:
        return
    yield f"{why}, and only_elsewhere refuses that; name another server, or set only_elsewhere to false"


def _login_refusals(missing: Sequence[MissingPrivilege]) -> Iterator[str]:
    """Say what the login may not do, and who may: never what would make the login of the backups an administrator."""
    if missing:
        lacking = "; ".join(f"{entry.privilege} ({entry.effect})" for entry in missing)
        yield f"this login lacks {lacking}; {ADMINISTRATOR_ADVICE}"


def _table_refusals(request: RestoreRequest, engine: Engine, manifest: Mapping[str, Any]) -> Iterator[str]:
    asked = _asked(request, engine, names_left_out(manifest, "tables"))
    if asked:
        yield (
            f"tables: {asked} left out of this backup on purpose ({patterns_text(manifest)}); use a backup that has "
            "them, or do not ask for them"
        )


def _table_warnings(request: RestoreRequest, engine: Engine, manifest: Mapping[str, Any]) -> Iterator[str]:
    asked = _asked(request, engine, names_left_out(manifest, "table_data"))
    if asked:
        yield f"tables: {asked} made without rows, which were left out of this backup on purpose"


def _lost_by_replacing(manifest: Mapping[str, Any], target: str, *, replaces: bool) -> Iterator[str]:
    if replaces and not is_whole(manifest):
        yield (
            f"{target!r} will be {without(manifest)}, which the backup leaves out on purpose: what it has of these now "
            "is replaced with the rest"
        )


def _asked(request: RestoreRequest, engine: Engine, left_out: Sequence[str]) -> str:
    """Name those of the tables asked for that are among these; an empty text where none is."""
    spellings = {spelling for name in left_out for spelling in engine.table_spellings(name)}
    return ", ".join(repr(name) for name in request.options.tables if name in spellings)


def _first_usable(clients: Sequence[Client]) -> Client | None:
    return next((client for client in clients if client.usable), None)


def _needed_bytes(request: RestoreRequest, manifest: Mapping[str, Any], *, copies: int) -> int | None:
    if request.options.schema_only or request.options.tables:
        return None
    size = manifest.get("size_bytes") or manifest["plain_bytes"]
    return int(size) * copies


def _free_bytes(engine: Engine) -> int | None:
    """Return the free space of the server's data directory; None where it is on another host or out of sight."""
    server = engine.server
    if server.instance.unix_socket is None:
        return None  # even at 127.0.0.1 it may be in a container, with folders of its own
    folder = server.value(engine.DATA_DIRECTORY_QUERY)
    if not isinstance(folder, str) or not is_folder(Path(folder)):
        return None
    try:
        return free_bytes(Path(folder))
    except RepositoryError:
        return None
