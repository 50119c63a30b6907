# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role report: a look at each host, and of all of them together one report on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import BackupDbError
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.report.fleet import Look, fleet_of
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.report.shape import (
    Malformed,
    checked,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.report.written import text_of
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.files import replace_file
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import utc_now

from .overview import Columns, Summary
from .summaries import Done, message_of
from .work import Work, Written

_NOTHING = "the module returned nothing"


def _looked(done: Done) -> dict[str, Any]:
    """Return the look at a host; what it found is no failure, but that nothing could be found is."""
    facts = None if done.error or done.last.get("failed") else done.last.get("facts")
    if isinstance(facts, Mapping):
        try:
            read = checked(facts)
        except Malformed as error:
            return {"status": "failed", "message": f"its answer cannot be read: {error}"}
        count = sum(entry["kind"] == "database" for entry in read["databases"])
        return {"status": "ok", "message": read["message"], "found": read["status"], "count": count, "facts": read}
    status = "unreachable" if done.last.get("unreachable") else "failed"
    return {"status": status, "message": message_of(done, _NOTHING)}


def _write(summaries: Mapping[str, Summary], options: Mapping[str, Any], check_mode: bool) -> Written:
    """Write the report in all forms that are asked for. What cannot be written is the end of the report, in words."""
    looks = [
        Look(host, summary.get("facts"), None if "facts" in summary else str(summary["message"]))
        for host, summary in sorted(summaries.items())
    ]
    model = fleet_of(looks, now=utc_now(), title=options["report_title"])
    path = Path(options["report_path"]).expanduser()
    paths = [path.with_suffix(f".{form}") for form in options["report_formats"]]
    for target in paths:
        try:
            content = text_of(model, target).encode("utf-8", "backslashreplace")
            if not check_mode:
                replace_file(target, content, mode=int(str(options["report_mode"]), 8))
        except (BackupDbError, OSError, ValueError) as error:  # the last is of a mode that is no number
            return Written(error=f"{target} cannot be written: {error}")
    told = f"{'would write' if check_mode else 'wrote'} {', '.join(map(str, paths))}"
    published = {"files": [str(one) for one in paths], "summary": model["summary"]}
    return Written(told, changed=bool(paths), published=published)


REPORT = Work(
    name="report",
    title="Report",
    nothing="Nothing is known",
    sum_up=_looked,
    columns=Columns(
        known="facts",
        cells={"FOUND": lambda host: str(host["found"]), "DATABASES": lambda host: str(host["count"])},
        texts=("FOUND",),
    ),
    published=lambda overview: {
        "status": overview["status"],
        "message": overview["message"],
        "hosts": {
            name: {key: value for key, value in summary.items() if key != "facts"}
            for name, summary in overview["hosts"].items()
        },
    },
    write=_write,
    writes_with=("report_path", "report_formats", "report_mode", "report_title"),
    is_announced=False,
    is_notified=False,
)
