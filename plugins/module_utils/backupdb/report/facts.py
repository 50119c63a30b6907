# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one look at a host, or at a repository of many hosts, finds out for the report: one JSON-able document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..jobs.definition import Job
from ..monitoring import status
from ..monitoring.complaints import Complaint, failures, shortcomings
from ..monitoring.freshness import GONE, DatabaseState, HostState, InstanceState
from ..rebuild.options import OPTIONS as REBUILD_OPTIONS
from ..rebuild.predict import predict
from ..repository.copy_source import CopySource
from ..repository.problems import Problems
from ..retention.policy import RetentionPolicy, policy_from
from ..system.text import iso, parse_iso, parse_size
from ..version import VERSION
from .history import Stored, drills, emptied, points, read_history
from .outlook import outlook

SCHEMA = 1
RUN_DAYS = 30
_RATE = parse_size(REBUILD_OPTIONS["rate"].default)  # bytes a second, for what was never drilled
_MOST_PROBLEMS = 50
_OF_ROW = (
    "host",
    "instance",
    "database",
    "kind",
    "state",
    "newest",
    "newest_complete",
    "without",
    "path",
    "age_seconds",
    "max_age_seconds",
    "duration",
    "plain_bytes",
    "stored_bytes",
    "backups",
    "disk_bytes",
    "proven",
    "drill",
    "error",
    "next_run",
)
_OF_COPY = ("name", "state", "required", "off_site", "newest", "age_seconds", "proven", "backups", "tampered")


