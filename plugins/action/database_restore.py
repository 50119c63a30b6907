# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of database_restore: the restore goes on without the connection."""

from __future__ import annotations

from ansible_collections.vya.backupdb.plugins.plugin_utils.detached_action import DetachedAction


class ActionModule(DetachedAction):
    """Restores."""

    MODULE = "vya.backupdb.database_restore"
    SUBJECT = "instance"
    LOOK_FOR = "Look at the server for the database that it makes, and wait for its end before another try"
