# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One drill: one backup restored into a server of its own and compared, and the record of it."""

from __future__ import annotations

import time
from typing import Any

from ..engines.box import isolation
from ..engines.workplace import work_dir_of
from ..errors import ArchiveDamaged, BackupDbError, Interrupted, NotEnoughSpace, RequirementMissing, RunTimeout
from ..repository.catalogue import StoredBackup
from ..repository.drill_records import DIFFERENT, EQUAL, EQUAL_REWRITTEN, FAILED, SCHEMA
from ..repository.left_out import without
from ..repository.local import free_bytes
from ..signatures.check import check_backup, claimed
from ..system.text import human_size, iso, utc_now
from ..verify.one_backup import manifest_problem
from ..version import VERSION
from .compare import Findings, compare
from .restore import DrillContext, RestoredServer, drill_support_for, restored
from .rewrites import confirm_rewrites

# Faults of this host, which say nothing about the backup: no record of them is kept.
OF_THIS_HOST = ("ClientMissing", "InvalidOption", "LockBusy", "NotEnoughSpace", "RequirementMissing")


def drill_one(context: DrillContext) -> dict[str, Any]:
    """Drill a backup and return its record; a bad backup is a verdict, never an exception.

    Raises `Interrupted` when the drill was asked to stop: then nothing is known; and `RequirementMissing`.
    """
    began = time.monotonic()
    record = _beginning(context.backup)
    try:
        record["signature"] = check_backup(context.backup, context.signed_by, context.limits.cancel)
        _look_before(context)
        record["isolation"] = isolation(context.user)
        with restored(context) as state:
            record.update(_of_server(state))
            compare_began = time.monotonic()
            findings, stream = compare(state)
            confirm_rewrites(state, findings, stream)
            record.update(_of_findings(state, findings, time.monotonic() - compare_began))
    except RequirementMissing:
        raise
    except BackupDbError as error:
        record.update(_of_failure(_cause(context, error)))
    record["finished"] = iso(utc_now().replace(microsecond=0))
    record["seconds"]["total"] = round(time.monotonic() - began, 3)
    return record


def failed(backup: StoredBackup, error: BackupDbError) -> dict[str, Any]:
    """Return the record of a drill that could not even begin."""
    record = {**_beginning(backup), **_of_failure(error), "finished": iso(utc_now().replace(microsecond=0))}
    record["seconds"]["total"] = 0.0
    return record


def _cause(context: DrillContext, error: BackupDbError) -> BackupDbError:
    """Return what explains most: whatever fails once time is up fails because of that.

    Raises `Interrupted` when the whole run was asked to stop, and only then.
    """
    try:
        context.limits.check()
    except RunTimeout as late:
        return late
    except Interrupted:
        if context.limits.cancel.is_set():
            raise
    return error


def _look_before(context: DrillContext) -> None:
    problem = manifest_problem(context.backup)
    if problem is not None:
        raise ArchiveDamaged(problem)
    manifest = context.manifest
    folder = work_dir_of(context.work_dir)
    free = free_bytes(folder)
    needed = int(manifest.get("size_bytes") or manifest["plain_bytes"])
    needed += drill_support_for(manifest).SERVER_BYTES
    if needed > free:
        raise NotEnoughSpace(
            f"a drill of {context.backup.folder} needs about {human_size(needed)} and {human_size(free)} are free in "
            f"{folder}; name a work_dir on a larger filesystem"
        )


def _beginning(backup: StoredBackup) -> dict[str, Any]:
    manifest = backup.manifest
    return {
        "schema": SCHEMA,
        "backup_id": manifest["backup_id"],
        "host": manifest["host"],
        "instance": manifest["instance"],
        "database": backup.database,
        "without": without(manifest),
        "started": iso(utc_now().replace(microsecond=0)),
        "verdict": FAILED,
        "error": None,
        "error_kind": None,
        "differences": [],
        "rewritten": [],
        "compared": [],
        "not_compared": [],
        "seconds": {"decrypt": None, "restore": None, "compare": None},
        "source": {"vendor": manifest["engine"], "version": manifest["server"].get("version")},
        "server": None,
        "client": None,
        "content": "not compared with the source",
        "signature": claimed(manifest),
        "warnings": [],
        "unmatched_settings": [],
        "isolation": None,
        "tool": {"name": "vya.backupdb", "version": VERSION},
    }


def _of_failure(error: BackupDbError) -> dict[str, Any]:
    return {
        "verdict": FAILED,
        "error": str(error),
        "error_kind": type(error).__name__,
        "differences": [{"what": "drill", "expected": None, "found": str(error)}],
    }


def _of_server(state: RestoredServer) -> dict[str, Any]:
    warnings = [*state.warnings, *([state.accounts.note] if state.accounts.note else [])]
    if state.placeholders:
        warnings.append(
            f"not among the accounts, so placeholders without a login were made: {', '.join(state.placeholders)}"
        )
    return {
        "server": {
            "vendor": state.engine.facts.vendor,
            "version": state.engine.facts.version,
            "program": state.program,
        },
        "client": {
            name: {"path": client.path, "version": client.version}
            for name, client in (("dump", state.dump_client), ("restore", state.restore_client))
        },
        "warnings": list(dict.fromkeys(warnings)),
        "unmatched_settings": list(state.unmatched),
        "seconds": {
            "decrypt": round(state.decrypt_seconds, 3),
            "restore": round(state.restore_seconds, 3),
            "compare": None,
        },
    }


def _of_findings(state: RestoredServer, findings: Findings, seconds: float) -> dict[str, Any]:
    return {
        "verdict": _verdict(findings),
        "differences": findings.differences,
        "rewritten": findings.rewritten,
        "compared": findings.compared,
        "not_compared": findings.not_compared,
        "content": (
            "compared with the source by fingerprints" if findings.by_fingerprints else "not compared with the source"
        ),
        "seconds": {
            "decrypt": round(state.decrypt_seconds, 3),
            "restore": round(state.restore_seconds, 3),
            "compare": round(seconds, 3),
        },
    }


def _verdict(findings: Findings) -> str:
    if findings.differences:
        return DIFFERENT
    return EQUAL_REWRITTEN if findings.rewritten else EQUAL
