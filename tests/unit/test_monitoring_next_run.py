# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job runs next, as far as the host can tell."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from backupdb.monitoring.next_run import NOT_SCHEDULED, Timer, next_elapse, next_runs, read_timers

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
# What `systemctl show --property=Id,ActiveState,NextElapseUSecRealtime` of systemd 252 writes with TZ=UTC.
TIMERS = """\
NextElapseUSecRealtime=Wed 2026-11-25 02:15:07 UTC
Id=backupdb-nightly.timer
ActiveState=active

NextElapseUSecRealtime=
Id=backupdb-stopped.timer
ActiveState=inactive

NextElapseUSecRealtime=
Id=backupdb-at-work.timer
ActiveState=active
"""


def test_the_next_moment_of_a_timer_is_read_and_one_that_is_stopped_is_none() -> None:
    moment = datetime(2026, 11, 25, 2, 15, 7, tzinfo=timezone.utc)
    assert read_timers(TIMERS) == {"backupdb-nightly.timer": Timer(moment), "backupdb-at-work.timer": Timer(None)}
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
    found = next_runs(dict.fromkeys(("unit-test", "unit-test-other")), now=NOW, cron_folder=str(tmp_path))
    assert found["unit-test"].words == words
    assert found["unit-test-other"] == NOT_SCHEDULED


def test_the_calendar_of_a_job_at_work_tells_when_it_comes_again() -> None:
    assert next_elapse("*-*-* 02:15:00 UTC") == next_elapse("*-*-* 04:15:00 Etc/GMT-2")
    after = datetime(2026, 11, 24, 2, 15, 1, tzinfo=timezone.utc)
    assert next_elapse("*-*-* 02:15:00 UTC", after) == datetime(2026, 11, 25, 2, 15, tzinfo=timezone.utc)
    assert next_elapse("2020-01-01") is None
    assert next_elapse("whenever") is None
    assert next_elapse("--help") is None
