# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The id of a run: 32 hexadecimal digits in lower case, which nobody can guess."""

from __future__ import annotations

import re
import uuid

from ..errors import InvalidOption

_RUN_ID = re.compile(r"[0-9a-f]{32}")


def is_run_id(text: str) -> bool:
    """Say whether this is the id of a run: 32 hexadecimal digits in lower case."""
    return _RUN_ID.fullmatch(text) is not None


def check_run_id(run_id: str) -> str:
    """Return the id; raises `InvalidOption` for what is none."""
    if not is_run_id(run_id):
        raise InvalidOption(f"run_id {run_id!r} must be 32 hexadecimal digits in lower case")
    return run_id


def run_id_or_new(run_id: str | None = None) -> str:
    """Return the id that was given, or a new one; raises as `check_run_id` does."""
    return check_run_id(run_id or uuid.uuid4().hex)
