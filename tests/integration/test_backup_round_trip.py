# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run, brought back by nothing but `age`, `zstd` and the database's own client."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from backupdb.archives.envelope import Encryption
from backupdb.streams.compression import Compression
from support import mysql_dumps, mysql_sid, postgresql_dumps
from support.library import SCHEMAS, back_up, entry_of, plain, stored_backups

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))


def shell(command: str) -> None:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def archives(folder: str) -> list[str]:
    """The archives of a backup in the order of restore."""
    order = {"pre": 0, "pre-data": 0, "data": 1, "rest": 2, "post": 3, "post-data": 3}
    parts = {
        archive["part"]: archive["name"]
        for archive in json.loads(Path(folder, "manifest.json").read_text())["archives"]
    }
    return [parts[part] for part in sorted(parts, key=lambda part: (order.get(part, 1), part))]


@pytest.fixture
def postgresql_torture(postgres15: Any) -> Iterator[Any]:
    with postgresql_dumps.new_database(postgres15, "torture_run"):
        postgres15.run_sql_script(SCHEMAS / "postgresql_torture.sql", database="torture_run")
        yield postgres15
    postgres15.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")


@pytest.mark.distro
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_postgresql_database_comes_back_by_standard_programs(
    postgresql_torture: Any, repository: Path, identity_file: Path, jobs: int
) -> None:
    server = postgresql_torture
    result = back_up(server, repository, databases=["torture_run"], jobs=jobs, row_counts=True, fingerprints=True)
    assert result["status"] == "ok", result["message"]
    folder = entry_of(result, "torture_run")["path"]
    shell(f"cd {shlex.quote(folder)} && sha256sum --quiet -c manifest.json.sha256")
    with postgresql_dumps.new_database(server, "again", options="ENCODING UTF8"):
        login = f"PGPASSFILE={server.password_file} {server.binaries}/pg_restore -h {server.host}"
        login += f" -p {server.port} -U postgres"
        for name in archives(folder):
            shell(f"cd {shlex.quote(folder)} && age -d -i {identity_file} {name} | zstd -d | {login} -e -d again")
        assert postgresql_dumps.plain(server, "again") == postgresql_dumps.plain(server, "torture_run")


@pytest.mark.distro
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mariadb_database_comes_back_by_standard_programs(
    mariadb: Any, repository: Path, identity_file: Path, jobs: int
) -> None:
    clause = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
    with mysql_dumps.new_database(mariadb, "torture_run", clause):
        mariadb.run_sql_script(SCHEMAS / "mariadb_torture.sql", database="torture_run")
        result = back_up(mariadb, repository, databases=["torture_run"], jobs=jobs, row_counts=True)
        assert result["status"] == "ok", result["message"]
        folder = entry_of(result, "torture_run")["path"]
        shell(f"cd {shlex.quote(folder)} && sha256sum --quiet -c manifest.json.sha256")
        with mysql_dumps.new_database(mariadb, "again", clause):
            client = f"{mariadb.client} --defaults-extra-file={mariadb.client_file} --binary-mode again"
            for name in archives(folder):
                shell(f"cd {shlex.quote(folder)} && age -d -i {identity_file} {name} | zstd -d | {client}")
            names = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type <> 'VIEW'"
            tables = [row[0] for row in mariadb.sql(names, parameters=("torture_run",))]
            assert tables
            for table in tables:
                pair = [
                    mariadb.sql(f"CHECKSUM TABLE {database}.{mysql_dumps.quoted(table)} EXTENDED")[0][1]
                    for database in ("torture_run", "again")
                ]
                assert pair[0] == pair[1], table


@pytest.mark.mysql
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mysql_database_comes_back_by_standard_programs(
    mysql: Any, repository: Path, identity_file: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    clause = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
    with mysql_dumps.new_database(mysql, "torture_run", clause):
        mysql.run_sql_script(SCHEMAS / "mysql_torture.sql", database="torture_run")
        result = back_up(mysql, repository, databases=["torture_run"], jobs=jobs, row_counts=True, fingerprints=True)
        assert result["status"] == "ok", result["message"]
        manifest = stored_backups(repository, "torture_run")[0].manifest
        jsonschema.validate(manifest, SCHEMA)
        folder = entry_of(result, "torture_run")["path"]
        with mysql_dumps.new_database(mysql, "again", clause):
            client = f"{mysql.client} --defaults-extra-file={mysql.client_file} --binary-mode again"
            for name in archives(folder):
                shell(f"cd {shlex.quote(folder)} && age -d -i {identity_file} {name} | zstd -d | {client}")
            back = back_up(mysql, repository, databases=["again"], row_counts=True, fingerprints=True)
        again = stored_backups(repository, "again")[0].manifest
        assert back["status"] == "ok", back["message"]
        for key in ("inventory", "row_counts", "fingerprints"):
            assert again[key] == manifest[key]


@pytest.mark.mysql
def test_hashes_of_caching_sha2_password_are_stored_in_hex(
    mysql: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their salt holds bytes that no text survives; the statement must make the same login on another server."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    mysql.sql("CREATE USER hashed IDENTIFIED WITH caching_sha2_password BY 'a password for hex'")
    try:
        result = back_up(mysql, repository, databases=[], selection=_nothing())
        document = json.loads(plain(result["accounts"]["path"], "accounts", format="json"))
        account = next(entry for entry in document["accounts"] if entry["name"] == "hashed")
        identity = next(entry["sql"] for entry in account["statements"] if entry["kind"] == "identity")
        assert re.search(r"AS 0x24[0-9A-F]+", identity)
        mysql.sql("DROP USER hashed")
        mysql.sql(identity.rstrip(";"))
        assert mysql.sql("SELECT 1", user="hashed", password="a password for hex") == [(1,)]
    finally:
        mysql.sql("DROP USER IF EXISTS hashed")


@pytest.mark.parametrize("encryption", ["age", "none"])
@pytest.mark.parametrize("method", ["zstd", "gzip", "none"])
def test_every_combination_of_options_is_read_back(
    postgres15: Any, repository: Path, method: str, encryption: str
) -> None:
    with postgresql_dumps.new_database(postgres15, "small"):
        postgres15.sql("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g", database="small")
        options: dict[str, Any] = {"compression": Compression(method)}
        if encryption == "none":
            options["encryption"] = Encryption("none")
        result = back_up(postgres15, repository, databases=["small"], **options)
        assert result["status"] == "ok", result["message"]
        dump = plain(entry_of(result, "small")["path"])
        assert dump.startswith(b"PGDMP")
        with postgresql_dumps.new_database(postgres15, "small_again"):
            path = repository / "plain.dump"
            path.write_bytes(dump)
            login = f"PGPASSFILE={postgres15.password_file} {postgres15.binaries}/pg_restore -h {postgres15.host}"
            shell(f"{login} -p {postgres15.port} -U postgres -e -d small_again {path}")
            assert postgres15.sql("SELECT count(*) FROM t", database="small_again") == [(1000,)]


def _nothing() -> Any:
    from backupdb.backup.request import Selection

    return Selection(include=("nothing*",), allow_empty=True)
