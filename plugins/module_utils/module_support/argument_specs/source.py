# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options that say which one backup is meant, documented in the fragment `source`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.repository.options import selector_from

__all__ = ["SOURCE_CONSTRAINTS", "selector_from", "source_arguments"]

SOURCE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("path", "latest", "at", "backup_id"), ("path", "instance"), ("path", "host")],
    "required_one_of": [("path", "latest", "at", "backup_id"), ("path", "instance")],
    "required_by": {"latest": "repository", "at": "repository", "backup_id": "repository"},
}


def source_arguments() -> dict[str, Any]:
    """Options that pick one backup, with `repository` of reading_arguments.py."""
    return {
        "path": {"type": "path"},
        "host": {"type": "str"},
        "instance": {"type": "str", "required": False},
        "latest": {"type": "bool"},
        "at": {"type": "str"},
        "backup_id": {"type": "str"},
    }
