# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: what a forged archive cannot reach on the host that restores it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import BackupDbError
from support.mysql_dumps import Dumped, Opened, dump, execute, new_database, quoted
from support.mysql_restores import restored

SECRET = "a line that only root may read"
# Commands of the clients that run programs, read and write files, or open other connections.
COMMANDS = (
    "\\! touch {0}",
    "system touch {0}",
    "system touch {0};",
    "\\. {1}",
    "source {1}",
    "source {1};",
    "\\T {0}",
    "tee {0}",
    "\\P touch {0}",
    "pager touch {0}",
    "pager touch {0};",
    "SELECT 1 \\! touch {0}",
    "SELECT 1 \\P touch {0}",
    "edit",
    "\\e",
    "\\r other 127.0.0.1",
    "connect other 127.0.0.1",
    "DELIMITER \\!\n\\! touch {0}\nDELIMITER ;",
    "/*M!999999\\! touch {0} */",
    "/*!999999\\- */\n\\! touch {0}",
    "/*M!999999\\- */\nsystem touch {0}",
    "INSERT INTO `t` VALUES (5);\n\\! touch {0}",
    "INSERT INTO `t` VALUES ('\n\\! touch {0}\n');\nsystem touch {0}\n",
)


@pytest.fixture
def secret(scratch: Path) -> Path:
    path = scratch / "secret"
    path.write_text(SECRET, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def dumped(either: Any, where: Opened) -> Iterator[Dumped]:
    with new_database(either, "honest") as name:
        execute(either, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('one')", database=name)
        yield dump(where, name)


def forged(dumped: Dumped, *lines: str) -> dict[str, bytes]:
    """The dump with more in it, before its completion mark."""
    whole = dumped.parts["data"]
    mark = whole.index(b"-- Dump completed")
    return {"data": whole[:mark] + "\n".join(lines).encode() + b"\n" + whole[mark:]}


@pytest.mark.parametrize("on_server", ["ON", "OFF"])
@pytest.mark.parametrize(
    "statement",
    [
        "LOAD DATA LOCAL INFILE '{0}' INTO TABLE `t`",
        "/*!50000 LOAD DATA LOCAL INFILE '{0}' INTO TABLE `t` */",
        "SET @x = 1; load data low_priority local infile '{0}' replace into table t",
        "PREPARE s FROM 'LOAD DATA LOCAL INFILE ''{0}'' INTO TABLE t'; EXECUTE s",
    ],
)
def test_no_file_of_the_restoring_host_comes_into_the_database(
    either: Any, where: Opened, dumped: Dumped, secret: Path, statement: str, on_server: str
) -> None:
    before = execute(either, "SELECT @@GLOBAL.local_infile")[0][0]
    execute(either, f"SET GLOBAL local_infile = {on_server}")
    try:
        with (
            pytest.raises(BackupDbError, match=r"the server refused|LOCAL"),
            restored(where, "honest", dumped, "copy", parts=forged(dumped, statement.format(secret) + ";")),
        ):
            pytest.fail(f"it was restored with {execute(either, 'SELECT * FROM t', database='copy')}")
    finally:
        execute(either, f"SET GLOBAL local_infile = {before}")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_of_the_client_in_a_stream_is_run(
    either: Any, where: Opened, dumped: Dumped, scratch: Path, command: str
) -> None:
    touched, script = scratch / "touched", scratch / "script.sql"
    script.write_text("CREATE TABLE sourced (a INT);\n", encoding="utf-8")
    os.chmod(scratch, 0o755)  # noqa: PTH101, S103  nothing but the client's own rules keeps it from these files
    parts = forged(dumped, command.format(touched, script), "SELECT 1;")
    try:
        with restored(where, "honest", dumped, "copy", parts=parts):
            tables = execute(either, f"SHOW TABLES FROM {quoted('copy')}")
            assert tables == [("t",)]
    except BackupDbError:
        pass  # refused is as good
    assert not touched.exists()
    assert sorted(path.name for path in scratch.iterdir()) == ["script.sql"]
