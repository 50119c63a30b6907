# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task of a role on each host hands over to the report on all hosts: the host's summary.

Ansible shows the whole result of a task that failed, as JSON. So that a failure is one sentence on the screen, the
summary is no part of the result; it lies in the folder for temporary files that all processes of one run of Ansible
share, and that Ansible removes at its end.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible import constants


def leave(work: str, host: str, summary: dict[str, Any]) -> None:
    """Leave the summary of a host, in place of an older one; what is no plain value in it becomes a text."""
    text = json.dumps(summary, default=str)
    path = _path(work, host)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def collect(work: str, hosts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the summaries of those hosts that have left one; the work counts as not begun again."""
    found = {}
    for host in hosts:
        with suppress(FileNotFoundError):
            found[host] = json.loads(_path(work, host).read_text(encoding="utf-8"))
    _path(work, "").unlink(missing_ok=True)
    return found


def begin(work: str) -> bool:
    """Return whether the work begins: true for the first host, until the report has collected."""
    try:
        os.close(os.open(_path(work, ""), os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def _path(work: str, host: str) -> Path:
    # Ansible sets it at run time, from its table of options. A name of a host may be longer than one of a file.
    folder = Path(constants.DEFAULT_LOCAL_TMP) / "backupdb"  # type: ignore[attr-defined]
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{work}-{hashlib.sha256(host.encode()).hexdigest()}"
