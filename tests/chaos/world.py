# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the cases of one engine happen: a private server, a folder that is new for each case, and what was before."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support import run_state
from support.library import back_up
from support.restores import drop_database, make_database, names
from support.servers import make_server
from support.tree import Entry, folder_state

from chaos.child import Forge, children
from chaos.shim import Shim

CANARY = "canary-in-the-mine"  # is in the database, and must be in no file
DATABASE = "shop"
ROLE = "chaos_app"
KINDS = {"postgresql": "postgres15", "mariadb": "mariadb"}
_TABLES = ("item", "note")


class World:
    """One engine's lane. `case` is the folder of the case: repository, state, temporary files, all of it watched."""

    def __init__(self, engine: str, shim: Shim) -> None:
        self.engine = engine
        self.home = run_state.new_folder("chaos")
        self.home.chmod(0o711)
        self.case = self.home / "case"
        self.noise = self.home / "noise"
        self.noise.mkdir()
        self.server: Any = make_server(KINDS[engine])
        self.server.start()
        shim.watch(self.case, self.server.port)
        self.forge = Forge(shim, self.noise)
        self.servers = children()
        self._system = names(self.server)
        self._make_roles()
        self.reset_database()
        self._baseline = self.home / "baseline"
        self._baseline.mkdir(mode=0o700)
        for _number in range(2):
            # In seconds of their own: the checks tell the older one by the names, which have nothing finer.
            time.sleep(1)
            result = back_up(self.server, self._baseline, databases=[DATABASE])
            assert result["status"] == "ok", result["message"]
        self.before: Mapping[str, Entry] = {}

    @property
    def repository(self) -> Path:
        """The repository of the case."""
        return self.case / "repository"

    @property
    def temporary(self) -> Path:
        """Where the work has its temporary files."""
        return self.case / "tmp"

    def new_case(self, *, with_backups: bool = True) -> None:
        """A new folder, with earlier backups in its repository."""
        shutil.rmtree(self.case, ignore_errors=True)
        self.case.mkdir(mode=0o711)
        self.temporary.mkdir(mode=0o700)
        if with_backups:
            shutil.copytree(self._baseline, self.repository)
        else:
            self.repository.mkdir(mode=0o700)
        self.remember()

    def remember(self) -> None:
        """Remember the earlier backups as they are now."""
        self.before = folder_state(self.repository)

    def rows(self, database: str) -> list[list[int]] | None:
        """What stands in the tables of a database; None where it, or one of them, is not there."""
        if database not in names(self.server):
            return None
        found = []
        for table in _TABLES:
            try:
                rows = self.server.sql(f"SELECT n FROM {table} ORDER BY n", database=database)
            except Exception:  # noqa: BLE001  # each driver has its own for a table that is not there
                return None
            found.append([int(row[0]) for row in rows])
        return found

    def databases(self) -> set[str]:
        """The databases beside the server's own."""
        return names(self.server) - self._system

    def reset_database(self, *, rows: int = 1) -> None:
        """Leave one database, whose tables have that many rows."""
        for name in self.databases():
            drop_database(self.server, name)
        make_database(self.server, DATABASE)
        for table in _TABLES:
            self.server.sql(f"CREATE TABLE {table} (n int NOT NULL PRIMARY KEY, word text)", database=DATABASE)
        self.add_rows(1, rows)

    def add_rows(self, first: int, last: int) -> None:
        """Add rows to both tables."""
        for table in _TABLES:
            for number in range(first, last + 1):
                self.server.sql(f"INSERT INTO {table} VALUES ({number}, '{CANARY}')", database=DATABASE)

    def end_sessions(self) -> None:
        """End all sessions on the server, but for the one that does it."""
        if self.engine == "postgresql":
            self.server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return
        for (number,) in self.server.sql(
            "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user <> 'system user'"
        ):
            with contextlib.suppress(Exception):  # it ended in between
                self.server.sql(f"KILL {number}")

    def account(self) -> str:
        """The account of the stage that restores accounts, as the library names it."""
        return ROLE if self.engine == "postgresql" else f"{ROLE}@%"

    def has_account(self) -> bool:
        """Whether that account is there."""
        if self.engine == "postgresql":
            return bool(self.server.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'"))
        return bool(self.server.sql(f"SELECT 1 FROM mysql.user WHERE User = '{ROLE}'"))

    def can_log_in(self) -> bool:
        """Whether that account is whole: it logs in with its password."""
        try:
            self.server.connect(user=ROLE, password=f"of-{ROLE}").close()
        except Exception:  # noqa: BLE001  # each driver has its own
            return False
        return True

    def drop_account(self) -> None:
        """Let the account not be there."""
        self.server.sql(f"DROP {'ROLE' if self.engine == 'postgresql' else 'USER'} IF EXISTS {ROLE}")

    def _make_roles(self) -> None:
        if self.engine == "postgresql":
            self.server.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'of-{ROLE}' CONNECTION LIMIT 7")
        else:
            self.server.sql(f"CREATE USER {ROLE} IDENTIFIED BY 'of-{ROLE}'")
            self.server.sql(f"GRANT SELECT ON *.* TO {ROLE}")

    def close(self) -> None:
        """End the server."""
        self.server.remove()
