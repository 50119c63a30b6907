# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What psycopg2 and PyMySQL are given to connect, as their manuals name it.

Sources: libpq "Parameter Key Words" (PostgreSQL manual 34.1.2); PyMySQL `connections.Connection`.
"""

from __future__ import annotations

import os.path
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidOption
from .instance import Instance

_CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/pki/tls/certs/ca-bundle.crt",  # EL
)
_PG_SOCKET_PREFIX = ".s.PGSQL."
_TLS_REQUIRED = ("require", "verify_ca", "verify_full")
_TLS_VERIFIED = ("verify_ca", "verify_full")
_CR_SSL_CONNECTION_ERROR = 2026  # MySQL client error number
SERVER_TIMED_OUT = -110  # our own: the number of ETIMEDOUT, where the client library's numbers say only "lost"


@dataclass(frozen=True)
class DriverArguments:
    """Host and port for the URL, keyword arguments for the driver, and keyword arguments for `create_engine`."""

    host: str | None
    port: int | None
    connect: Mapping[str, Any] = field(repr=False)
    engine: Mapping[str, Any] = field(default_factory=dict, repr=False)


def driver_arguments(instance: Instance, driver: str, application_name: str) -> DriverArguments:
    """Translate an instance for the driver; raises `InvalidOption` for certificates that are not there."""
    for option in ("ca_cert", "client_cert", "client_key"):
        path = getattr(instance, option)
        if path and not Path(path).is_file():
            raise InvalidOption(f"{instance.where()}: {option} {path} is not a file on this host")
    if driver.startswith("postgresql"):
        return _psycopg2(instance, application_name)
    return _pymysql(instance, application_name)


def postgresql_socket(instance: Instance) -> tuple[str | None, int | None]:
    """Split a PostgreSQL socket, given as directory or as `.s.PGSQL.PORT` file, into directory and port."""
    path = instance.unix_socket
    if path is None:
        return None, instance.port
    directory, name = os.path.split(path)
    if name.startswith(_PG_SOCKET_PREFIX) and name[len(_PG_SOCKET_PREFIX) :].isdigit():
        return directory, instance.port or int(name[len(_PG_SOCKET_PREFIX) :])
    return path, instance.port


def verification_bundle(instance: Instance) -> str | None:
    """Return the file of trusted certificates: the given one, or the system's when verification is asked for."""
    if instance.ca_cert or instance.ssl_mode not in _TLS_VERIFIED:
        return instance.ca_cert
    for path in _CA_BUNDLES:
        if Path(path).is_file():
            return path
    raise InvalidOption(
        f"{instance.where()}: ssl_mode {instance.ssl_mode} needs ca_cert, and this host has no certificate bundle"
    )


def _psycopg2(instance: Instance, application_name: str) -> DriverArguments:
    directory, port = postgresql_socket(instance)
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
    return DriverArguments(host=None if directory else instance.host, port=port, connect=connect)


def _pymysql(instance: Instance, application_name: str) -> DriverArguments:
    connect: dict[str, Any] = {
        "charset": "utf8mb4",
        "program_name": application_name,
        "connect_timeout": instance.connect_timeout,
        # As bytes: PyMySQL would encode a text as latin1, the server's own clients send it as it was typed.
        "password": (instance.password or "").encode(),
    }
    driver = _Driver(tls_required=not instance.unix_socket and instance.ssl_mode in _TLS_REQUIRED)
    if instance.unix_socket:
        # The bytes never leave the machine: as in libpq, TLS is not spoken over a socket.
        connect["unix_socket"] = instance.unix_socket
    if instance.unix_socket or instance.ssl_mode == "disable":
        connect["ssl_disabled"] = True
    else:
        connect["ssl"] = _tls_context(instance)
    host, port = (None, None) if instance.unix_socket else (instance.host, instance.port)
    return DriverArguments(host=host, port=port, connect=connect, engine={"module": driver})


def _tls_context(instance: Instance) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=verification_bundle(instance))
    context.check_hostname = instance.ssl_mode == "verify_full"
    context.verify_mode = ssl.CERT_REQUIRED if instance.ssl_mode in _TLS_VERIFIED else ssl.CERT_NONE
    if instance.client_cert:
        context.load_cert_chain(instance.client_cert, instance.client_key)
    return context


class _Driver:
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
