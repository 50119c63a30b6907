# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a job, of what a job's file holds, and of what the command line adds to a job.

What a job backs up, drills and restores has the options of the modules, so that what a playbook does and what a host
does by itself are told in the same words. Secrets are not among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..archives import options as archives
from ..backup import options as backup
from ..drill import options as drill
from ..repository.options import FILTER_OPTIONS
from ..system.options import Option

CONFIG_DIR = "/etc/backupdb"
STATE_DIR = "/var/lib/backupdb"
MAX_AGE = "26h"  # a day, and some time for the run itself
# What becomes of dumps at work when a time begins at which the job may not run.
FINISH, STOP = AT_WINDOW = ("finish", "stop")
CREDENTIAL_SOURCES = ("none", "file", "systemd", "store")

# They come from the credentials when a job runs.
SECRETS = frozenset(name for name, option in {**backup.OPTIONS, **drill.OPTIONS}.items() if option.secret)
# What a job backs up. Nothing of it comes from the environment of whoever defines the job.
BACKUP_OPTIONS: Mapping[str, Option] = {
    name: replace(option, environment=None) for name, option in backup.OPTIONS.items() if name not in SECRETS
}
# In a file the host is always said: the file may be read on another one.
FILE_BACKUP_OPTIONS: Mapping[str, Option] = {**BACKUP_OPTIONS, "host": replace(BACKUP_OPTIONS["host"], required=True)}
# Which backups are the job's is told by its backups; a drill only picks among them.
FILE_DRILL_OPTIONS: Mapping[str, Option] = {
    "every": Option(required=True),
    "from_copy": Option(),
    "identity_file": archives.OPTIONS["identity_file"],
    "database": FILTER_OPTIONS["database"],
    "status": FILTER_OPTIONS["status"],
    **{name: option for name, option in drill.DRILL_OPTIONS.items() if name != "paths"},
}
OPTIONS: Mapping[str, Option] = {
    "state": Option(default="present", choices=("present", "absent")),
    "name": Option(required=True),
    "backups": Option("list", elements="dict", options=BACKUP_OPTIONS),
    "retention": Option("dict"),
    "drill": Option("dict"),
    "copies": Option("list", elements="dict", default=[]),
    "notifications": Option("list", elements="dict", default=[]),
    "on_calendar": Option(),
    "max_age": Option(default=MAX_AGE),
    "not_between": Option("list", elements="str", default=[]),
    "at_window": Option(default=FINISH, choices=AT_WINDOW),
    "metrics_dir": Option("path"),
    "state_dir": Option("path", default=STATE_DIR),
    "credentials": Option(
        "dict",
        options={
            "source": Option(default="none", choices=CREDENTIAL_SOURCES),
            "path": Option(),
        },
    ),
    "config_dir": Option("path", default=CONFIG_DIR),
    "owner": Option(),
    "group": Option(),
}
