# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's definition as a module takes it: what a job backs up has the options of a backup, but no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.backup.options import short_host_name
from ...backupdb.errors import InvalidOption
from ...backupdb.jobs.definition import SCHEMA, Job, job_from
from ...backupdb.jobs.options import OPTIONS
from ...backupdb.notify.settings import check_notifications
from .constraints import CONNECTION_CONSTRAINTS
from .spec import to_spec

# Of the module's options, those that say something else than what stands in the job's file, or say it elsewhere.
_NOT_IN_THE_FILE = ("state", "config_dir", "owner", "group", "on_calendar")


def job_spec() -> dict[str, Any]:
    """Return the argument spec of the module, with the constraints of each of the job's backups."""
    spec = to_spec(OPTIONS)
    spec["backups"].update(CONNECTION_CONSTRAINTS)
    return spec


def job_of(options: Mapping[str, Any], where: str) -> Job:
    """Make the library's job; raises `InvalidOption`, which begins with `where`."""
    try:
        # Only here: when the job runs, a notification that is wrong must not cost its backups.
        check_notifications(options["notifications"])
    except InvalidOption as error:
        raise InvalidOption(f"{where}: {error}") from error
    values = {name: options[name] for name in OPTIONS if name not in _NOT_IN_THE_FILE}
    backups = [{**backup, "host": backup["host"] or short_host_name()} for backup in options["backups"] or ()]
    return job_from(
        {**values, "schema": SCHEMA, "backups": backups, "schedule": {"on_calendar": options["on_calendar"]}}, where
    )
