# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: a stream may touch its target and nothing else, whatever stands in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.mysql.accounts_rules import LOAD_PREFIX
from backupdb.engines.mysql.statements import ask
from backupdb.errors import BackupDbError, RestoreFailed
from support.mysql_dumps import Dumped, Opened, dump, execute, new_database, opened, quoted
from support.mysql_restores import restored

VICTIM = "victim_%"
# What a forged stream holds; {v} is the other database.
ATTACKS = (
    "DROP DATABASE {v};",
    "INSERT INTO `t` VALUES (5); DROP DATABASE {v};",
    "SELECT 1; DROP TABLE {v}.kept;",
    "USE {v};\nDROP TABLE kept;",
    "CREATE TABLE {v}.`more` (a INT);",
    "INSERT INTO {v}.kept VALUES (2);",
    "UPDATE {v}.kept SET a = 5;",
    "LOCK TABLES {v}.kept WRITE; DELETE FROM {v}.kept; UNLOCK TABLES;",
    "CREATE TABLE `stolen` AS SELECT * FROM {v}.kept;",
    "INSERT INTO `t` SELECT a FROM {v}.kept;",
    "CREATE TABLE `stolen` AS SELECT * FROM mysql.user;",
    "RENAME TABLE {v}.kept TO `stolen`;",
    "RENAME TABLE `t` TO {v}.`t`;",
    "ALTER DATABASE {v} CHARACTER SET latin1;",
    "ALTER DATABASE {v} CHARACTER SET latin1 COLLATE latin1_swedish_ci;",
    "/*!50003 ALTER DATABASE `honest` CHARACTER SET latin1 */; DROP DATABASE {v};",
    "CREATE USER forged_user@localhost;",
    "GRANT ALL ON *.* TO forged_user@localhost IDENTIFIED BY 'x';",
    "SET GLOBAL max_connections = 77;",
    "SET sql_mode = '', GLOBAL max_connections = 77;",
    "SET PASSWORD = 'x';",
    "CREATE DATABASE forged_database;",
    "SELECT 'x' INTO OUTFILE '{f}';",
    "CREATE FUNCTION forged_function RETURNS STRING SONAME 'forged.so';",
    "CREATE FUNCTION `forged_function` RETURNS STRING SONAME 'ha_example.so';",
    "INSTALL PLUGIN forged SONAME 'ha_example.so';",
    "CREATE SERVER forged FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x');",
    "CREATE DEFINER=`root`@`localhost` PROCEDURE `p`() SQL SECURITY DEFINER DROP DATABASE {v};\nCALL p();",
    "DELIMITER ;;\nCREATE DEFINER=`root`@`localhost` PROCEDURE `p`() DROP DATABASE {v} ;;\nDELIMITER ;\nCALL p();",
    "CREATE DEFINER=`root`@`localhost` FUNCTION `f`() RETURNS INT BEGIN DELETE FROM {v}.kept; RETURN 1; END;;\nDO f();",
    "DELIMITER ;;\nCREATE PROCEDURE `p`() SELECT 1; DROP DATABASE {v} ;;\nDELIMITER ;",
    "DELIMITER ;;\n/*!50003 CREATE PROCEDURE `p`() SELECT 1 */; DROP DATABASE {v} ;;\nDELIMITER ;",
    "DELIMITER ;;\n/*!999999 CREATE PROCEDURE `p`() SELECT 1 */ DROP DATABASE {v} ;;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE /*!999999 PROCEDURE `p`() */ DATABASE forged_database ;;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE /*M!999999 VIEW `p` */ DATABASE forged_database ;;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE /*!60000 VIEW `p` */ DATABASE forged_database ;;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE /*M!50003 VIEW `p` */ DATABASE forged_database ;;\nDELIMITER ;",
    "CREATE PROCEDURE {v}.`forged`() SELECT 1;",
    "CREATE OR REPLACE VIEW {v}.`forged` AS SELECT 1 AS a;",
    "CREATE TRIGGER {v}.`forged` BEFORE INSERT ON {v}.kept FOR EACH ROW SET @x = 1;",
    "CREATE TRIGGER `forged` BEFORE INSERT ON {v}.kept FOR EACH ROW SET @x = 1;",
    "CREATE EVENT {v}.`forged` ON SCHEDULE EVERY 1 SECOND DO DROP TABLE {v}.kept;",
    "CREATE EVENT `forged` ON SCHEDULE EVERY 1 SECOND DO DROP TABLE {v}.kept;",
    "CREATE EVENT `forged` ON SCHEDULE EVERY 1 SECOND ON COMPLETION PRESERVE ENABLE DO DROP TABLE {v}.kept;",
    "CREATE EVENT `forged` ON SCHEDULE EVERY 1 SECOND /* ON COMPLETION PRESERVE ENABLE */ DO DROP TABLE {v}.kept;",
    "CREATE EVENT `forged` ON SCHEDULE EVERY 1 SECOND COMMENT ' ON COMPLETION PRESERVE ENABLE ' DO DROP TABLE {v}.kept",
    "PREPARE s FROM 'DROP DATABASE {v}'; EXECUTE s;",
    "CREATE TABLE `c` (a INT) ENGINE=MERGE UNION=({v}.kept) INSERT_METHOD=LAST; DELETE FROM c;",
    "SET ROLE ALL; DROP DATABASE {v};",
    "KILL 1; SHUTDOWN;",
    "FLUSH TABLES WITH READ LOCK;",
    "RESET MASTER;",
)


