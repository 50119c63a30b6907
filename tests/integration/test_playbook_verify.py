# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: good and bad hosts in one run, with and without a key, and hosts that only read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT, UNREACHABLE, AnsibleRun
from support.golden import assert_golden
from support.stored import DUMP, IDENTITY, SEALED, flip_bit, store

PLAYBOOK = "vya.backupdb.verify"


def test_hosts_that_only_read_verify_their_repositories_and_change_nothing(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any]
) -> None:
    for check in (False, True):
        run = run_playbook(ROOT / "playbooks" / "verify.yml", inventory=inventory, check=check)
        assert run.returncode == 0, run.output
        assert check or run.is_quiet(), run.output
        summary = run.summary("verify_summary")
        assert summary["status"] == "ok"
        assert {host: entry["counts"]["good"] for host, entry in summary["hosts"].items()} == {"db1": 1, "db2": 1}
    again = run_playbook(PLAYBOOK, inventory=inventory)
    assert {entry["changed"] for entry in again.stats["hosts"].values()} == {0}


def test_every_host_is_tried_and_told_of_before_bad_ones_fail(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    bad = store(scratch / "db1", "wiki", host="db1", content=DUMP, envelope=SEALED)
    flip_bit(bad.folder / "data.sql.zst.age", 200)
    inventory["all"]["hosts"]["gone"] = UNREACHABLE
    odd = scratch / "db2" / "odd"
    odd.symlink_to("/nonexistent")
    (scratch / "empty").mkdir()
    inventory["all"]["hosts"]["empty"] = {"backupdb_repository": str(scratch / "empty")}
    variables = {"verify_level": "decrypt", "verify_identity": IDENTITY.reveal()}
    run = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=variables, verbosity=3)
    assert run.returncode != 0
    assert IDENTITY.reveal() not in run.output
    summary = run.summary("verify_summary")
    assert {host: entry["status"] for host, entry in summary["hosts"].items()} == {
        "db1": "failed",
        "db2": "ok",
        "gone": "unreachable",
        "empty": "failed",
    }
    assert summary["status"] == "failed"
    db1 = summary["hosts"]["db1"]
    assert (db1["counts"]["good"], db1["counts"]["damaged"]) == (1, 1)
    assert str(bad.folder) in db1["problems"][0]
    assert summary["hosts"]["db2"]["warnings"] == [f"{odd} cannot be read: No such file or directory"]
    assert "nothing to verify" in summary["hosts"]["empty"]["message"]
    failed = {entry.host for entry in run.of_task("Verify the backups of this host") if entry.kind == "failed"}
    assert failed == {"db1", "gone", "empty"}


def test_reading_makes_nothing_and_takes_nothing_away_from_its_owner(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    """As when somebody verifies as root what belongs to the backup user."""
    inventory["all"]["hosts"] = {"db1": inventory["all"]["hosts"]["db1"]}
    inventory["all"]["vars"].update({"backupdb_install": "packages", "backupdb_extra_packages": ["hello"]})
    for path in (scratch / "db1", *(scratch / "db1").rglob("*")):
        os.chown(path, 65534, 65534)
    before = owners(scratch / "db1")
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode == 0, run.output
    assert before.items() <= owners(scratch / "db1").items()
    assert list(scratch.glob("state-*")) == []


def owners(folder: Path) -> dict[Path, tuple[int, int, int]]:
    found = {path: path.stat() for path in (folder, *folder.rglob("*"))}
    return {path: (status.st_uid, status.st_gid, status.st_mode) for path, status in found.items()}


@pytest.mark.parametrize("lacks", ["library", "user"])
def test_what_a_host_lacks_is_an_error_that_says_what_prepares_it(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path, lacks: str
) -> None:
    hiding = scratch / "hiding"
    hiding.mkdir()
    (hiding / "cryptography.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    variables: dict[str, Any] = {"verify_level": "decrypt", "verify_identity": IDENTITY.reveal()}
    if lacks == "user":
        variables.update({"backupdb_user": "nobody-of-that-name", "ansible_become_method": "ansible.builtin.su"})
    run = run_playbook(
        PLAYBOOK,
        inventory=inventory,
        extra_vars=variables,
        environment={"PYTHONPATH": str(hiding)} if lacks == "library" else {},
        arguments=["--limit", "db1"],
    )
    assert run.returncode == 2
    message = run.summary("verify_summary")["hosts"]["db1"]["message"]
    assert "the playbook vya.backupdb.prepare does that" in message
    assert ("python3-cryptography" if lacks == "library" else "nothing can be run as backupdb_user") in message


def test_a_wrong_key_is_told_once_for_all_backups_with_the_fingerprint_of_the_right_one(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    for number in range(11):
        store(scratch / "db1", f"shop{number}", host="db1", content=DUMP, envelope=SEALED)
    variables = {"verify_level": "decrypt", "verify_passphrase": "not the one", "verify_since": "2026-11-01"}
    run = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=variables, arguments=["--limit", "db1"])
    assert run.returncode != 0
    message = run.summary("verify_summary")["hosts"]["db1"]["message"]
    assert "SHA256:" in message
    assert "any of 12 backups" in message
    assert_golden("verify_wrong_key", run.shows("Report on all hosts"), {str(scratch): "/srv"})
