# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PostgreSQL's programs are told where to log in: by environment variables, never by arguments (libpq, 34.15)."""

from __future__ import annotations

from ...connection.drivers import verification_bundle
from ...connection.instance import Instance
from ...connection.server import APPLICATION_NAME
from ...system.process import SECRET_PATH
from .driver import socket_and_port
from .quoting import password_file


def login_environment(instance: Instance) -> dict[str, str]:
    """Return the variables for a libpq program; the password comes from the file at `SECRET_PATH`."""
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
    }
    return {name: value for name, value in values.items() if value is not None}


def login_secret(instance: Instance) -> bytes | None:
    """Return the content of the password file, None where no password is used."""
    return None if instance.password is None else password_file(instance.password)
