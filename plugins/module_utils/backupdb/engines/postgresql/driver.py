# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""psycopg2: what it is given to connect, as libpq names it, and what its errors mean.

Sources: PostgreSQL manual 34.1.2 "Parameter Key Words", appendix A (SQLSTATE), and the texts of libpq.
"""

from __future__ import annotations

import codecs
import os.path
from typing import Any

from ...connection.drivers import Driver, DriverArguments, DriverError, verification_bundle
from ...connection.instance import Instance
from .settings import session_statements

_SOCKET_PREFIX = ".s.PGSQL."
_LOST_SQLSTATES = ("57P01", "57P02", "57P05", "08000", "08003", "08006")

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


_BYTES = "backupdb_bytes"  # the name of our codec


def _codec(name: str) -> codecs.CodecInfo | None:
    """Give what reads and writes bytes without meaning: UTF-8, other bytes as lone surrogates."""
    if name != _BYTES:
        return None
    return codecs.CodecInfo(
        lambda text, _errors="strict": (text.encode("utf-8", "surrogateescape"), len(text)),
        lambda octets, _errors="strict": (bytes(octets).decode("utf-8", "surrogateescape"), len(octets)),
        name=_BYTES,
    )


codecs.register(_codec)


def _read_bytes_as_they_are(connection: Any, _record: Any) -> None:
    """In a database without encoding let the server convert and check nothing."""
    if connection.get_parameter_status("server_encoding") == "SQL_ASCII":
        from psycopg2 import extensions

        extensions.encodings["SQL_ASCII"] = extensions.encodings["SQLASCII"] = _BYTES
        connection.set_client_encoding("SQL_ASCII")


class Psycopg2(Driver):
    """PostgreSQL through psycopg2."""

    DIALECT = "postgresql+psycopg2"
    TRANSACTIONS = "READ COMMITTED"
    LIBRARY = "psycopg2"
    PACKAGE = "python3-psycopg2 (Debian, Ubuntu, EL), psycopg2-binary on PyPI"
    DEFAULT_DATABASE = "postgres"
    SESSION_STATEMENTS = session_statements()

    def arguments(self, instance: Instance, application_name: str) -> DriverArguments:
        """Translate an instance to libpq's parameters."""
        directory, port = socket_and_port(instance)
        connect: dict[str, Any] = {
            "application_name": application_name,
            "client_encoding": "UTF8",
            "connect_timeout": instance.connect_timeout,
            "sslmode": instance.ssl_mode.replace("_", "-"),
            # A password file of the calling user would work here and not for the dump client, which has no home.
            "passfile": "/nonexistent",
            "keepalives_idle": 60,
            "keepalives_interval": 15,
            "keepalives_count": 8,
        }
        if directory is not None:
            connect["host"] = directory
        bundle = verification_bundle(instance)
        if bundle:
            connect["sslrootcert"] = bundle
        if instance.client_cert:
            connect["sslcert"] = instance.client_cert
        if instance.client_key:
            connect["sslkey"] = instance.client_key
        return DriverArguments(
            host=None if directory else instance.host,
            port=port,
            connect=connect,
            # We read no hstore, and looking for its type would be one more question to each new connection.
            engine={"pool_events": [(_read_bytes_as_they_are, "connect")], "use_native_hstore": False},
        )

    def read_error(self, error: Any, *, invalidated: bool) -> DriverError:
        """Without a code an error comes from libpq: the login, or a connection that broke under a statement."""
        code = getattr(error, "pgcode", None) or ""
        text = " ".join(str(error).split())
        if code in _LOST_SQLSTATES or invalidated:
            return DriverError(text, code, kind="lost")
        if not code and type(error).__name__ == "OperationalError":
            return DriverError(text, kind=_kind_of_libpq_text(text))
        return DriverError(text, code)


def socket_and_port(instance: Instance) -> tuple[str | None, int | None]:
    """Split a socket, given as directory or as `.s.PGSQL.PORT` file, into directory and port."""
    path = instance.unix_socket
    if path is None:
        return None, instance.port
    directory, name = os.path.split(path)
    if name.startswith(_SOCKET_PREFIX) and name[len(_SOCKET_PREFIX) :].isdigit():
        return directory, instance.port or int(name[len(_SOCKET_PREFIX) :])
    return path, instance.port


def _kind_of_libpq_text(text: str) -> str:
    lowered = text.lower()
    if 'database "' in lowered and "does not exist" in lowered:
        return "unknown_database"
    for words, kind in _LIBPQ_TEXTS:
        if words in lowered:
            return kind
    return "other"
