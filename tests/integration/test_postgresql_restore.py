# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine dumps comes back whole through its own restore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.quoting import identifier
from backupdb.engines.values import DumpOptions, RestoreOptions, SnapshotDetails
from support.postgresql_dumps import client_of, opened, plain, take
from support.postgresql_restores import bring_back, gone_afterwards, look_at, manifest_of, restore_client_of
from support.servers import PrivatePostgres

COMPARED = {"row_counts": True, "fingerprints": True}


@pytest.mark.parametrize(
    ("dumped", "restored"),
    [
        pytest.param(1, RestoreOptions(), marks=pytest.mark.distro),
        (1, RestoreOptions(jobs=2)),
        (1, RestoreOptions(jobs=2, spool=True)),
        (2, RestoreOptions()),
        pytest.param(2, RestoreOptions(jobs=2), marks=pytest.mark.distro),
    ],
    ids=["plain", "jobs", "spool", "parts", "parts-jobs"],
)
def test_the_torture_schema_comes_back_equal(
    torture_server: PrivatePostgres, dumped: int, restored: RestoreOptions, scratch: Path
) -> None:
    again = 'torture "again"'
    with opened(torture_server) as here, gone_afterwards(*here, again):
        server, facts = here
        client = client_of(torture_server, facts)
        dump = take(server, facts, client, "torture", scratch, options=DumpOptions(jobs=dumped, **COMPARED))
        manifest = manifest_of(dump, facts, client)
        assert PostgresqlEngine(server, facts).restore_problems(manifest, again, restored) == ([], [], [])
        report = bring_back(server, facts, restore_client_of(torture_server, facts), dump, manifest, again, restored)
        assert (report.errors, report.warnings) == ([], [])
        assert plain(torture_server, again) == plain(torture_server, "torture")
        found = look_at(server, facts, client, again)
        assert found.inventory == dump.details.inventory
        assert found.row_counts == dump.details.row_counts
        assert found.fingerprints == dump.details.fingerprints
        assert properties_of(found, again) == properties_of(dump.details, "torture")


def properties_of(details: SnapshotDetails, name: str) -> dict[str, Any]:
    """The properties without the database's name, which stands in the statements about its rights."""
    statements = [statement.replace(identifier(name), "NAME") for statement in details.properties["acl_statements"]]
    return {**details.properties, "acl_statements": statements}
