# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules backup_prune and backup_pin and the playbook prune, run the way a user runs them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.lock import readers_lock
from backupdb.system.text import utc_now
from support.ansible import UNREACHABLE, AnsibleRun, this_machine
from support.returns import documentation_of, promised, undocumented
from support.stored import DUMP, store, there
from support.tree import folder_state

PRUNE = "vya.backupdb.backup_prune"
PIN = "vya.backupdb.backup_pin"
INFO = "vya.backupdb.backup_info"
COPY = "vya.backupdb.backup_copy"
PLAYBOOK = "vya.backupdb.prune"


def store_daily(root: Path, count: int, *, host: str = "db1", database: str | None = "shop") -> list[StoredBackup]:
    """Backups of the last days, the newest first."""
    root.mkdir(mode=0o700, exist_ok=True)
    now = utc_now() - timedelta(hours=1)
    return [
        store(root, database, host=host, time=now - timedelta(days=day), run_id=f"{day:08x}" + "0" * 24, content=DUMP)
        for day in range(count)
    ]


def test_a_prune_is_planned_done_and_done_once_and_returns_what_is_documented(
    run_module: Callable[..., Any], scratch: Path
) -> None:
    root = scratch / "repository"
    shop = [backup.folder.name for backup in store_daily(root, 5)]
    options = {"repository": str(root), "keep_daily": 2, "max_age": "2d"}
    before = folder_state(root)
    plan = run_module(PRUNE, options, check=True, diff=True)
    assert (plan.changed, plan.result["status"], folder_state(root)) == (True, "planned", before)
    for name, reason in ((shop[1], "keep    keep_daily"), (shop[2], "remove  no rule keeps it")):
        line = next(line for line in plan.output.splitlines() if name in line and "complete" in line)
        assert reason in line and line.startswith("-") == ("remove" in reason)
    done = run_module(PRUNE, options)
    assert (done.changed, done.result["removed"], there(root)) == (True, 3, shop[:2])
    keys = documentation_of(PRUNE, "RETURN")
    assert undocumented(done.result, keys) == []
    assert promised(keys, "always", "when backups were read") <= set(done.result)
    assert not run_module(PRUNE, options).changed


def test_a_doubt_and_a_busy_instance_fail_the_task_and_remove_nothing(
    run_module: Callable[..., Any], scratch: Path
) -> None:
    root = scratch / "repository"
    shop = store_daily(root, 4)
    options = {"repository": str(root), "keep_last": 1}
    with readers_lock(shop[0].folder.parents[1]):
        busy = run_module(PRUNE, options)
    assert busy.failed and busy.result["status"] == "busy" and "are being read" in busy.message
    (shop[3].folder / "manifest.json").write_text("{")
    doubt = run_module(PRUNE, options)
    assert doubt.failed and doubt.result["status"] == "failed"
    assert str(shop[3].folder) in doubt.result["databases"][0]["refused"]
    assert all(backup.folder.exists() for backup in shop)
    nothing = run_module(PRUNE, {"repository": str(root), "max_age": "2d"})
    assert nothing.failed and "keeps nothing but the newest" in nothing.message


def test_a_pin_keeps_a_backup_until_it_is_taken_away_and_changes_only_what_must(
    run_playbook: Callable[..., AnsibleRun], scratch: Path
) -> None:
    root = scratch / "repository"
    shop = store_daily(root, 3)
    old = shop[2].folder
    which = {"repository": str(root), "instance": "shop-db", "database": "shop", "backup_id": old.name}
    pinned = {**which, "reason": "the migration"}
    gone = {"path": str(old), "state": "absent"}
    prune = {"repository": str(root), "keep_last": 1}
    steps: list[tuple[str, dict[str, Any], bool, bool]] = [
        (PIN, pinned, True, True),  # module, options, check mode, changed
        (PIN, pinned, False, True),
        (PIN, pinned, False, False),
        (PIN, pinned, True, False),
        (PIN, which, False, False),  # a pin keeps its reason
        (PRUNE, prune, False, True),
        (PRUNE, prune, False, False),
        (INFO, {"repository": str(root)}, False, False),
        (PIN, gone, True, True),
        (PIN, gone, False, True),
        (PIN, gone, False, False),
        (PRUNE, prune, False, True),
    ]
    tasks: list[dict[str, Any]] = [
        {"name": f"Step {number}", module: options, "check_mode": check}
        for number, (module, options, check, _changed) in enumerate(steps)
    ]
    tasks.append({"name": "Missing", PIN: pinned, "ignore_errors": True})
    run = run_playbook([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks}], diff=True)
    assert run.returncode == 0, run.output
    results = [run.of_task(f"Step {number}")[0].result for number in range(len(steps))]
    assert [result["changed"] for result in results] == [changed for *_step, changed in steps]
    assert f"+{old}: pinned: the migration" in run.output
    keys = documentation_of(PIN, "RETURN")
    assert undocumented(results[1], keys) == []
    assert promised(keys, "success") <= set(results[1])
    shown = [(entry["backup_id"], entry["pinned"], entry["pin_reason"]) for entry in results[7]["backups"]]
    assert shown == [(shop[0].folder.name, False, None), (old.name, True, "the migration")]
    assert there(root) == [shop[0].folder.name]
    assert run.of_task("Missing")[0].result["error_kind"] == "BackupNotFound"


