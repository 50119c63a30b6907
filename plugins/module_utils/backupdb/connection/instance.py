# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server, and how to log in."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import InvalidOption

SSL_MODES = ("prefer", "disable", "require", "verify_ca", "verify_full")


@dataclass(frozen=True)
class Instance:
    """One database server endpoint and how to log in.

    `unix_socket` wins over `host`. For PostgreSQL it is the directory of the socket or the socket file itself.
    Without host and socket: the driver's local default. `connect_timeout` is in seconds. `system_user` is the operating
    system's user whom the socket sees, where that is not who we are.
    """

    id: str
    engine: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    unix_socket: str | None = None
    database: str | None = None
    ssl_mode: str = "prefer"
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    connect_timeout: int = 10
    system_user: str | None = None

    def __post_init__(self) -> None:
        if self.system_user is not None and not self.unix_socket:
            raise InvalidOption(
                f"instance {self.id}: login_system_user is for a login through login_unix_socket, where the operating "
                "system vouches for its users; give that, or leave login_system_user out"
            )
        if self.ssl_mode not in SSL_MODES:
            raise InvalidOption(
                f"instance {self.id}: ssl_mode {self.ssl_mode!r} is not known; use one of {', '.join(SSL_MODES)}"
            )

    def where(self) -> str:
        """Say which endpoint this is, for messages."""
        if self.unix_socket:
            place = f"socket {self.unix_socket}"
        elif self.host:
            place = f"{self.host}:{self.port}" if self.port else self.host
        else:
            place = "the local default socket"
        return f"instance {self.id} ({self.engine} at {place})"
