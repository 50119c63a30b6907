# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook refresh: staging databases from the newest proven backup of another server, with their rows masked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository.drill_records import write_drill
from support.ansible import AnsibleRun, this_machine
from support.library import HOST, IDENTITY, back_up, stored_backups
from support.private_server import PrivateServer
from support.restores import clean, make_database, names

PLAYBOOK = "vya.backupdb.refresh"
MAIL = "alice@example.org"
SALT = "salt-of-twenty-characters"


def made(server: PrivateServer, repository: Path) -> str:
    """Two databases with a proven backup each, and a newer one of the first that nobody has drilled; returns its id."""
    for name in ("shop", "wiki"):
        make_database(server, name)
        server.sql("CREATE TABLE client (mail varchar(200))", database=name)
        server.sql(f"INSERT INTO client VALUES ('{MAIL}')", database=name)
    back_up(server, repository, databases=["shop", "wiki"], accounts=False, row_counts=True)
    for name in ("shop", "wiki"):
        folder = stored_backups(repository, name)[0].folder
        record = {"schema": 1, "backup_id": folder.name, "verdict": "equal", "finished": "2026-11-24T04:00:00Z"}
        write_drill(folder, record)
    return str(stored_backups(repository, "shop")[0].folder.name)


def script(folder: Path, name: str, sql: str, server: PrivateServer) -> str:
    schema = "public." if server.engine == "postgresql" else ""
    path = folder / name
    path.write_text(sql.replace("{}", schema), encoding="utf-8")
    return str(path)


def mails(server: PrivateServer, database: str) -> list[str]:
    return [row[0] for row in server.sql("SELECT mail FROM client", database=database)]


@pytest.mark.parametrize("kind", ["postgres15", "mariadb"])
def test_staging_databases_are_refreshed_masked_and_one_that_fails_stops_no_other(
    request: pytest.FixtureRequest,
    run_playbook: Callable[..., AnsibleRun],
    server_factory: Callable[..., Any],
    repository: Path,
    scratch: Path,
    kind: str,
) -> None:
    source, staging = request.getfixturevalue(kind), server_factory(kind)
    with clean(source):
        proven = made(source, repository)
        mask = script(scratch, "mask.sql", f"-- {SALT}\nUPDATE {{}}client SET mail = 'it''s masked';\n", source)
        host = this_machine(
            scratch,
            backupdb_repository=str(repository),
            backupdb_recipients=[IDENTITY.recipient],
            backupdb_instances=[
                {"id": "staging", "engine": staging.engine, "login_host": staging.host, "login_port": staging.port}
            ],
            backupdb_logins={"staging": {"login_user": staging.user, "login_password": staging.password}},
            backupdb_become=False,
            backupdb_user="root",
        )
        variables = {
            "refresh_instance": "staging",
            "refresh_source_host": HOST,
            "refresh_source_instance": "test",
            "refresh_databases": [{"database": "shop"}, {"database": "wiki", "target": "wiki_test"}],
            "refresh_login_user": staging.user,
            "refresh_login_password": staging.password,
            "refresh_identity": IDENTITY.reveal(),
        }

        def run(**more: Any) -> AnsibleRun:
            check, verbosity = more.pop("check", False), more.pop("verbosity", 0)
            return run_playbook(
                PLAYBOOK,
                inventory={"all": {"hosts": {"staging1": host}}},
                extra_vars={**variables, **more},
                check=check,
                verbosity=verbosity,
            )

        bare = run()
        assert bare.returncode != 0
        assert "no script masks 'shop', 'wiki'" in bare.output
        planned = run(refresh_masking=[mask], check=True)
        assert planned.returncode == 0, planned.output
        assert {"shop", "wiki_test"} & names(staging) == set()

        # The newest backup is not proven, and so not taken.
        source.sql("DELETE FROM client", database="shop")
        back_up(source, repository, databases=["shop"], accounts=False)
        done = run(refresh_masking=[mask], verbosity=3)
        assert done.returncode == 0, done.output
        summary = done.summary("refresh_summary")
        rows = summary["hosts"]["staging1"]["databases"]
        assert [(row["target"], row["status"], row["masked_by"]) for row in rows] == [
            ("shop", "restored", [mask]),
            ("wiki_test", "restored", [mask]),
        ]
        assert rows[0]["backup_id"] == proven
        assert mails(staging, "shop") == mails(staging, "wiki_test") == ["it's masked"]
        for secret in (SALT, IDENTITY.reveal(), staging.password, MAIL):
            assert secret not in done.output

        wrong = script(scratch, "wrong.sql", "UPDATE {}nowhere SET mail = 'x'", source)
        staging.sql("UPDATE client SET mail = 'old'", database="shop")
        databases = [{"database": "shop", "masking": [wrong]}, {"database": "wiki", "masking": [mask]}]
        half = run(refresh_databases=databases)
        assert half.returncode != 0
        rows = half.summary("refresh_summary")["hosts"]["staging1"]["databases"]
        assert [row["status"] for row in rows] == ["failed", "restored"]
        assert "wrong.sql" in half.output and "'shop' is as it was" in rows[0]["message"]
        assert mails(staging, "shop") == ["old"]
        assert [name for name in names(staging) if "_restoring_" in name or "_replaced_" in name] == []


def test_the_server_that_the_backups_are_of_is_refused_unless_told_otherwise(
    run_playbook: Callable[..., AnsibleRun], mariadb: PrivateServer, repository: Path, scratch: Path
) -> None:
    with clean(mariadb):
        made(mariadb, repository)
        mask = script(scratch, "mask.sql", "UPDATE {}client SET mail = 'masked'", mariadb)
        host = this_machine(
            scratch,
            backupdb_repository=str(repository),
            backupdb_instances=[
                {"id": "test", "engine": "mariadb", "login_host": mariadb.host, "login_port": mariadb.port}
            ],
            backupdb_logins={"test": {"login_user": mariadb.user, "login_password": mariadb.password}},
            backupdb_become=False,
            backupdb_user="root",
        )
        variables = {
            "refresh_instance": "test",
            "refresh_source_host": HOST,
            "refresh_databases": [{"database": "shop"}],
            "refresh_masking": [mask],
            "refresh_identity": IDENTITY.reveal(),
        }
        inventory = {"all": {"hosts": {HOST: host}}}
        refused = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=variables)
        assert refused.returncode != 0
        assert "only_elsewhere refuses that" in refused.output
        assert mails(mariadb, "shop") == [MAIL]
        allowed = run_playbook(PLAYBOOK, inventory=inventory, extra_vars={**variables, "refresh_allow_source": True})
        assert allowed.returncode == 0, allowed.output
        assert mails(mariadb, "shop") == ["masked"]
