# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of the user in a restored database, before anybody else is let in: what masks its rows.

A script goes to the server as it is, in one message: without BEGIN of its own it is one transaction, and commands of
psql (`\\copy`, `\\!`) are none here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....connection.server import Server
from ....errors import QueryFailed, RestoreFailed
from ....streams.pipeline import Limits
from ...values import Script
from ..session import run_statement

_SUPERUSER = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
# Classes of errors that are about the statement or the server, and quote no row. All others may: a duplicate key does.
_ABOUT_THE_STATEMENT = ("0A", "25", "2B", "3D", "3F", "42", "53", "54", "55", "57", "58")


def closing_problems(server: Server) -> list[str]:
    """Say why a database cannot be kept closed: only a superuser enters one that has room for nobody."""
    if server.value(_SUPERUSER):
        return []
    return [
        "masking needs the login of a superuser: only that can load and mask a database that nobody else may enter; "
        "set login_user, or through the socket login_system_user"
    ]


def run_scripts(server: Server, name: str, scripts: Sequence[Script], limits: Limits) -> None:
    """Run the scripts, then gather statistics anew: those of the columns quote the rows that were there before."""
    for script in scripts:
        limits.check()
        try:
            run_statement(server, script.sql, name)
        except QueryFailed as error:
            limits.check()
            raise RestoreFailed(
                f"{server.instance.where()}, database {name!r}: {script.name}{_line(script, error)} was refused: "
                f"{_words(error)}"
            ) from None  # the driver's error has the whole script
    limits.check()
    run_statement(server, "ANALYZE", name)


def _diagnosis(error: QueryFailed) -> Any:
    return getattr(getattr(error.__cause__, "orig", None), "diag", None)


def _line(script: Script, error: QueryFailed) -> str:
    position = getattr(_diagnosis(error), "statement_position", None)
    if not position or not str(position).isdigit():
        return ""
    before = script.sql[: int(position) - 1]
    return f", line {before.count(chr(10)) + 1}"


def _words(error: QueryFailed) -> str:
    if error.code[:2] in _ABOUT_THE_STATEMENT:
        said = getattr(_diagnosis(error), "message_primary", None)
        return f"{said or 'without a reason'} (SQLSTATE {error.code})"
    return f"SQLSTATE {error.code or 'unknown'}; its words may quote a row, so only the server's log has them"
