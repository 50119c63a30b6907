# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying as tests do it: in this process, or in one of its own that can be killed, and what the copy shows then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backupdb.copying.meter import EVERY
from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun
from backupdb.copying.run import run as copy_run
from backupdb.repository import listing
from backupdb.repository.catalogue import Filter
from backupdb.repository.copy_source import CopySource
from backupdb.verify.run import VerifyRequest
from backupdb.verify.run import run as verify_run

from support import run_state
from support.library import KEYS
from support.scripted_process import ScriptedProcess
from support.stores import settings_of

_SCRIPT = """
import json, sys
from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun, run
from backupdb.repository.stores import s3_upload
from backupdb.repository.stores.settings import copy_from

wanted = json.load(sys.stdin)
for name, value in wanted["constants"].items():
    setattr(s3_upload, name, value)
copies = [copy_from(one["options"], "copies", one["secrets"]) for one in wanted["copies"]]
result = run(CopyRun([CopyRequest(wanted["repository"])], copies, wanted["state"]))
json.dump(result, sys.stdout)
"""
Copy = Mapping[str, Any]


def copied(
    repository: Path, state: Path, *copies: Copy, check_mode: bool = False, report_every: float = EVERY, **more: Any
) -> dict[str, Any]:
    """Copy what is missing, and return the result."""
    wanted = CopyRun([CopyRequest(str(repository))], [settings_of(one) for one in copies], str(state), report_every)
    return copy_run(wanted, check_mode=check_mode, **more)


class Copier(ScriptedProcess):
    """The same in a process of its own, which begins at once."""

    def __init__(
        self,
        repository: Path,
        state: Path,
        *copies: Copy,
        constants: Mapping[str, int] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        wanted = {
            "repository": str(repository),
            "state": str(state),
            "copies": [{"options": one["options"], "secrets": one["secrets"]} for one in copies],
            "constants": dict(constants or {}),
        }
        super().__init__(_SCRIPT, wanted, variables)


def source(copy: Copy, state: Path | None = None) -> CopySource:
    """A copy to be read by a host that knows nothing of it yet, or what is in `state`."""
    return CopySource(settings_of(copy), str(state or run_state.new_folder("state")))


def shown(copy: Copy) -> list[str]:
    """The names of the backups that a copy has, for whoever looks at it anew; fails on any problem."""
    result = listing.collect(None, Filter(), source(copy))
    if result["warnings"]:
        raise AssertionError(result["warnings"])
    return sorted(entry["backup_id"] for entry in result["backups"])


def proven(copy: Copy, *, level: str = "decrypt") -> Sequence[str]:
    """The backups of a copy, all read and found to be good."""
    result = verify_run(VerifyRequest(level=level, copy=source(copy), keys=KEYS))
    if result["status"] != "ok" or result["warnings"]:
        raise AssertionError((result["message"], result["warnings"]))
    return sorted(entry["backup_id"] for entry in result["backups"])
