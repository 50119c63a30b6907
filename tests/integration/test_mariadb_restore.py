# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: what comes out of a backup is restored by the engine itself and is the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.values import RestoreOptions
from backupdb.errors import ArchiveDamaged, Interrupted, RestoreFailed, RestoreRefused
from support.mysql_dumps import (
    Opened,
    dump,
    execute,
    lines,
    new_database,
    opened,
    quoted,
    without_times,
)
from support.mysql_restores import dump_of, load, load_sources, manifest, problems, restore_client, restored, sources
from support.offline_engines import with_facts

ALL_COUNTS = {"row_counts": True, "fingerprints": True}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_database_with_one_of_everything_comes_back_beside_its_original(
    where: Opened, torture: str, jobs: int
) -> None:
    first = dump(where, torture, jobs=jobs, **ALL_COUNTS)
    with restored(where, torture, first, "beside", jobs=jobs) as report:
        assert (report.errors, report.warnings) == ([], [])
        second = dump(where, "beside", jobs=jobs, **ALL_COUNTS)
    assert second.details.inventory == first.details.inventory
    assert second.details.row_counts == first.details.row_counts
    assert second.details.fingerprints == first.details.fingerprints
    assert second.details.properties == first.details.properties
    # A column's default always names the database of its sequence.
    own = {name: part.replace(b"`beside`.`numbers`", b"`torture`.`numbers`") for name, part in second.parts.items()}
    assert lines(own) == lines(first.parts)


def test_chosen_tables_come_alone_with_their_rows_and_triggers(mariadb: Any, where: Opened, torture: str) -> None:
    chosen = ("child", "history", "back`tick and 'quote' \"both\" %_;$(x)", "z_below", "parent", "numbers")
    first = dump(where, torture, **ALL_COUNTS)
    with restored(where, torture, first, "some", tables=chosen):
        second = dump(where, "some", **ALL_COUNTS).details
        views = execute(mariadb, "SELECT COUNT(*) FROM z_below", database="some")
    assert {kind: count for kind, count in second.inventory.items() if count} == {
        "tables": 4,
        "views": 1,
        "sequences": 1,
        "system_versioned_tables": 1,
        "triggers": 2,
    }
    assert views == [(4,)]
    assert first.details.row_counts is not None
    assert second.row_counts == {
        name: count for name, count in first.details.row_counts.items() if name.split(" FOR ")[0] in chosen
    }


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_chosen_table_that_is_not_in_the_backup_fails_the_restore(where: Opened, torture: str, jobs: int) -> None:
    first = dump(where, torture, jobs=jobs)
    with (
        pytest.raises(RestoreFailed, match="has no childs; it has -dash, Case"),
        restored(where, torture, first, "some", tables=("childs",), jobs=jobs),
    ):
        pytest.fail("it was restored")


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_schema_alone_and_then_the_rows_alone_make_the_whole(
    mariadb: Any, where: Opened, torture: str, jobs: int
) -> None:
    first = dump(where, torture, jobs=jobs, **ALL_COUNTS)
    described = manifest(where, torture, first)
    with restored(where, torture, first, "half", schema_only=True, jobs=jobs):
        empty = dump(where, "half", row_counts=True).details
        assert empty.inventory == first.details.inventory
        assert empty.row_counts is not None
        assert set(empty.row_counts.values()) == {0}
        assert problems(where, described, "half", data_only=True).refusals == [
            "triggers of 'half' would fire for every row that is loaded (child_added, child_added_too);"
            " drop them and make them after"
        ]
        execute(mariadb, "DROP TRIGGER child_added", "DROP TRIGGER child_added_too", database="half")
        assert problems(where, described, "half", data_only=True).refusals == []
        load(where, "half", first.parts, described, data_only=True, jobs=jobs)
        full = dump(where, "half", **ALL_COUNTS).details
    assert full.row_counts == first.details.row_counts
    assert full.fingerprints == first.details.fingerprints


