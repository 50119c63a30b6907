# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a look at how fresh the backups are."""

from __future__ import annotations

from collections.abc import Mapping

from ..jobs.options import MAX_AGE
from ..repository.options import REPOSITORY_OPTIONS
from ..system.options import Option

OPTIONS: Mapping[str, Option] = {
    **REPOSITORY_OPTIONS,
    "host": Option(),
    "config_dir": Option("path"),
    "max_age": Option(default=MAX_AGE),
}
