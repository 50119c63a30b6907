# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases as applications have them: their backups are complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.library import SCHEMAS, back_up, entry_of
from support.postgresql_dumps import drop_database, make_database
from support.servers import PrivatePostgres

FOLDER = SCHEMAS / "applications"
APPLICATIONS = sorted(path.stem for path in FOLDER.glob("*.sql"))
ROLES = ("app_owner", "app_reader", "app_writer")
# Write every third row anew, so that a heap no longer has its rows in the order in which they came.
AGE = """
SET session_replication_role = replica;
DO $$
DECLARE chosen record;
BEGIN
    FOR chosen IN
        SELECT DISTINCT ON (c.oid) c.oid::regclass AS place, quote_ident(a.attname) AS field
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind = 'r' AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = '' AND a.attidentity <> 'a'
           AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND NOT k.convalidated)
         ORDER BY c.oid, a.attnum
    LOOP
        EXECUTE format('UPDATE ONLY %s SET %s = %2$s WHERE ctid::text LIKE ''%%3)''', chosen.place, chosen.field);
    END LOOP;
END
$$;
"""


@pytest.fixture(scope="module")
def applications(postgres15: PrivatePostgres) -> Iterator[PrivatePostgres]:
    """A server with one database for every application."""
    for role in ROLES:
        postgres15.sql(f"CREATE ROLE {role}")
    for name in APPLICATIONS:
        make_database(postgres15, name, options="ENCODING UTF8")
        postgres15.run_sql_script(FOLDER / f"{name}.sql", database=name)
        postgres15.run_sql_script(AGE, database=name)
    yield postgres15
    for name in APPLICATIONS:
        drop_database(postgres15, name)
    postgres15.sql(f"DROP ROLE {', '.join(ROLES)}")


def test_every_application_is_backed_up_completely(applications: PrivatePostgres, repository: Path) -> None:
    result = back_up(applications, repository, databases=APPLICATIONS, row_counts=True, fingerprints=True)
    entries = {name: entry_of(result, name) for name in APPLICATIONS}
    assert {name: entry for name, entry in entries.items() if entry["status"] != "complete"} == {}