def test_an_event_sleeps_under_a_new_name_unless_it_is_told_otherwise(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "ev") as name:
        execute(
            mariadb,
            "CREATE EVENT awake ON SCHEDULE EVERY 1 YEAR STARTS '2031-01-01' ON COMPLETION PRESERVE ENABLE"
            " COMMENT 'ON COMPLETION PRESERVE ENABLE ' DO SELECT 'ON COMPLETION PRESERVE ENABLE '",
            "CREATE EVENT asleep ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1",
            database=name,
        )
        first = dump(where, name)
        status = "SELECT event_name, status FROM information_schema.events WHERE event_schema = 'ev2' ORDER BY 1"
        with restored(where, name, first, "ev2"):
            assert execute(mariadb, status) == [("asleep", "DISABLED"), ("awake", "DISABLED")]
            second = dump(where, "ev2").parts["data"]
            assert without_times(second) == without_times(first.parts["data"]).replace(
                b"PRESERVE ENABLE COMMENT", b"PRESERVE DISABLE COMMENT"
            )
        with restored(where, name, first, "ev2", enable_events=True):
            assert execute(mariadb, status) == [("asleep", "DISABLED"), ("awake", "ENABLED")]
    with restored(where, name, first, name):
        assert without_times(dump(where, name).parts["data"]) == without_times(first.parts["data"])


def test_a_value_of_12_mb_is_refused_beforehand_with_the_statement_that_lets_it_in(mariadb: Any, where: Opened) -> None:
    limit = int(execute(mariadb, "SELECT @@GLOBAL.max_allowed_packet")[0][0])
    with new_database(mariadb, "big") as name:
        execute(
            mariadb, "CREATE TABLE b (v LONGBLOB)", "INSERT INTO b VALUES (REPEAT(X'00FF', 6000000))", database=name
        )
        first = dump(where, name, fingerprints=True)
        described = manifest(where, name, first)
        [refusal] = problems(where, described, "big2").refusals
        statement = refusal.partition("run: ")[2]
        assert statement == "SET GLOBAL max_allowed_packet = 24117248;"
        assert problems(where, described, "big2", schema_only=True).refusals == []
        with (
            pytest.raises(RestoreFailed, match=r"table b: .*max_allowed_packet"),
            restored(where, name, first, "big2"),
        ):
            pytest.fail("it was restored")
        execute(mariadb, statement)
        try:
            with opened(mariadb) as again:
                assert problems(again, described, "big2").refusals == []
                with restored(again, name, first, "big2"):
                    assert dump(again, "big2", fingerprints=True).details.fingerprints == first.details.fingerprints
        finally:
            execute(mariadb, f"SET GLOBAL max_allowed_packet = {limit}")


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_broken_statement_stops_the_restore_and_names_its_table(mariadb: Any, where: Opened, jobs: int) -> None:
    with new_database(mariadb, "broken") as name:
        for table in ("a", "b", "c"):
            execute(mariadb, f"CREATE TABLE {table} (i INT)", f"INSERT INTO {table} VALUES (1), (2)", database=name)
        first = dump(where, name, jobs=jobs)
    parts = {
        part: data.replace(b"INSERT INTO `b` VALUES\n(1)", b"INSERT INTO `b` VALUES\n(one)")
        for part, data in first.parts.items()
    }
    assert parts != first.parts
    with pytest.raises(RestoreFailed) as caught, restored(where, name, first, "broken2", parts=parts, jobs=jobs):
        pytest.fail("it was restored")
    assert "database broken2, table b: the server refused: Unknown column 'one' in" in str(caught.value)
    assert str(caught.value).endswith("(error 1054)")


