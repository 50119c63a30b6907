# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of a job's definition: what a job backs up has the options of a backup, but no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.backup.options import short_host_name
from ...backupdb.errors import InvalidOption
from ...backupdb.jobs.definition import CREDENTIAL_SOURCES, MAX_AGE, SCHEMA, STATE_DIR, Job, job_from
from ...backupdb.notify.settings import check_notifications
from .backup import (
    BACKUP_CONSTRAINTS,
    backup_arguments,
    connection_arguments,
    dump_arguments,
    selection_arguments,
)

SECRETS = ("login_password", "passphrase")


def job_backup_arguments() -> dict[str, Any]:
    """Options of one of a job's backups. None of them comes from the environment of whoever defines the job."""
    every = {**connection_arguments(), **selection_arguments(), **dump_arguments(), **backup_arguments()}
    return {
        name: {key: value for key, value in option.items() if key != "fallback"}
        for name, option in every.items()
        if name not in SECRETS
    }


def job_arguments() -> dict[str, Any]:
    """All options that describe a job."""
    return {
        "backups": {
            "type": "list",
            "elements": "dict",
            "options": job_backup_arguments(),
            "mutually_exclusive": [("login_host", "login_unix_socket")],
            "required_one_of": BACKUP_CONSTRAINTS["required_one_of"],
            "required_together": BACKUP_CONSTRAINTS["required_together"],
        },
        "retention": {"type": "dict"},
        "drill": {"type": "dict"},
        "notifications": {"type": "list", "elements": "dict", "default": []},
        "on_calendar": {"type": "str"},
        "max_age": {"type": "str", "default": MAX_AGE},
        "metrics_dir": {"type": "path"},
        "state_dir": {"type": "path", "default": STATE_DIR},
        "credentials": {
            "type": "dict",
            "options": {
                "source": {"type": "str", "default": "none", "choices": list(CREDENTIAL_SOURCES)},
                "path": {"type": "str"},
            },
        },
    }


def job_of(options: Mapping[str, Any], where: str) -> Job:
    """Make the library's job; raises `InvalidOption`, which begins with `where`."""
    try:
        # Only here: when the job runs, a notification that is wrong must not cost its backups.
        check_notifications(options["notifications"])
    except InvalidOption as error:
        raise InvalidOption(f"{where}: {error}") from error
    values = {name: options[name] for name in job_arguments() if name != "on_calendar"}
    backups = [{**backup, "host": backup["host"] or short_host_name()} for backup in options["backups"] or ()]
    return job_from(
        {
            **values,
            "schema": SCHEMA,
            "name": options["name"],
            "backups": backups,
            "schedule": {"on_calendar": options["on_calendar"]},
        },
        where,
    )
