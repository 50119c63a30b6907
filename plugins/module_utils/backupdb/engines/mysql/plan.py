# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dump of one database consists of: which objects go into which archive.

Archives by name, in the order in which a restore needs them: `data` alone, or `pre-data`, `data-0001` and on (in any
order, also at once), `post-data`. Objects are named one by one, so that a dropped one is an error and not a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..values import Client, DumpOptions, Part
from .catalogue import Relation
from .commands import programs_part, rows_part, schema_part, whole_part

# The kernel takes 2 MiB of arguments and environment; half of it leaves room for the rest.
MOST_NAME_BYTES = 1 << 20


@dataclass(frozen=True)
class Plan:
    """The archives, and how many of them must begin in one snapshot. `listed`: the objects are named one by one."""

    parts: Sequence[Part]
    at_once: int
    listed: bool


def plan(
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    found: Sequence[Relation],
    options: DumpOptions,
    *,
    jobs: int,
) -> Plan:
    """Split the database into archives for `jobs` clients; one archive where the list of objects is too long to pass.

    `found` has only what can be dumped. The parts that must begin in one snapshot come first.
    """
    names = [relation.name for relation in found]
    history = any(relation.type == "SYSTEM VERSIONED" for relation in found)
    tables = [relation for relation in found if relation.is_table]
    if not names or not names_fit(names):
        return Plan([whole_part(client, secret, known, database, (), options, history=history)], 1, listed=False)
    if jobs <= 1 or len(tables) < 2:
        return Plan([whole_part(client, secret, known, database, names, options, history=history)], 1, listed=True)
    shares = balanced(tables, jobs)
    rows = [
        rows_part(f"data-{number:04d}", client, secret, known, database, share, history=history)
        for number, share in enumerate(shares, start=1)
    ]
    return Plan(
        [
            *rows,
            schema_part(client, secret, known, database, names, options),
            programs_part(client, secret, known, database, [table.name for table in tables], options),
        ],
        len(rows),
        listed=True,
    )


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
