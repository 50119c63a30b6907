# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of its own that sends files to a store, to be killed on its way. Secrets reach it by its standard input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backupdb.repository.stores.interface import Upload

from support.scripted_process import ScriptedProcess, environment

_SCRIPT = """
import json, sys
from pathlib import Path
from backupdb.repository.stores import s3_upload
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.notes import FileNotes
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.settings import copy_from

wanted = json.load(sys.stdin)
for name, value in wanted["constants"].items():
    setattr(s3_upload, name, value)

class Count:
    sent = 0
    def count(self, size):
        self.sent += size

meter = Count()
store = open_store(
    copy_from(wanted["options"], "copies[0]", wanted["secrets"]), Patience(20), FileNotes(Path(wanted["notes"]))
)
files = [Upload(Path(one["path"]), one["name"], one["size"], one["sha256"]) for one in wanted["files"]]
arrival = store.arrival(files[0].name.rpartition("/")[0], meter)
for one in files:
    arrival.put(one)
arrival.finish()
status = Path("/proc/self/status").read_text()
json.dump({"sent": meter.sent, "peak": int(status.partition("VmHWM:")[2].split()[0]) * 1024}, sys.stdout)
"""
# boto3 and a client as the store makes it, and nothing sent: what Python has to be compared with.
_IDLE = """
import sys
from pathlib import Path
from backupdb.repository.stores import s3_upload
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.settings import copy_from

open_store(copy_from({"name": "c", "type": "s3", "bucket": "none", "endpoint": "http://127.0.0.1:1"}, "c"), Patience(1))
status = Path("/proc/self/status").read_text()
sys.stdout.write(status.partition("VmHWM:")[2].split()[0])
"""
SMALL_PARTS = {"SINGLE": 6 << 20, "_SMALLEST_PART": 5 << 20}  # no store takes smaller parts


class Sender(ScriptedProcess):
    """Begins to send at once."""

    def __init__(
        self, copy: Mapping[str, Any], notes: Path, *files: Upload, constants: Mapping[str, int] | None = None
    ) -> None:
        wanted = {
            **copy,
            "notes": str(notes),
            "constants": dict(constants or {}),
            "files": [
                {"path": str(one.path), "name": one.name, "size": one.size, "sha256": one.sha256} for one in files
            ],
        }
        super().__init__(_SCRIPT, wanted)


def idle_peak() -> int:
    """How many bytes of memory such a process has that sends nothing."""
    done = subprocess.run(
        [sys.executable, "-c", _IDLE], env=environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout) * 1024
