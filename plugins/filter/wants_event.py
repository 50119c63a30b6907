# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter wants_event: whether any notification is about an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.message import KINDS

DOCUMENTATION = r"""
name: wants_event
short_description: Check whether any notification is about an event
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes entries of O(vya.backupdb.backupdb#role:main:backupdb_notifications) and says whether one of them is sent when
    this event happens. Those that do not say are about failures, and pings about everything.
options:
  _input:
    description: Notifications.
    type: list
    elements: dict
    required: true
  event:
    description: The event.
    type: str
    choices: [start, success, failure]
    required: true
"""

EXAMPLES = r"""
---
- name: Say so when nobody hears about failures
  ansible.builtin.debug:
    msg: No notification is about failures.
  when: not (backupdb_notifications | vya.backupdb.wants_event('failure'))
"""

RETURN = r"""
_value:
  description: Whether one of the notifications is sent.
  type: bool
"""


def wants_event(notifications: Sequence[Mapping[str, Any]], event: str) -> bool:
    """Return whether one of the notifications is sent when this event happens."""
    return any(event in _events(notification) for notification in notifications)


def _events(notification: Mapping[str, Any]) -> Sequence[str]:
    events = notification.get("events")
    if events is None:
        return KINDS if notification.get("type") == "ping" else ("failure",)
    return [events] if isinstance(events, str) else events


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"wants_event": wants_event}
