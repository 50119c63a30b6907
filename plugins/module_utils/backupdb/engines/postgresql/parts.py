# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pg_dump calls make up one database: one archive, or several that share the snapshot.

With several parts: definitions first (pre-data), the rows of the tables in N parts of about equal size, everything
that is not a named table in one part (large objects, free sequences, tables of extensions), and what needs the rows
last (post-data: indexes, constraints, triggers). A sequence that a column owns follows its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from ...connection.instance import Instance
from ..values import Client, Database, DumpOptions, Part, ServerFacts
from .login import login_environment, login_secret
from .quoting import argument, connection_string
from .relations import FROM, LOADED_THROUGH, NAME, ORDINARY
from .scope import Scope
from .session import ExportedSnapshot, Session
from .settings import client_settings

FORMAT = "postgresql-custom"

# pg_dump asks the server once for every table that it is given by name, and a command line holds 2 MiB at most.
_MOST_NAMED_TABLES = 1000

_FATAL = r"^pg_dump: (error|fatal|\[)"
# The schema changed between snapshot and dump (functions, views and sequences cannot be locked), a statement that
# waits for our locks stands in pg_dump's way (its --lock-wait-timeout is a statement_timeout), or the session that
# exported the snapshot has ended.
_LOST = (
    r"cache lookup failed|could not open relation with OID|could not find tuple for|"
    r"relation .* does not exist|(schema|type|function|role) .* does not exist|no matching tables were found|"
    r"canceling statement due to (lock|statement) timeout|could not obtain lock on relation|deadlock detected|"
    r"invalid snapshot identifier|snapshot .* does not exist|could not import the requested snapshot|"
    r"conflict with recovery"
)

# Tables whose rows pg_dump writes by itself. Tables of extensions have rules of their own and stay in the rest.
_SIZES = f"""
    SELECT {NAME}, COALESCE(pg_table_size(c.oid), 0), COALESCE({LOADED_THROUGH}, {NAME}), CAST(c.oid AS bigint) {FROM}
     WHERE c.relkind = 'r' AND {ORDINARY} ORDER BY 2 DESC, 1"""
# Those that go with their table. In the rest they would be written again, with another value if they move meanwhile.
_OWNED_SEQUENCES = f"""
    SELECT {NAME}, format('%I.%I', tn.nspname, t.relname) {FROM}
      JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
       AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
      JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
     WHERE c.relkind = 'S' AND {ORDINARY} ORDER BY 1"""
# Whether anything has data besides named tables and their sequences: other sequences, large objects, and the tables of
# extensions that registered theirs.
_OTHERS = f"""
    SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
        OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extconfig IS NOT NULL),
           ARRAY(SELECT {NAME} {FROM} WHERE c.relkind = 'S' AND {ORDINARY})"""  # noqa: S608  constants only


@dataclass(frozen=True)
class Plan:
    """The calls, in the order in which they are restored."""

    parts: Sequence[Part]
    warnings: Sequence[str] = ()


def plan(
    session: Session,
    instance: Instance,
    facts: ServerFacts,
    client: Client,
    database: Database,
    options: DumpOptions,
    exported: ExportedSnapshot,
    scope: Scope,
) -> Plan:
    """Plan the dump of the snapshot that the session holds; what is not in the scope is left out of every part."""
    environment = login_environment(instance, client_settings(facts))
    part = _part_maker(instance, environment, client, database, options, exported)
    encoding = database.encoding or "UTF8"
    left_out = scope.arguments(encoding)
    listed = session.rows(scope.limit(_SIZES)) if options.jobs > 1 else []
    sized = [(name, size, through) for name, size, through, oid in listed if oid not in scope.rows]
    if not sized:
        return Plan([part("data", *left_out)])
    named = sized[:_MOST_NAMED_TABLES]
    tables = {name: argument(name, encoding) for name, _size, _through in named}
    owned = {
        name: argument(name, encoding) for name, table in session.rows(scope.limit(_OWNED_SEQUENCES)) if table in tables
    }
    ((others, sequences),) = session.rows(scope.limit(_OTHERS))
    every = len(named) == len(sized) and not others and owned.keys() >= set(sequences)
    groups = balanced([(tables[name], int(size), through) for name, size, through in named], options.jobs)
    warnings = []
    if len(sized) > len(named):
        warnings.append(
            f'{len(sized) - len(named)} small tables are in the part "rest": no more than {_MOST_NAMED_TABLES} '
            "tables are spread over the jobs"
        )
    parts = [
        part("pre-data", "--section=pre-data", *left_out),
        *[
            part(f"data-{number:04}", "--section=data", "--strict-names", *[f"--table={name}" for name in group])
            for number, group in enumerate(groups, start=1)
        ],
    ]
    if not every:
        written = [f"--exclude-table={name}" for name in (*tables.values(), *owned.values())]
        parts.append(part("rest", "--section=data", *left_out, *written))
    return Plan([*parts, part("post-data", "--section=post-data", *left_out)], warnings)


def balanced(sized: Sequence[tuple[str, int, str]], count: int) -> list[list[str]]:
    """Spread names over at most `count` groups: each, from the largest on, goes to the group that has least.

    Names with the same third value stay together: a restore may share their rows out among them in another way.

    >>> balanced([("a", 5, "a"), ("b", 3, "b"), ("c", 2, "b")], 2)
    [['a'], ['b', 'c']]
    """
    together: dict[str, list[tuple[str, int]]] = {}
    for name, size, key in sized:
        together.setdefault(key, []).append((name, size + 1))  # an empty table is work too
    groups: list[list[str]] = [[] for _number in range(count)]
    loads = [0] * count
    for members in sorted(together.values(), key=lambda members: -sum(size for _name, size in members)):
        lightest = loads.index(min(loads))
        groups[lightest] += [name for name, _size in members]
        loads[lightest] += sum(size for _name, size in members)
    return [group for group in groups if group]


def _part_maker(
    instance: Instance,
    environment: dict[str, str],
    client: Client,
    database: Database,
    options: DumpOptions,
    exported: ExportedSnapshot,
) -> Callable[..., Part]:
    if database.encoding:
        # What pg_dump takes by itself, unless the login has a client_encoding of its own, which would also change
        # how table names in its arguments are read.
        environment["PGCLIENTENCODING"] = database.encoding
    secret = login_secret(instance)

    def part(name: str, *selection: str) -> Part:
        return Part(
            name=name,
            argv=[
                client.path,
                "--format=custom",
                "--compress=0",
                "--no-password",
                f"--lock-wait-timeout={max(1, round(options.db_lock_timeout * 1000))}",
                f"--snapshot={exported.name}",
                f"--dbname={connection_string(database.name)}",
                *selection,
            ],
            environment=environment,
            secret=secret,
            format=FORMAT,
            suffix=".dump",
            completion_mark=None,
            fatal_stderr=_FATAL,
            lost_stderr=_LOST,
        )

    return part
