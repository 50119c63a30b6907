# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table with which the role schedule ends."""

from __future__ import annotations

import importlib
from typing import Any

from support.golden import assert_golden

SCHEDULE = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.works").SCHEDULE


def test_every_job_of_every_host_has_its_next_run_and_what_is_not_well_is_below() -> None:
    def host(*jobs: tuple[str, str]) -> dict[str, Any]:
        table = [{"name": name, "when": when} for name, when in jobs]
        names = [name for name, _when in jobs]
        return {"status": "ok", "message": "", "jobs": names, "removed": [], "public_key": "", "timetable": table}

    bad = {**host(), "status": "failed", "message": "backupdb_jobs[0]: on_calendar is missing"}
    hosts = {"db1": host(("nightly", "2026-11-28 02:30 UTC"), ("weekly", "Sun 04:00")), "db2": bad}
    overview = SCHEDULE.overview(hosts, ["db1", "db2", "db3"])
    assert overview["status"] == "failed"
    assert_golden("schedule_of_three_hosts", [*overview["table"], *overview["lines"]], {})
