# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dump client is which, which options it knows, and the words that it is started with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from backupdb.engines.mysql.catalogue import Relation
from backupdb.engines.mysql.clients import find_clients, read_options, read_version
from backupdb.engines.mysql.commands import option_value, whole_part
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.mysql.plan import Chosen, balanced, names_fit, plan
from backupdb.engines.values import Client, DumpOptions
from support.offline_engines import offline

SAID = [
    ("mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)", "mariadb", "10.11.19"),
    ("mysqldump  Ver 10.17 Distrib 10.3.39-MariaDB, for Linux (x86_64)", "mariadb", "10.3.39"),
    ("mariadb-dump from 11.8.9-MariaDB, client 10.19 for debian-linux-gnu (x86_64)", "mariadb", "11.8.9"),
    ("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", "mysql", "8.0.36"),
    ("mysqldump  Ver 8.0.36-28 for Linux on x86_64 (Percona Server (GPL), Release 28)", "mysql", "8.0.36"),
    ("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)", "mysql", "5.7.44"),
    ("mysqldump  Ver 9.7.4 for Linux on x86_64 ((Debian))", "mysql", "9.7.4"),
]
CLIENT = Client("/usr/bin/d", "mysql", "9.7.4", 9, usable=True, reason="")


def program(folder: Path, name: str, said: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("said", "vendor", "version"), SAID)
def test_vendor_and_version_are_read_from_what_the_client_says(said: str, vendor: str, version: str) -> None:
    assert read_version(said) == (vendor, version)


def test_something_else_is_no_client() -> None:
    assert read_version("usage: mysqldump FILE") == ("unknown", "")


def test_a_mysqldump_older_than_the_server_is_refused_with_the_reason() -> None:
    assert offline(MysqlEngine, 9, 7, 4).judge_dump_client("mysql", (8, 0, 36)) == (
        False,
        "it is older than the server and does not know all of its objects",
    )
    assert offline(MysqlEngine, 8, 0, 40).judge_dump_client("mysql", (8, 0, 36))[0]
    assert offline(MysqlEngine, 8, 0, 40).judge_dump_client("mysql", (9, 7, 4))[0]


def test_the_other_vendors_client_is_refused() -> None:
    assert not offline(MysqlEngine, 8, 0, 40).judge_dump_client("mariadb", (10, 11, 19))[0]
    assert not offline(MariadbEngine, 10, 11, 19).judge_dump_client("mysql", (9, 7, 4))[0]


def test_links_are_seen_once_and_the_servers_own_series_comes_first(tmp_path: Path) -> None:
    program(tmp_path / "old", "mariadb-dump", SAID[1][0])
    own = program(tmp_path / "own", "mariadb-dump", SAID[0][0])
    (tmp_path / "own" / "mysqldump").symlink_to(own)
    program(tmp_path / "new", "mysqldump", SAID[2][0])
    program(tmp_path / "oracle", "mysqldump", SAID[6][0])
    program(tmp_path / "broken", "mysqldump", "what?")
    names = ("oracle", "broken", "new", "old", "own")
    path = ":".join(str(tmp_path / name) for name in names)
    engine = offline(MariadbEngine, 10, 11, 19)
    found = find_clients(
        engine.DUMP_PROGRAMS, engine.judge_dump_client, engine.facts.version_number, environment={"PATH": path}
    )
    mine = [client for client in found if client.path.startswith(str(tmp_path))]
    assert [Path(client.path).parent.name for client in mine if client.usable] == ["own", "new", "old"]
    refused = {Path(client.path).parent.name: client.reason for client in mine if not client.usable}
    assert "does not say its version" in refused["broken"]
    assert "MySQL's client" in refused["oracle"]


def test_options_are_read_from_both_halves_of_the_help() -> None:
    said = (
        "Usage: x [OPTIONS]\n  --no-login-paths        Don't read.\n  -q, --quick         Don't buffer.\n"
        "                      see --not-an-option\n"
        "Variables (--variable-name=value)\n--------------------------------- ------\n"
        "column-statistics                 FALSE\nset-gtid-purged                   AUTO\n"
    )
    assert read_options(said) == {"no-login-paths", "quick", "column-statistics", "set-gtid-purged"}


def test_options_are_only_used_where_the_client_knows_them() -> None:
    def words(*known: str) -> list[str]:
        part = whole_part(CLIENT, b"", frozenset(known), "db", ["t"], DumpOptions(), history=True)
        return list(part.argv)

    plain = words()
    assert not any(re.search("gtid|column-statistics|history|login-paths", word) for word in plain)
    full = words("set-gtid-purged", "column-statistics", "dump-history", "no-login-paths")
    assert {"--set-gtid-purged=OFF", "--column-statistics=0", "--dump-history", "--no-login-paths"} <= set(full)
    for line in (plain, full):
        assert line[1].startswith("--defaults-file=")
        assert line[line.index("--") :] == ["--", "db", "t"]
        assert not {"--force", "--flush-logs", "--source-data", "--master-data", "--databases"} & set(line)
        assert {"--single-transaction", "--quick", "--hex-blob", "--max-allowed-packet=1G", "--no-tablespaces"} <= set(
            line
        )


