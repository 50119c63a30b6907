# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles that read what hosts have prepare no host: only roles that make backups, or bring a host back, do."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

summaries = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.summaries")
ROLES = Path(__file__).parents[2] / "roles"
PREPARE = {"account", "backup", "copy", "rebuild", "schedule"}
NEITHER = {"backupdb", "vault"}  # the preparation itself, and a host of copies, which is no host of databases
READ = sorted({path.name for path in ROLES.iterdir()} - PREPARE - NEITHER)
PREPARATION = "__backupdb_preparation_steps"


def text_of(role: str, folder: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROLES / role / folder).glob("*.yml")))


def steps_of(role: str) -> list[dict[str, Any]]:
    """The steps in the variables of a role."""
    values = yaml.safe_load(text_of(role, "vars"))
    return [step for name, found in values.items() if name.endswith("_steps") for step in found]


def test_every_role_either_prepares_its_host_or_only_reads() -> None:
    assert READ == ["doctor", "drill", "evidence", "gate", "prune", "refresh", "report", "restore", "status", "verify"]
    assert all(PREPARATION in text_of(role, "tasks") for role in PREPARE)


@pytest.mark.parametrize("role", READ)
def test_a_role_that_reads_calls_its_own_module_and_prepares_nothing(role: str) -> None:
    assert "prepar" not in text_of(role, "tasks") + text_of(role, "vars")
    modules = {step["module"] for step in steps_of(role) if "module" in step}
    assert len(modules) == 1
    assert all(step.get("reads") for step in steps_of(role) if step.get("module", "").startswith("ansible.builtin."))


@pytest.mark.parametrize(
    "result",
    [
        {"failed": True, "msg": "install python3-zstandard", "error_kind": "RequirementMissing"},
        {"failed": True, "msg": "install postgresql-client-18", "error_kind": "ClientMissing"},
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "sudo: unknown user backupdb"},
        {"failed": True, "msg": "Failed to set permissions on the temporary files: chown: invalid user: 'backupdb'"},
    ],
)
def test_what_preparing_a_host_mends_is_told_with_what_prepares_it(result: dict[str, Any]) -> None:
    done = summaries.Done("db1", [summaries.Called("vya.backupdb.backup_verify", None, result)])
    summary = summaries.run_summary(done, {}, "nothing was done")
    assert summary["status"] == "failed"
    assert "(the playbook vya.backupdb.prepare does that)" in summary["message"]
    assert str(result["msg"]) in summary["message"]


def test_what_the_preparation_would_mend_is_unknown_and_no_failure_where_a_role_prepares() -> None:
    lacking = {"failed": False, "expected": True, "msg": "no SQLAlchemy", "error_kind": "RequirementMissing"}
    for result in (lacking, {"status": "unknown", "message": "known when the host is prepared"}):
        done = summaries.Done("db1", [summaries.Called("", None, result)])
        assert summaries.run_summary(done, {}, "")["status"] == "unknown"
