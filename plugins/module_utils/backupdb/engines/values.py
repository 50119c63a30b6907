# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that engines take and give. Units: bytes for sizes, seconds for times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, NamedTuple

from .filters import NOT_FILTERED, Filtered, Filters

FATAL = "fatal"  # without it the database cannot be backed up truthfully: the database fails
PARTIAL = "partial"  # without it something named is missing: the backup is published as partial
DEGRADED = "degraded"  # without it the backup is whole but taken in a lesser way (no global lock, jobs 1)
# In the details of an engine: those lines of `missing` whose objects the inventory does not count either.
UNCOUNTED_KEY = "missing_uncounted"


@dataclass(frozen=True)
class ServerFacts:
    """What the server says about itself. `vendor` is the real one, whatever engine was asked for."""

    vendor: str  # postgresql, mysql or mariadb
    version: str  # as people write it: 15.20, 10.11.19, 9.7.4
    version_number: tuple[int, ...]  # for comparing
    role: str  # primary or replica
    data_bytes: int | None
    settings: Mapping[str, Any]  # what a restore or a drill must match (max_allowed_packet, sql_mode, ...)


@dataclass(frozen=True)
class Database:
    """One database as the server lists it; never filtered by the user's selection."""

    name: str  # surrogateescape where the server's bytes are not UTF-8
    size_bytes: int | None
    owner: str | None
    encoding: str | None
    collation: str | None
    tables: int | None  # None where counting needs a connection to the database
    is_system: bool
    connectable: bool
    reason: str | None = None  # why no pattern selects it; None for an ordinary database
    on_request: bool = False  # taken when it is named exactly; where the system's, `tables` are people's own
    unaddressable: bool = False  # an ordinary database that we cannot name to the server: leaving it out is a fault


@dataclass(frozen=True)
class MissingPrivilege:
    """A right that the login lacks, and the statement that gives it."""

    privilege: str  # "PROCESS", "SELECT on table public.x", "BYPASSRLS"
    severity: str  # FATAL, PARTIAL or DEGRADED
    effect: str  # what is lost without it, in one clause
    grant: str  # the exact statement for an administrator; "" where it would make the login an administrator itself
    database: str | None = None  # None: the whole instance


@dataclass(frozen=True)
class Client:
    """One installed dump program."""

    path: str
    vendor: str
    version: str
    major: int
    usable: bool
    reason: str  # why it is, or is not, the one to use


@dataclass(frozen=True)
class DumpOptions:
    """How databases are dumped. Times in seconds; None is 'no limit' for `timeout` only.

    `jobs` are for databases of `jobs_min_size` bytes or more, and of unknown size; others are dumped by one client.
    `filters` say which tables are left out on purpose. `older_inventory` has objects counted by the rules of earlier
    versions too, to be compared with their manifests.
    """

    jobs: int = 1
    jobs_min_size: int = 256 << 20
    triggers: bool = True
    routines: bool = True
    events: bool = True
    row_counts: bool = False
    fingerprints: bool = False
    older_inventory: bool = False
    allow_newer_client: bool = False
    filters: Filters = field(default_factory=Filters)
    db_lock_timeout: float = 60.0
    timeout: float | None = None
    nice: int = 0


@dataclass(frozen=True)
class Part:
    """One archive of a database: the client call that writes it to its standard output.

    `secret` is the content of the client's password file. The call runs with the file reachable at a path
    that replaces `SECRET_PATH` in `argv` and in the values of `environment`.
    """

    name: str  # "data", "routines", "pre-data", "data-0001", "rest", "post-data"
    argv: Sequence[str]
    environment: Mapping[str, str]
    secret: bytes | None
    format: str  # what a manifest calls it, such as "sql"
    suffix: str  # what a file of this format is called by, such as ".sql"
    completion_mark: bytes | None  # must stand in the last 4 KiB of the plain stream
    fatal_stderr: str | None  # regular expression; a line of stderr that matches it fails the dump
    lost_stderr: str | None = None  # as above, but it means SnapshotLost: the caller may try again


@dataclass(frozen=True)
class Snapshot:
    """A consistent view of one database, open until the context that gave it is left.

    The caller starts `parts` in order, at most `at_once` at a time, the first `at_once` of them at once, and
    calls `begun` as soon as those are started; `begun` returns when the snapshot no longer needs the server's global
    lock (an engine without one returns at once). Its argument counts the started clients that have already ended,
    well or badly: such a client is never seen waiting in the server. An engine reads that count *before* it
    looks at the server; the other way round one client could be counted twice and the lock given up too early.
    `check` raises if the snapshot was lost (the coordinator's session broke, a table list changed).
    `details` is called after `begun`, while the clients run.
    """

    parts: Sequence[Part]
    at_once: int
    begun: Callable[[Callable[[], int]], None]
    check: Callable[[], None]
    details: Callable[[], SnapshotDetails]  # call it after `begun`


