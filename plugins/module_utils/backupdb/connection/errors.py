# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drivers' errors in the user's words: which of the usual faults it is, where, and what to do next.

Sources: MySQL "Error Message Reference" (numbers), PostgreSQL appendix A (SQLSTATE) and the texts of libpq.
libpq gives no code for a failed connection, so its texts are read; an unknown one is passed on as it is.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ConnectionFailed, QueryFailed
from .drivers import SERVER_TIMED_OUT
from .instance import Instance

_ADVICE = {
    "wrong_password": "wrong user or password; check login_user and login_password",
    "access_denied": "the server does not admit this login; check the account's host, pg_hba.conf and its rights",
    "unknown_host": "the host name cannot be resolved; check login_host",
    "refused": "connection refused; check that the server runs and listens there, and login_port",
    "timeout": "no answer in time; check the network path, the firewall and connect_timeout",
    "tls": "TLS failed; check ssl_mode, ca_cert and the server's certificate",
    "no_socket": "there is no such socket; check login_unix_socket and that the server runs",
    "too_many_connections": "the server has no free connection; raise its limit or run later",
    "starting_up": "the server is starting up or shutting down; run again when it is ready",
    "unknown_database": "there is no such database; check login_db",
    "lost": "the connection was lost; check the server's log",
    "other": "the connection failed",
}

_MYSQL_KINDS = {
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

# In the order in which they must be looked at: a refused TLS login also says "no pg_hba.conf entry".
_LIBPQ_TEXTS = (
    ("password authentication failed", "wrong_password"),
    ("no password supplied", "wrong_password"),
    ("peer authentication failed", "wrong_password"),
    ("could not translate host name", "unknown_host"),
    ("name or service not known", "unknown_host"),
    ("no such file or directory", "no_socket"),
    ("connection refused", "refused"),
    ("timeout expired", "timeout"),
    ("connection timed out", "timeout"),
    ("remaining connection slots", "too_many_connections"),
    ("too many clients", "too_many_connections"),
    ("too many connections", "too_many_connections"),
    ("starting up", "starting_up"),
    ("shutting down", "starting_up"),
    ("certificate", "tls"),
    ("ssl error", "tls"),
    ("does not support ssl", "tls"),
    ("root.crt", "tls"),
    ("no pg_hba.conf entry", "access_denied"),
    ("authentication failed", "wrong_password"),
    ("permission denied for database", "access_denied"),
    ("not permitted to log in", "access_denied"),
    ("not currently accepting connections", "access_denied"),
    ("server closed the connection", "lost"),
    ("terminating connection", "lost"),
)

_DRIVERS = ("psycopg2", "pymysql")
_LOST_SQLSTATES = ("57P01", "57P02", "57P05", "08000", "08003", "08006")


@contextmanager
def translated(instance: Instance, database: str | None = None) -> Iterator[None]:
    """Turn what the driver raises inside the block into `ConnectionFailed` or `QueryFailed`."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise _from_driver(instance, database, error.orig, bool(error.connection_invalidated)) from error
    except SQLAlchemyError as error:
        raise QueryFailed(_clean(instance, f"{_place(instance, database)}: {error}")) from error
    except RuntimeError as error:
        # PyMySQL says so that an authentication plug-in needs a library that is not there.
        if "pymysql" not in type(error).__module__ and "required" not in str(error):
            raise
        raise ConnectionFailed(_clean(instance, f"{_place(instance, database)}: {error}")) from error
    except Exception as error:
        # A connection that broke is given back to its pool: that is the driver's own error, not SQLAlchemy's.
        if type(error).__module__.partition(".")[0] not in _DRIVERS:
            raise
        raise _from_driver(instance, database, error, invalidated=False) from error


def _from_driver(instance: Instance, database: str | None, error: BaseException | None, invalidated: bool) -> Exception:
    if type(error).__module__.split(".")[0] == "pymysql":
        return _from_pymysql(instance, database, error, invalidated)
    return _from_psycopg2(instance, database, error, invalidated)


def _from_pymysql(instance: Instance, database: str | None, error: Any, invalidated: bool) -> Exception:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    kind = _MYSQL_KINDS.get(number)
    if number in (2002, 2003):
        kind = _kind_of_socket_error(getattr(error, "original_exception", None))
    if kind is None and (invalidated or number == 0):
        kind = "lost"
    if kind is not None:
        return _connection_failed(instance, database, kind, f"[{number}] {text}")
    return QueryFailed(_clean(instance, f"{_place(instance, database)}: [{number}] {text}"), code=str(number))


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


def _from_psycopg2(instance: Instance, database: str | None, error: Any, invalidated: bool) -> Exception:
    code = getattr(error, "pgcode", None) or ""
    text = " ".join(str(error).split())
    # Without a code it comes from libpq: the login, or a connection that broke under a statement.
    if code in _LOST_SQLSTATES or invalidated:
        return _connection_failed(instance, database, "lost", text)
    if not code and type(error).__name__ == "OperationalError":
        return _connection_failed(instance, database, _kind_of_libpq_text(text), text)
    return QueryFailed(_clean(instance, f"{_place(instance, database)}: {text}"), code=code)


def _kind_of_libpq_text(text: str) -> str:
    lowered = text.lower()
    if 'database "' in lowered and "does not exist" in lowered:
        return "unknown_database"
    for words, kind in _LIBPQ_TEXTS:
        if words in lowered:
            return kind
    return "other"


def _connection_failed(instance: Instance, database: str | None, kind: str, text: str) -> ConnectionFailed:
    message = f"{_place(instance, database)}: {_ADVICE[kind]} ({text})"
    return ConnectionFailed(_clean(instance, message), kind=kind)


def _place(instance: Instance, database: str | None) -> str:
    return f"{instance.where()}, database {database!r}" if database is not None else instance.where()


def _clean(instance: Instance, text: str) -> str:
    # No driver is known to quote the password; this keeps it so.
    return text.replace(instance.password, "********") if instance.password else text
