# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restore_login: an instance with the login of who restores into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.plugin_utils.administrators import administrator_of

DOCUMENTATION = r"""
name: restore_login
short_description: Replace the login of an instance by that of who restores
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes an instance with the login of backups and returns how its administrator logs in to restore, for the role
    P(vya.backupdb.restore#role).
  - Through a socket without a password that is the operating system's user C(postgres) for PostgreSQL and C(root) for
    MySQL and MariaDB, or the user of the name of the account in O(given). Otherwise the login is that of the backups
    with what O(given) says instead.
  - The result is secret. Use it in no loop, no debug and no fact.
options:
  _input:
    description: The instance, such as P(vya.backupdb.instance_login#filter) returns it.
    type: dict
    required: true
  given:
    description:
      - Options of the login that win, such as C(login_user). Empty ones are left out. A part of an account replaces the
        whole account of the backups.
    type: dict
    default: {}
  as_root:
    description: Whether the work is done as root, who alone can be another user of the operating system.
    type: bool
    default: true
"""

EXAMPLES = r"""
---
- name: Restore as the administrator
  vya.backupdb.database_restore:
    engine: "{{ my_login.engine }}"
    login_unix_socket: "{{ my_login.login_unix_socket }}"
    login_user: "{{ my_login.login_user }}"
    login_system_user: "{{ my_login.login_system_user }}"
    repository: /var/backups/backupdb
    instance: shop-pg
    database: shop
    latest: true
  become: true
  vars:
    my_login: "{{ my_instance | vya.backupdb.restore_login }}"
    my_instance:
      engine: postgresql
      login_unix_socket: /var/run/postgresql
      login_user: backupdb
"""

RETURN = r"""
_value:
  description: The instance, with the options of the login that restores.
  type: dict
"""


def restore_login(
    instance: Mapping[str, Any], given: Mapping[str, Any] | None = None, as_root: bool = True
) -> dict[str, Any]:
    """Return the options of the login that restores."""
    return administrator_of(instance, given, as_root=as_root)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"restore_login": restore_login}
