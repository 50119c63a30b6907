# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_status, and the playbook status over hosts that are well, late, silent and out of reach."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT, UNREACHABLE, AnsibleRun
from support.golden import assert_golden
from support.monitored import NASTY, job_of, keep, note_job, note_run
from support.returns import documentation_of, promised, undocumented
from support.tree import folder_state

MODULE = "vya.backupdb.backup_status"
PLAYBOOK = "vya.backupdb.status"


@pytest.fixture
def hosts(scratch: Path) -> dict[str, Any]:
    """An inventory of four hosts, each with a repository of its own, one of which cannot be reached."""
    found: dict[str, Any] = {"gone": UNREACHABLE}
    for name, hours in (("db1", 1.0), ("db2", 50.0), ("db3", 0.0)):
        root = scratch / name
        root.mkdir(mode=0o700)
        if hours:
            for database in ("shop", NASTY):
                keep(root, database, hours=hours, host=name)
            note_run(root, {"shop": "complete", NASTY: "complete"}, hours=hours, host=name, accounts=None)
        found[name] = {"backupdb_repository": str(root)}
    common = {
        "ansible_connection": "local",
        "backupdb_state_dir": str(scratch / "state"),
        "backupdb_config_dir": str(scratch / "config-{{ inventory_hostname }}"),
    }
    return {"all": {"vars": common, "hosts": found}}


def test_the_playbook_tells_of_every_host_before_those_that_are_not_well_fail(
    run_playbook: Callable[..., AnsibleRun], hosts: dict[str, Any], scratch: Path
) -> None:
    before = folder_state(scratch / "db1")
    run = run_playbook(PLAYBOOK, inventory=hosts, verbosity=1)
    assert run.returncode != 0
    summary = run.summary("status_summary")
    assert {host: entry["status"] for host, entry in summary["hosts"].items()} == {
        "db1": "ok",
        "db2": "failed",
        "db3": "failed",
        "gone": "unreachable",
    }
    assert summary["status"] == "failed"
    assert summary["hosts"]["db2"]["late"] == ["db2/shop-db/" + NASTY.replace("\udcff", "\\xff"), "db2/shop-db/shop"]
    assert "nothing is backed up here" in summary["hosts"]["db3"]["message"]
    failed = {entry.host for entry in run.of_task("Check the backups of this host") if entry.kind == "failed"}
    assert failed == {"db2", "db3", "gone"}
    assert "INSTANCE  DATABASE" in run.output
    assert "HOST  STATE" in run.output
    assert {entry["changed"] for entry in run.stats["hosts"].values()} == {0}
    assert folder_state(scratch / "db1") == before
    assert_golden("status_of_four_hosts", run.shows("Report on all hosts"), {str(scratch): "/srv"})


def test_a_fleet_that_is_well_is_ok_also_in_check_mode_and_older_backups_when_that_is_allowed(
    run_playbook: Callable[..., AnsibleRun], hosts: dict[str, Any]
) -> None:
    run = run_playbook(
        ROOT / "playbooks" / "status.yml",
        inventory=hosts,
        extra_vars={"backupdb_max_age": "3d"},
        arguments=["--limit", "db1,db2"],
        check=True,
    )
    assert run.returncode == 0, run.output
    assert run.is_quiet(), run.output
    assert run.summary("status_summary")["message"] == "2 hosts ok"
    assert "INSTANCE  DATABASE" not in run.output


def test_the_module_returns_what_is_documented_and_fails_with_everything_in_its_result(
    run_module: Callable[..., Any], scratch: Path
) -> None:
    root = scratch / "repository"
    root.mkdir(mode=0o700)
    job = job_of(root)
    (scratch / "config" / "jobs.d").mkdir(parents=True)
    (scratch / "config" / "jobs.d" / "nightly.json").write_text(json.dumps(job.values()))
    keep(root, "shop", hours=1, drill="equal")
    keep(root, None, hours=1)
    note_run(root, {"shop": "complete"})
    note_job(job, "ok")
    options = {"config_dir": str(scratch / "config")}
    documented = documentation_of(MODULE, "RETURN")
    good = run_module(MODULE, options)
    assert not good.failed, good.output
    assert not good.changed
    note_run(root, {"shop": "failed"}, hours=0.5, error="wrong flag")
    bad = run_module(MODULE, options, check=True)
    assert bad.failed
    assert "wrong flag" in bad.message
    for run in (good, bad):
        assert undocumented(run.result, documented) == []
        assert set(run.result) >= promised(documented, "always", "success or not well")
    assert [row["state"] for row in bad.result["rows"]] == ["ok", "failed"]
    assert good.result["rows"][1]["drill"]["verdict"] == "equal"


@pytest.mark.parametrize(
    ("options", "kind", "word"),
    [
        ({"repository": "/nonexistent"}, "RepositoryError", "mount it"),
        ({"repository": "/", "max_age": "soon"}, "InvalidOption", "max_age"),
    ],
)
def test_what_cannot_be_looked_at_says_what_to_do(
    run_module: Callable[..., Any], options: dict[str, str], kind: str, word: str
) -> None:
    run = run_module(MODULE, options)
    assert run.failed
    assert (run.result["error_kind"], word in run.message) == (kind, True)
