# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_drill, and the playbook drill on a host that only reads a repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import mysql_dumps, postgresql_dumps
from support.ansible import ROOT, UNREACHABLE, AnsibleRun, this_machine
from support.drills import servers_in
from support.golden import assert_golden
from support.library import IDENTITY, back_up, entry_of
from support.returns import documentation_of, promised, undocumented

PLAYBOOK = "vya.backupdb.drill"
MODULE = "vya.backupdb.backup_drill"


@pytest.fixture
def repository(scratch: Path, postgres15: Any, mariadb: Any) -> Path:
    """A good backup of each engine."""
    folder = scratch / "repository"
    folder.mkdir(mode=0o700)
    for server, dumps, instance in ((postgres15, postgresql_dumps, "pg"), (mariadb, mysql_dumps, "my")):
        with dumps.new_database(server, "shop"):
            server.sql("CREATE TABLE t (id int PRIMARY KEY)", database="shop")
            server.sql("INSERT INTO t VALUES (1), (2)", database="shop")
            result = back_up(server, folder, databases=["shop"], fingerprints=True, host=instance)
            assert result["status"] == "ok", result["message"]
    return folder


@pytest.fixture
def inventory(scratch: Path, repository: Path, work_dir: Path) -> dict[str, Any]:
    """A host that drills: it has no instances of its own."""
    drill = {"drill_work_dir": str(work_dir), "drill_identity": IDENTITY.reveal()}
    return {
        "all": {"vars": this_machine(scratch, backupdb_repository=str(repository), **drill), "hosts": {"driller": {}}}
    }


def test_the_playbook_proves_the_newest_backup_of_every_database(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path, work_dir: Path
) -> None:
    playbook = ROOT / "playbooks" / "drill.yml"
    plan = run_playbook(playbook, inventory=inventory, check=True)
    assert plan.returncode == 0, plan.output
    assert list(repository.rglob("drill-*.json")) == []
    programs = {
        entry["program"].rpartition("/")[2] for entry in plan.summary("drill_summary")["hosts"]["driller"]["drills"]
    }
    assert programs == {"postgres", "mariadbd"}

    run = run_playbook(playbook, inventory=inventory, verbosity=3)
    assert run.returncode == 0, run.output
    assert plan.lines() <= 16  # with one about the preparation
    assert IDENTITY.reveal() not in run.output
    summary = run.summary("drill_summary")
    assert summary["status"] == "ok"
    told = summary["hosts"]["driller"]
    assert told["proven"] == 2
    assert {entry["verdict"] for entry in told["drills"]} == {"equal"}
    assert len(list(repository.rglob("drill-*.json"))) == 2
    assert any("compared with the source by fingerprints" in line for line in run.output.splitlines())
    assert servers_in(work_dir) == []


def test_every_host_is_tried_and_told_of_before_bad_ones_fail(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path, repository: Path
) -> None:
    empty = scratch / "empty"
    empty.mkdir(mode=0o700)
    inventory["all"]["hosts"].update({"gone": UNREACHABLE, "empty": {"backupdb_repository": str(empty)}})
    bad = next(repository.glob("my/**/data.sql*"))
    bad.write_bytes(bad.read_bytes()[:-1])
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode != 0
    summary = run.summary("drill_summary")
    statuses = {host: entry["status"] for host, entry in summary["hosts"].items()}
    assert statuses == {"driller": "failed", "gone": "unreachable", "empty": "failed"}
    assert summary["hosts"]["driller"]["proven"] == 1
    assert "ArchiveDamaged" not in summary["hosts"]["driller"]["message"]
    assert bad.name in summary["hosts"]["driller"]["message"]
    assert "nothing to drill" in summary["hosts"]["empty"]["message"]
    assert_golden("drill_of_three_hosts", run.shows("Report on all hosts"), {str(scratch): "/srv"})


def test_the_module_fails_with_the_verdict_of_each_backup(
    run_module: Callable[..., Any], repository: Path, work_dir: Path
) -> None:
    options = {"repository": str(repository), "work_dir": str(work_dir), "instance": "test", "database": "sh*"}
    good = run_module(MODULE, {**options, "host": "pg", "identity": IDENTITY.reveal()})
    assert not good.failed, good.result
    assert good.result["changed"]
    assert good.result["drills"][0]["verdict"] == "equal"
    documented = documentation_of(MODULE, "RETURN")
    assert undocumented(good.result, documented) == []
    assert promised(documented, "always", "when backups were chosen", "when backups were drilled") <= set(good.result)
    again = run_module(MODULE, {**options, "select": "oldest_unproven", "count": 5, "identity": IDENTITY.reveal()})
    assert [entry["host"] for entry in again.result["drills"]] == ["my"]
    bad = run_module(MODULE, {**options, "host": "my", "passphrase": "not the one for it"})
    assert bad.failed
    assert bad.result["error_kind"] == "WrongKey"
    assert "the keys that were given do not open" in bad.result["msg"]


def test_a_path_is_drilled_without_a_repository(
    run_module: Callable[..., Any], scratch: Path, postgres15: Any, work_dir: Path
) -> None:
    folder = scratch / "other"
    folder.mkdir(mode=0o700)
    with postgresql_dumps.new_database(postgres15, "shop"):
        path = entry_of(back_up(postgres15, folder, databases=["shop"]), "shop")["path"]
    done = run_module(MODULE, {"paths": [path], "work_dir": str(work_dir), "identity": IDENTITY.reveal()})
    assert done.result["drills"][0]["verdict"] == "equal"
    wrong = run_module(MODULE, {"paths": [path], "host": "db1"})
    assert wrong.failed
    assert "mutually exclusive" in wrong.result["msg"]
