# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the logins on one host, summed up: which are as requested, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .summaries import Done, Result

ACCOUNT = "vya.backupdb.backup_account"
TRIAL = "vya.backupdb.database_info"

_KEPT = (
    "instance",
    "engine",
    "server_version",
    "account",
    "status",
    "changed",
    "message",
    "statements",
    "missing",
    "surplus",
    "write_refused",
)


def login_summary(done: Done) -> dict[str, Any]:
    """Sum up the calls of backup_account, one for each instance, and of database_info, which logged in to try them.

    `status` is `ok`, `unknown`, `failed` or `unreachable`, `message` a sentence; `lines` are for people, and `logins`
    has the logins with the statements that were run.
    """
    called = [one.result for one in done.of(ACCOUNT)]
    managed = [result for result in called if "status" in result]
    error = done.error or ("" if called else str(done.last.get("msg") or "there is no instance"))
    complaints = _failures(called) + _trial_failures([one.result for one in done.of(TRIAL)])
    bad = ([error] if error else []) + complaints
    unknown = [f"unknown until the host is prepared: {result['msg']}" for result in called if result.get("expected")]
    count = len(managed)
    good = f"{count} login is as requested" if count == 1 else f"{count} logins are as requested"
    return {
        "status": "unreachable"
        if done.last.get("unreachable")
        else "failed"
        if bad
        else "unknown"
        if unknown
        else "ok",
        "message": error or "; ".join(complaints or unknown) or good,
        "lines": bad + unknown + _lines([result for result in managed if result["status"] != "failed"], managed),
        "logins": [{key: value for key, value in result.items() if key in _KEPT} for result in managed],
    }


def _failures(results: Sequence[Result]) -> list[str]:
    failed = [result for result in results if result.get("status") == "failed" and not result.get("expected")]
    return [
        *(result["message"] for result in failed if "error_kind" not in result),
        *(result["msg"] for result in failed if "error_kind" in result),
        *(result.get("msg", "the module failed") for result in results if "status" not in result),
    ]


def _trial_failures(trials: Sequence[Result]) -> list[str]:
    lacking = [privilege for trial in trials for privilege in trial.get("missing_privileges", ())]
    return [
        *(trial.get("msg", "the login could not be tried") for trial in trials if "missing_privileges" not in trial),
        *(privilege["grant"] for privilege in lacking if privilege["severity"] == "fatal"),
    ]


def _lines(good: Sequence[Result], managed: Sequence[Result]) -> list[str]:
    statements = [statement for result in managed for statement in result.get("statements", ())]
    return [*(result["message"] for result in good), *statements]