@pytest.mark.parametrize("jobs", [1, 2])
def test_broken_triggers_and_events_are_named_and_the_others_are_made(mariadb: Any, where: Opened, jobs: int) -> None:
    with new_database(mariadb, "programs") as name:
        execute(
            mariadb,
            "CREATE TABLE t (a INT)",
            "CREATE TABLE u (a INT)",
            "CREATE TRIGGER t1 BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
            "CREATE TRIGGER t2 AFTER INSERT ON t FOR EACH ROW INSERT INTO u VALUES (2)",
            "CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY DISABLE DO INSERT INTO u VALUES (3)",
            "CREATE EVENT e2 ON SCHEDULE EVERY 1 DAY DISABLE DO INSERT INTO u VALUES (4)",
            database=name,
        )
        first = dump(where, name, jobs=jobs)
    parts = {
        part: data.replace(b"SET NEW.a = 1", b"SET NEW.b = 1").replace(b"VALUES (3)", b"VALUE5 (3)")
        for part, data in first.parts.items()
    }
    with restored(where, name, first, "programs2", parts=parts, jobs=jobs) as report:
        assert [error.partition(":")[0] for error in report.errors] == ["trigger t1", "event e1"]
        assert "Unknown column 'b' in 'NEW'" in report.errors[0]
        kept = dump(where, "programs2").details.inventory
    assert (kept["triggers"], kept["events"]) == (1, 1)


def test_an_archive_that_breaks_off_stops_the_restore_and_its_half_statement_is_not_run(
    mariadb: Any, where: Opened
) -> None:
    with new_database(mariadb, "cut") as name:
        execute(mariadb, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2), (3)", database=name)
        first = dump(where, name)
        whole = first.parts["data"]

    def broken() -> Iterator[bytes]:
        yield whole[: whole.index(b"(2)") - 2]
        while not execute(mariadb, "SHOW TABLES FROM cut2"):
            time.sleep(0.1)
        raise ArchiveDamaged("the rest is gone")

    described = manifest(where, name, first)
    with new_database(mariadb, "cut2") as other:
        [source] = sources(first.parts)
        with pytest.raises(ArchiveDamaged, match="the rest is gone"):
            load_sources(where, other, [replace(source, open=broken)], described)
        assert execute(mariadb, "SELECT COUNT(*) FROM t", database=other) == [(0,)]


def test_a_restore_that_is_asked_to_stop_stops_at_once(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "halt") as name:
        execute(mariadb, "CREATE TABLE t (a INT)", database=name)
        first = dump(where, name)
    described = manifest(where, name, first)
    stop = threading.Event()

    def endless() -> Iterator[bytes]:
        yield first.parts["data"].partition(b"/*!40000 ALTER TABLE `t` ENABLE")[0]
        while True:
            stop.set()
            yield b"INSERT INTO `t` VALUES\n(1);\n" * 1000

    with new_database(mariadb, "halt2") as other:
        [source] = sources(first.parts)
        with pytest.raises(Interrupted):
            load_sources(where, other, [replace(source, open=endless)], described, cancel=stop)


# mariadb-dump cannot select a database of such a name when it has programs: it escapes what it should quote.
UNDUMPABLE_WITH_PROGRAMS = ("it's", 'say "so"', "back\\slash", "new\nline")


@pytest.mark.parametrize(
    "name",
    [
        *UNDUMPABLE_WITH_PROGRAMS,
        "back`tick",
        "a b",
        "a;b",
        "$(x)",
        "-dash",
        "per%cent_",
        "..",
        "a.b",
        "a/b",
        "ünïcödé 数据库",
        "x" * 64,
        "@at",
        "#hash",
        "UPPER",
    ],
)
def test_odd_names_of_databases_tables_and_programs_come_back(mariadb: Any, where: Opened, name: str) -> None:
    table = quoted(name)
    programs = (
        f"CREATE TRIGGER {table} BEFORE INSERT ON {table} FOR EACH ROW SET NEW.a = 3",
        f"CREATE PROCEDURE {table}() SELECT 1",
        f"CREATE EVENT {table} ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
    )
    with new_database(mariadb, name):
        execute(
            mariadb,
            f"CREATE TABLE {table} (a INT)",
            f"INSERT INTO {table} VALUES (1), (2)",
            f"CREATE VIEW {quoted('v' + name[:63])} AS SELECT * FROM {table}",
            *(programs if name not in UNDUMPABLE_WITH_PROGRAMS else ()),
            database=name,
        )
        first = dump(where, name, row_counts=True)
        with restored(where, name, first, "odd_again", tables=(name,)):
            assert dump(where, "odd_again", row_counts=True).details.row_counts == {name: 2}
    with restored(where, name, first, name) as report:
        assert report.errors == []
        again = dump(where, name, row_counts=True)
        assert again.details.inventory == first.details.inventory
        assert lines(again.parts) == lines(first.parts)


