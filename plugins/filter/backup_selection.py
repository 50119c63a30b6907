# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter backup_selection: which backup to restore, from the few words that a survey asks for."""

from __future__ import annotations

import re
from typing import Any, Callable

DOCUMENTATION = r"""
name: backup_selection
short_description: Turn the answer to "which backup" into options of database_restore
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes a path, the word V(latest), the id of a backup or a time of day, as
    O(vya.backupdb.restore#role:main:restore_from) does, and returns the options of
    M(vya.backupdb.database_restore) that select this backup.
options:
  _input:
    description: Path, V(latest), id of a backup, or time.
    type: str
    required: true
  source_host:
    description: Host that the backup is of. An empty one means any host.
    type: str
    default: ""
  source_instance:
    description: Instance that the backup is of.
    type: str
    default: ""
  database:
    description: Database that the backup is of.
    type: str
    default: ""
"""

EXAMPLES = r"""
---
- name: Show which options select the newest backup
  ansible.builtin.debug:
    msg: "{{ 'latest' | vya.backupdb.backup_selection(source_host='db1', source_instance='shop-pg', database='shop') }}"
"""

RETURN = r"""
_value:
  description:
    - C(path) alone, or C(instance), C(database), C(host) where one was given, and one of C(latest), C(backup_id) and
      C(at).
  type: dict
"""

_BACKUP_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")


def backup_selection(
    restore_from: str, source_host: str = "", source_instance: str = "", database: str = ""
) -> dict[str, Any]:
    """Return the options of database_restore that select the backup."""
    # No option is called `instance`: ansible-core passes an argument of that name itself.
    if restore_from.startswith("/"):
        return {"path": restore_from}
    selection: dict[str, Any] = {"instance": source_instance, "database": database}
    if source_host:
        selection["host"] = source_host
    if restore_from == "latest":
        return {**selection, "latest": True}
    if _BACKUP_ID.fullmatch(restore_from):
        return {**selection, "backup_id": restore_from}
    return {**selection, "at": restore_from}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"backup_selection": backup_selection}
