# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An administrator of a private server whom its socket takes as the operating system's user, as packages set it up.

He is not the user who runs the tests, nor the one to whom a repository belongs: three different ones, as on real hosts.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.private_server import PrivateServer

ADMINISTRATOR = "daemon"
BACKUP_USER = "games"

_WAYS = {"mariadb": "VIA unix_socket", "mysql": "WITH auth_socket"}


@contextmanager
def socket_administrator(server: PrivateServer) -> Iterator[str]:
    """Make the administrator inside the block; give his name."""
    if server.engine == "postgresql":
        server.sql(f"CREATE ROLE {ADMINISTRATOR} LOGIN SUPERUSER")
    else:
        if server.engine == "mysql":
            server.sql("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
        server.sql(f"CREATE USER {ADMINISTRATOR}@localhost IDENTIFIED {_WAYS[server.engine]}")
        server.sql(f"GRANT ALL PRIVILEGES ON *.* TO {ADMINISTRATOR}@localhost WITH GRANT OPTION")
    try:
        yield ADMINISTRATOR
    finally:
        if server.engine == "postgresql":
            for (name,) in server.sql(
                "SELECT quote_ident(datname) FROM pg_database WHERE datdba = CAST(%s AS regrole)",
                parameters=(ADMINISTRATOR,),
            ):
                server.sql(f"DROP DATABASE {name}")
            server.sql(f"DROP ROLE {ADMINISTRATOR}")
        else:
            server.sql(f"DROP USER {ADMINISTRATOR}@localhost")
            if server.engine == "mysql":
                server.sql("UNINSTALL PLUGIN auth_socket")


def give_away(folder: Path) -> None:
    """Make a repository that of the backup user, as hosts have it."""
    account = pwd.getpwnam(BACKUP_USER)
    folder.parent.chmod(0o711)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid)


def owners(folder: Path) -> set[str]:
    """Return to whom the repository, and everything in it, belongs."""
    return {path.owner() for path in (folder, *folder.rglob("*"))}
