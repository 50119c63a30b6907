# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role doctor: what `backupdb doctor` found on a host, or why it found nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .overview import Columns, Summary, of_counts
from .summaries import Done
from .work import Work, message_of

_NO_ANSWER = "the program backupdb gave no answer"
_ADVICE = "is the program backupdb on this host? The playbook schedule installs it"
_KEPT: Mapping[str, Any] = {"rows": [], "counts": {}, "lines": []}


def _examined(done: Done) -> dict[str, Any]:
    """Return status, message, rows, counts and lines; a host without an answer is `failed` or `unreachable`."""
    result = done.last
    try:
        told = json.loads(result.get("stdout") or "")
        status, message = told["status"], told["message"]
    except (ValueError, KeyError, TypeError):
        told, status = {}, "unreachable" if result.get("unreachable") else "failed"
        message = done.error or result.get("stderr") or result.get("msg") or _NO_ANSWER
        if status == "failed" and not (done.error or result.get("stderr")):
            message = f"{message.rstrip('.')}; {_ADVICE}"
    return {**{key: told.get(key, default) for key, default in _KEPT.items()}, "status": status, "message": message}


def _complaints(summary: Summary) -> list[str]:
    bad = [row for row in summary.get("rows", ()) if row["state"] in ("failed", "warning")]
    return [_line(row) for row in bad] or message_of(summary)


def _line(row: Mapping[str, Any]) -> str:
    named = " ".join(filter(None, (row["link"], row["subject"])))
    return f"{row['job']}: {named}: {row['what']}" + (f" -> {row['next_step']}" if row["next_step"] else "")


DOCTOR = Work(
    name="doctor",
    title="Examination",
    nothing="Nothing was examined",
    sum_up=_examined,
    columns=Columns(
        known="counts",
        cells={
            "OK": of_counts("ok"),
            "UNKNOWN": of_counts("unknown"),
            "WARNINGS": of_counts("warning"),
            "FAILED": of_counts("failed"),
        },
    ),
    complaints=_complaints,
    good=("ok", "partial"),
    is_announced=False,
    is_notified=False,
)
