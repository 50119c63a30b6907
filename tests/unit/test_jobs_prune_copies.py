# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job, its repository and its copy in a folder, each with a retention of its own: sent once, and kept as said."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.credentials.secrets import Secrets
from backupdb.errors import InvalidOption
from backupdb.jobs import steps
from backupdb.jobs.definition import Job, job_text
from backupdb.jobs.prune_copies import prune_copies, prune_one, prunes_copies
from backupdb.monitoring import status
from backupdb.repository.copy_source import copy_home
from backupdb.system.text import utc_now
from support import needs
from support.monitored import job_of
from support.stored import DUMP, store, there

DAY = timedelta(days=1)
TODAY = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir(mode=0o700)
    return folder


def job_with(root: Path, top: Path, *, here: int = 1, **copy: Any) -> Job:
    offsite = {"name": "offsite", "type": "local", "path": str(top), "prune": "here", "patience": "0s", **copy}
    return job_of(root, retention={"keep_last": here}, copies=[offsite], backup={"accounts": False})


def nightly(root: Path, days: range) -> list[str]:
    """Backups of so many days ago; returns their names, the newest first."""
    return [
        store(root, time=TODAY - day * DAY, run_id=f"{day:08x}" + "0" * 24, content=DUMP).folder.name for day in days
    ]


def copied(job: Job) -> list[str]:
    result = steps.copy_backups(job, Secrets())
    assert result["status"] == "ok", result["message"]
    return sorted((place.rpartition("/")[2] for copy in result["copies"] for place in copy["sent"]), reverse=True)


def pruned_here(job: Job) -> dict[str, Any]:
    return steps.prune_backups(job.retention or {}, job.backups, None, copies=steps.unsent_rules(job))


def pruned_there(job: Job, **options: Any) -> dict[str, Any]:
    return prune_one(job, "offsite", Secrets(), job.backups, None, **options)


def test_a_copy_that_keeps_longer_has_what_this_host_removes(root: Path, top: Path) -> None:
    job = job_with(root, top, retention={"keep_daily": 4})
    names = nightly(root, range(1, 7))
    waiting = pruned_here(job)
    assert (waiting["removed"], len(there(root))) == (2, 4)  # what the copy would not keep is not waited for
    assert copied(job) == names[:4] == there(top)
    assert (pruned_here(job)["removed"], there(root)) == (3, names[:1])
    new = nightly(root, range(1))
    assert copied(job) == new
    assert prunes_copies(job)
    result = prune_copies(job, Secrets(), job.backups, None)
    assert (result["status"], result["removed"], there(top)) == ("ok", 1, [*new, *names[:3]])
    assert result["databases"][0]["decisions"][-1]["path"].startswith(str(top))


def test_a_copy_that_keeps_less_is_not_sent_the_same_again_and_again(root: Path, top: Path) -> None:
    job = job_with(root, top, here=5, retention={"keep_last": 2})
    names = nightly(root, range(1, 6))
    assert copied(job) == names[:2]
    new = nightly(root, range(1))
    assert copied(job) == new
    assert (pruned_there(job)["removed"], there(top)) == (1, [*new, names[0]])
    assert copied(job) == []
    assert (pruned_here(job)["removed"], pruned_here(job)["warnings"]) == (1, [])
    assert status.of_host([job])["rows"][0]["copies"][0]["missing"] == 0


def test_what_is_lost_in_a_copy_is_sent_again(root: Path, top: Path) -> None:
    job = job_with(root, top, here=5)
    names = nightly(root, range(1, 4))
    assert copied(job) == names
    for path in (top / "db1/shop-db/shop" / names[1]).iterdir():
        path.unlink()
    assert copied(job) == [names[1]]


def test_without_a_retention_or_by_others_nothing_is_removed(root: Path, top: Path) -> None:
    plain, others = job_with(root, top), job_with(root, top, retention={"keep_last": 1}, prune="elsewhere")
    nightly(root, range(3))
    copied(plain)
    assert not prunes_copies(plain) and not prunes_copies(others)
    with pytest.raises(InvalidOption, match="has no retention"):
        pruned_there(plain)
    with pytest.raises(InvalidOption, match="it has: offsite"):
        prune_one(plain, "vault", Secrets(), plain.backups, None)
    result = pruned_there(others)
    assert (result["status"], result["changed"], result["removed"], len(there(top))) == ("ok", False, 2, 3)


def test_a_copy_that_is_away_is_told(root: Path, top: Path) -> None:
    job = job_with(root, top / "unmounted", retention={"keep_last": 1})
    nightly(root, range(2))
    result = prune_copies(job, Secrets(), job.backups, None)
    assert (result["status"], result["removed"]) == ("failed", 0)
    assert "unmounted" in result["message"] and "nothing is removed" in result["message"]


def test_what_another_user_knows_of_a_copy_is_left_to_him(root: Path, top: Path) -> None:
    needs.root("only root gives a folder to another user")
    job = job_with(root, top, retention={"keep_last": 1})
    nightly(root, range(3))
    copied(job)
    os.chown(copy_home(job.state_dir, "offsite"), 65534, 65534)
    result = pruned_there(job)
    assert (result["status"], len(there(top))) == ("failed", 1) and "another user's" in result["message"]


def test_a_retention_of_a_copy_that_is_none_is_refused_with_the_job(root: Path, top: Path) -> None:
    with pytest.raises(InvalidOption, match=r"copies\[0\].*keep_dayly"):
        job_with(root, top, retention={"keep_dayly": 1})


def test_the_command_plans_and_prunes_a_copy(
    root: Path, top: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = job_with(root, top, here=9, retention={"keep_last": 3})
    names = nightly(root, range(1, 4))
    copied(job)
    new = nightly(root, range(1))
    copied(job)
    config = tmp_path / "etc"
    (config / "jobs.d").mkdir(parents=True)
    (config / "jobs.d" / "nightly.json").write_text(job_text(job))
    command = ["prune", "nightly", "--copy", "offsite", "--config-dir", str(config)]
    assert main([*command, "--check"]) == 0
    assert "copy offsite: 1 of 4 backups would be removed" in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 1
    assert there(top) == [*new, *names[:2]]
    assert main(["prune", "--copy", "offsite", "--repository", str(root)]) == 3
