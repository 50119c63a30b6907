# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MySQL and MariaDB share, and the value that holds what differs between them.

Each of the two engine files makes one `Family`; the code in the `mysql_*.py` files asks it, never the vendor's name.
Statements go through `ask`, which turns the driver's errors into ours at once, so that they can be caught here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from ...connection.errors import translated
from ...errors import ConnectionFailed, Interrupted, QueryFailed
from ...system.stopping import repeating

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...connection.instance import Instance
    from ...connection.server import Server
    from .grants import Grants

DRIVER = "mysql+pymysql"
DEFAULT_PORT = 3306

SYSTEM_DATABASES: Mapping[str, str] = {
    "mysql": "the server's own tables; users, roles and grants are exported as accounts",
    "information_schema": "views over the server's memory, nothing is stored in it",
    "performance_schema": "measurements of the running server, nothing is stored in it",
    "sys": "views over performance_schema that the server makes itself",
}

# Errors that say "you may not", as opposed to "that is not there" (manuals, "Server Error Message Reference").
DENIED_CODES = ("1044", "1045", "1142", "1143", "1227", "1370")
LOCK_WAIT_TIMEOUT = "1205"
NO_SUCH_ACCOUNT = "1133"
_INTERRUPTED = ("1317",)


# What a restore or a drill server must match, or should know.
COMMON_SETTINGS = (
    "max_allowed_packet",
    "lower_case_table_names",
    "sql_mode",
    "character_set_server",
    "collation_server",
    "time_zone",
    "system_time_zone",
    "innodb_page_size",
    "innodb_default_row_format",
    "innodb_strict_mode",
    "log_bin",
    "log_bin_trust_function_creators",
    "default_storage_engine",
    "event_scheduler",
    "default_authentication_plugin",
    "read_only",
)


@dataclass(frozen=True)
class Right:
    """A right on the whole instance: any one of `names` serves, `grant` is the one to ask for."""

    names: Sequence[str]
    grant: str


@dataclass(frozen=True)
class Family:
    """What differs between the vendors. Of several statements the first that works is used: versions renamed them."""

    vendor: str
    dump_programs: Sequence[str]
    restore_programs: Sequence[str]
    settings: Sequence[str]  # global variables for the manifest, left out where a version does not know them
    gtid_variable: str
    binlog_status: Sequence[str]
    replica_status: Sequence[str]
    session_settings: Sequence[str]  # no limits for the coordinator; passed over where a version does not know them
    lock_waits_for_long_statements: bool  # a waiting FLUSH TABLES stalls all who use the tables of a long statement
    lock_right: Callable[[tuple[int, ...]], Right]
    coordinates_right: Callable[[tuple[int, ...]], Right]
    missing_routine_right: Callable[[tuple[int, ...], Grants, str], str | None]  # "SELECT ON ..." to grant, or None
    tls_lines: Callable[[Instance, frozenset[str]], Sequence[str]]
    client_fits: Callable[
        [str, tuple[int, ...], tuple[int, ...]], tuple[bool, str]
    ]  # vendor, version, server's version
    grants_statement: Callable[[Server], str]
    account_list: Sequence[str]  # columns name, host, kind (user or role)
    account_session: Sequence[str]  # settings for SHOW CREATE USER
    literal_database_grants: Callable[[Server], bool]  # "_" and "%" in a database grant are no wildcards
    restore_session: Sequence[bytes]  # lines for the restore client's session: no limits
    definer_right: Callable[[tuple[int, ...]], Right]  # to define programs in another account's name
    protected_accounts: str | None  # lists those in whose name only a holder of SYSTEM_USER may define something
    trusted_creators: Sequence[str]  # rights that let functions be made while a binary log is written


def detect(server: Server) -> str:
    """Tell the real vendor, whatever was asked for: "mariadb" or "mysql"."""
    said = " ".join(str(server.value(f"SELECT @@{name}")) for name in ("version", "version_comment"))
    return "mariadb" if "mariadb" in said.lower() else "mysql"


def ask(server: Server, connection: Connection, statement: str, **parameters: Any) -> list[Any]:
    """Run a statement on a given connection; `:name` parameters only where some are passed.

    Raises `Interrupted` for a statement that was ended because `server.cancel` is set.
    """
    from sqlalchemy import text

    try:
        with translated(server.instance):
            if parameters:
                return list(connection.execute(text(statement), parameters))
            result = connection.execution_options(no_parameters=True).exec_driver_sql(statement)
            return list(result) if result.returns_rows else []
    except QueryFailed as error:
        if error.code in _INTERRUPTED and server.cancel.is_set():
            raise Interrupted(f"{server.instance.where()}: stopped while the server was being asked") from error
        raise


@contextmanager
def own_session(server: Server) -> Iterator[Connection]:
    """Lend a session whose settings nobody else meets: it is closed at the end, and takes no place in the pool.

    Names in SHOW CREATE and SHOW GRANTS are quoted with backticks and times are in UTC, whatever the server does for
    others. A statement that runs when `server.cancel` is set is ended on the server.
    """
    with server.connect(autocommit=False) as connection:
        driver: Any = connection.connection.dbapi_connection
        connection.detach()
        session = int(ask(server, connection, "SELECT CONNECTION_ID()")[0][0])

        def stop() -> None:
            with suppress(QueryFailed, ConnectionFailed):  # the session may be gone
                server.rows(f"KILL QUERY {session}")

        try:
            with repeating(stop, while_set=server.cancel):
                ask(server, connection, "SET SESSION sql_mode = '', sql_quote_show_create = ON, time_zone = '+00:00'")
                yield connection
        finally:
            connection.invalidate()  # so that nothing is asked of a server that may no longer answer
            if driver.open:
                driver.close()


def first_answer(server: Server, connection: Connection, statements: Sequence[str]) -> list[dict[str, Any]]:
    """Run the first statement that this version and these rights allow; rows as name -> value.

    Raises `QueryFailed` of the last one when none is allowed.
    """
    refusal: QueryFailed | None = None
    for statement in statements:
        try:
            return [dict(row._mapping) for row in ask(server, connection, statement)]
        except QueryFailed as error:
            refusal = error
    raise refusal or QueryFailed("no statement to run")


def quoted(name: str) -> str:
    """Quote an identifier: backticks, each one inside doubled."""
    return "`" + name.replace("`", "``") + "`"


def quoted_text(value: str) -> str:
    """Quote a string literal, for a server without NO_BACKSLASH_ESCAPES."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def quoted_account(account: str) -> str:
    """Quote `user@host` as CURRENT_USER() gives it; the host is what follows the last `@`."""
    user, _mark, host = account.rpartition("@")
    return f"{quoted_text(user)}@{quoted_text(host)}"


def version_number(version: str) -> tuple[int, ...]:
    """Read "10.11.19-MariaDB-0+deb12u1" as (10, 11, 19)."""
    match = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part) for part in match.groups() if part is not None) if match else ()
