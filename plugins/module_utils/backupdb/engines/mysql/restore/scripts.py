# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of the user in a restored database, before it has the name under which others find it: what masks its rows.

The standard client reads a script, so that DELIMITER is known. A database has no lock of its own here: what keeps
others out is a name on which nobody has rights.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO

from ....errors import QueryFailed, RestoreFailed
from ....streams.pipeline import Limits
from ....system.process import RunAs, Running, describe_status, start
from ....system.stopping import repeating
from ...values import Client, Script
from ..clients import known_options
from ..commands import option_file
from ..family import MysqlFamily
from ..grants import matches_pattern
from .load import command
from .refused import ERROR

# Errors that are about the statement or the server, and quote no row. All others may: a duplicate entry does.
_ABOUT_THE_STATEMENT = re.compile(
    "10(?:4[45689]|5[14]|6[0148]|72|91)|11(?:09|13|36|4[2369]|66|93)|12(?:05|13|27|90)|13(?:05|56|70)"
    "|14(?:19|42|51|52)|20(?:06|13)"
)
_GRANTED = "SELECT user, host, db FROM mysql.db ORDER BY 1, 2, 3"
_BLOCK = 1 << 16
_SHOWN = 5


def closing_problems(engine: MysqlFamily, name: str) -> list[str]:
    """Name the accounts that have rights on every database, and so on this one; global rights are administrators'."""
    login = str(engine.server.value("SELECT CURRENT_USER()"))
    try:
        granted = [(f"{user}@{host}", str(db)) for user, host, db in engine.server.rows(_GRANTED)]
    except QueryFailed as error:
        return [f"masking: it cannot be seen who else could enter the database before it is masked: {error}"]
    others = [f"{account} on {db}" for account, db in granted if matches_pattern(db, name) and account != login]
    if not others:
        return []
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return [
        f"masking: rights on every database let others enter this one before it is masked: "
        f"{', '.join(others[:_SHOWN])}{more}; grant them on the databases that they are for"
    ]


def run_scripts(engine: MysqlFamily, client: Client, name: str, scripts: Sequence[Script], limits: Limits) -> None:
    """Run each script with a client of its own, which stops at the first error."""
    instance = engine.server.instance
    known = known_options(client)
    for script in scripts:
        limits.check()
        running = start(
            command(client, known, name),
            secret=option_file(instance, engine.tls_lines(instance, known)),
            patterns={"error": ERROR.pattern},
            stdin=subprocess.PIPE,
            run_as=RunAs(instance.system_user),
        )
        try:
            with repeating(running.end, while_set=limits.abort):
                status = _fed(running, script)
        finally:
            running.close()
        limits.check()
        if status != 0 or "error" in running.stderr.found:
            place = f"{instance.where()}, database {name!r}: {script.name}"
            raise RestoreFailed(place + _refusal(running, status))


def _fed(running: Running, script: Script) -> int:
    """Write the script while what it selects is read and thrown away: it may be more than a pipe holds."""
    reader = threading.Thread(target=_drain, args=(running.stdout,), name="script", daemon=True)
    reader.start()
    with suppress(BrokenPipeError):  # it stopped at an error, which it tells
        view = memoryview(script.sql.encode("utf-8", "surrogateescape"))
        while view:
            view = view[running.stdin.write(view) :]
    with suppress(BrokenPipeError):
        running.stdin.close()
    status = running.wait()
    reader.join()
    return status


def _drain(stream: FileIO) -> None:
    with suppress(OSError, ValueError):  # it was closed
        while stream.read(_BLOCK):
            pass


def _refusal(running: Running, status: int) -> str:
    found = ERROR.match(running.stderr.found.get("error", ""))
    if found is None:
        return f": {running.name} ended with {describe_status(status)}"
    line = f", line {found['line']}" if found["line"] else ""
    if _ABOUT_THE_STATEMENT.fullmatch(found["code"]):
        return f"{line} was refused: {found['message']} (error {found['code']})"
    return f"{line} was refused: error {found['code']}; its words may quote a row, so they are not shown"