@pytest.fixture
def dumped(either: Any, where: Opened) -> Iterator[Dumped]:
    with new_database(either, "honest") as name:
        execute(either, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", database=name)
        yield dump(where, name)


@pytest.fixture
def victim(either: Any) -> Iterator[str]:
    with new_database(either, VICTIM) as name:
        execute(either, "CREATE TABLE kept (a INT)", "INSERT INTO kept VALUES (1)", database=name)
        yield name


def forged(dumped: Dumped, lines: str) -> dict[str, bytes]:
    whole = dumped.parts["data"]
    mark = whole.index(b"-- Dump completed")
    return {"data": whole[:mark] + lines.encode() + b"\n" + whole[mark:]}


def state(server: Any) -> dict[str, Any]:
    """Everything of the server that an attack is about, but for the copy itself."""
    return {
        "databases": execute(
            server, "SELECT * FROM information_schema.schemata WHERE schema_name <> 'copy' ORDER BY 2"
        ),
        "tables": execute(server, f"SHOW TABLES FROM {quoted(VICTIM)}"),
        "rows": execute(server, "SELECT * FROM kept", database=VICTIM),
        "programs": execute(
            server,
            "SELECT routine_schema, routine_name FROM information_schema.routines WHERE routine_schema <> 'copy'"
            " UNION SELECT trigger_schema, trigger_name FROM information_schema.triggers"
            " UNION SELECT event_schema, event_name FROM information_schema.events WHERE event_schema <> 'copy'"
            " ORDER BY 1, 2",
        ),
        "accounts": execute(server, "SELECT user, host, authentication_string FROM mysql.user ORDER BY 1, 2"),
        "loadable": execute(server, "SELECT name FROM mysql.func"),
        "servers": execute(server, "SELECT server_name FROM mysql.servers"),
        "connections": execute(server, "SELECT @@GLOBAL.max_connections"),
    }


def test_a_stream_touches_nothing_but_its_target(
    either: Any, where: Opened, dumped: Dumped, victim: str, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    written = tmp_path / "written"
    before = state(either)
    touched = {}
    with scheduled(either):
        for attack in ATTACKS:
            lines = attack.replace("{v}", quoted(victim)).replace("{f}", str(written))
            with suppress(BackupDbError), restored(where, "honest", dumped, "copy", parts=forged(dumped, lines)):
                if "EVENT" in attack:
                    time.sleep(1.2)  # each would have run by then
                assert ("stolen",) not in execute(either, "SHOW TABLES FROM copy"), attack
            if (found := state(either)) != before or written.exists():
                touched[attack] = found
                break  # the next would begin with what is left
    assert touched == {}


def test_what_only_the_restoring_login_may_do_is_refused_with_the_way_to_allow_it(
    either: Any, where: Opened, dumped: Dumped, victim: str
) -> None:
    parts = forged(dumped, f"UPDATE {quoted(victim)}.kept SET a = 5;")
    with (
        pytest.raises(RestoreFailed, match=r"may touch this database only.*load_with_own_rights"),
        restored(where, "honest", dumped, "copy", parts=parts),
    ):
        pass
    with restored(where, "honest", dumped, "copy", parts=parts, load_with_own_rights=True) as report:
        assert report.warnings == []
    assert execute(either, "SELECT a FROM kept", database=victim) == [(5,)]


def test_the_login_of_the_load_is_gone_at_the_end_and_those_of_killed_restores_as_well(
    either: Any, where: Opened, dumped: Dumped
) -> None:
    now = int(time.time())
    old, held, new = (
        f"{LOAD_PREFIX}{made:08x}_0000000{at}" for at, made in enumerate((now - 10**6,) * 2 + (now - 60,))
    )
    for name in (old, held, new):
        execute(either, f"CREATE USER '{name}'@localhost")
    try:
        with where.server.connect() as holder:
            ask(where.server, holder, f"SELECT GET_LOCK('{held}', 0)")
            for lines in ("SELECT 1;", "DROP DATABASE mysql;"):
                with suppress(RestoreFailed), restored(where, "honest", dumped, "copy", parts=forged(dumped, lines)):
                    assert loading(either) == sorted((held, new))
        assert loading(either) == sorted((held, new))
        listed = where.engine.export_accounts(where.client()).document["accounts"]
        assert not [one["name"] for one in listed if one["name"].startswith(LOAD_PREFIX)]
    finally:
        for name in loading(either):
            execute(either, f"DROP USER '{name}'@localhost")


def test_a_login_that_can_make_no_other_loads_itself_and_says_so(either: Any, where: Opened, dumped: Dumped) -> None:
    with (
        account(either, "GRANT ALL ON *.* TO {}", "REVOKE CREATE USER ON *.* FROM {}") as changes,
        opened(either, **changes) as limited,
        restored(limited, "honest", dumped, "copy") as report,
    ):
        (warning,) = report.warnings
    assert "has all rights of the login that restores" in warning
    assert "1227" in warning or "1044" in warning or "1142" in warning


def test_a_login_with_rights_on_the_target_only_needs_no_other(either: Any, where: Opened, dumped: Dumped) -> None:
    with (
        account(either, "GRANT ALL ON `copy`.* TO {}") as changes,
        opened(either, **changes) as limited,
        restored(limited, "honest", dumped, "copy") as report,
    ):
        assert not [line for line in report.warnings if "rights" in line]


def test_tables_that_refer_to_other_databases_need_the_restoring_login(either: Any, where: Opened, victim: str) -> None:
    execute(either, "CREATE TABLE parent (id INT PRIMARY KEY)", database=victim)
    with new_database(either, "honest") as name:
        reference = f"CREATE TABLE child (id INT, FOREIGN KEY (id) REFERENCES {quoted(victim)}.parent (id))"
        execute(either, reference, database=name)
        dumped = dump(where, name)
    with pytest.raises(RestoreFailed, match="load_with_own_rights"), restored(where, "honest", dumped, "copy"):
        pass
    with restored(where, "honest", dumped, "copy", load_with_own_rights=True) as report:
        assert report.errors == []


@contextmanager
def scheduled(server: Any) -> Iterator[None]:
    """Let the server run events."""
    before = execute(server, "SELECT @@GLOBAL.event_scheduler")[0][0]
    execute(server, "SET GLOBAL event_scheduler = ON")
    try:
        yield
    finally:
        execute(server, f"SET GLOBAL event_scheduler = {before}")


@contextmanager
def account(server: Any, *grants: str) -> Iterator[dict[str, str]]:
    """Make an account; yields how it logs in."""
    name = "'limited'@'%'"
    execute(server, f"CREATE USER {name} IDENTIFIED BY 'of-a-test'", *(grant.format(name) for grant in grants))
    try:
        yield {"user": "limited", "password": "of-a-test"}
    finally:
        execute(server, f"DROP USER {name}")


def loading(server: Any) -> list[str]:
    """The accounts of loads that are there."""
    names = (str(name) for (name,) in execute(server, "SELECT user FROM mysql.user"))
    return sorted(name for name in names if name.startswith(LOAD_PREFIX))
