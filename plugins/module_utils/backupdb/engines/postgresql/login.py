# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PostgreSQL's programs are told where to log in: by environment variables, never by arguments (libpq, 34.15)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

from ...connection.drivers import verification_bundle
from ...connection.instance import Instance
from ...connection.server import APPLICATION_NAME
from ...system.acting_as import call_as
from ...system.process import SECRET_PATH
from .driver import Psycopg2, socket_and_port
from .quoting import password_file
from .settings import as_options

_UNSUPPORTED = "unsupported startup parameter"  # PgBouncer's words


def login_environment(instance: Instance, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables for a libpq program; the password comes from the file at `SECRET_PATH`.

    `settings` hold from the beginning of its sessions on, whatever the login or the database has for itself.
    """
    directory, port = socket_and_port(instance)
    values = {
        "PGHOST": directory or instance.host,
        "PGPORT": str(port) if port else None,
        "PGUSER": instance.user,
        "PGPASSFILE": SECRET_PATH if instance.password is not None else None,
        "PGSSLMODE": instance.ssl_mode.replace("_", "-"),
        "PGSSLROOTCERT": verification_bundle(instance),
        "PGSSLCERT": instance.client_cert,
        "PGSSLKEY": instance.client_key,
        "PGCONNECT_TIMEOUT": str(instance.connect_timeout),
        "PGAPPNAME": APPLICATION_NAME,
        "PGOPTIONS": as_options(settings) if settings and takes_options(instance) else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def login_secret(instance: Instance) -> bytes | None:
    """Return the content of the password file, None where no password is used."""
    return None if instance.password is None else password_file(instance.password)


@cache
def takes_options(instance: Instance) -> bool:
    """Tell whether sessions may begin with settings: a connection pooler may refuse that, which the server does not."""
    import psycopg2

    arguments = Psycopg2().arguments(instance, APPLICATION_NAME)
    connect = partial(
        psycopg2.connect,
        **{"host": arguments.host, **arguments.connect},
        port=arguments.port,
        user=instance.user,
        password=instance.password,
        dbname=instance.database or Psycopg2.DEFAULT_DATABASE,
        options=as_options({"statement_timeout": "0"}),
    )
    try:
        call_as(instance.system_user, connect).close()
    except psycopg2.Error as error:
        return _UNSUPPORTED not in str(error)  # what else is wrong the program itself will say
    return True
