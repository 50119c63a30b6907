# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line says by its exit status, so that timers and scripts can distinguish what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import (
    BackupDbError,
    ClientMissing,
    CredentialsMissing,
    InvalidOption,
    LockBusy,
    RequirementMissing,
)

OK = 0
PARTIAL = 1  # all is published, something named is missing
FAILED = 2
CONFIGURATION = 3  # options, a job's file, or programs and libraries that are not installed
CREDENTIALS = 4  # a job's secrets are not there; a login that the server refuses is a failure
BUSY = 75  # another run is in progress; EX_TEMPFAIL of sysexits.h

_OF_STATUS = {
    "ok": OK,
    "planned": OK,
    "restored": OK,
    "partial": PARTIAL,
    "restored_with_errors": PARTIAL,
    "failed": FAILED,
    "busy": BUSY,
}
_OF_ERROR: Mapping[str, int] = {
    **{kind.__name__: CONFIGURATION for kind in (InvalidOption, RequirementMissing, ClientMissing)},
    CredentialsMissing.__name__: CREDENTIALS,
    LockBusy.__name__: BUSY,
}


def of_error(error: BackupDbError) -> int:
    """Return the status for an error that ended the work before it had a result."""
    return _OF_ERROR.get(type(error).__name__, FAILED)


def of_result(result: Mapping[str, Any]) -> int:
    """Return the status for a result; the kind of its error, if it could not begin, tells more than its status."""
    kind = result.get("error_kind")
    return _OF_ERROR.get(str(kind), FAILED) if kind else _OF_STATUS[result["status"]]
