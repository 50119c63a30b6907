# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every new database has and people may have dropped: no archive tells that, so a restore drops it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DROPPED_KEY = "dropped"  # of a manifest's engine details; backups from before there were any lack it

_DROP = {
    "extension plpgsql": "DROP EXTENSION plpgsql",
    "schema information_schema": "DROP SCHEMA information_schema CASCADE",
    "schema public": "DROP SCHEMA public",
}
GIVEN = """
    SELECT 'extension ' || extname FROM pg_catalog.pg_extension
    UNION ALL SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace"""


def dropped(given: Iterable[str]) -> list[str]:
    """Name what of it a database does not have; `given` are the rows of `GIVEN` there."""
    there = set(given)
    return [name for name in _DROP if name not in there]


def drop_statements(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the statements that take it out of a new database."""
    named = (manifest.get("engine_details") or {}).get(DROPPED_KEY) or ()
    yield from (statement for name, statement in _DROP.items() if name in named)
