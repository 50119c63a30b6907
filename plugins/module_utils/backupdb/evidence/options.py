# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of evidence as plain values: where it is gathered, what signs it, and what verifies it."""

from __future__ import annotations

from collections.abc import Mapping

from ..repository.options import REPOSITORY_OPTIONS
from ..system.options import Option

STATES = ("gathered", "signed", "verified")
SINCE = "30d"
SOURCE_OPTIONS: Mapping[str, Option] = {
    "name": Option(required=True),
    "facts": Option("dict"),
    "reason": Option(default=""),
}
OPTIONS: Mapping[str, Option] = {
    **REPOSITORY_OPTIONS,
    "state": Option(default="gathered", choices=STATES),
    "host": Option(),
    "since": Option(default=SINCE),
    "until": Option(),
    "sources": Option("list", elements="dict", options=SOURCE_OPTIONS),
    "signing_key": Option("path", secret=False),
    "directory": Option("path"),
    "statement": Option("path"),
    "public_key": Option(secret=False),
    "repositories": Option("list", elements="path", default=[]),
}
