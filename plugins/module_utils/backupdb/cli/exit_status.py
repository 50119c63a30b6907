# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line says by its exit status, so that timers and scripts can distinguish what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BUSY, FAILED, exit_status_of

OK = 0
PARTIAL = 1  # all is published, something named is missing

_OF_STATUS = {
    "ok": OK,
    "planned": OK,
    "restored": OK,
    "partial": PARTIAL,
    "restored_with_errors": PARTIAL,
    "failed": FAILED,
    "busy": BUSY,
}


def of_result(result: Mapping[str, Any]) -> int:
    """Return the status for a result; the error that ended the work, if there is one, says more than its status."""
    kind = result.get("error_kind")
    return exit_status_of(str(kind)) if kind else _OF_STATUS[result["status"]]
