# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root restores from the backup user's repository into a server whose administrator logs in through the socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.connection.instance import Instance
from backupdb.errors import RestoreRefused
from backupdb.restore import run as restore
from support.jobs import JobHost
from support.library import HOST, back_up, instance_of
from support.private_server import PrivateServer
from support.restores import clean, make_database, names, restore_request, restored
from support.socket_administrators import BACKUP_USER, give_away, owners, socket_administrator

pytestmark = pytest.mark.usefixtures("mysql_programs")


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        yield private


@pytest.fixture
def host(scratch: Path) -> JobHost:
    folder = scratch / "host"
    folder.mkdir()
    return JobHost(folder)


@pytest.fixture
def shop(server: PrivateServer, repository: Path) -> str:
    """A database in two parts, in a repository that belongs to the backup user."""
    make_database(server, "shop")
    for table in ("item", "client"):
        server.sql(f"CREATE TABLE {table} (n int)", database="shop")
        server.sql(f"INSERT INTO {table} VALUES (1)", database="shop")
    assert back_up(server, repository, databases=["shop"], accounts=False, jobs=2)["status"] == "ok"
    give_away(repository)
    return "shop"


def by_socket(server: Any, administrator: str) -> Instance:
    return instance_of(
        server,
        host=None,
        unix_socket=str(server.socket),
        user=administrator,
        password=None,
        system_user=administrator,
    )


def test_what_one_user_reads_another_one_restores_and_the_first_can_go_on(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    with socket_administrator(server) as administrator:
        instance = by_socket(server, administrator)
        restored(server, repository, shop, instance=instance, target="copy", jobs=2)
        assert "copy" in names(server)
        server.sql("DROP TABLE client", database=shop)
        again = restored(server, repository, shop, instance=instance, target=shop, replace=True, confirm=shop)
    assert server.sql("SELECT n FROM client", database=shop) in ([(1,)], ((1,),))
    assert again["safety_backup"].startswith(str(repository))
    assert owners(repository) == {BACKUP_USER}


def test_the_command_line_restores_with_a_job_and_without_one(
    server: PrivateServer, repository: Path, shop: str, host: JobHost
) -> None:
    place = {"login_unix_socket": str(server.socket), "login_port": server.port}  # type: ignore[attr-defined]
    entry = {**host.backup_of(server), "login_host": None, "login_user": BACKUP_USER, **place}
    host.write_job("nightly", [{**entry, "repository": str(repository)}], credentials={"source": "none"})
    with socket_administrator(server) as administrator:
        common = ("-i", str(host.identity_file), "--login-user", administrator, "--target")
        where = ("--config-dir", str(host.config_dir))
        by_job = host.command("restore", "nightly", "test", shop, *where, *common, "by_job")
        socket = ("--login-socket", str(server.socket), "--login-port", str(server.port))  # type: ignore[attr-defined]
        alone = host.command("restore", "--repository", str(repository), "test", shop, *socket, *common, "alone")
        servers = {"test": {"engine": server.engine, **place, "login_user": administrator}}
        settings = host.write_secrets("rebuild.json", servers=servers)
        rebuilt = host.command(
            *("rebuild", "--repository", str(repository), "--host", HOST, "--settings", str(settings), "--json"),
            *("-i", str(host.identity_file)),
        )
    assert [done.returncode for done in (by_job, alone)] == [0, 0], (by_job.stderr, alone.stderr)
    assert names(server) >= {"by_job", "alone"}
    databases = json.loads(rebuilt.stdout)["instances"][0]["databases"]
    assert [(one["name"], one["status"]) for one in databases] == [(shop, "present")], rebuilt.stderr
    assert owners(repository) == {BACKUP_USER}


def test_the_login_of_backups_is_told_who_may_and_never_to_become_an_administrator(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    reader, password = "reader", "password-of-the-reader"
    if server.engine == "postgresql":
        server.sql(f"CREATE ROLE {reader} LOGIN PASSWORD '{password}'; GRANT pg_read_all_data TO {reader}")
    else:
        server.sql(f"CREATE USER {reader}@'%' IDENTIFIED BY '{password}'")
        server.sql(f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS ON *.* TO {reader}@'%'")
    try:
        login = instance_of(server, user=reader, password=password)
        with pytest.raises(RestoreRefused) as refused:
            restore.run(restore_request(server, repository, shop, instance=login, target="copy"))
        planned = restore.run(restore_request(server, repository, shop, instance=login, target="copy"), check_mode=True)
    finally:
        server.sql(f"DROP ROLE {reader}" if server.engine == "postgresql" else f"DROP USER {reader}@'%'")
    for told in (str(refused.value), planned["message"]):
        assert "log in as the server's administrator: login_user with login_password" in told
        assert "GRANT" not in told
    if server.engine == "postgresql":
        assert "owner_policy map or drop does without" in str(refused.value)
        grants = {entry["privilege"]: entry["grant"] for entry in planned["plan"]["missing_privileges"]}
        assert grants["membership in postgres"] == ""


def test_an_archive_on_disk_is_the_administrators_while_it_is_there(
    postgres15: PrivateServer, repository: Path, scratch: Path
) -> None:
    spool = scratch / "spool"
    spool.mkdir(mode=0o700)
    with clean(postgres15), socket_administrator(postgres15) as administrator:
        make_database(postgres15, "shop")
        postgres15.sql("CREATE TABLE item AS SELECT 1 AS n; CREATE INDEX ON item (n)", database="shop")
        back_up(postgres15, repository, databases=["shop"], accounts=False)
        options = {"target": "copy", "spool": True, "spool_folder": str(spool), "jobs": 2}
        restored(postgres15, repository, "shop", instance=by_socket(postgres15, administrator), **options)
    assert list(spool.iterdir()) == []
