# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter administrator_login: an instance with the login of its administrator instead of the backup's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: administrator_login
short_description: Replace the login of an instance by that of its administrator
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes an instance with the login of backups and returns how its administrator logs in, for the role
    P(vya.backupdb.account#role). Neither the user nor the password of the backups is in it.
  - The result is secret. Use it in no loop, no debug and no fact.
options:
  _input:
    description: The instance, such as P(vya.backupdb.instance_login#filter) returns it.
    type: dict
    required: true
  user:
    description: Who the administrator is where O(login) does not say.
    type: str
    required: true
  login:
    description: C(login_user), C(login_password), and other keys of an instance that differ.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Look for the logins of a server
  vya.backupdb.account_info:
    engine: "{{ my_admin.engine }}"
    login_unix_socket: "{{ my_admin.login_unix_socket }}"
    login_user: "{{ my_admin.login_user }}"
  vars:
    my_admin: "{{ my_instance | vya.backupdb.administrator_login(user='root') }}"
    my_instance:
      engine: mariadb
      login_unix_socket: /run/mysqld/mysqld.sock
      login_user: backupdb
"""

RETURN = r"""
_value:
  description: The instance, with the options of the administrator's login.
  type: dict
"""

_OF_BACKUPS = ("login_user", "login_password")


def administrator_login(
    instance: Mapping[str, Any], user: str, login: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the options of the administrator's login."""
    shared = {option: value for option, value in instance.items() if option not in _OF_BACKUPS}
    return {**shared, "login_user": user, **(login or {})}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"administrator_login": administrator_login}