def of_host(
    jobs: Sequence[Job],
    *,
    repository: str | None = None,
    host: str | None = None,
    max_age: float = status.MAX_AGE,
    copy: CopySource | None = None,
    retention: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Look as the status does, and at the history of each database.

    `retention` has the options of the policy for what no job prunes. Raises what `monitoring.status.of_host` raises.
    """
    state = status.look(jobs, repository=repository, host=host, max_age=max_age, copy=copy)
    policy = policy_from(retention) if retention else None
    told = status.values_of(state)
    rows = iter(told["rows"])
    problems = Problems()
    databases: list[dict[str, Any]] = []
    runs, keys = _Days(state.moment), _Keys()
    for instance in state.instances:
        chosen = _policy(state, instance, policy)
        if instance.run is not None:
            runs.note_failures(instance)
        for database in instance.databases:
            folder = _folder(instance, database)
            history = read_history(folder, state.moment, problems)
            for one in history:
                runs.note(instance, one)
                keys.note(one)
            databases.append({**_of(next(rows)), **_more(folder, database, history, chosen, state.moment)})
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "made": iso(state.moment.replace(microsecond=0)),
        "copy": state.copy,
        "status": told["status"],
        "message": told["message"],
        "complaints": list(_complaints(state)),
        "databases": databases,
        "instances": [{**entry, **_left(one)} for entry, one in zip(told["instances"], state.instances)],
        "jobs": [{key: job[key] for key in ("name", "status", "finished", "next_run")} for job in told["jobs"]],
        "repositories": told["repositories"],
        "days": runs.values(),
        "keys": keys.values(),
        "problems": list(dict.fromkeys([*state.problems, *problems.lines]))[:_MOST_PROBLEMS],
    }


def _of(row: Mapping[str, Any]) -> dict[str, Any]:
    copies = [{key: copy[key] for key in _OF_COPY} for copy in row["copies"]]
    return {**{key: row[key] for key in _OF_ROW}, "copies": copies}


def _more(
    folder: Path, database: DatabaseState, history: Sequence[Stored], policy: RetentionPolicy | None, now: datetime
) -> dict[str, Any]:
    newest = database.stored.newest
    predicted = None if newest is None else predict(newest, folder, _RATE)
    return {
        "restore_seconds": None if predicted is None else predicted.seconds,
        "restore_source": None if predicted is None else predicted.source,
        "proven_path": next((one.backup.where for one in history if one.drills and points([one])[0]["proven"]), None),
        "read": len(history),
        "history": points(history),
        "drills": drills(history),
        "emptied": emptied(history),
        "retention": outlook(history, policy, now, retired=database.verdict == GONE),
    }


def _folder(instance: InstanceState, database: DatabaseState) -> Path:
    return instance.place.folder / database.subject.folder


def _policy(state: HostState, instance: InstanceState, otherwise: RetentionPolicy | None) -> RetentionPolicy | None:
    """Return by what the backups of an instance are removed; a copy has a policy of its own, which is not told here."""
    if state.copy is not None:
        return None
    for job in state.jobs:
        if job.job.name in instance.place.jobs and job.job.retention is not None:
            return policy_from(job.job.retention)
    return otherwise


def _left(instance: InstanceState) -> dict[str, Any]:
    """Return what no run takes, each with the rule, and what the newest run saw for the first time."""
    run = instance.run
    if run is None:
        return {"excluded": [], "new": []}
    taken = {outcome.name for outcome in run.databases}
    rules = {name: "the newest run does not say why" for name in run.present if name not in taken}
    rules.update(run.skipped)
    return {
        "excluded": [{"name": name, "rule": rule} for name, rule in sorted(rules.items())],
        "new": list(run.new),
    }


def _complaints(state: HostState) -> Iterator[dict[str, Any]]:
    for level, found in (("failed", failures(state)), ("partial", shortcomings(state))):
        for complaint in found:
            yield {"level": level, "kind": complaint.kind, "text": complaint.text, **_about(complaint)}


def _about(complaint: Complaint) -> dict[str, Any]:
    place, database = complaint.instance, complaint.database
    return {
        "host": None if place is None else place.place.host,
        "instance": None if place is None else place.place.instance,
        "database": None if database is None else database.subject.database,
        "accounts": database is not None and database.subject.is_accounts,
    }


class _Days:
    """The runs and drills of the last days. A run that published nothing is known only while it is the newest."""

    def __init__(self, now: datetime) -> None:
        self._since = now - timedelta(days=RUN_DAYS)
        self._runs: dict[str, set[str]] = defaultdict(set)
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def note(self, instance: InstanceState, one: Stored) -> None:
        manifest = one.backup.manifest
        if one.backup.time >= self._since:
            day = f"{one.backup.time:%Y-%m-%d}"
            self._runs[day].add(f"{instance.place.folder} {manifest['run_id']}")
            self._counts[day]["backups"] += 1
            self._counts[day]["partial"] += manifest["status"] == "partial"
            self._counts[day]["stored_bytes"] += manifest["stored_bytes"]
        for record in one.drills:
            finished = parse_iso(record["finished"])
            if finished >= self._since:
                proved = record["verdict"].startswith("equal")
                self._counts[f"{finished:%Y-%m-%d}"]["drills" if proved else "drills_failed"] += 1

    def note_failures(self, instance: InstanceState) -> None:
        run = instance.run
        if run is not None and run.started >= self._since:
            day = f"{run.started:%Y-%m-%d}"
            self._runs[day].add(f"{instance.place.folder} {run.run_id}")
            self._counts[day]["failed"] += sum(outcome.status == "failed" for outcome in run.databases)

    def values(self) -> list[dict[str, Any]]:
        names = ("backups", "partial", "failed", "stored_bytes", "drills", "drills_failed")
        days = sorted({*self._runs, *self._counts})
        return [
            {"day": day, "runs": len(self._runs[day]), **{name: self._counts[day][name] for name in names}}
            for day in days
        ]


class _Keys:
    """Which keys open backups, and which have signed them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    def note(self, one: Stored) -> None:
        manifest = one.backup.manifest
        openers = {("opens", str(key)) for archive in manifest["archives"] for key in archive.get("recipients") or ()}
        if any(archive["encryption"] == "age-scrypt" for archive in manifest["archives"]):
            openers.add(("opens", "a passphrase"))
        self._add(openers, one, alone=len(openers) == 1)
        if manifest.get("signing_key"):
            self._add([("signs", str(manifest["signing_key"]))], one, alone=False)

    def _add(self, names: Iterable[tuple[str, str]], one: Stored, *, alone: bool) -> None:
        moment = iso(one.backup.time.replace(microsecond=0))
        for use, key in names:
            entry = self._found.setdefault(
                (use, key), {"use": use, "key": key, "since": moment, "last": moment, "backups": 0, "alone": 0}
            )
            entry["since"], entry["last"] = min(entry["since"], moment), max(entry["last"], moment)
            entry["backups"] += 1
            entry["alone"] += alone

    def values(self) -> list[dict[str, Any]]:
        return [self._found[key] for key in sorted(self._found)]
