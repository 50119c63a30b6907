# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of object and property that pg_dump's own tests and PostgreSQL's regression database have comes back.

The two databases lie beside each other in one server, and one run backs up both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.drill.compare_sets import compare_in_any_order
from backupdb.drill.dump import dumped
from backupdb.drill.restore import restored
from support.backup_logins import PASSWORD, Scene, managed
from support.drills import drill_all, setting_of
from support.library import SCHEMAS, back_up, entry_of, instance_of, request_for
from support.postgresql_contents import contents_differing, taken
from support.postgresql_dumps import drop_database, make_database
from support.servers import PrivatePostgres

DATABASES = ("pg_dump_objects", "regression_objects")
# The server writes some expressions of the second one otherwise than it got them.
VERDICTS = {"pg_dump_objects": "equal", "regression_objects": "equal, expressions rewritten"}
_ROLES = ('"objects ""odd"" röle; --\'"', "objects_reader", "objects_owner", "objects_select")


@pytest.fixture(scope="module", params=["postgres15", "postgres18"])
def objects_server(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    """PostgreSQL, once of each version, with both databases; its programs come first."""
    server: PrivatePostgres = request.getfixturevalue(request.param)
    for name in DATABASES:
        make_database(server, name, options="ENCODING UTF8")
        server.run_sql_script(SCHEMAS / f"postgresql_{name}.sql", database=name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(server.binaries), os.environ["PATH"]]))
        yield server
    for name in DATABASES:
        drop_subscriptions(server, name)
        drop_database(server, name)
    server.sql("DROP TABLESPACE objects_space")
    for role in _ROLES:
        server.sql(f"DROP OWNED BY {role}")
        server.sql(f"DROP ROLE {role}")


def drop_subscriptions(server: PrivatePostgres, database: str) -> None:
    of_database = "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = %s"
    for (name,) in server.sql(of_database, parameters=(database,)):
        server.sql(f"DROP SUBSCRIPTION {name}", database=database)


@pytest.mark.parametrize("jobs", [1, 2])
def test_both_databases_are_complete_and_drill_equal(
    objects_server: PrivatePostgres, repository: Path, work_dir: Path, jobs: int
) -> None:
    result = back_up(objects_server, repository, databases=DATABASES, row_counts=True, fingerprints=True, jobs=jobs)
    for name in DATABASES:
        entry = entry_of(result, name)
        assert (entry["status"], entry["missing"]) == ("complete", []), entry
    drills: list[dict[str, Any]] = drill_all(repository, work_dir=str(work_dir))["drills"]
    assert sorted(entry["database"] for entry in drills) == sorted(DATABASES)
    for entry in drills:
        assert (entry["verdict"], entry["differences"], entry["error"]) == (VERDICTS[entry["database"]], [], None), (
            entry
        )


@pytest.mark.parametrize("name", DATABASES)
def test_their_inventory_is_the_table_of_contents(objects_server: PrivatePostgres, scratch: Path, name: str) -> None:
    assert contents_differing(objects_server, taken(objects_server, name, scratch)) == {}


