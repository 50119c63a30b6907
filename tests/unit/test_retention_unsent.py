# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups that a required copy has not yet: they stay here, and fill no disk unnoticed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.errors import RetentionRefused
from backupdb.jobs import steps
from backupdb.jobs.definition import job_text
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.copy_source import copy_home
from backupdb.repository.stores.settings import copy_from
from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from backupdb.retention.prune import PruneRequest
from backupdb.retention.unsent import UnsentRule
from backupdb.system.text import utc_now
from support.monitored import job_of
from support.stored import DUMP, rewrite_manifest, store
from support.tree import folder_state

DAY = timedelta(days=1)
TODAY = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
ONE = RetentionPolicy(keep_last=1)


def nightly(root: Path, count: int, **facts: Any) -> list[StoredBackup]:
    """Backups of the last nights, the newest first."""
    return [
        store(root, time=TODAY - number * DAY, run_id=f"{number:08x}" + "0" * 24, content=DUMP, **facts)
        for number in range(count)
    ]


def copied(backups: list[StoredBackup], root: Path, shadow: Path) -> None:
    for backup in backups:
        shutil.copytree(backup.folder, shadow / backup.folder.relative_to(root))


def pruned(root: Path, *rules: UnsentRule, check_mode: bool = False) -> dict[str, Any]:
    return prune.run(PruneRequest(repository=str(root), policy=ONE, copies=rules), check_mode=check_mode)


def reasons(result: dict[str, Any]) -> list[str]:
    return [f"{entry['action']}: {entry['reason']}" for entry in result["databases"][0]["decisions"]]


def test_what_a_copy_has_not_yet_stays_and_goes_once_it_is_there(root: Path, tmp_path: Path) -> None:
    shop = nightly(root, 5)
    rules = [UnsentRule("offsite", tmp_path / "offsite"), UnsentRule("vault", tmp_path / "vault")]
    copied(shop[1:4], root, tmp_path / "offsite")
    copied(shop[1:3], root, tmp_path / "vault")
    plan = pruned(root, *rules, check_mode=True)
    assert reasons(plan)[1:] == [
        "remove: no rule keeps it",
        "remove: no rule keeps it",
        "keep: not in copy vault yet",
        "keep: not in copy offsite and vault yet",
    ]
    result = pruned(root, *rules)
    assert (result["status"], result["removed"], result["kept"]) == ("ok", 2, 3)
    assert any("copy vault lacks 2 backups" in line for line in result["warnings"])
    assert any("copy offsite lacks 1 backups" in line for line in result["warnings"])
    copied(shop[3:], root, tmp_path / "vault")
    copied(shop[4:], root, tmp_path / "offsite")
    result = pruned(root, *rules)
    assert (result["removed"], result["warnings"]) == (2, [])


def test_another_backup_by_the_same_name_is_not_the_one(root: Path, tmp_path: Path) -> None:
    shop = nightly(root, 2)
    copied(shop, root, tmp_path / "offsite")
    rewrite_manifest(tmp_path / "offsite" / shop[1].folder.relative_to(root), warnings=["forged"])
    assert reasons(pruned(root, UnsentRule("offsite", tmp_path / "offsite")))[1] == "keep: not in copy offsite yet"


def test_what_the_copy_would_remove_by_its_own_policy_is_not_waited_for(root: Path, tmp_path: Path) -> None:
    shop = nightly(root, 6)
    rule = UnsentRule("offsite", tmp_path / "offsite", policy=RetentionPolicy(keep_last=3))
    assert reasons(pruned(root, rule, check_mode=True))[1:3] == ["keep: not in copy offsite yet"] * 2
    copied(shop[1:3], root, tmp_path / "offsite")
    assert pruned(root, rule)["removed"] == 5


def test_more_than_may_wait_fails_before_anything_is_removed(root: Path, tmp_path: Path) -> None:
    shop = nightly(root, 5)
    nightly(root, 3, host="db2")
    size = shop[0].manifest["stored_bytes"]
    copied(shop[1:2], root, tmp_path / "offsite")
    before = folder_state(root)
    rule = UnsentRule("offsite", tmp_path / "offsite", 5 * size - 1)
    for check_mode in (True, False):
        with pytest.raises(RetentionRefused, match=r"copy offsite lacks 5 backups.*Nothing was removed"):
            pruned(root, rule, check_mode=check_mode)
    assert folder_state(root) == before
    assert pruned(root, replace(rule, keep_unsent_max=5 * size))["removed"] == 1


def job_with_copies(root: Path, **copy: Any) -> Any:
    settings = copy_from({"name": "offsite", "type": "local", "path": "/mnt/offsite", **copy}, "test")
    return replace(job_of(root, retention={"keep_last": 1}), copies=[settings])


def test_a_job_waits_for_its_required_copies_and_counts_all_its_instances_together(root: Path) -> None:
    shop, wiki = nightly(root, 3), nightly(root, 3, instance="wiki-db")
    size = shop[0].manifest["stored_bytes"] + wiki[0].manifest["stored_bytes"]
    backups = [{"repository": str(root), "host": "db1", "instance": name} for name in ("shop-db", "wiki-db")]

    def prune_with(**copy: Any) -> dict[str, Any]:
        job = job_with_copies(root, **copy)
        return steps.prune_backups(job.retention, backups, None, copies=steps.unsent_rules(job))

    result = prune_with(keep_unsent_max=str(2 * size - 1))
    assert (result["status"], result["error_kind"], result["removed"]) == ("failed", "RetentionRefused", 0)
    assert "copy offsite lacks 4 backups" in result["message"] and "raise keep_unsent_max" in result["message"]
    assert (prune_with(keep_unsent_max=str(2 * size))["status"], shop[2].folder.is_dir()) == ("ok", True)
    copied(shop[1:2], root, copy_home(job_with_copies(root).state_dir, "offsite") / "shadow")
    assert prune_with()["removed"] == 1
    assert prune_with(required=False)["removed"] == 3


def test_a_job_without_copies_prunes_as_ever(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nightly(root, 3)
    config = tmp_path / "etc"
    (config / "jobs.d").mkdir(parents=True)
    (config / "jobs.d" / "nightly.json").write_text(job_text(job_of(root, retention={"keep_last": 1})))
    assert main(["prune", "nightly", "--config-dir", str(config)]) == 0
    assert "2 of 3 backups removed" in capsys.readouterr().out


def test_a_prune_of_the_repository_waits_for_the_copies_of_a_job(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = nightly(root, 3)
    job = job_with_copies(root)
    config = tmp_path / "etc"
    (config / "jobs.d").mkdir(parents=True)
    (config / "jobs.d" / "nightly.json").write_text(job_text(job))
    words = ["prune", "--repository", str(root), "--keep-last", "1", "--config-dir", str(config)]
    assert main([*words, "--copies-of", "nightly"]) == 0
    assert "not in copy offsite yet" in capsys.readouterr().out
    assert all(backup.folder.is_dir() for backup in shop)
    copied(shop, root, copy_home(job.state_dir, "offsite") / "shadow")
    assert main([*words, "--copies-of", "nightly"]) == 0
    assert [backup.folder.is_dir() for backup in shop] == [True, False, False]
    assert main(["prune", "nightly", "--copies-of", "nightly", "--config-dir", str(config)]) == 3
