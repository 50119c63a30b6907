# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_job, run the way a task runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.jobs import JobHost
from support.library import IDENTITY
from support.returns import documentation_of, promised, undocumented

MODULE = "vya.backupdb.backup_job"
BACKUP = {
    "instance": "shop-pg",
    "engine": "postgresql",
    "login_unix_socket": "/nonexistent",
    "repository": "/srv/backup",
    "recipients": ["age1one"],
}


def test_a_job_is_planned_defined_left_alone_and_removed(run_module: Callable[..., Any], scratch: Path) -> None:
    path = scratch / "jobs.d" / "nightly.json"
    options = {"name": "nightly", "config_dir": str(scratch), "backups": [BACKUP], "on_calendar": "daily"}
    planned = run_module(MODULE, options, check=True, diff=True)
    assert not planned.failed, planned.output
    assert planned.result["changed"]
    assert not path.exists()
    made = run_module(MODULE, options, diff=True)
    assert made.result["changed"], made.output
    documented = documentation_of(MODULE, "RETURN")
    assert undocumented(made.result, documented) == []
    assert promised(documented, "always", "success") <= set(made.result)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o640, 0o750)
    assert json.loads(path.read_text()) == made.result["job"] == planned.result["job"]
    assert '+  "name": "nightly",' in planned.output
    assert not run_module(MODULE, options).result["changed"]
    path.chmod(0o644)
    assert run_module(MODULE, options).result["changed"]
    assert path.stat().st_mode & 0o777 == 0o640
    away = {"name": "nightly", "config_dir": str(scratch), "state": "absent"}
    assert run_module(MODULE, away, check=True).result["changed"]
    assert path.exists()
    assert run_module(MODULE, away).result["changed"]
    assert not path.exists()
    assert not run_module(MODULE, away).result["changed"]


def test_a_group_that_is_not_there_yet_is_part_of_the_plan(run_module: Callable[..., Any], scratch: Path) -> None:
    options = {"name": "nightly", "config_dir": str(scratch), "backups": [BACKUP], "group": "nobody-has-this"}
    planned = run_module(MODULE, options, check=True)
    assert not planned.failed, planned.output
    assert "nobody-has-this is not there yet" in planned.output


def test_what_a_backup_would_refuse_is_refused_now(run_module: Callable[..., Any], scratch: Path) -> None:
    for changes, words in (
        ({"backups": [{**BACKUP, "timeout": "soon"}]}, "option timeout"),
        ({"backups": [{**BACKUP, "login_password": "Zt5mW8qLr2"}]}, "Unsupported parameters"),
        ({"name": "../x"}, "cannot be the name"),
    ):
        options = {"name": "nightly", "config_dir": str(scratch), "backups": [BACKUP], **changes}
        run = run_module(MODULE, options)
        assert run.failed
        assert words in run.result["msg"]
    assert list(scratch.glob("jobs.d/*")) == []


def test_the_runner_runs_what_the_module_wrote(run_module: Callable[..., Any], scratch: Path) -> None:
    host = JobHost(scratch / "host")
    recipients = [IDENTITY.recipient]
    backup = {**BACKUP, "host": "db1", "repository": str(host.repository), "recipients": recipients}
    options = {"name": "nightly", "backups": [backup], "state_dir": str(host.state_dir)}
    assert not run_module(MODULE, {**options, "config_dir": str(host.config_dir)}).failed
    status, result = host.run("nightly")
    assert (status, result["backups"][0]["error_kind"]) == (2, "ConnectionFailed")
