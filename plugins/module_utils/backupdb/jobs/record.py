# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of a job between its runs, and the lock that keeps it from running twice at a time.

`<state_dir>/jobs/NAME.json` has the last result without its long parts, and when the job last succeeded and was last
proven by a drill. It is replaced in one step. Losing it loses no backup: the next run writes it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import LockBusy, RepositoryError
from ..repository.files import replace_file, storage_errors
from ..system.files import PRIVATE_FOLDER, open_regular, read_small_file
from ..system.json_text import read_json
from ..system.locking import try_lock, write_owner
from ..system.text import parse_iso

SCHEMA = 1
_LARGEST_RECORD = 16 << 20  # bytes
_RUN_KEYS = ("job", "run_id", "started", "finished", "status", "message", "error_kind", "warnings", "notifications")
_BACKUP_KEYS = (
    "instance",
    "host",
    "repository",
    "engine",
    "server_version",
    "status",
    "message",
    "error_kind",
    "plain_bytes",
    "stored_bytes",
    "duration",
)
_STEP_KEYS = ("status", "message", "removed", "kept", "freed_bytes", "proven", "seconds")


def record_path(state_dir: str, name: str) -> Path:
    """Return the file that remembers a job."""
    return Path(state_dir, "jobs", f"{name}.json")


def read_record(state_dir: str, name: str) -> dict[str, Any] | None:
    """Return what is remembered of a job; None when it has not run here, or nothing that can be read is there."""
    try:
        values = read_json(read_small_file(record_path(state_dir, name), _LARGEST_RECORD))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) and values.get("schema") == SCHEMA else None


def write_record(state_dir: str, result: Mapping[str, Any]) -> None:
    """Remember a result; raises `RepositoryError` or `NotEnoughSpace`."""
    path = record_path(state_dir, str(result["job"]))
    values = record_of(result, read_record(state_dir, str(result["job"])) or {})
    _make_folder(path.parent)
    replace_file(path, (json.dumps(values, indent=2, sort_keys=True) + "\n").encode("ascii"))


def record_of(result: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth remembering of a result; what it does not change stays as it was before."""
    drill = result.get("drill")
    return {
        "schema": SCHEMA,
        **{key: result.get(key) for key in _RUN_KEYS},
        "duration": round(parse_iso(result["finished"]).timestamp() - parse_iso(result["started"]).timestamp(), 3),
        "last_success": result["finished"] if result["status"] == "ok" else before.get("last_success"),
        "last_drill": result["started"] if drill and _is_remembered(drill) else before.get("last_drill"),
        "backups": [_backup(entry) for entry in result["backups"]],
        "copy": _step(result.get("copy")),
        "prune": _step(result.get("prune")),
        "drill": _step(drill),
    }


def _is_remembered(drill: Mapping[str, Any]) -> bool:
    """Return whether a drill proved everything and the repository knows it; else it is to be done again."""
    return drill["status"] == "ok" and all(entry["record"] is not None for entry in drill.get("drills", ()))


@contextmanager
def job_lock(state_dir: str, name: str) -> Iterator[None]:
    """Hold a job for one run; raises `LockBusy` at once when it runs already, and `RepositoryError`."""
    path = record_path(state_dir, name).with_suffix(".lock")
    _make_folder(path.parent)
    with storage_errors(path, "opening the lock"):
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        with storage_errors(path, "taking the lock"):
            taken = try_lock(descriptor)
        if not taken:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise LockBusy(f"job {name} is running already (pid {owner}, {path}); wait for its end")
        write_owner(descriptor, f"{os.getpid()}\n")
        yield
    finally:
        os.close(descriptor)


def remembered_time(record: Mapping[str, Any] | None, key: str) -> float | None:
    """Return a remembered time in seconds since 1970; None when there is none."""
    try:
        return parse_iso(str((record or {})[key])).timestamp()
    except (KeyError, ValueError):
        return None


def _backup(entry: Mapping[str, Any]) -> dict[str, Any]:
    databases = [*entry.get("databases", ()), *([entry["accounts"]] if entry.get("accounts") else [])]
    return {
        **{key: entry.get(key) for key in _BACKUP_KEYS},
        "databases": [{key: item[key] for key in ("name", "status", "error", "missing")} for item in databases],
    }


def _step(step: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if step is None else {key: step[key] for key in _STEP_KEYS if key in step}


def _make_folder(path: Path) -> None:
    with storage_errors(path, "making"):
        try:
            path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        except FileExistsError:
            raise RepositoryError(f"{path} is in the way: it should be a folder for the records of jobs") from None
