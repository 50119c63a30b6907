# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as CSV: one row for each database, and one for each that no run takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from ..system.table import one_line

COLUMNS = (
    "look",
    "host",
    "instance",
    "database",
    "kind",
    "coverage",
    "state",
    "rule",
    "newest",
    "age_seconds",
    "max_age_seconds",
    "proven",
    "proven_age_seconds",
    "last_drill",
    "last_verdict",
    "restore_seconds",
    "restore_source",
    "copies",
    "backups",
    "stored_bytes",
    "plain_bytes",
    "disk_bytes",
    "anomalies",
    "error",
    "path",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes a text for that begins so


def csv_of(model: Mapping[str, Any]) -> str:
    """Return the table; no name in it is a formula of a spreadsheet or breaks a line."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in (*map(_row, model["databases"]), *_never_taken(model), *_unknown(model)):
        writer.writerow({name: _cell(row.get(name)) for name in COLUMNS})
    return written.getvalue()


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    drill = entry["drill"] or {}
    return {
        **entry,
        "last_drill": drill.get("finished"),
        "last_verdict": drill.get("verdict"),
        "copies": "; ".join(f"{copy['name']} {copy['state']}" for copy in entry["copies"]),
        "anomalies": "; ".join(anomaly["text"] for anomaly in entry["anomalies"]),
    }


def _never_taken(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known = {(entry["look"], entry["host"], entry["instance"], entry["database"]) for entry in model["databases"]}
    for host in model["hosts"]:
        for instance in host["instances"]:
            for entry in instance["excluded"]:
                place = (host["name"], instance["host"], instance["instance"], entry["name"])
                if place not in known:
                    names = dict(zip(("look", "host", "instance", "database"), place))
                    yield {**names, "kind": "database", "coverage": "excluded", "rule": entry["rule"]}


def _unknown(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for host in model["hosts"]:
        if host["unknown"] is not None:
            yield {"look": host["name"], "coverage": "unknown", "error": host["unknown"]}


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
