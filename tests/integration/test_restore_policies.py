# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore under another name or with other owners does to the objects inside the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.errors import RestoreRefused
from backupdb.restore import run as restore
from support.drills import drilled
from support.library import back_up
from support.postgresql_dumps import new_database, opened
from support.private_server import PrivateServer
from support.restores import clean, make_database, names, restore_request, restored


@pytest.fixture
def pg(postgres15: Any) -> Iterator[PrivateServer]:
    with clean(postgres15):
        yield postgres15


@pytest.fixture
def maria(mariadb: Any) -> Iterator[PrivateServer]:
    with clean(mariadb):
        yield mariadb


def test_a_body_that_names_the_original_database_is_refused_under_another_name(
    maria: PrivateServer, repository: Path
) -> None:
    make_database(maria, "shop")
    maria.sql("CREATE TABLE item (n int)", database="shop")
    maria.sql("CREATE TRIGGER t AFTER INSERT ON item FOR EACH ROW DELETE FROM shop.item WHERE n < 0", database="shop")
    back_up(maria, repository, databases=["shop"], accounts=False)
    before = names(maria)
    result = restore.run(restore_request(maria, repository, "shop"))
    assert (result["status"], result["error_kind"], result["changed"]) == ("failed", "RestoreRefused", False)
    assert "allow_qualified_references" in result["message"]
    assert names(maria) == before
    allowed = restored(maria, repository, "shop", target="beside", allow_qualified_references=True)
    assert any("'shop'" in warning for warning in allowed["warnings"])
    restored(maria, repository, "shop", target="shop", replace=True, confirm="shop")


def test_events_are_disabled_under_another_name_unless_that_is_wanted(maria: PrivateServer, repository: Path) -> None:
    make_database(maria, "shop")
    maria.sql("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @x = 1", database="shop")
    back_up(maria, repository, databases=["shop"], accounts=False)
    restored(maria, repository, "shop", target="quiet")
    restored(maria, repository, "shop", target="loud", enable_events=True)
    restored(maria, repository, "shop", target="shop", replace=True, confirm="shop")
    statement = "SELECT event_schema, status FROM information_schema.events WHERE event_name = 'e'"
    assert {tuple(row) for row in maria.sql(statement)} == {
        ("quiet", "DISABLED"),
        ("loud", "ENABLED"),
        ("shop", "ENABLED"),
    }


def test_a_server_that_keeps_names_in_small_letters_gets_the_name_that_it_will_list(
    server_factory: Callable[..., Any], repository: Path
) -> None:
    folding = server_factory("mariadb", settings={"lower_case_table_names": "1"})
    make_database(folding, "shop")
    folding.sql("CREATE TABLE item (n int)", database="shop")
    back_up(folding, repository, databases=["shop"], accounts=False)
    assert restored(folding, repository, "shop")["target"] in names(folding)
    with pytest.raises(RestoreRefused, match="'shop' exists"):
        restore.run(restore_request(folding, repository, "shop", target="SHOP"))
    restored(folding, repository, "shop", target="Shop", replace=True, confirm="shop")


def test_an_index_that_cannot_be_built_is_named_and_nothing_is_replaced_unless_that_is_accepted(
    pg: Any, repository: Path
) -> None:
    make_database(pg, "shop")
    pg.run_sql_script(
        "CREATE TABLE item (n int);"
        "INSERT INTO item VALUES (1);"
        "CREATE FUNCTION fragile(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN RETURN current_setting('app.scale')::int * $1; END $$;"
        "SET app.scale = '2'; CREATE INDEX fragile_index ON item (fragile(n)); CREATE INDEX sound ON item (n);",
        database="shop",
    )
    back_up(pg, repository, databases=["shop"], accounts=False, row_counts=True)
    pg.sql("DELETE FROM item", database="shop")
    result = restore.run(restore_request(pg, repository, "shop", target="beside"))
    assert result["status"] == "restored_with_errors"
    assert len(result["errors"]) == 1
    assert "fragile_index" in result["errors"][0]
    assert result["inventory_difference"] == ["indexes: 2 in the backup, 1 restored"]
    replacing = {"target": "shop", "replace": True, "confirm": "shop"}
    refused = restore.run(restore_request(pg, repository, "shop", **replacing))
    assert refused["status"] == "failed"
    assert "fragile_index" in refused["message"]
    assert "'shop' is as it was" in refused["message"]
    assert pg.sql("SELECT count(*) FROM item", database="shop")[0][0] == 0
    accepted = restore.run(restore_request(pg, repository, "shop", accept_errors=True, **replacing))
    assert accepted["status"] == "restored_with_errors", accepted["message"]
    assert pg.sql("SELECT count(*) FROM item", database="shop")[0][0] == 1


