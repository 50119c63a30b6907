# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of notifications, as the module, the roles and the jobs of hosts take them."""

from __future__ import annotations

from typing import Any

from ...backupdb.notify.message import KINDS
from ...backupdb.notify.settings import DEFAULTS, TLS_MODES, TYPES


def notification_arguments() -> dict[str, Any]:
    """Options of one notification. What is missing or contradicts itself is found when it is read."""
    return {
        "name": {"type": "str", "required": True},
        "type": {"type": "str", "required": True, "choices": list(TYPES)},
        "events": {"type": "list", "elements": "str", "choices": list(KINDS)},
        "url": {"type": "str", "no_log": True},
        "smtp_host": {"type": "str"},
        "smtp_port": {"type": "int"},
        "smtp_tls": {"type": "str", "default": DEFAULTS["smtp_tls"], "choices": list(TLS_MODES)},
        "smtp_user": {"type": "str"},
        "smtp_password": {"type": "str", "no_log": True},
        "from": {"type": "str"},
        "to": {"type": "list", "elements": "str"},
        "ca_cert": {"type": "path"},
        "timeout": {"type": "str", "default": DEFAULTS["timeout"]},
        "attempts": {"type": "int", "default": DEFAULTS["attempts"]},
        "backoff": {"type": "str", "default": DEFAULTS["backoff"]},
    }


def event_arguments() -> dict[str, Any]:
    """Options of a message."""
    return {
        "event": {"type": "str", "required": True, "choices": list(KINDS)},
        "title": {"type": "str", "required": True},
        "lines": {"type": "list", "elements": "str", "default": []},
        "host": {"type": "str", "default": ""},
        "job": {"type": "str", "default": ""},
        "details": {"type": "dict", "default": {}},
    }
