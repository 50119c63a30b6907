# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job runs next, as far as the host can tell."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from backupdb.monitoring.next_run import NOT_SCHEDULED, next_runs, read_timers

# What `systemctl show --property=Id,NextElapseUSecRealtime` of systemd 252 writes with TZ=UTC; the second is stopped.
TIMERS = """\
Id=backupdb-nightly.timer
NextElapseUSecRealtime=Wed 2026-11-25 02:15:07 UTC

Id=backupdb-stopped.timer
NextElapseUSecRealtime=

Id=backupdb-odd.timer
NextElapseUSecRealtime=n/a
"""


def test_the_next_moment_of_a_timer_is_read_and_others_have_none() -> None:
    moment = datetime(2026, 11, 25, 2, 15, 7, tzinfo=timezone.utc)
    assert read_timers(TIMERS) == {"backupdb-nightly.timer": moment}
    assert read_timers("") == {}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("15 2 * * * root /usr/local/bin/backupdb run nightly", "cron: 15 2 * * *"),
        ("*/30 8-18 * * mon,tue backupdb /usr/local/bin/backupdb run nightly", "cron: */30 8-18 * * mon,tue"),
        ("@daily root /usr/local/bin/backupdb run nightly", "cron: @daily"),
        ("# 15 2 * * * root /usr/local/bin/backupdb run nightly", "not scheduled"),
        ("PATH=/usr/bin:/bin", "not scheduled"),
    ],
)
def test_a_line_of_cron_is_shown_as_it_is_written(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "backupdb-unit-test").write_text(f"# Ansible managed\nSHELL=/bin/sh\n\n{line}\n")
    found = next_runs(["unit-test", "unit-test-other"], cron_folder=str(tmp_path))
    assert found["unit-test"].words == words
    assert found["unit-test-other"] == NOT_SCHEDULED
