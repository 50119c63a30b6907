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
from support.library import limits
from support.postgresql_dumps import client_of, opened, plain, take
from support.postgresql_restores import (
    bring_back,
    gone_afterwards,
    look_at,
    manifest_of,
    restore_client_of,
    sources_of,
)
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


def test_what_a_load_has_told_is_there_outlives_a_crash_right_after_it(scratch: Path) -> None:
    """Its sessions do not wait for the disk; the load as a whole does. By itself this server would write much later."""
    lazy = {"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB", "wal_buffers": "16MB"}
    with PrivatePostgres(settings=lazy) as private:
        private.sql("CREATE DATABASE origin")
        private.sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n", database="origin")
        private.sql("ALTER TABLE t ADD PRIMARY KEY (n)", database="origin")
        with opened(private) as (server, facts):
            client = client_of(private, facts)
            dump = take(server, facts, client, "origin", scratch, options=DumpOptions(**COMPARED))
            manifest = manifest_of(dump, facts, client)
            engine = PostgresqlEngine(server, facts)
            engine.create_database("again", manifest, RestoreOptions())
            restorer = restore_client_of(private, facts)
            engine.load(restorer, "again", sources_of(dump), manifest, RestoreOptions(), limits())
            private.kill()
        private.start()
        assert private.sql("SELECT count(*) FROM t WHERE n = 1000", database="again") == [(1,)]
        assert private.sql("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass", database="again") == [
            ("t_pkey",)
        ]


def properties_of(details: SnapshotDetails, name: str) -> dict[str, Any]:
    """The properties without the database's name, which stands in the statements about its rights."""
    statements = [statement.replace(identifier(name), "NAME") for statement in details.properties["acl_statements"]]
    return {**details.properties, "acl_statements": statements}
