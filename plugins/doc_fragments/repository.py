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
      - Directory on the host that holds the backups, as M(vya.backupdb.database_backup) got it.
      - Reading is enough. Where nothing can be written either, backups that are read cannot be kept from being removed
        meanwhile, which is warned about.
    type: path
"""
