# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a connection to a server of an engine that there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..connection import options as connection
from ..system.options import Option
from .names import ENGINE_NAMES

OPTIONS: Mapping[str, Option] = {
    **connection.OPTIONS,
    "engine": replace(connection.OPTIONS["engine"], choices=ENGINE_NAMES),
}
