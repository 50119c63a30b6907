# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `retention.policy.OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Which backups are kept."""

    DOCUMENTATION = r"""
options:
  keep_last:
    description:
      - Keep this many of the newest backups.
    type: int
  keep_within:
    description:
      - Keep all backups of this long before the newest one, such as V(48h) or V(14d). It counts back from the newest
        backup, not from now, so that nothing is removed when backups stop.
    type: str
  keep_hourly:
    description:
      - Keep the newest backup of each hour, for this many of the newest hours that have one.
    type: int
  keep_daily:
    description:
      - Keep the newest backup of each day, for this many of the newest days that have one.
    type: int
  keep_weekly:
    description:
      - Keep the newest backup of each ISO week, from Monday to Sunday, for this many of the newest weeks that have one.
    type: int
  keep_monthly:
    description:
      - Keep the newest backup of each month, for this many of the newest months that have one.
    type: int
  keep_yearly:
    description:
      - Keep the newest backup of each year, for this many of the newest years that have one.
    type: int
  keep_min:
    description:
      - Keep this many of the newest backups of each database whatever the other rules say, also of a database that its
        server no longer has. The default is one.
    type: int
  max_age:
    description:
      - When the newest backup of a database is older than this, such as V(2d), backups have stopped, and none of its
        backups is removed. Without it, this is not checked.
    type: str
  time_zone:
    description:
      - Time zone in which hours, days, weeks, months and years begin, such as V(Europe/Berlin). The default is UTC.
    type: str
"""
