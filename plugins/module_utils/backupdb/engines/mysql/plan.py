# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dump of one database consists of: which objects go into which archive.

Archives by name, in the order in which a restore needs them: `data` alone, or `pre-data`, `data-0001` and on (in any
order, also at once), `post-data`; and `routines` before all, where views may call some and the client would write them
too late. Objects are named one by one, so that a dropped one is an error and not a gap.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import QueryFailed
from ..values import Client, DumpOptions, Part
from .catalogue import Relation
from .commands import programs_part, routines_part, rows_part, schema_part, whole_part
from .statements import version_number

# The kernel takes 2 MiB of arguments and environment; half of it leaves room for the rest.
MOST_NAME_BYTES = 1 << 20
_SHOWN = 10


@dataclass(frozen=True)
class Plan:
    """The archives, and how many of them must begin in one snapshot. `listed`: the objects are named one by one."""

    parts: Sequence[Part]
    at_once: int
    listed: bool


@dataclass(frozen=True)
class Chosen:
    """What is dumped: `found`, and of those in `without_rows` no rows.

    `ignored` is what else is there: what cannot be dumped, and what is left out on purpose.
    """

    found: Sequence[Relation]
    ignored: Sequence[str] = ()
    without_rows: frozenset[str] = frozenset()


def plan(
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    chosen: Chosen,
    options: DumpOptions,
    *,
    jobs: int,
) -> Plan:
    """Split the database into archives for `jobs` clients; one archive where the list of objects is too long to pass.

    The parts that must begin in one snapshot come first. Raises `QueryFailed` where filters need names to be passed
    that are too many, or that the client takes for one another.
    """
    found = chosen.found
    names = [relation.name for relation in found]
    history = any(relation.type == "SYSTEM VERSIONED" for relation in found)
    tables = [relation for relation in found if relation.is_table]
    if not names or not names_fit(names):
        _refuse_unlisted(names, chosen)
        whole = whole_part(client, secret, known, database, (), options, history=history, ignored=chosen.ignored)
        return Plan([whole], 1, listed=False)
    if not chosen.without_rows and (jobs <= 1 or len(tables) < 2):
        return Plan([whole_part(client, secret, known, database, names, options, history=history)], 1, listed=True)
    shares = balanced([table for table in tables if table.name not in chosen.without_rows], jobs)
    rows = [
        rows_part(f"data-{number:04d}", client, secret, known, database, share, history=history)
        for number, share in enumerate(shares, start=1)
    ]
    # Without a client that reads rows there is nothing for which the others would have to wait.
    definitions = schema_part(client, secret, known, database, names, options, in_transaction=not rows)
    programs = programs_part(client, secret, known, database, [table.name for table in tables], options)
    return Plan([*rows, definitions, programs], max(1, len(rows)), listed=True)


def _refuse_unlisted(names: Sequence[str], chosen: Chosen) -> None:
    """Raise `QueryFailed` where a client that lists objects by itself would not leave out what it should.

    It compares the names that it is told to ignore as a collation does: some letters are the same to it.
    """
    if chosen.without_rows or not names_fit(chosen.ignored):
        raise QueryFailed(
            f"the names of {len(names)} tables are more than a command line of the dump client holds, and without them "
            "the filters cannot be kept to; leave out whole databases instead (exclude)"
        )
    same = {_folded(name) for name in names} & {_folded(name) for name in chosen.ignored}
    if same:
        raise QueryFailed(
            "what is left out and what is kept have names that the dump client takes for one another: "
            f"{', '.join(sorted(same)[:_SHOWN])}; rename one of each, or leave out neither"
        )


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one)).rstrip()


def writes_routines_last(client: Client) -> bool:
    """Tell whether this client, when it is given names, writes routines after the views that may call them.

    MySQL's does; MariaDB's writes them first, which is known of the versions from 10.11 on.
    """
    return client.vendor != "mariadb" or version_number(client.version) < (10, 11)


def plan_with_routines_first(
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    chosen: Chosen,
    options: DumpOptions,
    *,
    jobs: int,
) -> Plan:
    """As `plan`, with the routines in an archive of their own, for a client that writes them too late."""
    planned = plan(client, secret, known, database, chosen, replace(options, routines=False), jobs=jobs)
    if not planned.listed:  # here the client writes them in time by itself
        return plan(client, secret, known, database, chosen, options, jobs=jobs)
    routines = routines_part(client, secret, known, database, [chosen.found[0].name], options)
    return replace(planned, parts=[*planned.parts, routines])


def balanced(tables: Sequence[Relation], shares: int) -> list[list[str]]:
    """Deal the tables out so that the shares are about equal in bytes; no share is empty."""
    dealt: list[list[str]] = [[] for _number in range(min(shares, len(tables)))]
    weights = [0] * len(dealt)
    for table in sorted(tables, key=lambda one: (-one.size, one.name)):
        lightest = weights.index(min(weights))
        dealt[lightest].append(table.name)
        weights[lightest] += table.size + 1
    return dealt


def names_fit(names: Sequence[str]) -> bool:
    """Tell whether the names can be passed as arguments: each has a pointer of 8 bytes and a closing zero too."""
    return sum(len(name.encode("utf-8", "surrogateescape")) + 9 for name in names) <= MOST_NAME_BYTES
