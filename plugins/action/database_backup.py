# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of database_backup: the backup goes on without the connection."""

from __future__ import annotations

from ansible_collections.vya.backupdb.plugins.plugin_utils.detached_action import DetachedAction


class ActionModule(DetachedAction):
    """Backs up."""

    MODULE = "vya.backupdb.database_backup"
    SUBJECT = "instance"
    LOOK_FOR = "Look into the repository for its backups"