def test_kinds_that_are_switched_off_are_skipped() -> None:
    options = DumpOptions(triggers=False, routines=False, events=False)
    part = whole_part(CLIENT, b"", frozenset(), "db", [], options, history=False)
    assert {"--skip-triggers", "--skip-routines", "--skip-events"} <= set(part.argv)
    assert part.argv[-2:] == ["--", "db"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('q"uote', '"q\\"uote"'),
        ("back\\slash", '"back\\\\slash"'),
        ("#hash ;", '"#hash ;"'),
        ("new\nline\t\r", '"new\\nline\\t\\r"'),
    ],
)
def test_values_of_the_option_file_are_quoted(value: str, written: str) -> None:
    assert option_value(value) == written


def table(name: str, size: int) -> Relation:
    return Relation(name, "BASE TABLE", "InnoDB", size)


def test_shares_are_balanced_by_size_and_never_empty() -> None:
    tables = [table("big", 100), table("a", 30), table("b", 30), table("c", 30), table("empty", 0)]
    assert balanced(tables, 2) == [["big"], ["a", "b", "c", "empty"]]
    assert all(balanced([table("one", 0), table("two", 0)], 8))
    assert len(balanced([table("one", 0), table("two", 0)], 8)) == 2


def test_a_list_too_long_for_a_command_line_is_not_passed() -> None:
    assert names_fit(["t" * 64] * 1000)
    assert not names_fit(["t" * 64] * 20000)
    many = [table(f"{'t' * 60}{number}", 1) for number in range(20000)]
    planned = plan(CLIENT, b"", frozenset(), "db", Chosen(many), DumpOptions(jobs=4), jobs=4)
    assert not planned.listed
    assert planned.at_once == 1
    assert planned.parts[0].argv[-2:] == ["--", "db"]


def test_parts_are_named_for_the_order_of_a_restore_and_rows_begin_first() -> None:
    found = [table("a", 1), table("b", 1), Relation("v", "VIEW", None, 0)]
    planned = plan(CLIENT, b"", frozenset(), "db", Chosen(found), DumpOptions(jobs=2), jobs=2)
    assert [part.name for part in planned.parts] == ["data-0001", "data-0002", "pre-data", "post-data"]
    assert planned.at_once == 2
    rows, pre, post = planned.parts[0].argv, planned.parts[2].argv, planned.parts[3].argv
    assert "v" not in rows and "v" in pre and "v" not in post
    assert "--skip-triggers" in rows and "--no-create-info" in rows
    assert "--no-data" in pre and "--skip-triggers" in pre and "--routines" in pre
    assert {"--no-data", "--no-create-info", "--triggers", "--events"} <= set(post)


def test_tables_without_rows_are_in_no_part_of_the_rows_and_one_client_is_waited_for_at_least() -> None:
    found = [table("a", 1), table("b", 1)]
    planned = plan(CLIENT, b"", frozenset(), "db", Chosen(found, ["c"], frozenset({"a"})), DumpOptions(), jobs=1)
    assert [part.name for part in planned.parts] == ["data-0001", "pre-data", "post-data"]
    assert [list(part.argv[-2:]) for part in planned.parts] == [["db", "b"], ["a", "b"], ["a", "b"]]
    assert planned.at_once == 1 and not any("c" in part.argv for part in planned.parts)
    none = plan(CLIENT, b"", frozenset(), "db", Chosen(found, (), frozenset({"a", "b"})), DumpOptions(), jobs=4)
    assert [part.name for part in none.parts] == ["pre-data", "post-data"]
    assert none.at_once == 1 and "--single-transaction" in none.parts[0].argv


@pytest.mark.parametrize(
    "line",
    [
        "mysqldump: Error 1412: Table definition has changed, please retry transaction when dumping table `t`",
        'mariadb-dump: Couldn\'t find table: "t"',
        "mysqldump: Couldn't execute 'show create table `t`': Table 'd.t' doesn't exist (1146)",
        "Error: Couldn't read status information for table z_last ()",
        "mysqldump: Error in field count for table: `t` !  Aborting.",
        "mariadb-dump: Error 1194: Table 't' is marked as crashed and should be repaired when dumping table `t`",
    ],
)
def test_lines_that_mean_a_lost_snapshot_are_known(line: str) -> None:
    part = whole_part(CLIENT, b"", frozenset(), "db", [], DumpOptions(), history=False)
    assert re.search(part.lost_stderr or "", line)


@pytest.mark.parametrize(
    "line",
    [
        "mysqldump: Got error: 1045: Access denied for user 'x'@'y' (using password: YES) when trying to connect",
        "mysqldump: x has insufficient privileges to SHOW CREATE FUNCTION `f`!",
        "mysqldump: Error 2013: Lost connection to MySQL server during query when dumping table `t` at row: 5",
    ],
)
def test_lines_that_fail_a_dump_are_known(line: str) -> None:
    part = whole_part(CLIENT, b"", frozenset(), "db", [], DumpOptions(), history=False)
    assert re.search(part.fatal_stderr or "", line)
    assert not re.search(part.lost_stderr or "", line)


def test_a_missing_client_is_named_by_its_package() -> None:
    assert "mariadb-client" in offline(MariadbEngine, 10, 11, 19).package_hint()
    assert "9.7" in offline(MysqlEngine, 9, 7, 4).package_hint()
