# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number that tells one database server (and its physical replicas) from all others."""

from __future__ import annotations

from typing import Any, Callable

from ...errors import QueryFailed

SYSTEM_IDENTIFIER_KEY = "system_identifier"  # of a manifest's engine details
_QUERY = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


def system_identifier(ask: Callable[[str], Any]) -> str | None:
    """Return the number of the server, asked by a function that returns one value; None where it is not shown."""
    try:
        return str(ask(_QUERY))
    except QueryFailed:
        return None
