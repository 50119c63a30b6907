# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The works of the roles that bring backups about: backup, copy, and account, which makes the logins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import human_duration, human_size

from .backup_summary import backup_complaints, backup_summary
from .login_summary import login_summary
from .overview import Columns, Summary
from .summaries import run_summary
from .work import Work, with_its_lines


def _backups(host: Summary) -> list[Mapping[str, Any]]:
    return [backup for instance in host["instances"] for backup in instance["backups"]]


BACKUP = Work(
    name="backup",
    title="Backup",
    nothing="No backup was made",
    sum_up=backup_summary,
    columns=Columns(
        known="instances",
        cells={
            "INSTANCES": lambda host: str(len(host["instances"])),
            "BACKUPS": lambda host: str(sum(backup["path"] is not None for backup in _backups(host))),
            "SKIPPED": lambda host: str(sum(backup["status"] == "skipped" for backup in _backups(host))),
            "STORED": lambda host: human_size(sum(one["stored_bytes"] or 0 for one in host["instances"])),
            "TIME": lambda host: human_duration(sum(one["duration"] or 0 for one in host["instances"])),
        },
    ),
    complaints=backup_complaints,
    good=("ok", "unknown"),
    published=with_its_lines,
)

COPY = Work(
    name="copy",
    title="Copying",
    nothing="Nothing was copied",
    sum_up=lambda done: run_summary(done, {"lines": [], "copies": [], "warnings": []}, "nothing was copied"),
    columns=Columns(
        known="copies",
        cells={
            "COPIES": lambda host: str(len(host["copies"])),
            "SENT": lambda host: str(sum(len(one["sent"]) for one in host["copies"])),
            "MISSING": lambda host: str(sum(one["still_missing"] for one in host["copies"])),
            "BYTES": lambda host: human_size(sum(one["bytes"] for one in host["copies"])),
            "TIME": lambda host: human_duration(sum(one["seconds"] for one in host["copies"])),
        },
    ),
    good=("ok", "unknown"),
)

ACCOUNT = Work(
    name="account",
    title="Logins",
    nothing="Nothing was done",
    sum_up=login_summary,
    columns=Columns(
        known="logins",
        cells={
            "LOGINS": lambda host: str(len(host["logins"])),
            "CHANGED": lambda host: str(sum(bool(one.get("changed")) for one in host["logins"])),
            "STATEMENTS": lambda host: str(sum(len(one.get("statements") or ()) for one in host["logins"])),
        },
    ),
    complaints=lambda host: list(host.get("lines") or [host["message"]]),
    good=("ok", "unknown"),
    is_announced=False,
    is_notified=False,
)
