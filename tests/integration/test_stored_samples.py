# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose servers are lost is brought back from what an earlier version kept on it, and goes on with its jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts import run as accounts
from backupdb.archives.keys import Keys
from backupdb.repository.find import BackupSelector
from support.accounts import actions
from support.drills import drill_all
from support.library import instance_of
from support.private_server import PrivateServer
from support.restores import clean
from support.samples import PASSPHRASE, PASSWORD, USER, VERSIONS, SampleHost
from support.servers import make_server

EXPECTED_ACCOUNTS = {
    "postgresql": {"sample_backup", "sample_reader", "shop_owner", "shop_app"},
    "mariadb": {"sample_backup@%", "shop_app@%"},
}


@pytest.fixture(params=VERSIONS, scope="module")
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def servers(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, PrivateServer]]:
    """New, empty servers that got their accounts, with the passwords of the jobs, from the sample."""
    made = {"postgresql": make_server("postgres15"), "mariadb": make_server("mariadb")}
    try:
        host = SampleHost(tmp_path_factory.mktemp("accounts") / "host", version)
        for server in made.values():
            server.start()
            restore_accounts(host, server)
        yield made
    finally:
        for server in made.values():
            server.remove()


@pytest.fixture
def host(version: str, servers: dict[str, PrivateServer], scratch: Path) -> Iterator[SampleHost]:
    """The sample in a place of its own, its jobs looking at the servers; databases are gone afterwards."""
    host = SampleHost(scratch / "host", version)
    for server in servers.values():
        host.use(server)
    with clean(servers["postgresql"]), clean(servers["mariadb"]):
        yield host


def restore_accounts(host: SampleHost, server: PrivateServer) -> None:
    name = "pg15" if server.engine == "postgresql" else "mariadb"
    keys = Keys(identity_file=str(host.identity_file))
    source = accounts.StoredAccounts(BackupSelector(instance=name), str(host.repository), keys)
    result = accounts.restore(accounts.AccountRestoreRequest(instance_of(server), source))
    assert result["status"] == "ok", result
    created = {account for account, action in actions(result).items() if action == "created"}
    assert created == EXPECTED_ACCOUNTS[server.engine]


def restored(host: SampleHost, job: str, instance: str, *arguments: str) -> dict[str, Any]:
    """Restore by the command line, with the credentials of the job."""
    where = ("--config-dir", str(host.config_dir), "--json", "-i", str(host.identity_file))
    done = host.command("restore", job, instance, *arguments, *where)
    assert done.returncode == 0, (done.stdout, done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def content(server: PrivateServer, database: str) -> list[tuple[Any, ...]]:
    statement = "SELECT count(*), sum(amount), max(name) FROM orders JOIN customers ON customers.id = customer"
    return [tuple(str(value) for value in row) for row in server.sql(statement, database=database)]


def test_the_login_of_the_jobs_came_back_with_the_accounts(servers: dict[str, PrivateServer]) -> None:
    for server in servers.values():
        assert server.sql("SELECT 1", user=USER, password=PASSWORD) == [(1,)]


@pytest.mark.parametrize(
    ("job", "instance"),
    [
        ("nightly", "pg15"),
        ("parts", "pg15_parts"),
        ("passphrase", "pg15_passphrase"),
        ("nightly", "mariadb"),
        ("parts", "mariadb_parts"),
        ("plain", "mariadb_plain"),
    ],
)
def test_a_database_comes_back(host: SampleHost, servers: dict[str, PrivateServer], job: str, instance: str) -> None:
    server = servers["postgresql" if instance.startswith("pg") else "mariadb"]
    result = restored(host, job, instance, "shop", "--target", "shop_again", "-o", "jobs=2")
    assert result["status"] == "restored", result["message"]
    assert (result["inventory_difference"], result["warnings"]) == ([], [])
    assert content(server, "shop_again") == [("100", "7575.00", "Renée 9")]


def test_an_older_backup_and_one_by_its_path_come_back(host: SampleHost, servers: dict[str, PrivateServer]) -> None:
    server = servers["postgresql"]
    older = min(host.folder_of("pg15").parent.glob("2*"))
    restored(host, "nightly", "pg15", "shop", "--backup-id", older.name, "--target", "older")
    restored(host, "nightly", "pg15", "--path", str(host.folder_of("pg15_detached")), "--target", "by_path")
    assert content(server, "older") == content(server, "by_path")


def test_a_partial_backup_comes_back_with_what_it_has(host: SampleHost, servers: dict[str, PrivateServer]) -> None:
    restored(host, "nightly", "pg15", "--path", str(host.folder_of("pg15_partial", "wiki")), "--target", "wiki")
    assert servers["postgresql"].sql("SELECT body FROM pages ORDER BY id", database="wiki") == [
        ("Welcome",),
        ("Renée",),
    ]


@pytest.mark.slow
def test_every_newest_backup_passes_a_drill(host: SampleHost, scratch: Path) -> None:
    scratch.chmod(0o711)
    work_dir = scratch / "work"
    work_dir.mkdir(mode=0o711)
    keys = Keys(identity_file=str(host.identity_file), passphrase=PASSPHRASE)
    result = drill_all(host.repository, keys=keys, work_dir=str(work_dir))
    verdicts = {entry["instance"]: entry["verdict"] for entry in result["drills"]}
    places = ("pg15", "pg15_parts", "pg15_passphrase", "pg15_detached", "pg15_partial")
    assert verdicts == dict.fromkeys([*places, "mariadb", "mariadb_parts", "mariadb_plain"], "equal"), result["message"]


@pytest.mark.slow
def test_the_jobs_go_on_where_the_version_before_ended(host: SampleHost, servers: dict[str, PrivateServer]) -> None:
    for instance in ("pg15", "mariadb"):
        restored(host, "nightly", instance, "shop", "--target", "shop")
    for job, instances in (
        ("nightly", ["pg15", "mariadb"]),
        ("parts", ["pg15_parts", "mariadb_parts"]),
        ("passphrase", ["pg15_passphrase"]),
        ("plain", ["mariadb_plain"]),
    ):
        before = {instance: host.folder_of(instance) for instance in instances}
        status, result = host.run(job)
        assert (status, result["status"], result["warnings"]) == (0, "ok", []), result["message"]
        # A drill is due once the sample is older than a week.
        assert result["drill"] is None or result["drill"]["status"] == "ok"
        assert result["prune"] is None or result["prune"]["removed"] == 0
        assert all(host.folder_of(instance) > folder for instance, folder in before.items())
        record = host.record(job)
        assert record["last_success"] == result["finished"]
    done = host.command("list", str(host.repository), "--instance", "pg15", "--database", "shop", "--json")
    assert json.loads(done.stdout)["count"] == 3
