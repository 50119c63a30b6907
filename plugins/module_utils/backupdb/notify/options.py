# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of notifications, as the module, the roles and the jobs of hosts take them, and of what they say."""

from __future__ import annotations

from collections.abc import Mapping

from ..system.options import Option
from .message import KINDS

TYPES = ("email", "webhook", "slack", "teams", "ping", "apprise")
TLS_MODES = ("starttls", "tls", "none")

# One notification. What is missing or contradicts itself is found when it is read.
# `events` is not called `on`, because YAML reads the key `on` as true.
OPTIONS: Mapping[str, Option] = {
    "name": Option(required=True),
    "type": Option(required=True, choices=TYPES),
    "events": Option("list", elements="str", choices=KINDS),
    "url": Option(secret=True),
    "smtp_host": Option(),
    "smtp_port": Option("int"),
    "smtp_tls": Option(default="starttls", choices=TLS_MODES),
    "smtp_user": Option(),
    "smtp_password": Option(secret=True),
    "from": Option(),
    "to": Option("list", elements="str"),
    "ca_cert": Option("path"),
    "timeout": Option(default="10s"),
    "attempts": Option("int", default=3),
    "backoff": Option(default="5s"),
}
SECRET_OPTIONS = tuple(name for name, option in OPTIONS.items() if option.secret)
# What happened, and whom it is sent to.
EVENT_OPTIONS: Mapping[str, Option] = {
    "event": Option(required=True, choices=KINDS),
    "title": Option(required=True),
    "lines": Option("list", elements="str", default=[]),
    "host": Option(default=""),
    "job": Option(default=""),
    "details": Option("dict", default={}),
    "notifications": Option("list", elements="dict", required=True, options=OPTIONS),
}
