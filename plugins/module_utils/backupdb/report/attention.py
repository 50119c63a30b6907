# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs attention now, why, and what to do next: worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..monitoring import complaints
from .coverage import DISPROVED, NO_BACKUP

# How bad it is: nothing could be restored, something failed, or somebody should look.
LOST, FAILED, LOOK = 0, 1, 2
_NEXT_STEP: Mapping[str, str] = {
    complaints.NOTHING: "Define a job with the playbook schedule, or run the playbook backup",
    complaints.NOT_BEGUN: "Run the playbook doctor for this host, which names the link of the job that is broken",
    complaints.NEVER: "Run the playbook doctor for this host, and start the job by hand: {run}",
    complaints.RUN: "Read what the run said: journalctl -u 'backupdb-*' on the host, then backupdb doctor",
    complaints.DATABASE: "Mend what the message names, then run the job again: {run}",
    complaints.COPY: "Run the playbook copy for this host with --check: it says what is missing, and what is refused",
    complaints.JOB: "Read what the job said: journalctl -u 'backupdb-*' on the host, then backupdb doctor",
    complaints.REPOSITORY: "Mount the repository, or correct its path",
}
_UNREACHED = "Reach the host, then run this report again; a copy or a vault can be asked meanwhile"
_DRILL = "Read what its last drill found, make a new backup at once, and drill that"
_UNUSUAL = "Ask whoever works with this database whether that was meant; keep an older backup with backupdb pin"


@dataclass(frozen=True)
class Item:
    """Something that needs attention; `database` is the number of a database of the model, if it is about one."""

    level: int  # LOST, FAILED or LOOK
    host: str
    subject: str  # instance and database, as far as it is about them
    why: str
    next_step: str
    database: int | None = None


def items(model: Mapping[str, Any]) -> list[Item]:
    """Return what needs attention in a model of a fleet, in which nothing is said twice."""
    found = [*_of_hosts(model), *_of_databases(model)]
    return sorted(found, key=lambda item: (item.level, item.host, item.subject))


def _of_hosts(model: Mapping[str, Any]) -> Iterator[Item]:
    numbers = {_key(entry): entry["number"] for entry in model["databases"]}
    coverage: dict[int | None, str] = {entry["number"]: entry["coverage"] for entry in model["databases"]}
    for host in model["hosts"]:
        if host["unknown"] is not None:
            yield Item(FAILED, host["name"], "", f"nothing is known of it: {host['unknown']}", _UNREACHED)
        for complaint in host["complaints"]:
            subject = "" if complaint["instance"] is None else complaint["instance"]
            number = None
            if complaint["database"] is not None or complaint["accounts"]:
                number = numbers.get((host["name"], complaint["host"], complaint["instance"], complaint["database"]))
                subject = f"{subject}/{complaint['database'] or '@accounts'}"
            is_lost = complaint["kind"] == complaints.DATABASE and coverage.get(number) == NO_BACKUP.name
            level = LOST if is_lost else FAILED if complaint["level"] == "failed" else LOOK
            yield Item(level, host["name"], subject, _without_place(complaint), _next_step(complaint, host), number)


def _of_databases(model: Mapping[str, Any]) -> Iterator[Item]:
    for entry in model["databases"]:
        host, subject = entry["look"], f"{entry['instance']}/{entry['title']}"
        if entry["coverage"] == DISPROVED.name:
            drill = entry["drill"]
            why = f"the last drill, {drill['finished'][:10]}, ended {drill['verdict']}{_cause(entry)}"
            yield Item(LOST, host, subject, why, _DRILL, entry["number"])
        for anomaly in entry["anomalies"]:
            yield Item(LOOK, host, subject, anomaly["text"], _UNUSUAL, entry["number"])


def _cause(entry: Mapping[str, Any]) -> str:
    last = next(iter(entry["drills"]), None)
    if last is None:
        return ""
    if last["error"]:
        return f": {last['error']}"
    return f": {last['differences']} differences" if last["differences"] else ""


def _next_step(complaint: Mapping[str, Any], host: Mapping[str, Any]) -> str:
    place = (complaint["host"], complaint["instance"])
    jobs = [job for one in host["instances"] if (one["host"], one["instance"]) == place for job in one["jobs"]]
    run = f"backupdb run {jobs[0]}" if jobs else "the playbook backup, limited to this host"
    return _NEXT_STEP[complaint["kind"]].replace("{run}", run)


def _without_place(complaint: Mapping[str, Any]) -> str:
    """Return what is said without the name that stands beside it anyway."""
    text = str(complaint["text"])
    names = [complaint["host"], complaint["instance"]]
    if complaint["database"] is not None or complaint["accounts"]:
        names.append(complaint["database"] or "@accounts")
    place = "/".join(str(name) for name in names if name is not None)
    return text.removeprefix(f"{place}: ") if place else text


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return (entry["look"], entry["host"], entry["instance"], entry["database"])
