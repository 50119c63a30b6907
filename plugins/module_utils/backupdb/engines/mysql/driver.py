# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PyMySQL: what it is given to connect, and what its errors mean.

Sources: PyMySQL `connections.Connection`; MySQL "Error Message Reference" (numbers).
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from ...connection.drivers import (
    TLS_REQUIRED,
    TLS_VERIFIED,
    Driver,
    DriverArguments,
    DriverError,
    verification_bundle,
)
from ...connection.instance import Instance

_CR_SSL_CONNECTION_ERROR = 2026  # the client's error number

# What the login, the database or the server may have set otherwise, and what would change the meaning of our
# statements or cut their answers short. Each vendor reads its own comments only.
NEUTRAL_SESSION = (
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = ON, sql_auto_is_null = OFF,"
    " sql_select_limit = 18446744073709551615, sql_big_selects = ON, sql_safe_updates = OFF,"
    " group_concat_max_len = 1048576"
    " /*M!100108 , max_statement_time = 0, tx_read_only = OFF */"
    " /*!80003 , max_execution_time = 0, transaction_read_only = OFF, information_schema_stats_expiry = 0 */"
)

SERVER_TIMED_OUT = -110  # our own: the number of ETIMEDOUT, where the client library's numbers say only "lost"

_KINDS = {
    SERVER_TIMED_OUT: "timeout",
    1040: "too_many_connections",
    1203: "too_many_connections",
    1226: "too_many_connections",
    1045: "wrong_password",
    1698: "wrong_password",
    1044: "access_denied",
    1129: "access_denied",
    1130: "access_denied",
    1820: "access_denied",
    1862: "access_denied",
    3118: "access_denied",
    4151: "access_denied",
    1049: "unknown_database",
    1053: "starting_up",
    1927: "lost",
    2006: "lost",
    2013: "lost",
    2014: "lost",
    2026: "tls",
    3159: "tls",
}


class PyMysql(Driver):
    """MySQL and MariaDB through PyMySQL."""

    DIALECT = "mysql+pymysql"
    TRANSACTIONS = "REPEATABLE READ"
    LIBRARY = "pymysql"
    PACKAGE = "python3-pymysql (Debian, Ubuntu), python3-PyMySQL (EL), PyMySQL on PyPI"

    def arguments(self, instance: Instance, application_name: str) -> DriverArguments:
        """Translate an instance to PyMySQL's parameters."""
        connect: dict[str, Any] = {
            "charset": "utf8mb4",
            "program_name": application_name,
            "init_command": NEUTRAL_SESSION,
            "local_infile": False,  # a statement out of a backup must not reach files of this host
            "connect_timeout": instance.connect_timeout,
            # As bytes: PyMySQL would encode a text as latin1, the server's own clients send it as it was typed.
            "password": (instance.password or "").encode(),
        }
        driver = _CarefulModule(tls_required=not instance.unix_socket and instance.ssl_mode in TLS_REQUIRED)
        if instance.unix_socket:
            # The bytes never leave the machine: as in libpq, TLS is not spoken over a socket.
            connect["unix_socket"] = instance.unix_socket
        if instance.unix_socket or instance.ssl_mode == "disable":
            connect["ssl_disabled"] = True
        else:
            connect["ssl"] = _tls_context(instance)
        host, port = (None, None) if instance.unix_socket else (instance.host, instance.port)
        return DriverArguments(host=host, port=port, connect=connect, engine={"module": driver})

    def read_error(self, error: Any, *, invalidated: bool) -> DriverError:
        """A number below zero is ours; no number means that the connection broke."""
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        text = f"[{number}] {error.args[1] if len(error.args) > 1 else error}"
        kind = _KINDS.get(number)
        if number in (2002, 2003):
            kind = _kind_of_socket_error(getattr(error, "original_exception", None))
        if kind is None and (invalidated or number == 0):
            kind = "lost"
        return DriverError(text, str(number), kind)

    def lacks_library(self, error: RuntimeError) -> bool:
        """PyMySQL says so that an authentication plug-in needs a library that is not there."""
        return "pymysql" in type(error).__module__ or "required" in str(error)


def _kind_of_socket_error(error: BaseException | None) -> str:
    if isinstance(error, socket.gaierror):
        return "unknown_host"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, FileNotFoundError):
        return "no_socket"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "other"


def _tls_context(instance: Instance) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=verification_bundle(instance))
    context.check_hostname = instance.ssl_mode == "verify_full"
    context.verify_mode = ssl.CERT_REQUIRED if instance.ssl_mode in TLS_VERIFIED else ssl.CERT_NONE
    if instance.client_cert:
        context.load_cert_chain(instance.client_cert, instance.client_key)
    return context


class _CarefulModule:
    """PyMySQL with two differences, both about servers that are not what they should be.

    A server that offers no TLS is refused before the login is sent when TLS is required, and else talked to without:
    versions of PyMySQL differ in this, and before 1.2 a demanded TLS is dropped in silence, which is what an attacker
    in the middle would arrange. And a server that accepts the connection but never says a word runs into
    `connect_timeout` as well, which PyMySQL applies only until the connection is accepted.
    """

    def __init__(self, *, tls_required: bool) -> None:
        self._tls_required = tls_required

    def __getattr__(self, name: str) -> Any:
        import pymysql

        return getattr(pymysql, name)

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        import pymysql
        from pymysql.constants import CLIENT

        tls_required = self._tls_required

        class Connection(pymysql.connections.Connection):
            def connect(self, sock: Any = None) -> None:
                self.client_flag &= ~CLIENT.MULTI_STATEMENTS  # old versions ask for it
                self._read_timeout = self.connect_timeout
                try:
                    super().connect(sock)
                except pymysql.err.OperationalError as error:
                    if "timed out" in str(error):
                        raise pymysql.err.OperationalError(SERVER_TIMED_OUT, str(error)) from error
                    raise
                self._read_timeout = None

            def _request_authentication(self) -> None:
                if not self.server_capabilities & CLIENT.SSL:  # type: ignore[attr-defined]
                    if tls_required:
                        raise pymysql.err.OperationalError(_CR_SSL_CONNECTION_ERROR, "the server does not offer TLS")
                    self.ssl = False
                    self.client_flag &= ~CLIENT.SSL
                super()._request_authentication()  # type: ignore[misc]

        return Connection(*args, **kwargs)
