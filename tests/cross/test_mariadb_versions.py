# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup of MariaDB 10.11 comes back in MariaDB 11.8. Run by ./tools/cross-version, which unpacks 11.8."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.mysql import server_program
from backupdb.errors import RestoreRefused
from backupdb.restore import run as restore
from support.drills import drilled, servers_in
from support.library import SCHEMAS, back_up
from support.mysql_server import PrivateMariaDB
from support.restores import clean, details_of, make_database, names, quoted, restore_request, restored

TORTURE = SCHEMAS / "mariadb_torture.sql"
VERSIONED = (
    "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = 'torture' AND table_type = 'SYSTEM VERSIONED'"
)
NEWER = Path("/var/cache/vya-backupdb/trixie/usr")


@pytest.fixture(scope="module")
def newer() -> Iterator[PrivateMariaDB]:
    with PrivateMariaDB(installed=NEWER) as server:
        yield server


@pytest.fixture
def older(mariadb: Any) -> Iterator[Any]:
    """10.11 with one of everything in the database torture."""
    with clean(mariadb):
        make_database(mariadb, "torture")
        mariadb.run_sql_script(TORTURE, database="torture")
        yield mariadb


@pytest.fixture
def unversioned(older: Any) -> Any:
    """10.11 with one of everything but system-versioned tables: 11.5 moved the end of their current rows."""
    for (name,) in older.sql(VERSIONED):
        older.sql(f"DROP TABLE {quoted(older, name)}", database="torture")
    return older


def version(server: Any) -> str:
    return str(server.sql("SELECT VERSION()")[0][0])


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("client", ["10.11", "11.8"])
def test_a_backup_of_10_11_comes_back_in_11_8(
    unversioned: Any, newer: PrivateMariaDB, repository: Path, monkeypatch: pytest.MonkeyPatch, client: str, jobs: int
) -> None:
    assert (version(unversioned)[:6], version(newer)[:5]) == ("10.11.", "11.8.")
    back_up(unversioned, repository, databases=["torture"], jobs=jobs, row_counts=True, fingerprints=True)
    before = details_of(unversioned, "torture")
    if client == "11.8":
        monkeypatch.setenv("PATH", f"{NEWER}/bin:{os.environ['PATH']}")
    with clean(newer):
        restored(newer, repository, "torture", target="torture", jobs=jobs)
        after = details_of(newer, "torture")
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert after.properties == before.properties


def test_system_versioned_tables_of_10_11_are_refused_by_11_8(
    older: Any, newer: PrivateMariaDB, repository: Path
) -> None:
    back_up(older, repository, databases=["torture"])
    with pytest.raises(RestoreRefused, match=r"has 2 system-versioned tables of mariadb 10\.11\."):
        restore.run(restore_request(newer, repository, "torture", target="torture"))
    assert "torture" not in names(newer)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_backup_of_10_11_is_drilled_on_11_8_and_the_record_says_so(
    unversioned: Any, repository: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    back_up(unversioned, repository, databases=["torture"], jobs=jobs, row_counts=True, fingerprints=True)
    # A host that has no other MariaDB server: Debian's own lies in /usr/sbin.
    monkeypatch.setattr(server_program, "_FOLDERS", ())
    monkeypatch.setenv("PATH", f"{NEWER}/sbin:{NEWER}/bin:/usr/bin:/bin")
    scratch.chmod(0o711)
    work_dir = scratch / "work"
    work_dir.mkdir(mode=0o711)
    entry = drilled(repository, work_dir=str(work_dir), jobs=jobs)
    assert entry["verdict"].startswith("equal"), entry["differences"]
    kept = json.loads(Path(entry["record"]).read_text(encoding="utf-8"))
    assert kept["source"]["version"].startswith("10.11.")
    assert kept["server"]["version"].startswith("11.8.")
    assert kept["server"]["program"] == str(NEWER / "sbin" / "mariadbd")
    assert kept["compared"] == ["inventory", "row_counts", "properties", "grants"]
    assert "the drill ran on 11.8." in kept["not_compared"][0]["why"]
    assert servers_in(work_dir) == []
