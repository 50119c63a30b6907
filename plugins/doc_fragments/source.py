# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `repository.options.SOURCE_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Which backup is meant."""

    DOCUMENTATION = r"""
options:
  path:
    description:
      - Folder of the backup, as M(vya.backupdb.database_backup) and M(vya.backupdb.backup_info) return it.
      - Without it, C(repository) and O(instance) are needed, and one of O(latest), O(at) and O(backup_id).
    type: path
  host:
    description:
      - Host whose backup is meant.
      - Required only if several hosts have an instance of this name.
    type: str
  instance:
    description:
      - Your name for the database server whose backup is meant.
    type: str
    required: false
  latest:
    description:
      - The newest backup is meant. One that is dated in the future does not count.
    type: bool
  at:
    description:
      - The newest backup up to this time is meant, such as V(2026-11-24T02:15:00Z).
      - The time zone must be given.
    type: str
  backup_id:
    description:
      - The backup with this id is meant, such as V(20261124T021500Z-3f0c9a52).
    type: str
"""
