# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of jobs is the whole truth: what is no longer in it is gone from the host, and only that."""

from __future__ import annotations

from typing import Any

from support.fleet import Fleet, FleetAnsible

HOST = "both1"
# Where something of a job is, and something of somebody else with a name like it.
PLACES = "/etc/systemd/system/backupdb-* /etc/cron.d/backupdb-* /etc/backupdb/jobs.d/* /etc/backupdb/credentials/*"
FOREIGN = "/etc/systemd/system/backupdb-exporter.service"


def files(fleet: Fleet) -> set[str]:
    return set(fleet.run(HOST, f"ls -d {PLACES} 2>/dev/null || true").split())


def backups(fleet: Fleet) -> set[str]:
    listed = fleet.json(HOST, "backupdb list --json /var/backups/backupdb")["backups"]
    return {backup["path"] for backup in listed}


def schedule(ansible: FleetAnsible, jobs: list[dict[str, Any]]) -> None:
    """Schedule these jobs and no others, with cron."""
    variables = {"backupdb_jobs": jobs, "schedule_use": "cron"}
    done = ansible.play_on_fleet("schedule", extra_vars=variables, arguments=["--limit", HOST])
    assert done.returncode == 0, done.output


def test_a_job_moves_to_cron_and_is_removed_with_all_that_was_its_own(fleet: Fleet, ansible: FleetAnsible) -> None:
    fleet.run(HOST, f"touch {FOREIGN}")
    schedule(ansible, [{"name": "hourly", "cron": "17 * * * *"}])
    assert files(fleet) == {
        FOREIGN,
        "/etc/cron.d/backupdb-hourly",
        "/etc/backupdb/jobs.d/hourly.json",
        "/etc/backupdb/credentials/hourly",
    }
    assert "nightly" not in fleet.run(HOST, "systemctl list-units --all --plain --no-legend 'backupdb-*.timer'")
    fleet.run(HOST, "backupdb run hourly")

    kept = backups(fleet)
    schedule(ansible, [])
    assert files(fleet) == {FOREIGN}
    assert backups(fleet) == kept
