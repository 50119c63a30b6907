# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying as tests do it: in this process, or in one of its own that can be killed, and what the copy shows then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun
from backupdb.copying.run import run as copy_run
from backupdb.repository import listing
from backupdb.repository.catalogue import Filter
from backupdb.repository.place import CopySource
from backupdb.verify.run import VerifyRequest
from backupdb.verify.run import run as verify_run

from support import run_state
from support.library import KEYS, LIBRARY
from support.measuring import measuring
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
result = run(CopyRun(CopyRequest(wanted["repository"]), copies, wanted["state"]))
json.dump(result, sys.stdout)
"""
Copy = Mapping[str, Any]


def copied(repository: Path, state: Path, *copies: Copy, check_mode: bool = False, **more: Any) -> dict[str, Any]:
    """Copy what is missing, and return the result."""
    wanted = CopyRun(CopyRequest(str(repository)), [settings_of(one) for one in copies], str(state))
    return copy_run(wanted, check_mode=check_mode, **more)


class Copier:
    """The same in a process of its own, which begins at once."""

    def __init__(
        self, repository: Path, state: Path, *copies: Copy, constants: Mapping[str, int] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), **measuring()},
            text=True,
        )
        assert self._process.stdin is not None
        wanted = {
            "repository": str(repository),
            "state": str(state),
            "copies": [{"options": one["options"], "secrets": one["secrets"]} for one in copies],
            "constants": dict(constants or {}),
        }
        json.dump(wanted, self._process.stdin)
        self._process.stdin.close()
        self._process.stdin = None

    def kill(self) -> None:
        """End it at once; it has ended when this returns."""
        self._process.kill()
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)

    def stop(self) -> None:
        """Ask it to stop."""
        self._process.send_signal(signal.SIGTERM)

    def was_killed(self) -> bool:
        """Wait for its end."""
        self._process.communicate()
        return self._process.returncode < 0

    def result(self) -> dict[str, Any]:
        """Wait for its end."""
        output, _nothing = self._process.communicate()
        if self._process.returncode != 0:
            raise AssertionError(f"the copier ended with status {self._process.returncode}")
        found: dict[str, Any] = json.loads(output)
        return found


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
