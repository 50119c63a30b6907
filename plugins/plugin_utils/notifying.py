# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications about the work of a role, sent from the controller, once for all hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.utils.display import Display
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.message import Event
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.sending import send_all
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import printable

Notifications = Sequence[Mapping[str, Any]]

display = Display()


def announce(title: str, hosts: Sequence[str], notifications: Notifications, *, check_mode: bool) -> None:
    """Say that work on these hosts begins."""
    event = Event(
        kind="start",
        title=f"{title} begins: hosts {', '.join(hosts)}",
        lines=tuple(hosts),
        job=title.lower(),
        details={"hosts": {}},
    )
    _send(event, notifications, check_mode=check_mode)


def report(
    title: str, overview: Mapping[str, Any], notifications: Notifications, *, check_mode: bool
) -> list[dict[str, Any]]:
    """Say how it ended, and return what became of each notification that is about that."""
    is_good = overview["status"] == "ok"
    event = Event(
        kind="success" if is_good else "failure",
        title=f"{title} {'succeeded' if is_good else 'failed'}: {overview['message']}",
        lines=tuple(overview["lines"]),
        job=title.lower(),
        details={"hosts": {host: summary["status"] for host, summary in overview["hosts"].items()}},
    )
    return _send(event, notifications, check_mode=check_mode)


def _send(event: Event, notifications: Notifications, *, check_mode: bool) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = printable(send_all(notifications, event, check_mode=check_mode))
    for outcome in outcomes:
        if outcome["error"]:
            display.warning(f"The notification {outcome['name']} was not sent: {outcome['error']}")
    return outcomes
