# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of backup_drill: the drill goes on without the connection."""

from __future__ import annotations

from ansible_collections.vya.backupdb.plugins.plugin_utils.detached_action import DetachedAction


class ActionModule(DetachedAction):
    """Drills."""

    MODULE = "vya.backupdb.backup_drill"
    SUBJECT = "instance"
    LOOK_FOR = "Look with backup_info at what has been proven"