def test_what_holds_a_database_is_named_before_anything_is_done(pg: Any, repository: Path) -> None:
    make_database(pg, "shop")
    back_up(pg, repository, databases=["shop"], accounts=False)
    pg.sql("CREATE PUBLICATION p FOR ALL TABLES", database="shop")
    connection = "CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)"
    pg.sql(f"CREATE SUBSCRIPTION held {connection}", database="shop")
    before = names(pg)
    try:
        request = restore_request(pg, repository, "shop", target="shop", replace=True, confirm="shop")
        with pytest.raises(RestoreRefused, match="subscription held"):
            restore.run(request)
        assert names(pg) == before
    finally:
        pg.sql("ALTER SUBSCRIPTION held SET (slot_name = NONE)", database="shop")
        pg.sql("DROP SUBSCRIPTION held", database="shop")


def test_owners_that_are_not_there_are_refused_and_can_be_mapped_or_dropped(pg: Any, repository: Path) -> None:
    make_database(pg, "shop")
    pg.sql("CREATE ROLE lost_owner")
    try:
        pg.sql("CREATE TABLE item (n int)", database="shop")
        pg.sql("ALTER TABLE item OWNER TO lost_owner", database="shop")
        back_up(pg, repository, databases=["shop"], accounts=False)
        pg.sql("DROP TABLE item", database="shop")
    finally:
        pg.sql("DROP ROLE lost_owner")
    before = names(pg)
    refused = restore.run(restore_request(pg, repository, "shop"))
    assert (refused["status"], refused["changed"]) == ("failed", False)
    assert "lost_owner" in refused["message"]
    assert "owner_policy" in refused["message"]
    assert names(pg) == before
    restored(pg, repository, "shop", target="dropped", owner_policy="drop")
    mapped = {"owner_policy": "map", "owner_map": {"lost_owner": pg.user}}
    restored(pg, repository, "shop", target="mapped", **mapped)
    for name in ("dropped", "mapped"):
        owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'item'"
        assert pg.sql(owner, database=name)[0][0] == pg.user


def test_an_archive_can_be_loaded_by_several_workers_from_a_spool_that_is_gone_afterwards(
    pg: Any, repository: Path, scratch: Path
) -> None:
    make_database(pg, "shop")
    for table in ("a", "b", "c"):
        pg.sql(f"CREATE TABLE {table} AS SELECT g AS n FROM generate_series(1, 100) g", database="shop")
    back_up(pg, repository, databases=["shop"], accounts=False, row_counts=True)
    spool = scratch / "spool"
    spool.mkdir(mode=0o700)
    restored(pg, repository, "shop", target="quick", jobs=3, spool=True, spool_folder=str(spool))
    assert list(spool.iterdir()) == []


REACHING = """
    CREATE TABLE t (n int PRIMARY KEY);
    CREATE SUBSCRIPTION "from far" CONNECTION 'host=192.0.2.1 dbname=far' PUBLICATION p
        WITH (connect = false, enabled = false, create_slot = false, slot_name = 'slot_of_ours');
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.1');
    CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'u', password 'p');
"""


def test_a_copy_reaches_nothing_that_the_original_reaches(pg: Any, repository: Path) -> None:
    slots = """SELECT s.subslotname, s.subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                WHERE d.datname = '{}'"""
    with new_database(pg, "reaching"):
        pg.run_sql_script(REACHING, database="reaching")
        try:
            back_up(pg, repository, databases=["reaching"])
            for enabled, slot in ((False, None), (True, "slot_of_ours")):
                result = restored(pg, repository, "reaching", target="reaching_copy", enable_events=enabled)
                assert pg.sql(slots.format("reaching_copy")) == [(slot, False)]
                told = " ".join(result["warnings"])
                for words in (
                    """ALTER SUBSCRIPTION "from far" SET (slot_name = 'slot_of_ours');""",
                    'ALTER SUBSCRIPTION "from far" ENABLE;',
                    "foreign servers with user mappings lead where those of the original lead: far",
                ):
                    assert (words in told) is not enabled
                with opened(pg) as (server, facts):
                    PostgresqlEngine(server, facts).drop_database("reaching_copy")  # subscriptions hold it no longer
            assert pg.sql(slots.format("reaching")) == [("slot_of_ours", False)]
        finally:
            with opened(pg) as (server, facts):
                for name in ("reaching_copy", "reaching"):
                    PostgresqlEngine(server, facts).drop_database(name)


def test_on_another_server_it_is_a_copy_under_its_own_name(
    pg: Any, repository: Path, server_factory: Any, work_dir: Path
) -> None:
    other = server_factory("postgres15")
    with new_database(pg, "reaching"):
        pg.run_sql_script(REACHING, database="reaching")
        back_up(pg, repository, databases=["reaching"])
        with opened(pg) as (server, facts):
            PostgresqlEngine(server, facts).drop_database("reaching")
        restored(pg, repository, "reaching", target="reaching")  # the original itself
        assert pg.sql("SELECT subslotname FROM pg_subscription") == [("slot_of_ours",)]
        with opened(pg) as (server, facts):
            PostgresqlEngine(server, facts).drop_database("reaching")
    restored(other, repository, "reaching", target="reaching")
    assert other.sql("SELECT subslotname FROM pg_subscription") == [(None,)]
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
