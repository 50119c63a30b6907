# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases as applications have them: backed up, drilled, restored, and compared without the product's own code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.drills import drill_all
from support.library import SCHEMAS, back_up, entry_of
from support.postgresql_dumps import drop_database, identifier, make_database, plain
from support.restores import restored
from support.servers import PrivatePostgres

pytestmark = pytest.mark.long

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
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
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


def statements(server: PrivatePostgres, name: str) -> list[str]:
    """What makes the database and its rows anew, in an order that no oid decides."""
    return sorted(plain(server, name).split("\n"))


def rows(server: PrivatePostgres, name: str) -> dict[str, tuple[int, str]]:
    """How many rows every table has, and a checksum of their sorted texts."""
    found = {}
    for (table,) in server.sql(TABLES, database=name):
        lines = sorted(str(row[0]) for row in server.sql(f"SELECT t::text FROM ONLY {table} t", database=name))
        found[table] = (len(lines), hashlib.sha256("\0".join(lines).encode()).hexdigest())
    return found


def settings(server: PrivatePostgres, name: str) -> list[tuple[Any, ...]]:
    """What belongs to a database and lies outside it."""
    found = server.sql(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datacl::text,"
        " shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()",
        database=name,
    )
    return found + server.sql(
        "SELECT setrole::regrole::text, setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
        " WHERE datname = current_database() ORDER BY 1",
        database=name,
    )


def looked_at(server: PrivatePostgres, name: str) -> tuple[Any, ...]:
    return statements(server, name), rows(server, name), settings(server, name)


def unlike(before: Any, after: Any) -> list[str]:
    """What is only in one of two looks."""
    first, second = (
        {str(one) for one in (look.items() if isinstance(look, dict) else look)} for look in (before, after)
    )
    return sorted(first ^ second)


def test_every_application_is_complete_equal_and_comes_back(
    applications: PrivatePostgres, repository: Path, work_dir: Path
) -> None:
    server = applications
    result = back_up(server, repository, databases=APPLICATIONS, row_counts=True, fingerprints=True)
    told = {name: (entry_of(result, name)["status"], entry_of(result, name)["warnings"]) for name in APPLICATIONS}
    assert {name: status for name, (status, _warnings) in told.items() if status != "complete"} == {}, told

    drills = drill_all(repository, work_dir=str(work_dir))["drills"]
    assert sorted(entry["database"] for entry in drills) == APPLICATIONS
    assert {entry["database"]: entry for entry in drills if entry["verdict"] != "equal"} == {}

    unequal = {}
    for name in APPLICATIONS:
        again = f"{name}_again"
        try:
            restored(server, repository, name, target=again)
            pairs = zip(looked_at(server, name), looked_at(server, again))
            found = [(before, after) for before, after in pairs if before != after]
            if found:
                unequal[name] = [part for pair in found for part in unlike(*pair)]
        finally:
            drop_database(server, again)
    assert unequal == {}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET price = price + 0.000001 WHERE id = 7",
        "DELETE FROM lines WHERE orders = 3 AND position = 1",
        "ALTER TABLE orders ALTER state SET DEFAULT 'paid'",
        "REVOKE UPDATE (name) ON products FROM app_reader",
        "ALTER VIEW revenue RESET (security_barrier)",
    ],
)
def test_the_comparison_sees_one_change(applications: PrivatePostgres, change: str) -> None:
    name = "shop_changed"
    applications.sql(f"CREATE DATABASE {identifier(name)} TEMPLATE shop")
    try:
        before = looked_at(applications, name)
        assert before[:2] == looked_at(applications, "shop")[:2]
        applications.sql(change, database=name)
        assert looked_at(applications, name) != before
    finally:
        drop_database(applications, name)
