# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every version of every server can do, with client programs of its own version. Run by ./tools/matrix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.backup_login import LoginRequest, manage
from backupdb.accounts.compare import difference
from backupdb.backup import run as backup
from backupdb.engines.login_interface import WantedLogin
from backupdb.engines.values import SnapshotDetails
from backupdb.verify.one_backup import verify_path
from support import accounts
from support.drills import drilled
from support.library import IDENTITY, back_up, entry_of, instance_of, plain, request_for, stored_backups
from support.restores import clean, details_of, restored
from support.versions import AnyServer, Version

NAME = "torture"
SHOP = "shop"
READER = "reader of everything"
LOGIN = 'O\'dd "one"'
PASSWORD = "password-of-an-odd-account"
COMPARED = {"row_counts": True, "fingerprints": True}
# Tables whose history the clients of MariaDB 10.5 cannot dump, which makes the backup partial. And 11.5 moved the end
# of current rows in them: a restore of older ones is refused, see tests/cross.
VERSIONED = "SELECT table_name FROM information_schema.tables WHERE table_type = 'SYSTEM VERSIONED'"

ServerOf = Callable[[Version], AnyServer]


@contextmanager
def everything(version: Version, *servers: AnyServer) -> Iterator[None]:
    """One of everything that all servers can do in NAME on the first, and a login with a right; gone afterwards."""
    server = servers[0]
    kind = version.kind
    try:
        with clean(server):
            kind.make_database(server, NAME)
            server.run_sql_script(version.everything(*servers), database=NAME)
            if version.major == "10.5":
                drop_versioned(version, server)
            login = kind.make_account(server, LOGIN, PASSWORD)
            server.sql("CREATE TABLE plain_table (n int NOT NULL PRIMARY KEY)", database=NAME)
            server.sql(f"GRANT SELECT ON plain_table TO {login}", database=NAME)
            if version.engine == "postgresql":  # who may enter the database and its schema
                server.sql(f"GRANT torture_reader TO {login}")
            yield
    finally:
        kind.drop_account(server, LOGIN, database="postgres")
        kind.clean_up(server)


def drop_versioned(version: Version, server: AnyServer) -> None:
    for (table,) in server.sql(VERSIONED):
        server.sql(f"DROP TABLE {version.kind.quoted(table)}", database=NAME)


def backed_up(version: Version, server: AnyServer, repository: Path, jobs: int = 1) -> dict[str, Any]:
    """Back up NAME and the accounts with the clients of this version; returns the document of the accounts."""
    result = back_up(server, repository, databases=[NAME], jobs=jobs, **COMPARED)
    assert (result["status"], entry_of(result, NAME)["status"]) == ("ok", "complete"), result["message"]
    stored = stored_backups(repository, NAME)[0]
    assert stored.manifest["client"]["version"].startswith(f"{version.major}."), stored.manifest["client"]
    document: dict[str, Any] = json.loads(plain(result["accounts"]["path"], "accounts", format="json"))
    return document


def assert_same(before: SnapshotDetails, after: SnapshotDetails, *, name: str = NAME) -> None:
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert json.dumps(after.properties).replace(name, NAME) == json.dumps(before.properties)


@pytest.mark.parametrize("jobs", [1, 2])
def test_round_trip(version: Version, server_of: ServerOf, repository: Path, jobs: int) -> None:
    server = server_of(version)
    with version.programs(), everything(version, server):
        backed_up(version, server, repository, jobs)
        folder = stored_backups(repository, NAME)[0].folder
        assert verify_path(folder, level="decrypt", identities=(IDENTITY,))["verdict"] == "good"
        before = details_of(server, NAME)
        target = restored(server, repository, NAME, jobs=jobs)["target"]
        assert target != NAME
        assert_same(before, details_of(server, target), name=target)


@pytest.mark.parametrize("jobs", [1, 2])
def test_drill(
    version: Version,
    server_of: ServerOf,
    repository: Path,
    scratch: Path,
    record_property: Callable[[str, object], None],
    jobs: int,
) -> None:
    scratch.chmod(0o711)
    work_dir = scratch / "work"
    work_dir.mkdir(mode=0o711)
    server = server_of(version)
    with version.programs(), everything(version, server):
        backed_up(version, server, repository, jobs)
        entry = drilled(repository, work_dir=str(work_dir), jobs=jobs)
    assert entry["verdict"] in version.kind.drill_verdicts, (entry["differences"], entry["rewritten"])
    assert entry["not_compared"] == []
    record_property("verdict", entry["verdict"])
    kept = json.loads(Path(entry["record"]).read_text(encoding="utf-8"))
    assert kept["server"]["version"].startswith(f"{version.major}."), kept["server"]


def test_accounts(version: Version, server_of: ServerOf, repository: Path) -> None:
    server = server_of(version)
    with version.programs(), everything(version, server), version.server() as fresh:
        document = backed_up(version, server, repository)
        came_back(fresh, repository, document)
        assert difference(document, accounts.exported(fresh)) == []
        assert_same(details_of(server, NAME), details_of(fresh, NAME))


def test_backup_login(version: Version, server_of: ServerOf, repository: Path) -> None:
    """The login of least privilege makes a whole backup, accounts with their passwords included."""
    server = server_of(version)
    kind = version.kind
    administrator = instance_of(server, unix_socket=str(server.socket))
    request = LoginRequest(administrator, WantedLogin(READER, host="%", password=PASSWORD))
    with version.programs(), clean(server):
        kind.make_database(server, SHOP)
        server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database=SHOP)
        server.sql("INSERT INTO item VALUES (1), (2)", database=SHOP)
        try:
            made = manage(request)
            assert (made["status"], made["write_refused"]) == ("ok", True), made
            assert manage(request)["changed"] is False
            login = instance_of(server, user=READER, password=PASSWORD)
            result = backup.run(request_for(login, repository, databases=[SHOP], jobs=2, **COMPARED))
            assert (result["status"], result["missing_privileges"]) == ("ok", []), result["message"]
            assert result["accounts"]["status"] == "complete"
            restored(server, repository, SHOP)
        finally:
            manage(replace(request, absent=True))


def test_upward(pair: tuple[Version, Version], server_of: ServerOf, repository: Path) -> None:
    older, newer = pair
    server = server_of(older)
    with newer.server() as fresh, everything(older, server, fresh):
        with older.programs():
            if (older.name, newer.major) == ("mariadb-10.11", "11.8"):
                drop_versioned(older, server)
            document = backed_up(older, server, repository)
            before = details_of(server, NAME)
        with newer.programs():
            came_back(fresh, repository, document)
            assert_same(before, details_of(fresh, NAME))


def came_back(fresh: AnyServer, repository: Path, document: dict[str, Any]) -> None:
    """Restore accounts, the database under its own name, and the rights in it; then the login may read its table."""
    assert accounts.restored(fresh, document)["errors"] == []
    restored(fresh, repository, NAME, target=NAME)
    again = accounts.restored(fresh, document, existing="update", object_grants_for={NAME})
    assert (again["status"], again["waiting"]) == ("ok", []), again
    assert fresh.sql("SELECT count(*) FROM plain_table", database=NAME, user=LOGIN, password=PASSWORD)[0][0] == 0
