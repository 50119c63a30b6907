# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors: the exit status of each, which a result finds again by the kind that it names."""

from __future__ import annotations

import pytest
from backupdb import errors
from backupdb.cli import exit_status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidOption, 3),
        (errors.RequirementMissing, 3),
        (errors.ClientMissing, 3),
        (errors.CredentialsMissing, 4),
        (errors.LockBusy, 75),
        (errors.BackupDbError, 2),
        (errors.ConnectionFailed, 2),
        (errors.ManifestDamaged, 2),
    ],
)
def test_every_error_has_an_exit_status(kind: type[errors.BackupDbError], status: int) -> None:
    assert kind.exit_status == status
    assert exit_status.of_result({"status": "failed", "error_kind": kind.__name__}) == status


def test_a_kind_of_another_version_is_a_failure() -> None:
    assert errors.exit_status_of("OfAnotherVersion") == 2


def test_a_result_without_an_error_has_the_exit_status_of_its_status() -> None:
    statuses = {"ok": 0, "planned": 0, "partial": 1, "restored_with_errors": 1, "failed": 2, "busy": 75}
    assert {status: exit_status.of_result({"status": status, "error_kind": None}) for status in statuses} == statuses
