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
  copy:
    description:
      - Reads a copy instead of O(repository). The keys are those of an entry of
        O(vya.backupdb.backup_copy#module:copies).
      - Small files of the copy are kept on the host, in O(copy_state_dir). Archives are streamed from the store and
        never stored on the host.
    type: dict
  copy_credentials:
    description:
      - What opens the store of O(copy). The keys are C(access_key_id), C(secret_access_key) and C(session_token).
      - Without them it is the role of the machine.
    type: dict
  copy_state_dir:
    description:
      - Directory on the host in which it is kept what O(copy) holds. Where it is another user's, nothing is kept.
    type: path
    default: /var/lib/backupdb
"""
