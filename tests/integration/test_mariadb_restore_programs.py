# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: views and programs after a restore: in whose name, in which database, with which rights."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from backupdb.engines.values import DEGRADED, FATAL
from backupdb.errors import RestoreFailed
from support.mysql_dumps import Dumped, Opened, dump, execute, new_account, new_database, opened, without_times
from support.mysql_restores import manifest, problems, restored

DEFINERS = """
    SELECT 'view', definer FROM information_schema.views WHERE table_schema = '{0}'
    UNION ALL SELECT 'trigger', definer FROM information_schema.triggers WHERE trigger_schema = '{0}'
    UNION ALL SELECT LOWER(routine_type), definer FROM information_schema.routines WHERE routine_schema = '{0}'
    UNION ALL SELECT 'event', definer FROM information_schema.events WHERE event_schema = '{0}'"""
KINDS = ("view", "trigger", "function", "procedure", "event")
RIGHTS = (
    *("CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "INSERT", "SELECT", "CREATE VIEW", "SHOW VIEW"),
    *("CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "TRIGGER", "EVENT"),
)
TRAP = "CREATE DEFINER=`author`@`%` VIEW `x` AS SELECT 1; /*!50013 DEFINER=`author`@`%` SQL SECURITY DEFINER */"


@pytest.fixture
def authored(mariadb: Any) -> Iterator[str]:
    """A database whose programs are another account's, and whose rows and bodies speak of definers."""
    with new_account(mariadb, "author", "GRANT ALL ON *.* TO {account}"), new_database(mariadb, "authored") as name:
        body = f"SELECT '{TRAP.replace(chr(39), '')}' INTO @x"
        execute(
            mariadb,
            "CREATE TABLE t (a TEXT)",
            f"INSERT INTO t VALUES ('{TRAP}'), ('\\n{TRAP}\\n')",
            "CREATE DEFINER=author@'%' SQL SECURITY INVOKER VIEW v AS SELECT 'DEFINER=`author`@`%`' AS a FROM t",
            f"CREATE DEFINER=author@'%' TRIGGER tr BEFORE INSERT ON t FOR EACH ROW {body}",
            f"CREATE DEFINER=author@'%' PROCEDURE p() {body}",
            "CREATE DEFINER=author@'%' FUNCTION f() RETURNS TEXT DETERMINISTIC RETURN 'DEFINER=`author`@`%`'",
            f"CREATE DEFINER=author@'%' EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO {body}",
            database=name,
        )
        yield name


def definers(mariadb: Any, database: str) -> dict[str, str]:
    return dict(execute(mariadb, DEFINERS.format(database)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_definers_are_kept_mapped_or_dropped_and_no_other_byte_changes(
    mariadb: Any, where: Opened, authored: str, jobs: int
) -> None:
    first = dump(where, authored, jobs=jobs, fingerprints=True)
    assert first.details.extra["definers"] == ["author@%"]
    with new_account(mariadb, "heir") as heir:
        for options, expected in (
            ({}, "author@%"),
            ({"definer_policy": "map", "owner_map": {"author@%": f"{heir}@%"}}, "heir@%"),
            ({"definer_policy": "map", "owner_map": {"other@%": "root@localhost", "*": f"{heir}@%"}}, "heir@%"),
            ({"definer_policy": "map", "owner_map": {"other@%": f"{heir}@%"}}, "author@%"),
            ({"definer_policy": "drop"}, "root@127.0.0.1"),
        ):
            with restored(where, authored, first, "authored2", jobs=jobs, **options) as report:
                assert report.errors == []
                assert definers(mariadb, "authored2") == dict.fromkeys(KINDS, expected)
                second = dump(where, "authored2", jobs=jobs, fingerprints=True)
            assert second.details.fingerprints == first.details.fingerprints
            user, _mark, host = expected.partition("@")
            assert plain(second, f"DEFINER=`{user}`@`{host}`") == plain(first, "DEFINER=`author`@`%`")


def plain(dumped: Dumped, clause: str) -> list[bytes]:
    """The dump without times, and without the definer where a header has it: once in a line, before the rest."""
    headers = (b"/*!50013 DEFINER", b"/*!50003 CREATE", b"/*!50106 CREATE", b"CREATE DEFINER")
    lines = [line for part in dumped.parts.values() for line in without_times(part).split(b"\n")]
    return sorted(line.replace(clause.encode(), b"DEFINER", 1) if line.startswith(headers) else line for line in lines)


def test_a_definer_that_is_no_account_is_refused_beforehand_and_while_loading(
    mariadb: Any, where: Opened, authored: str
) -> None:
    first = dump(where, authored)
    execute(mariadb, "DROP USER author@'%'")
    described = manifest(where, authored, first)
    [refusal] = problems(where, described, "authored2").refusals
    assert "no accounts of this server (author@%)" in refusal
    with (
        pytest.raises(RestoreFailed, match=r"the definer author@% of \w+ \w+ is not an account"),
        restored(where, authored, first, "authored2"),
    ):
        pytest.fail("it was restored")
    assert problems(where, described, "authored2", definer_policy="drop").refusals == []
    mapped = {"definer_policy": "map", "owner_map": {"*": "root@localhost"}}
    assert problems(where, described, "authored2", **mapped).refusals == []
    with restored(where, authored, first, "authored2", **mapped):
        assert definers(mariadb, "authored2") == dict.fromkeys(KINDS, "root@localhost")


def test_a_role_can_be_a_definer(mariadb: Any, where: Opened) -> None:
    execute(mariadb, "DROP ROLE IF EXISTS team", "CREATE ROLE team")
    try:
        with new_database(mariadb, "of_role") as name:
            execute(mariadb, "CREATE DEFINER=team PROCEDURE p() SELECT 1", database=name)
            first = dump(where, name)
            assert "dead_definers" not in first.details.extra
            assert first.details.extra["definers"] == ["team@"]
            assert problems(where, manifest(where, name, first), "of_role2").refusals == []
            with restored(where, name, first, "of_role2"):
                assert definers(mariadb, "of_role2") == {"procedure": "team"}
    finally:
        execute(mariadb, "DROP ROLE team")


def test_programs_of_oracle_mode_come_back(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "oracle") as name:
        mariadb.run_sql_script(
            "SET sql_mode = ORACLE;\nDELIMITER //\nCREATE PACKAGE pk AS FUNCTION f RETURN INT; END;\n//\n"
            "CREATE PACKAGE BODY pk AS FUNCTION f RETURN INT AS BEGIN RETURN 7; END; END;\n//\n",
            database=name,
        )
        first = dump(where, name)
        with restored(where, name, first, "oracle2", definer_policy="drop"):
            assert without_times(dump(where, "oracle2").parts["data"]) == without_times(first.parts["data"])
            assert without_times(first.parts["data"]).count(b"PACKAGE") >= 2


def test_what_names_the_original_is_listed_and_nothing_of_it_is_written_there(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "orig-db") as name:
        execute(
            mariadb,
            "CREATE TABLE t (a INT)",
            "CREATE TABLE log (a INT)",
            "CREATE TRIGGER `orig-db`.one BEFORE INSERT ON `orig-db`.t FOR EACH ROW"
            " INSERT INTO `orig-db`.log VALUES (1)",
            "create or replace trigger two /* ON z */ after insert on t for each row set @x = 'orig-db, not named'",
            "CREATE PROCEDURE p() BEGIN EXECUTE IMMEDIATE 'INSERT INTO `orig-db`.log VALUES (2)'; END",
            "CREATE PROCEDURE quiet() BEGIN /* `orig-db`.log */ SELECT 1; END",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM `orig-db` . `log`",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "CREATE VIEW plain AS SELECT t.a FROM `orig-db`.t",
            "CREATE VIEW calling AS SELECT `orig-db`.f() AS a",
            database=name,
        )
        first = dump(where, name)
        execute(mariadb, "DROP TRIGGER one", database=name)
        with restored(where, name, first, "copy") as report:
            assert report.errors == []
            triggers = "SELECT trigger_schema, trigger_name FROM information_schema.triggers WHERE trigger_schema IN"
            assert sorted(execute(mariadb, f"{triggers} ('orig-db', 'copy')")) == [
                ("copy", "one"),
                ("copy", "two"),
                ("orig-db", "two"),
            ]
            found = where.engine.qualified_references("copy", name)
            assert found == ["event e", "procedure p", "trigger one", "view calling"]
            assert where.engine.qualified_references("copy", "other") == []


def test_programs_of_another_collation_do_not_change_the_original_database(mariadb: Any, where: Opened) -> None:
    """The dump clients write ALTER DATABASE around them, with the original's name."""
    with new_database(mariadb, "alt", "CHARACTER SET latin1 COLLATE latin1_german1_ci") as name:
        script = (
            "SET NAMES latin1;\nCREATE TABLE t (a INT);\nDELIMITER //\n"
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 'é'//\nCREATE PROCEDURE p() SELECT 'é'//\n"
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 'é'//\n"
        )
        latin1(mariadb, name, script)
        execute(mariadb, f"ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        for jobs in (1, 2):
            first = dump(where, name, jobs=jobs)
            assert b"ALTER DATABASE `alt`" in b"".join(first.parts.values())
            execute(mariadb, f"ALTER DATABASE {name} CHARACTER SET ucs2 COLLATE ucs2_bin")
            with restored(where, name, first, "alt2", jobs=jobs) as report:
                assert report.errors == []
                own = {
                    part: data.replace(b"`alt2`", b"`alt`")
                    for part, data in dump(where, "alt2", jobs=jobs).parts.items()
                }
                assert {part: without_times(data) for part, data in own.items()} == {
                    part: without_times(data) for part, data in first.parts.items()
                }
            assert where.database(name).collation == "ucs2_bin"
            collation = "SELECT database_collation FROM information_schema.triggers WHERE trigger_schema = 'alt2'"
            with restored(where, name, first, "alt2", jobs=jobs, tables=("t",)):
                assert execute(mariadb, collation) == [("latin1_german1_ci",)]
                assert where.database("alt2").collation == "utf8mb4_bin"
            execute(mariadb, f"ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def latin1(private: Any, database: str, script: str) -> None:
    options = [f"--defaults-extra-file={private.client_file}", "--binary-mode", "--default-character-set=latin1"]
    subprocess.run([str(private.client), *options, "--", database], input=script.encode("latin-1"), check=True)


def test_missing_rights_are_named_and_the_named_grants_are_enough(mariadb: Any, where: Opened, authored: str) -> None:
    first = dump(where, authored, jobs=2, fingerprints=True)
    described = manifest(where, authored, first)
    with new_account(mariadb, "poor") as name:
        with opened(mariadb, user=name, password="pw") as here:
            found = problems(here, described, "cheap_copy")
            refusals, missing = found.refusals, found.missing
            assert refusals == []
            assert {one.grant for one in missing if one.severity == FATAL} == {
                *(f"GRANT {right} ON `cheap\\_copy`.* TO 'poor'@'%';" for right in RIGHTS),
                "GRANT SET USER ON *.* TO 'poor'@'%';",
            }
            assert [one.privilege for one in missing if one.severity == DEGRADED] == ["SELECT ON `mysql`.`user`"]
            execute(mariadb, *(one.grant for one in missing))
        with opened(mariadb, user=name, password="pw") as here:
            found = problems(here, described, "cheap_copy")
            assert (found.refusals, found.missing) == ([], [])
            with restored(here, authored, first, "cheap_copy", jobs=2) as report:
                assert report.errors == []
                assert [line for line in report.warnings if "all rights of the login" not in line] == []
                assert definers(mariadb, "cheap_copy") == dict.fromkeys(KINDS, "author@%")
                assert dump(where, "cheap_copy", fingerprints=True).details.fingerprints == first.details.fingerprints


def test_a_binary_log_that_trusts_no_creators_is_refused_with_the_statement_that_mends_it(
    server_factory: Any, where: Opened, authored: str
) -> None:
    private = server_factory("mariadb", settings={"log_bin": "bin", "server_id": "1"})
    first = dump(where, authored)
    described = manifest(where, authored, first)
    with new_account(private, "author"), new_account(private, "plain", "GRANT ALL ON authored.* TO {account}") as name:
        execute(private, "GRANT SET USER ON *.* TO plain", "GRANT SELECT ON mysql.user TO plain")
        with opened(private, user=name, password="pw") as here:
            [refusal] = problems(here, described, authored).refusals
            assert refusal.endswith("run: SET GLOBAL log_bin_trust_function_creators = 1;")
        execute(private, refusal.partition("run: ")[2])
        with opened(private, user=name, password="pw") as here:
            found = problems(here, described, authored)
            assert (found.refusals, found.missing) == ([], [])
            with restored(here, authored, first, authored) as report:
                assert report.errors == []
