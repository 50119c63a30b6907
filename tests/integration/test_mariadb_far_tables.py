# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: FEDERATED tables, whose rows are on another server, and what belongs to the instance for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.drills import drilled
from support.library import back_up, entry_of, plain
from support.mysql_dumps import execute, opened
from support.restores import restore, restore_request


@pytest.fixture
def far(server_factory: Any) -> Iterator[Any]:
    """A server with a FEDERATED table in its database `near`."""
    private = server_factory("mariadb")
    execute(
        private,
        "INSTALL SONAME 'ha_federatedx'",
        "CREATE USER far@localhost IDENTIFIED BY 'CANARY'",
        "CREATE DATABASE far",
        "CREATE TABLE far.t (id int PRIMARY KEY)",
        "GRANT ALL ON far.* TO far@localhost",
        "CREATE SERVER far_s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'far', PASSWORD 'CANARY',"
        f" SOCKET '{private.socket}', HOST 'localhost', DATABASE 'far')",
        "CREATE DATABASE near",
        "CREATE TABLE near.own (x int)",
        "INSERT INTO near.own VALUES (1)",
        "CREATE TABLE near.zfed (id int PRIMARY KEY) ENGINE=FEDERATED CONNECTION='far_s/t'",
        "CREATE VIEW near.v AS SELECT id FROM near.zfed",
    )
    yield private


def test_a_table_whose_far_end_is_gone_is_named_and_costs_nothing_else(
    far: Any, repository: Path, work_dir: Path
) -> None:
    execute(far, "DROP TABLE far.t", "FLUSH TABLES")
    with opened(far) as here:
        assert here.facts.data_bytes
        assert {"far", "near"} <= {one.name for one in here.engine.databases()}
    result = back_up(far, repository, databases=["near", "far"])
    assert entry_of(result, "far")["status"] == "complete", result["message"]
    near = entry_of(result, "near")
    assert near["status"] == "partial"
    assert any("table zfed" in line and "Remote table does not exist" in line for line in near["missing"])
    done = restore.run(restore_request(far, repository, "near", target="near_copy"))
    assert done["status"] == "restored_with_errors", done["message"]
    assert "table zfed: " in " ".join(done["errors"])
    assert execute(far, "SELECT x FROM near_copy.own") == [(1,)]


def test_a_server_of_the_instance_is_among_the_accounts_and_comes_back(
    far: Any, repository: Path, work_dir: Path
) -> None:
    result = back_up(far, repository, databases=["near"], row_counts=True)
    assert entry_of(result, "near")["status"] == "complete"
    assert any("rows of FEDERATED tables" in line and "zfed" in line for line in entry_of(result, "near")["warnings"])
    accounts = plain(result["accounts"]["path"], "accounts", format="sql")
    assert b"CREATE SERVER `far_s`" in accounts
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", (entry["differences"], entry["error"])
    assert any("without them here: zfed" in line for line in entry["warnings"])
    assert "CANARY" not in str(entry)
