# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the restored database what its manifest says? Kinds of objects and rows of tables, counted and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backup.survey import privilege_text
from ..engines.interface import Engine
from ..engines.values import FATAL, Client, DumpOptions, RestoreOptions, SnapshotDetails
from ..errors import RestoreFailed
from .missing import missing_kind, missing_name


@dataclass(frozen=True)
class Comparison:
    """The differences, one line each, and what was left out of the comparison and why."""

    inventory: Sequence[str] = ()
    row_counts: Sequence[str] = ()
    not_compared: Sequence[str] = ()

    @property
    def equal(self) -> bool:
        return not self.inventory and not self.row_counts


def compare_restored(
    engine: Engine,
    client: Client,
    name: str,
    manifest: Mapping[str, Any],
    options: RestoreOptions,
) -> Comparison:
    """Look at the restored database `name` and compare it with the manifest, as far as `options` brought it back."""
    if options.data_only:
        return Comparison(not_compared=["nothing was compared: the database had rows and objects of its own"])
    counted = manifest.get("row_counts") is not None and not options.schema_only
    details = inspect(engine, client, name, DumpOptions(row_counts=counted, older_inventory=True))
    inventory, left_out = _inventory_differences(manifest, details, options)
    rows, rows_left_out = _row_differences(manifest, details, options)
    not_compared = [*left_out, *rows_left_out]
    if not details.inventory_trusted:
        not_compared.append("this login does not see every object, so the inventory may be short")
    return Comparison(inventory, rows, not_compared)


def inspect(engine: Engine, client: Client, name: str, options: DumpOptions) -> SnapshotDetails:
    """Count what a database has, in one snapshot of it, as a backup would; nothing is dumped."""
    database = next((one for one in engine.databases() if one.name == name), None)
    where = engine.server.instance.where()
    if database is None:
        raise RestoreFailed(f"{where}: database {name!r} is not there; somebody dropped it")
    missing = engine.missing_privileges([database], options)
    with engine.snapshot(client, database, options, missing) as snapshot:
        snapshot.begun(lambda: snapshot.at_once)
        details = snapshot.details()
    blind = [privilege_text(entry) for entry in missing if entry.severity == FATAL]
    if blind and not details.inventory_trusted:
        raise RestoreFailed(f"{where}: {name!r} cannot be looked at as a whole: {'; '.join(blind)}")
    return details


def _inventory_differences(
    manifest: Mapping[str, Any], details: SnapshotDetails, options: RestoreOptions
) -> tuple[list[str], list[str]]:
    if options.tables:
        return [], ["the inventory was not compared: only some tables were restored"]
    left_out = _uncompared_kinds(options)
    found = details.inventory_as_in(manifest)
    for kind, expected in manifest["inventory"].items():
        named = missing_kind(manifest, kind)
        if named is not None and found.get(kind, 0) < expected:
            left_out[kind] = f"the backup does not hold all of them: {named}"
        silent = details.unanswered.get(kind, ())
        if silent and found.get(kind, 0) + len(silent) == expected:
            left_out[kind] = (
                f"{', '.join(silent)} are there and do not answer; their definers may have no rights on this database"
            )
    differences = [
        f"{kind}: {expected} in the backup, {found.get(kind, 0)} restored"
        for kind, expected in sorted(manifest["inventory"].items())
        if kind not in left_out and found.get(kind, 0) != expected
    ]
    return differences, [f"{kind}: {reason}" for kind, reason in sorted(left_out.items())]


def _uncompared_kinds(options: RestoreOptions) -> dict[str, str]:
    """Return the kinds of objects that the options leave out, each with the reason."""
    kinds: dict[str, str] = {}
    if options.acl_policy == "drop":
        kinds.update(dict.fromkeys(("default_acls", "grants"), "acl_policy is drop"))
    if options.owner_policy != "keep":
        kinds["grants"] = f"owner_policy is {options.owner_policy}, and what an owner may do is no grant"
    if options.extensions == "skip":
        kinds.update(dict.fromkeys(("extensions", "comments"), "extensions are skipped"))
    if options.schema_only:
        # Large objects are data, and so are the comments on them.
        kinds.update(dict.fromkeys(("large_objects", "comments"), "schema_only"))
    return kinds


def _row_differences(
    manifest: Mapping[str, Any], details: SnapshotDetails, options: RestoreOptions
) -> tuple[list[str], list[str]]:
    expected: Mapping[str, int] | None = manifest.get("row_counts")
    if options.schema_only:
        return [], []
    if expected is None:
        return [], ["rows were not compared: the backup was made without row_counts"]
    if details.row_counts is None:
        return [], ["rows were not compared: this login cannot count them in one snapshot"]
    # Their rows are made anew from the tables; the original may have been filled long before.
    views = set((manifest.get("engine_details") or {}).get("materialized_views", ()))
    differences: list[str] = []
    left_out = ["rows of materialized views: they are made anew"] if views else []
    for table, count in sorted(expected.items()):
        found = details.row_counts.get(table)
        if found == count or table in views or not _is_wanted(table, options.tables):
            continue
        named = missing_name(manifest, table)
        if named is not None:
            left_out.append(f"rows of {table}: the backup does not hold them: {named}")
        else:
            restored = "no table" if found is None else found
            differences.append(f"{table}: {count} rows in the backup, {restored} restored")
    return differences, left_out


def _is_wanted(table: str, wanted: Sequence[str]) -> bool:
    return not wanted or table in wanted or table.rpartition(".")[2] in wanted