# What is changed in the restored copy, and where the comparison must see it.
LOSSES = (
    ("ALTER FUNCTION with_out(int, text) OWNER TO objects_owner", "FUNCTION dumped.with_out(integer, text)"),
    ("ALTER FUNCTION plain_sql COST 8", "FUNCTION dumped.plain_sql(integer, integer, text[])"),
    (
        "REVOKE EXECUTE ON PROCEDURE proceed FROM objects_reader",
        "ACL dumped.PROCEDURE proceed(OUT b text, INOUT a integer)",
    ),
    ("REVOKE SELECT (id) ON far_table FROM objects_reader", "ACL dumped.COLUMN far_table.id"),
    ("ALTER TABLE triggered ENABLE TRIGGER truncated", "TRIGGER dumped.triggered truncated"),
    ("ALTER TABLE triggered ENABLE TRIGGER replica", "TRIGGER dumped.triggered replica"),
    ("ALTER TABLE parted_2 ENABLE TRIGGER on_parts", "TRIGGER dumped.parted_2 on_parts"),
    ("ALTER TABLE properties ENABLE RULE also", "RULE dumped.properties also"),
    ("ALTER EVENT TRIGGER at_drop ENABLE", "EVENT TRIGGER at_drop"),
    ("COMMENT ON TRIGGER always ON triggered IS 'now and then'", "COMMENT dumped.TRIGGER always ON triggered"),
    ("COMMENT ON LARGE OBJECT 800001 IS NULL", "COMMENT LARGE OBJECT 800001"),
    ("ALTER INDEX properties_expression ALTER COLUMN 1 SET STATISTICS 320", "INDEX dumped.properties_expression"),
    ("ALTER INDEX keys_by_index SET (fillfactor = 60)", "CONSTRAINT dumped.keys keys_by_index"),
    ("ALTER STATISTICS all_kinds SET STATISTICS 344", "STATISTICS dumped.all_kinds"),
    ("ALTER TABLE in_space SET (parallel_workers = 2)", "TABLE dumped.in_space"),
    ("ALTER TABLE identity_full REPLICA IDENTITY DEFAULT", "TABLE dumped.identity_full"),
    ("ALTER TABLE forced NO FORCE ROW LEVEL SECURITY", "TABLE dumped.forced"),
    ("ALTER TABLE guarded DISABLE ROW LEVEL SECURITY", "ROW SECURITY dumped.guarded"),
    ("ALTER POLICY to_insert ON guarded TO objects_reader", "POLICY dumped.guarded to_insert"),
    ("ALTER TABLE in_other_method ALTER a SET STATISTICS 5", "TABLE dumped.in_other_method"),
    (
        "ALTER TABLE cycle_2 ALTER CONSTRAINT cycle_2_other_fkey DEFERRABLE",
        "FK CONSTRAINT dumped.cycle_2 cycle_2_other_fkey",
    ),
    ("ALTER TABLE keys VALIDATE CONSTRAINT not_valid_key", "FK CONSTRAINT dumped.keys not_valid_key"),
    ("ALTER DOMAIN low VALIDATE CONSTRAINT low_not_five", "CHECK CONSTRAINT dumped.low low_not_five"),
    ("ALTER SEQUENCE small NO CYCLE", "SEQUENCE dumped.small"),
    ("ALTER SEQUENCE owned OWNED BY NONE", "SEQUENCE OWNED BY dumped.owned"),
    ("ALTER PUBLICATION through_root SET (publish_via_partition_root = false)", "PUBLICATION through_root"),
    (
        "ALTER PUBLICATION some_rows SET TABLE properties (id), ONLY parent_1",
        "PUBLICATION TABLE dumped.some_rows properties",
    ),
    ("ALTER SUBSCRIPTION quiet SET (binary = false)", "SUBSCRIPTION quiet"),
    ("ALTER SERVER far OPTIONS (SET host 'i')", "SERVER far"),
    (
        "ALTER USER MAPPING FOR objects_reader SERVER far OPTIONS (SET user 'x')",
        "USER MAPPING USER MAPPING objects_reader SERVER far",
    ),
    ("REVOKE USAGE ON LANGUAGE trusted_language FROM objects_reader", "ACL LANGUAGE trusted_language"),
    ("REVOKE USAGE ON TYPE made FROM objects_reader", "ACL dumped.TYPE made"),
    ("ALTER OPERATOR = (made, made) SET (JOIN = NONE)", "OPERATOR dumped.="),
    (
        "ALTER TEXT SEARCH CONFIGURATION configuration DROP MAPPING FOR word",
        "TEXT SEARCH CONFIGURATION dumped.configuration",
    ),
    ("ALTER VIEW cascaded SET (security_invoker = false)", "VIEW dumped.cascaded"),
    ("ALTER VIEW checked ALTER wide DROP DEFAULT", "DEFAULT dumped.checked wide"),
    ("ALTER MATERIALIZED VIEW summed SET WITHOUT CLUSTER", "INDEX dumped.summed_at"),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner GRANT USAGE ON TYPES TO PUBLIC",
        "DEFAULT ACL DEFAULT PRIVILEGES FOR TYPES",
    ),
    ("INSERT INTO generated_between VALUES (6)", "TABLE DATA dumped.generated_between"),
    ("DELETE FROM no_columns WHERE ctid = '(0,1)'", "TABLE DATA dumped.no_columns"),
    ("SELECT setval('called', 77, true)", "SEQUENCE SET dumped.called"),
    ("ALTER TABLE child_later NO INHERIT parent_1", "TABLE dumped.child_later"),
    ("ALTER TABLE parted DETACH PARTITION parted_1", "TABLE ATTACH dumped.parted_1"),
    ("ALTER TABLE child_of_both ALTER a DROP DEFAULT", "DEFAULT dumped.child_of_both a"),
    ("ALTER TABLE unlogged SET LOGGED", "TABLE dumped.unlogged"),
    ("ALTER SCHEMA dumped OWNER TO CURRENT_USER", "SCHEMA dumped"),
)


def test_every_small_change_in_the_copy_is_seen(
    objects_server: PrivatePostgres, repository: Path, work_dir: Path
) -> None:
    folder = entry_of(back_up(objects_server, repository, databases=DATABASES[:1]), DATABASES[0])["path"]
    with restored(setting_of(folder, work_dir)) as state:
        with state.engine.server.connect(DATABASES[0]) as connection:
            for statement, _place in LOSSES:
                connection.exec_driver_sql(f"SET search_path = dumped; {statement}")
        (source,) = state.sources
        (part,) = state.support.dump_again(state.engine.server, state.dump_client, state.context.manifest)

        def text(blocks: Iterator[bytes]) -> Iterator[bytes]:
            return state.support.text(state.dump_client, blocks)

        found = compare_in_any_order(
            lambda: text(source.open()),
            lambda: text(dumped(part, state.context.limits)),
            state.support.reader,
            kept=1000,
        )
    seen = {difference.place for difference in found.differences}
    assert [place for _statement, place in LOSSES if place not in seen] == [], sorted(seen)


def test_the_backup_login_misses_nothing_in_silence(objects_server: PrivatePostgres, repository: Path) -> None:
    """What only a superuser may see makes the backup partial, by name."""
    scene = Scene(objects_server, database=DATABASES[0])
    try:
        managed(scene)
        instance = instance_of(objects_server, user=scene.name, password=PASSWORD)
        result = backup.run(request_for(instance, repository, databases=DATABASES, row_counts=True))
    finally:
        for name in DATABASES:
            objects_server.sql(f"DROP OWNED BY {scene.name}", database=name)
        objects_server.sql(f"DROP ROLE {scene.name}")
    entries = [entry_of(result, name) for name in DATABASES]
    assert [entry["status"] for entry in entries] == ["partial", "complete"]
