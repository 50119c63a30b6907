# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter public_notifications: notifications without what is secret about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.options import SECRET_OPTIONS

DOCUMENTATION = r"""
name: public_notifications
short_description: Leave the secrets out of notifications
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes entries of O(vya.backupdb.backupdb#role:prepare:backupdb_notifications) and returns what of them may be in the
    definition of a job. P(vya.backupdb.job_secrets#filter) has the rest.
options:
  _input:
    description: Notifications.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show the notifications without their secrets
  ansible.builtin.debug:
    msg: "{{ backupdb_notifications | vya.backupdb.public_notifications }}"
"""

RETURN = r"""
_value:
  description: The same notifications without C(url) and C(smtp_password).
  type: list
  elements: dict
"""


def public_notifications(notifications: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the notifications without their secret options."""
    return [
        {option: value for option, value in notification.items() if option not in SECRET_OPTIONS}
        for notification in notifications
    ]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"public_notifications": public_notifications}