@pytest.fixture
def inventory(scratch: Path) -> dict[str, Any]:
    """Two hosts, each with a repository of its own, in which another host's backups lie too."""
    hosts = {}
    for name in ("db1", "db2"):
        root = scratch / name
        store_daily(root, 4, host=name)
        store_daily(root, 4, host="another")
        hosts[name] = {"backupdb_repository": str(root)}
    retention = {"keep_daily": 2, "max_age": "2d"}
    return {"all": {"vars": this_machine(scratch, backupdb_retention=retention), "hosts": hosts}}


def test_the_playbook_prunes_each_hosts_own_backups_once(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    before = folder_state(scratch / "db1")
    plan = run_playbook(PLAYBOOK, inventory=inventory, check=True, diff=True)
    assert plan.returncode == 0, plan.output
    assert "remove  no rule keeps it" in plan.output
    assert folder_state(scratch / "db1") == before
    done = run_playbook(PLAYBOOK, inventory=inventory)
    assert done.returncode == 0, done.output
    assert done.is_quiet(), done.output
    assert {host: entry["removed"] for host, entry in done.summary("prune_summary")["hosts"].items()} == {
        "db1": 2,
        "db2": 2,
    }
    assert len(there(scratch / "db1")) == len(there(scratch / "db2")) == 6
    again = run_playbook(PLAYBOOK, inventory=inventory)
    assert {entry["changed"] for entry in again.stats["hosts"].values()} == {0}


def test_the_playbook_tells_of_every_host_before_bad_ones_fail(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    damaged = store_daily(scratch / "db1", 3, host="db1", database="wiki")[2]
    (damaged.folder / "manifest.json").write_text("{")
    inventory["all"]["hosts"]["gone"] = UNREACHABLE
    inventory["all"]["hosts"]["keeps_all"] = {"backupdb_retention": {}, "backupdb_repository": str(scratch / "db2")}
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode != 0
    hosts = run.summary("prune_summary")["hosts"]
    states = {host: entry["status"] for host, entry in hosts.items()}
    assert states == {"db1": "failed", "db2": "ok", "gone": "unreachable", "keeps_all": "ok"}
    assert (hosts["db1"]["removed"], hosts["keeps_all"]["removed"]) == (2, 0)
    assert "there is no retention" in hosts["keeps_all"]["message"]
    assert str(damaged.folder) in hosts["db1"]["problems"][0]
    failed = run.of_task("Prune the backups of this host")
    assert {entry.host for entry in failed if entry.kind == "failed"} == {"db1", "gone"}


def test_what_a_required_copy_lacks_stays_and_a_copy_is_pruned_by_its_own_retention(
    run_module: Callable[..., Any], scratch: Path
) -> None:
    root, disk = scratch / "repository", scratch / "disk2"
    disk.mkdir(mode=0o700)
    shop = [backup.folder.name for backup in store_daily(root, 4)]
    far = {"name": "disk2", "type": "local", "path": str(disk), "prune": "here", "retention": {"keep_last": 3}}
    state = str(scratch / "state")
    options = {"repository": str(root), "keep_last": 1, "copies": [far], "copy_state_dir": state}
    (scratch / "state").mkdir(mode=0o700)
    waiting = run_module(PRUNE, options)
    assert (waiting.changed, there(root)) == (True, shop[:3])  # the copy keeps three, so it is not to have the fourth
    assert "not in copy disk2 yet" in str(waiting.result["databases"])
    copied = run_module(COPY, {"repository": str(root), "copies": [far], "state_dir": state})
    assert copied.result["copies"][0]["still_missing"] == 0
    run_module(PRUNE, options)
    assert (there(root), there(disk)) == (shop[:1], shop[:3])
    of_copy = {"copy": far, "copy_state_dir": state}
    assert not run_module(PRUNE, of_copy).changed
    plan = run_module(PRUNE, {**of_copy, "keep_last": 1}, check=True)
    assert (plan.changed, plan.result["copy"], there(disk)) == (True, "disk2", shop[:3])
    done = run_module(PRUNE, {**of_copy, "keep_last": 1})
    assert (done.result["removed"], there(disk)) == (2, shop[:1])
    keys = documentation_of(PRUNE, "RETURN")
    assert undocumented(done.result, keys) == []
    assert promised(keys, "always", "when backups were read", "when a copy was read") <= set(done.result)
