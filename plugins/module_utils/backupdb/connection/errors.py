# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drivers' errors in the user's words: which of the usual faults it is, where, and what to do next.

What an error means is asked of the driver; an unknown one is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ConnectionFailed, QueryFailed
from .drivers import Driver, DriverError
from .instance import Instance

ADVICE = {
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


@contextmanager
def translated(instance: Instance, driver: Driver, database: str | None = None) -> Iterator[None]:
    """Turn what the driver raises inside the block into `ConnectionFailed` or `QueryFailed`."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        meaning = driver.read_error(error.orig, invalidated=bool(error.connection_invalidated))
        raise _failure(instance, database, meaning) from error
    except SQLAlchemyError as error:
        raise QueryFailed(_clean(instance, f"{_place(instance, database)}: {error}")) from error
    except UnicodeError as error:
        text = f"a name or text is not in the encoding of the connection: {error}"
        raise QueryFailed(_clean(instance, f"{_place(instance, database)}: {text}")) from error
    except RuntimeError as error:
        if not driver.lacks_library(error):
            raise
        raise ConnectionFailed(_clean(instance, f"{_place(instance, database)}: {error}")) from error
    except Exception as error:
        # A connection that broke is given back to its pool: that is the driver's own error, not SQLAlchemy's.
        if type(error).__module__.partition(".")[0] != driver.LIBRARY:
            raise
        raise _failure(instance, database, driver.read_error(error, invalidated=False)) from error


def _failure(instance: Instance, database: str | None, meaning: DriverError) -> ConnectionFailed | QueryFailed:
    place = _place(instance, database)
    if meaning.kind is None:
        return QueryFailed(_clean(instance, f"{place}: {meaning.text}"), code=meaning.code)
    return ConnectionFailed(_clean(instance, f"{place}: {ADVICE[meaning.kind]} ({meaning.text})"), kind=meaning.kind)


def _place(instance: Instance, database: str | None) -> str:
    return f"{instance.where()}, database {database!r}" if database is not None else instance.where()


def _clean(instance: Instance, text: str) -> str:
    # No driver is known to quote the password; this keeps it so.
    return text.replace(instance.password, "********") if instance.password else text
