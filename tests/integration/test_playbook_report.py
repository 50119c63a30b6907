# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of real servers: what was backed up, drilled, failed, left out and dropped is what the report says."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup.request import Selection
from backupdb.repository.catalogue import Filter
from support import mysql_dumps, postgresql_dumps, run_state
from support.ansible import UNREACHABLE, AnsibleRun, this_machine
from support.drills import drill_all
from support.library import IDENTITY, back_up
from support.returns import documentation_of, promised, undocumented

PLAYBOOK = "vya.backupdb.report"
MODULE = "vya.backupdb.backup_report"


@pytest.fixture(scope="module")
def repository(postgres15: Any, mariadb: Any) -> Iterator[Path]:
    """Backups of two servers: one proven, one that cannot be made any more, one left out, and one of what is gone."""
    top = run_state.new_folder("report")
    top.chmod(0o711)
    folder, work_dir = top / "repository", top / "work"
    for path, mode in ((folder, 0o700), (work_dir, 0o711)):
        path.mkdir(mode=mode)
    with postgresql_dumps.new_database(postgres15, "shop"), postgresql_dumps.new_database(postgres15, "tmp_1"):
        postgres15.sql("CREATE TABLE t (id int PRIMARY KEY)", database="shop")
        postgres15.sql("INSERT INTO t SELECT generate_series(1, 500)", database="shop")
        with postgresql_dumps.new_database(postgres15, "gone_one"), postgresql_dumps.new_database(postgres15, "orders"):
            first = back_up(postgres15, folder, host="db1", databases=["shop", "orders", "gone_one"], row_counts=True)
            assert first["status"] == "ok", first["message"]
        time.sleep(1.1)  # backups of one second have no order
        # Two are dropped: one that may be missing, and one that was asked for by its name.
        wanted = Selection(("*", "orders"), ("tmp_*",))
        back_up(postgres15, folder, host="db1", selection=wanted, row_counts=True)
    with mysql_dumps.new_database(mariadb, "wiki"):
        assert back_up(mariadb, folder, host="db2", databases=["wiki"])["status"] == "ok"
    wanted_drill = Filter(database="shop")
    assert drill_all(folder, wanted=wanted_drill, work_dir=str(work_dir))["status"] == "ok"
    yield folder
    run_state.remove_with_servers(top)


def test_the_report_says_of_every_database_what_became_of_it(
    run_playbook: Callable[..., AnsibleRun], scratch: Path, repository: Path
) -> None:
    page = scratch / "report.html"
    common = this_machine(scratch, backupdb_repository=str(repository), report_path=str(page))
    inventory = {"all": {"vars": common, "hosts": {"db1": {}, "db2": {}, "away": UNREACHABLE}}}
    looked = run_playbook(PLAYBOOK, inventory=inventory, arguments=["--limit", "db1,db2"], check=True)
    assert (looked.returncode, looked.is_quiet(), page.exists()) == (0, True, False), looked.output
    assert f"would write {page}" in looked.output
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert f"wrote {page}" in run.output
    assert {host: entry["status"] for host, entry in run.summary("report_summary")["hosts"].items()} == {
        "db1": "ok",
        "db2": "ok",
        "away": "unreachable",
    }
    failed = {entry.host for entry in run.of_task("Look at the backups of this host") if entry.kind != "ok"}
    assert failed == {"away"}

    model = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    known = {entry["database"]: entry for entry in model["databases"] if entry["kind"] == "database"}
    assert {name: entry["coverage"] for name, entry in known.items()} == {
        "shop": "proven",
        "orders": "failed",
        "gone_one": "vanished",
        "wiki": "fresh",
    }
    assert known["shop"]["restore_source"] == "drill"
    assert known["shop"]["history"][0]["rows"] == 500
    excluded = {
        one["name"]: one["rule"] for host in model["hosts"] for at in host["instances"] for one in at["excluded"]
    }
    assert excluded["tmp_1"] == "excluded by 'tmp_*'"
    said = " ".join(item["host"] + item["subject"] + item["why"] for item in model["attention"])
    assert "away" in said
    assert "orders" in said
    (key,) = model["keys"]
    assert key["backups"] == key["alone"] >= 4

    text = page.read_text(encoding="utf-8")
    assert all(name in text for name in ("shop", "orders", "gone_one", "tmp_1", "wiki", "away"))
    with page.with_suffix(".csv").open(encoding="utf-8") as table:
        rows = {row["database"]: row["coverage"] for row in csv.DictReader(table)}
    assert (rows["tmp_1"], rows["shop"]) == ("excluded", "proven")
    assert {path.stat().st_mode & 0o777 for path in scratch.glob("report.*")} == {0o600}
    assert IDENTITY.reveal() not in text + run.output


def test_the_module_returns_what_is_documented_and_no_other_verdict_than_the_status(
    run_module: Callable[..., Any], repository: Path
) -> None:
    documented = documentation_of(MODULE, "RETURN")
    options = {"repository": str(repository)}
    run = run_module(MODULE, {**options, "retention": {"keep_last": 1}})
    assert not run.failed, run.output
    assert not run.changed
    assert undocumented(run.result, documented) == []
    assert set(run.result) >= promised(documented, "success")
    status = run_module("vya.backupdb.backup_status", options)
    rows = {(row["instance"], row["database"]): row["state"] for row in status.result["rows"]}
    facts = run.result["facts"]
    assert {(one["instance"], one["database"]): one["state"] for one in facts["databases"]} == rows
    assert facts["status"] == status.result["status"]
    assert [one["text"] for one in facts["complaints"]] == status.result["complaints"]
    shop = next(one for one in facts["databases"] if one["database"] == "shop")
    assert shop["retention"]["freed_bytes"][0] == shop["history"][1]["stored_bytes"]


def test_what_cannot_be_looked_at_says_what_to_do(run_module: Callable[..., Any]) -> None:
    run = run_module(MODULE, {"repository": "/nonexistent"})
    assert (run.failed, run.result["error_kind"], "mount it" in run.message) == (True, "RepositoryError", True)