@dataclass(frozen=True)
class SnapshotDetails:
    """What was true in that snapshot; goes into the manifest."""

    position: Mapping[str, Any]  # snapshot id, LSN, binlog file and position, GTID; how the snapshot was taken
    properties: Mapping[
        str, Any
    ]  # encoding, locale, collation, owner, settings, ACL, comment: to recreate the database
    inventory: Mapping[str, int]  # object kind -> count
    inventory_trusted: bool
    row_counts: Mapping[str, int] | None = None  # "schema.table" or "table" -> rows
    fingerprints: Mapping[str, str] | None = None
    missing: Sequence[str] = ()  # named things that this backup does not have: makes it partial
    warnings: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)  # engine's own: text of excluded views, ...
    older_inventory: Mapping[str, int] = field(default_factory=dict)  # what other rules count otherwise, if asked for
    unanswered: Mapping[str, Sequence[str]] = field(default_factory=dict)  # kind -> what is there and not counted
    filtered: Filtered = NOT_FILTERED  # what was left out as asked, and is counted nowhere above

    def inventory_as_in(self, manifest: Mapping[str, Any]) -> Mapping[str, int]:
        """Return the inventory as it was counted at the time of the manifest (`inventory_rules` of the engine)."""
        rules = (manifest.get("engine_details") or {}).get("inventory_rules")
        same = rules == self.extra.get("inventory_rules")
        return self.inventory if same else {**self.inventory, **self.older_inventory}


@dataclass(frozen=True)
class AccountsExport:
    """Users and roles of an instance."""

    document: Mapping[str, Any]  # as accounts_document.py builds it
    sql: str  # the same as one readable file
    missing: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class RestoreOptions:
    """How a backup is brought back. `timeout` in seconds, None is 'no limit'.

    `tables` names what alone is restored ("schema.table" or "table"); empty: everything. `owner_map` gives, for
    `map` policies of owners and definers, the new name for an old one; the entry "*" stands for all others.
    `spool` lets a client that needs a file have one: decrypted, mode 0600, in `spool_folder`, removed at the end.
    """

    jobs: int = 1
    tables: tuple[str, ...] = ()
    schema_only: bool = False
    data_only: bool = False
    owner_policy: str = "keep"  # keep, map or drop
    acl_policy: str = "keep"  # keep or drop
    definer_policy: str = "keep"  # keep, map or drop
    owner_map: Mapping[str, str] = field(default_factory=dict)
    extensions: str = "create"  # create or skip
    allow_qualified_references: bool = False
    enable_events: bool = False  # under a name other than the original's, events are disabled unless this is set
    load_with_own_rights: bool = False  # where a stream would else be loaded by a login with rights on the target only
    spool: bool = False
    spool_folder: str | None = None
    past_errors: bool = False  # what the server refuses is named, and everything else is loaded
    final_name: str | None = None  # the name that the database will have in the end; None in a drill
    timeout: float | None = None
    no_tablespaces: bool = True
    accounts_to_come: frozenset[str] = frozenset()  # a plan does not miss them: they are restored before the database
    on_private_server: bool = False  # it is loaded into a drill's server, where nothing runs and which reaches nothing
    closed: bool = False  # nobody but the login may enter the database until `Engine.open_database`


@dataclass(frozen=True)
class Script:
    """SQL of the user's own. `name` is that of its file, for messages."""

    name: str
    sql: str = field(repr=False)


@dataclass(frozen=True)
class ArchiveSource:
    """One archive of a database, to be read as often as needed.

    `open` gives a fresh iterator over the plain bytes, in blocks; it raises `ArchiveDamaged` or `WrongKey`, at the
    latest after the last block, so what was read counts only when the iterator has ended well.
    """

    part: str  # as `Part.name`
    format: str  # as `Part.format`
    plain_bytes: int
    longest_statement_bytes: int | None
    open: Callable[[], Iterator[bytes]] = field(repr=False)

    def counted(self, count: Callable[[int], None]) -> ArchiveSource:
        """Return the same source, which tells `count` how many bytes each block has."""

        def blocks() -> Iterator[bytes]:
            for block in self.open():
                count(len(block))
                yield block

        return replace(self, open=blocks)


@dataclass(frozen=True)
class ByHand:
    """How people load a backup without this program, as commands of a shell.

    `"$target"` is the name of the new database in them. `load` and `accounts` read the plain bytes of an archive.
    `order` has the parts in the order in which they are loaded; one that ends in a dash stands for all that begin so.
    """

    create: str
    load: str
    accounts: str
    order: Sequence[str]


@dataclass(frozen=True)
class LoadReport:
    """What came of a load that reached its end."""

    errors: Sequence[str] = ()  # objects after the data that could not be made, each named with the server's words
    warnings: Sequence[str] = ()
    not_loaded: Mapping[str, str] = field(default_factory=dict)  # what was left out on purpose -> why


class RestoreProblems(NamedTuple):
    """What stands in the way of a restore, found before anything is done."""

    refusals: Sequence[str]  # each with the statement or the option that mends it
    missing: Sequence[MissingPrivilege]
    warnings: Sequence[str]
