# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole server as its vendor's own programs tell it: accounts, rights, settings, definitions and rows.

Nothing of the product is used, so that two servers can be compared without it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from support import mysql_dumps
from support.mysql_server import PrivateMariaDB
from support.private_server import PrivateServer

_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
# What MySQL writes into a dump or not, by the settings of the server it is from, and what follows from it.
_IMPLIED = re.compile(r"CHARACTER SET \w+ (?=COLLATE)")


def told(server: PrivateServer) -> Counter[str]:
    """Every line that makes the server anew, in no order: that of rows and objects is decided by chance."""
    return Counter(_of_postgresql(server) if server.engine == "postgresql" else _of_mysql_family(server))


def unlike(before: Counter[str], after: Counter[str]) -> list[str]:
    """Lines that only one of two servers tells, with a sign."""
    return sorted([f"-{line}" for line in (before - after)] + [f"+{line}" for line in (after - before)])


def _of_postgresql(server: Any) -> list[str]:
    login = server.client_environment()
    words = [f"{name}={login[name]}" for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSFILE")]
    text: str = server.run(["env", *words, str(server.binaries / "pg_dumpall"), "--no-password"])
    # The administrator is each server's own; newer dumps have a random word against files that were tampered with.
    return [
        line
        for line in text.split("\n")
        if not line.startswith(("--", "ALTER ROLE postgres WITH", "\\restrict", "\\unrestrict"))
    ]


def _of_mysql_family(server: Any) -> list[str]:
    names = [_text(row[0]) for row in server.sql("SHOW DATABASES")]
    program = server.client.with_name("mariadb-dump" if isinstance(server, PrivateMariaDB) else "mysqldump")
    options = ["--routines", "--events", "--triggers", "--hex-blob", "--skip-extended-insert", "--skip-comments"]
    options += [] if isinstance(server, PrivateMariaDB) else ["--set-gtid-purged=OFF"]
    text: str = server.run(
        [str(program), f"--defaults-extra-file={server.client_file}", *options, "--databases"]
        + [name for name in names if name not in _SYSTEM]
    )
    lines = [_IMPLIED.sub("", line) for line in text.split("\n")]
    return [*lines, *_accounts(server)]


def _accounts(server: Any) -> list[str]:
    found = []
    for user, host in server.sql("SELECT user, host FROM mysql.user"):
        name = f"{mysql_dumps.quoted(_text(user))}@{mysql_dumps.quoted(_text(host))}"
        if _text(user) == "root" or _text(user).startswith("mysql."):
            continue  # each server's own
        role = isinstance(server, PrivateMariaDB) and not _text(host)
        name = mysql_dumps.quoted(_text(user)) if role else name
        found += [] if role else [_text(row[0]) for row in server.sql(f"SHOW CREATE USER {name}")]
        found += [_text(row[0]) for row in server.sql(f"SHOW GRANTS FOR {name}")]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, (bytes, bytearray)) else str(value)
