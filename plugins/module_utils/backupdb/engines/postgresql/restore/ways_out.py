# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do where the server refuses rows, with the statements to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..quoting import identifier
from .choice import Chosen
from .tables import qualified_names
from .toc import DATA, Entry

_SHOWN = 5
_ROUTINES = ("FUNCTION", "PROCEDURE")


def ways_out(errors: Sequence[str], chosen: Sequence[Chosen]) -> list[str]:
    """Say how the rows that were refused can be brought back; nothing where no rows were."""
    refused = [
        entry
        for one in chosen
        for entry in one.early
        if entry.section == DATA and any(f"{entry.shown()}: " in line for line in errors)
    ]
    if not refused:
        return []
    everything = [entry for one in chosen for entry in one.archive.contents.entries]
    statements = sorted({text for entry in refused for text in _alter(entry, everything)})
    tables = ", ".join(f"{entry.namespace}.{entry.tag}" for entry in refused[:_SHOWN])
    more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    mend = f"run there: {' '.join(statements[:_SHOWN])}" if statements else "mend there what refuses them"
    why = (
        "functions in constraints, generated columns and indexes are called without a search path"
        if statements
        else "functions that look for their tables by the search path do not find them"
    )
    return [
        f"The way to the rows of {tables}{more}: restore with schema_only, {mend} ({why}), then restore with "
        "data_only; or restore with accept_errors, which brings back everything else, and then these tables with "
        "data_only"
    ]


def _alter(rows: Entry, everything: Sequence[Entry]) -> Iterator[str]:
    """Yield the statements that let the functions in a table's definition find what they name."""
    table = next(
        (one for one in everything if one.kind == "TABLE" and (one.namespace, one.tag) == (rows.namespace, rows.tag)),
        None,
    )
    named = set(qualified_names(table.definition)) if table is not None else set()
    for one in everything:
        called = (one.namespace, one.tag.partition("(")[0])
        if one.kind in _ROUTINES and called in named and "SET search_path" not in one.definition:
            schemas = dict.fromkeys((one.namespace, rows.namespace, "public"))
            path = ", ".join(map(identifier, schemas))
            arguments = one.tag.partition("(")[2]
            yield f"ALTER {one.kind} {'.'.join(map(identifier, called))}({arguments} SET search_path = {path};"