def test_a_collation_that_the_server_does_not_know_is_refused_by_name(where: Opened, torture: str) -> None:
    first = dump(where, torture)
    described = manifest(where, torture, first, properties={"character_set": "utf8mb4", "collation": "utf8mb4_xx_ci"})
    [refusal] = problems(where, described, "elsewhere").refusals
    assert "collation utf8mb4_xx_ci, which this server does not know" in refusal
    with pytest.raises(RestoreRefused, match="utf8mb4_xx_ci"):
        where.engine.create_database("elsewhere", described, RestoreOptions())


def test_history_of_before_11_5_is_refused_since_11_5_and_the_rest_is_not(where: Opened, torture: str) -> None:
    """A look at what the check says of such a server; tests/cross shows what 11.8 would make of the rows."""
    first = dump(where, torture)
    newer = Opened(with_facts(where.engine, version="11.8.9", version_number=(11, 8, 9)))
    plain = manifest(where, torture, first)
    described = {**plain, "archives": [{**archive, "argv": ["--dump-history"]} for archive in plain["archives"]]}
    [refusal] = problems(newer, described, "elsewhere").refusals
    assert "has 2 system-versioned tables of mariadb 10.11." in refusal
    assert "restore to a server older than 11.5 and upgrade it, or name the other tables" in refusal
    assert problems(newer, plain, "elsewhere").refusals == []  # only current rows
    assert problems(newer, described, "elsewhere", schema_only=True).refusals == []
    assert problems(newer, described, "elsewhere", tables=("child",)).refusals == []
    assert problems(where, described, "elsewhere").refusals == []


def test_a_database_is_never_replaced_by_creating_it(mariadb: Any, where: Opened, torture: str) -> None:
    described = manifest(where, torture, dump(where, torture))
    with pytest.raises(RestoreRefused, match="it is there already"):
        where.engine.create_database(torture, described, RestoreOptions())
    assert execute(mariadb, "SELECT COUNT(*) FROM parent", database=torture) == [(4,)]


def test_names_that_differ_in_case_only_stop_on_a_server_that_folds_them(where: Opened, server_factory: Any) -> None:
    private = server_factory("mariadb", settings={"lower_case_table_names": "1"})
    stream = b"CREATE TABLE `Case` (\n  `a` int(11)\n);\nCREATE TABLE `case` (\n  `a` int(11)\n);\n"
    with opened(private) as there:
        described = manifest(where, "twins", dump_of(stream))
        found = problems(there, described, "Twins")
        assert "choose the target 'twins'" in found.refusals[0]
        assert any(warning.startswith("lower_case_table_names was 0 and is 1 here") for warning in found.warnings)
        with new_database(private, "twins"), pytest.raises(RestoreFailed, match="Case and case differ in case only"):
            load(there, "twins", {"data": stream}, described)


# As clients from before the sandbox line read it; everything else is the real client's.
OLD_CLIENT = r"""#!/bin/sh
case "$*" in *--version*|*--help*) exec /usr/bin/mariadb "$@";; esac
IFS= read -r line
case "$line" in *'\-'*) echo "ERROR at line 1: Unknown command '\-'." >&2; exit 1;; esac
{ printf '%s\n' "$line"; cat; } | /usr/bin/mariadb "$@"
"""


def test_a_client_that_does_not_know_the_sandbox_line_restores_as_well(
    mariadb: Any, where: Opened, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_database(mariadb, "sandboxed") as name:
        execute(mariadb, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", database=name)
        first = dump(where, name, row_counts=True)
    assert first.parts["data"].startswith(b"/*M!999999\\- enable the sandbox mode */")
    client = scratch / "mariadb"
    client.write_text(OLD_CLIENT, encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{scratch}:/usr/bin:/bin")
    assert restore_client(where).path == str(client)
    with restored(where, name, first, "sandboxed2"):
        assert dump(where, "sandboxed2", row_counts=True).details.row_counts == {"t": 1}
