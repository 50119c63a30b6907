# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a look at a host for the report."""

from __future__ import annotations

from collections.abc import Mapping

from ..monitoring import options as monitoring
from ..system.options import Option

OPTIONS: Mapping[str, Option] = {**monitoring.OPTIONS, "retention": Option("dict")}
