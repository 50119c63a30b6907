# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `repository.options.REPOSITORY_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Where backups rest, for what reads them."""

    DOCUMENTATION = r"""
options:
  repository:
    description:
      - Directory on the host that holds the backups, the same as for M(vya.backupdb.database_backup).
      - Read access is enough. But without write access, a backup cannot be protected from removal while it is read. A
        warning says so.
    type: path
"""
