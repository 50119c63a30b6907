# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill restores accounts too, and runs no more of a forged document of them than a restore does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import AccountsExport, Client
from support import mysql_dumps, postgresql_dumps
from support.drills import drilled
from support.library import back_up


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_drill_runs_nothing_of_a_forged_document_and_says_so(
    kind: str, request: pytest.FixtureRequest, repository: Path, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Any = request.getfixturevalue("postgres15" if kind == "postgresql" else kind)
    engine: Any = PostgresqlEngine if kind == "postgresql" else MariadbEngine
    dumps: Any = postgresql_dumps if kind == "postgresql" else mysql_dumps
    mark = work_dir / "forged"
    sql = f"COPY (SELECT 1) TO PROGRAM 'touch {mark}';" if kind == "postgresql" else f"SELECT 1 INTO OUTFILE '{mark}';"
    work_dir.chmod(0o777)
    honest = engine.export_accounts

    def forged(self: Any, client: Client) -> AccountsExport:
        export: AccountsExport = honest(self, client)
        for account in export.document["accounts"]:
            if account["name"] == "forged_one":
                account["statements"].append({"kind": "identity", "database": None, "sql": sql})
        return replace(export, document=export.document)

    monkeypatch.setattr(engine, "export_accounts", forged)
    make, drop = ("CREATE ROLE {}", "DROP ROLE {}") if kind == "postgresql" else ("CREATE USER {}@'%'", "DROP USER {}")
    names = ("forged_one", "honest_one")
    run = server.sql if kind == "postgresql" else lambda text: mysql_dumps.execute(server, text)
    for name in names:
        run(make.format(name))
    try:
        with dumps.new_database(server, "forged_drill") as database:
            back_up(server, repository, databases=[database])
    finally:
        for name in names:
            run(drop.format(name))
    monkeypatch.setattr(engine, "export_accounts", honest)
    entry = drilled(repository, work_dir=str(work_dir))
    assert not mark.exists()
    assert entry["verdict"] == "different"
    (told,) = entry["differences"]
    assert told["found"].startswith("forged_one")
    assert "its block was refused, and nothing of it was carried out" in told["found"]
