# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of drills."""

from __future__ import annotations

from typing import Any

from ...backupdb.drill.options import drill_request_from
from ...backupdb.drill.request import NEWEST, SELECTS
from .catalogue import catalogue_arguments, identity_arguments, repository_arguments

__all__ = ["drill_arguments", "drill_request_from"]


def drill_arguments() -> dict[str, Any]:
    """All options of the module."""
    return {
        **repository_arguments(),
        **catalogue_arguments(),
        **identity_arguments(),
        "select": {"type": "str", "default": NEWEST, "choices": list(SELECTS)},
        "count": {"type": "int", "default": 1},
        "paths": {"type": "list", "elements": "path"},
        "work_dir": {"type": "path"},
        "run_as": {"type": "str"},
        "jobs": {"type": "int", "default": 1},
        "timeout": {"type": "str"},
    }
