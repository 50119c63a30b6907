# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate lets through: the judgement of the status, with a limit of its own, and what is asked besides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup.request import Selection
from backupdb.connection.instance import Instance
from backupdb.errors import InvalidOption
from backupdb.gate import run as gate
from backupdb.gate.request import GateRequest
from backupdb.repository.stores.settings import copy_from
from support.library import LIBRARY
from support.monitored import HOUR, NASTY, job_of, keep, note_copied, note_run, with_copies
from support.tree import folder_state

DAY = 24 * HOUR.total_seconds()


def looked_at(root: Path, *include: str, **options: Any) -> dict[str, Any]:
    """What the gate says of the instance `shop-db` of `db1`, without its server."""
    exclude = options.pop("exclude", ())
    request = GateRequest(
        instance=Instance(id="shop-db", engine="mariadb"),
        host="db1",
        selection=Selection(include=include or ("*",), exclude=tuple(exclude), allow_empty=True),
        ask_server=False,
        **{"repository": str(root), **options},
    )
    return gate.run(request)


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {row["database"]: "; ".join(row["reasons"]) for row in result["rows"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir(mode=0o700)
    return root


def test_young_backups_pass_and_nothing_is_written(root: Path) -> None:
    keep(root, "shop", hours=1)
    keep(root, NASTY, hours=1)
    note_run(root, {"shop": "complete", NASTY: "complete"})
    before = folder_state(root)
    result = looked_at(root)
    assert (result["status"], result["changed"], result["lines"]) == ("ok", False, [])
    assert result["message"] == "db1/shop-db: all 2 databases pass"
    assert folder_state(root) == before


def test_each_database_that_fails_is_named_once_with_every_reason_and_what_to_do(root: Path) -> None:
    keep(root, "shop", hours=5)
    keep(root, "part", hours=1, status="partial", missing=["view v"])
    note_run(root, {"shop": "complete", "part": "partial", "lost": "failed", NASTY: "failed"})
    job = job_of(root)
    result = looked_at(root, jobs=[job], max_age=2 * HOUR.total_seconds(), proven=True)
    told = reasons(result)
    assert result["status"] == "failed"
    assert told["shop"] == "the newest backup is 5 h 0 min old, 2 h 0 min are allowed"
    assert "is partial: missing view v" in told["part"] and "no drill has proven" in told["part"]
    assert "there is no backup" in told["lost"] and "there is no backup" in told[NASTY]
    assert len(result["lines"]) == 4
    assert all(line.count("\n") == 0 for line in result["lines"])
    assert sum("db1/shop-db/shop" in line for line in result["lines"]) == 1
    steps = {row["database"]: row["next_step"] for row in result["rows"]}
    assert "ansible-playbook vya.backupdb.backup, or on the host backupdb run nightly" in steps["lost"]
    assert "vya.backupdb.drill" in steps["part"]


def test_without_a_limit_of_its_own_the_jobs_say_how_old_is_too_old(root: Path) -> None:
    keep(root, "shop", hours=30)
    note_run(root, {"shop": "complete"}, hours=30)
    assert looked_at(root)["status"] == "failed"
    assert looked_at(root, jobs=[job_of(root, max_age="2d")])["status"] == "ok"
    assert looked_at(root, jobs=[job_of(root, max_age="2d")], max_age=HOUR.total_seconds())["status"] == "failed"


def test_a_proof_must_be_there_and_young_enough(root: Path) -> None:
    keep(root, "shop", hours=50, drill="equal")
    keep(root, "shop", hours=1)
    keep(root, "wiki", hours=1, drill="different")
    note_run(root, {"shop": "complete", "wiki": "complete"})
    told = reasons(looked_at(root, proven=True))
    assert told["shop"] == ""
    assert "no drill has proven any of its backups; the last drill ended different" in told["wiki"]
    old = reasons(looked_at(root, "shop", proven=True, proven_max_age=DAY))
    assert old["shop"] == "the newest proven backup is 2 d 2 h old, 24 h 0 min are allowed"


def test_required_copies_must_have_a_young_backup_and_a_proof_in_a_copy_counts(root: Path) -> None:
    folder = keep(root, "shop", hours=1)
    note_run(root, {"shop": "complete"})
    job = with_copies(job_of(root), "offsite", "mirror")
    note_copied(job, "offsite", [folder])
    told = reasons(looked_at(root, jobs=[job]))
    assert told["shop"] == "copy mirror has no backup; 1 backups of this host are not there"
    assert looked_at(root, jobs=[job], required_copies=["offsite"])["status"] == "ok"
    unknown = reasons(looked_at(root, jobs=[job], required_copies=["of"]))
    assert unknown["shop"] == "copy of is not known for it; there are: offsite, mirror"


def test_copies_of_a_host_without_jobs_are_looked_at_too(root: Path) -> None:
    folder = keep(root, "shop", hours=1)
    keep(root, "wiki", hours=1)
    note_run(root, {"shop": "complete", "wiki": "complete"})
    note_copied(job_of(root), "offsite", [folder])
    copy = copy_from({"name": "offsite", "type": "s3", "bucket": "acme-db", "max_age": "9d"}, "test")
    state_dir = str(root.parent / "state")
    result = looked_at(root, copies=[copy], state_dir=state_dir)
    assert [(row["passed"], row["copies"]) for row in result["rows"]] == [(True, ["offsite"]), (False, [])]
    result = looked_at(root, copies=[copy], state_dir=state_dir, max_age=600.0)
    assert not any(row["passed"] for row in result["rows"])


def test_a_name_that_means_nothing_fails_with_the_nearest_one_and_what_is_excluded_does_not(root: Path) -> None:
    keep(root, "orders", hours=1)
    keep(root, "scratch_1", hours=90)
    note_run(root, {"orders": "complete", "scratch_1": "complete"})
    result = looked_at(root, "order", "orders")
    assert reasons(result)["order"] == "it is none of the databases that are backed up; the nearest name is 'orders'"
    assert looked_at(root, exclude=["scratch_*"])["status"] == "ok"


def test_what_cannot_be_asked_is_refused(root: Path) -> None:
    with pytest.raises(InvalidOption, match="there is nothing to look at"):
        looked_at(root, repository=None)
    with pytest.raises(InvalidOption, match="set proven as well"):
        looked_at(root, proven_max_age=1.0)


def test_the_command_ends_with_0_or_2(root: Path, tmp_path: Path) -> None:
    keep(root, "shop", hours=3)
    note_run(root, {"shop": "complete"}, hours=3)
    jobs = tmp_path / "config" / "jobs.d"
    jobs.mkdir(parents=True)
    (jobs / "nightly.json").write_text(json.dumps(job_of(root).values()), encoding="utf-8")
    command = [sys.executable, "-m", "backupdb.cli.main", "gate", "nightly", "--no-server", "--config-dir"]
    for more, status, told in (
        ([], 0, "ok: 1 of 1 databases pass\n"),
        (["--max-age", "1h"], 2, "db1/shop-db/shop: the newest backup is 3 h 0 min old"),
        (["--database", "shup"], 2, "the nearest name is 'shop'"),
    ):
        done = subprocess.run(
            [*command, str(tmp_path / "config"), *more],
            env={"PYTHONPATH": str(LIBRARY), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, told in done.stdout) == (status, True), done.stdout + done.stderr
