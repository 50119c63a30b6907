# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts out of one private server and into another, through the library."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any, Union

from backupdb.accounts.restore import export, restore_accounts
from backupdb.connection.instance import Instance
from backupdb.engines.registry import open_engine

from support.library import instance_of
from support.servers import PrivateMariaDB, PrivateMySQL, PrivatePostgres

AnyServer = Union[PrivatePostgres, PrivateMariaDB, PrivateMySQL]


def exported(private: AnyServer, **login: Any) -> dict[str, Any]:
    """The document of the accounts that a server has."""
    with open_engine(_instance(private, login)) as engine:
        return dict(export(engine))


def restored(private: AnyServer, document: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Restore the document into a server; `user` and `password` in the options are the login."""
    login: dict[str, Any] = {name: options.pop(name) for name in ("user", "password") if name in options}
    with open_engine(_instance(private, login)) as engine:
        return restore_accounts(engine, document, **options).to_dict()


def actions(result: dict[str, Any]) -> dict[str, str]:
    """What became of each account."""
    return {entry["account"]: entry["action"] for entry in result["accounts"]}


def run_client(command: Sequence[str], statement: str, *, password: str) -> str:
    """Log in by a client of MySQL or MariaDB and return the answer to one statement, without its heading."""
    done = subprocess.run(
        [*command, "--batch", "--skip-column-names", f"--execute={statement}"],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "MYSQL_PWD": password},
    )
    return done.stdout.strip()


def _instance(private: AnyServer, login: dict[str, Any]) -> Instance:
    # Over the socket root is root@localhost, who may also grant proxies.
    return instance_of(private, **{"unix_socket": str(private.socket), **login})
