# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: missing rights are named before a dump that would leave things out without an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.values import DEGRADED, FATAL, PARTIAL, Database, DumpOptions
from support.mysql_dumps import dump, execute, new_account, new_database, opened

WHOLE = (
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `re\\_d`.* TO {account}",
    "GRANT SELECT ON mysql.proc TO {account}",
    "GRANT RELOAD, PROCESS, SHOW DATABASES, BINLOG MONITOR ON *.* TO {account}",
)


@pytest.fixture(scope="module")
def full(mariadb: Any) -> Iterator[str]:
    with new_database(mariadb, "re_d") as name:
        execute(
            mariadb,
            "CREATE TABLE t (a INT)",
            "CREATE VIEW v AS SELECT * FROM t",
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
            database=name,
        )
        yield name


def test_a_superuser_lacks_nothing(mariadb: Any, full: str) -> None:
    with opened(mariadb) as here:
        assert here.missing([full]) == []


def test_the_least_rights_are_enough_and_see_everything(mariadb: Any, full: str) -> None:
    with (
        new_account(mariadb, "least", *WHOLE) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        assert here.missing([full]) == []
        done = dump(here, full, row_counts=True)
    assert done.details.missing == []
    inventory = done.details.inventory
    assert [inventory[kind] for kind in ("tables", "views", "triggers", "procedures", "events")] == [1, 1, 1, 1, 1]
    assert all(word in done.parts["data"] for word in (b"TRIGGER tr", b"PROCEDURE `p`", b"EVENT `e`", b"VIEW `v`"))


@pytest.mark.parametrize(
    ("right", "grant", "option"),
    [
        ("TRIGGER", "GRANT TRIGGER ON `re\\_d`.* TO 'short'@'%';", "triggers"),
        ("EVENT", "GRANT EVENT ON `re\\_d`.* TO 'short'@'%';", "events"),
        ("SHOW VIEW", "GRANT SHOW VIEW ON `re\\_d`.* TO 'short'@'%';", None),
        ("SELECT", "GRANT SELECT ON `re\\_d`.* TO 'short'@'%';", None),
    ],
)
def test_each_missing_right_is_fatal_and_its_grant_cures_it(
    mariadb: Any, full: str, right: str, grant: str, option: str | None
) -> None:
    revoke = f"REVOKE {right} ON `re\\_d`.* FROM {{account}}"
    with new_account(mariadb, "short", *WHOLE, revoke) as name:
        with opened(mariadb, user=name, password="pw") as here:
            found = [Database(full, None, None, None, None, None, is_system=False, connectable=True)]
            missing = here.engine.missing_privileges(found, DumpOptions())
            assert [(one.severity, one.grant, one.database) for one in missing] == [(FATAL, grant, full)]
            if option is not None:
                off = here.engine.missing_privileges(found, DumpOptions(**{option: False}))
                assert [one.severity for one in off] == [PARTIAL]
        execute(mariadb, grant)
        with opened(mariadb, user=name, password="pw") as here:
            assert here.missing([full]) == []


def test_a_login_that_cannot_read_routines_is_told_so_and_its_inventory_is_not_trusted(mariadb: Any, full: str) -> None:
    rights = (WHOLE[0], WHOLE[2])
    with (
        new_account(mariadb, "short", *rights) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        missing = here.missing([full])
        assert [(one.severity, one.grant) for one in missing] == [
            (FATAL, "GRANT SELECT ON `mysql`.`proc` TO 'short'@'%';")
        ]
        off = here.missing([full], routines=False)
        assert [one.severity for one in off] == [PARTIAL]
        done = dump(here, full, routines=False)
        assert not done.details.inventory_trusted
        assert "procedures" not in done.details.inventory
        assert b"PROCEDURE" not in done.parts["data"]


def test_lesser_rights_only_degrade_the_backup(mariadb: Any, full: str) -> None:
    rights = WHOLE[:2]
    with (
        new_account(mariadb, "plain", *rights) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        missing = here.missing([full])
    assert {one.severity for one in missing} == {DEGRADED}
    assert [one.grant for one in missing] == [
        "GRANT RELOAD ON *.* TO 'plain'@'%';",
        "GRANT PROCESS ON *.* TO 'plain'@'%';",
        "GRANT SHOW DATABASES ON *.* TO 'plain'@'%';",
    ]


def test_a_grant_on_another_database_of_a_like_name_does_not_count(mariadb: Any, full: str) -> None:
    rights = ("GRANT ALL ON `re\\_dx`.* TO {account}", "GRANT ALL ON `RE\\_D`.* TO {account}")
    found = [Database(full, None, None, None, None, None, is_system=False, connectable=True)]
    with (
        new_account(mariadb, "other", *rights) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        missing = here.engine.missing_privileges(found, DumpOptions())
    assert len([one for one in missing if one.severity == FATAL]) == 5


def test_rights_by_a_default_role_and_by_a_role_of_that_role_count(mariadb: Any, full: str) -> None:
    execute(mariadb, "CREATE OR REPLACE ROLE inner_role", "CREATE OR REPLACE ROLE outer_role")
    try:
        execute(
            mariadb,
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `re%`.* TO inner_role",
            "GRANT SELECT ON mysql.proc TO outer_role",
            "GRANT inner_role TO outer_role",
        )
        with new_account(mariadb, "member", "GRANT outer_role TO {account}") as name:
            with opened(mariadb, user=name, password="pw") as here:
                found = [Database(full, None, None, None, None, None, is_system=False, connectable=True)]
                without = here.engine.missing_privileges(found, DumpOptions())
                assert any(one.severity == FATAL for one in without)
            execute(mariadb, f"SET DEFAULT ROLE outer_role FOR '{name}'@'%'")
            with opened(mariadb, user=name, password="pw") as here:
                assert {one.severity for one in here.missing([full])} == {DEGRADED}
                assert b"PROCEDURE `p`" in dump(here, full).parts["data"]
    finally:
        execute(mariadb, "DROP ROLE inner_role", "DROP ROLE outer_role")


def test_a_kind_that_is_switched_off_is_named_as_missing(mariadb: Any, full: str) -> None:
    with opened(mariadb) as here:
        done = dump(here, full, triggers=False, events=False, routines=False)
    assert done.details.missing == [
        "1 of kind procedure: switched off by option",
        "1 of kind trigger: switched off by option",
        "1 of kind event: switched off by option",
    ]


def test_mariadb_is_recognised_whichever_of_the_two_was_asked_for(mariadb: Any) -> None:
    with opened(mariadb, engine=MysqlEngine) as here:
        assert MysqlEngine.detect_vendor(here.server) == "mariadb"
        assert here.facts.vendor == "mariadb"


def test_facts_have_what_a_restore_must_match(mariadb: Any) -> None:
    with opened(mariadb) as here:
        facts = here.facts
    assert facts.version_number >= (10, 11)
    assert facts.role == "primary"
    assert (facts.data_bytes or 0) > 0
    wanted = {"max_allowed_packet", "lower_case_table_names", "sql_mode", "character_set_server", "collation_server"}
    wanted |= {"time_zone", "innodb_page_size", "log_bin_trust_function_creators", "default_storage_engine", "plugins"}
    assert wanted | {"event_scheduler", "log_bin"} <= set(facts.settings)


def test_databases_have_sizes_and_reasons(mariadb: Any, full: str) -> None:
    with opened(mariadb) as here:
        found = {one.name: one for one in here.engine.databases()}
    assert found[full].tables == 1
    assert (found[full].size_bytes or 0) > 0
    assert (found[full].is_system, found[full].reason) == (False, None)
    for name in MariadbEngine.SYSTEM_DATABASES:
        assert found[name].is_system
        assert found[name].reason


def test_a_stray_folder_in_the_data_directory_is_no_database(mariadb: Any) -> None:
    folder = mariadb.data / "lost+found"
    folder.mkdir()
    mariadb.own(folder)
    try:
        with opened(mariadb) as here:
            stray = next(one for one in here.engine.databases() if "lost" in one.name)
            assert not stray.connectable
            assert stray.reason
    finally:
        folder.rmdir()
