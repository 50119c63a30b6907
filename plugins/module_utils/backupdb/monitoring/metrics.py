# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host as Prometheus metrics, in the text form that the node exporter's textfile collector reads.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/. Labels are not called `instance` or `job`, since
Prometheus gives these names to where it read the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

from ..errors import BackupDbError
from ..jobs.definition import Job
from ..repository.files import replace_file
from ..repository.left_out import number_left_out
from ..system.json_text import seconds
from ..system.text import printable, utc_now
from .copies import BEHIND as COPY_BEHIND
from .copies import LATE as COPY_LATE
from .copies import NONE as COPY_NONE
from .copies import OK as COPY_OK
from .copies import CopyState
from .freshness import (
    EXPECTED,
    FAILED,
    GONE,
    LATE,
    LEFT_OUT,
    NONE,
    OK,
    PARTIAL,
    WAITING,
    DatabaseState,
    HostState,
    InstanceState,
    collect,
)
from .job_state import JobState
from .status import MAX_AGE

Sample = tuple[str, Mapping[str, str], Optional[float]]

FILE = "backupdb.prom"
# Every metric is a gauge; those of a database are left out where there is nothing to report.
HELP = {
    "backupdb_metrics_timestamp_seconds": "When these metrics were written.",
    "backupdb_problems": "Things in the repositories that could not be read or do not belong there.",
    "backupdb_database_status": "State: 0 well, 1 partial, 2 newest attempt failed, 3 too old, 4 none, 5 none yet.",
    "backupdb_last_success_timestamp_seconds": "Time of the newest backup, complete or partial.",
    "backupdb_last_complete_timestamp_seconds": "Time of the newest complete backup.",
    "backupdb_last_success_left_out": "Tables and schemas that the newest backup leaves out on purpose, or their rows.",
    "backupdb_last_success_age_seconds": "Age of the newest backup when these metrics were written.",
    "backupdb_max_age_seconds": "How old the newest backup may be.",
    "backupdb_last_success_duration_seconds": "How long the newest backup took.",
    "backupdb_last_success_plain_bytes": "Bytes that the newest backup has when it is decrypted and decompressed.",
    "backupdb_last_success_stored_bytes": "Bytes of the newest backup as it is stored.",
    "backupdb_last_drill_timestamp_seconds": "When the last drill of any of the backups ended.",
    "backupdb_last_drill_success": "Whether the last drill proved its backup: 1 or 0.",
    "backupdb_last_proven_timestamp_seconds": "Time of the newest backup whose drill succeeded.",
    "backupdb_backups": "Number of backups that are kept.",
    "backupdb_database_copies": "Places that have a fresh backup of the database: the repository and copies.",
    "backupdb_database_media": "Kinds of media that these places are on.",
    "backupdb_database_off_site": "How many of these places are off-site.",
    "backupdb_copy_status": "State of the database in the copy: 0 well, 1 behind, 2 too old, 3 none.",
    "backupdb_copy_last_success_timestamp_seconds": "Time of the newest backup that is in the copy.",
    "backupdb_copy_max_age_seconds": "How old the newest backup in the copy may be.",
    "backupdb_copy_last_proven_timestamp_seconds": "Time of the newest backup in the copy whose drill succeeded.",
    "backupdb_copy_locked_until_timestamp_seconds": "Until when the store keeps the newest backup in the copy.",
    "backupdb_copy_backups": "Number of backups that are known to be in the copy.",
    "backupdb_copy_stored_bytes": "Bytes of the backups that are known to be in the copy.",
    "backupdb_copy_missing_backups": "Backups of this host that are to be in the copy and are not.",
    "backupdb_copy_missing_bytes": "Bytes of the backups of this host that are to be in the copy and are not.",
    "backupdb_copy_tampered_backups": "Backups in the copy whose manifests were written over or removed.",
    "backupdb_copy_failed": "Whether the last attempt of the job to keep up the copy failed: 1 or 0.",
    "backupdb_instance_status": "How the newest run over the instance ended: 0 ok, 1 partial, 2 failed.",
    "backupdb_instance_last_run_timestamp_seconds": "When the newest run over the instance that could begin ended.",
    "backupdb_instance_last_run_duration_seconds": "How long the newest run over the instance took.",
    "backupdb_instance_waiting": "Whether the first run of a new job over the instance is still to come: 1 or 0.",
    "backupdb_databases_expected": "Databases that should have a backup.",
    "backupdb_databases_backed_up": "Databases among the expected ones whose newest backup is young enough.",
    "backupdb_databases_gone": "Databases with backups that the server no longer has.",
    "backupdb_databases_left_out": "Databases with backups that are on the server and that no run takes any more.",
    "backupdb_job_status": "How the last run of the job ended: 0 ok, 1 partial, 2 failed, 3 another run in progress.",
    "backupdb_job_last_run_timestamp_seconds": "When the last run of the job ended.",
    "backupdb_job_last_success_timestamp_seconds": "When the last run of the job that was ok ended.",
    "backupdb_job_last_run_duration_seconds": "How long the last run of the job took.",
    "backupdb_job_next_run_timestamp_seconds": "When the job runs next; only where systemd knows.",
    "backupdb_repository_stored_bytes": "Bytes of the files of all backups that belong to this host's metrics.",
    "backupdb_repository_free_bytes": "Bytes that the backup user may still write to the repository's filesystem.",
    "backupdb_repository_size_bytes": "Size of the repository's filesystem.",
}
_OF_VERDICT = {OK: 0, PARTIAL: 1, FAILED: 2, LATE: 3, NONE: 4, WAITING: 5}
_OF_COPY = {COPY_OK: 0, COPY_BEHIND: 1, COPY_LATE: 2, COPY_NONE: 3}
_OF_STATUS = {"ok": 0, "partial": 1, "failed": 2, "busy": 3}
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def of_host(
    jobs: Sequence[Job],
    *,
    repository: str | None = None,
    host: str | None = None,
    max_age: float = MAX_AGE,
) -> str:
    """Return the metrics of what `jobs` back up and of what `repository` holds, as status.of_host does its table."""
    return render(collect(jobs, repository=repository, host=host, max_age=max_age, now=utc_now()))


def write_for(jobs: Sequence[Job]) -> list[str]:
    """Write the metrics of all jobs of a host into each folder that they name, however the last run ended.

    All jobs go into one file, so give all of them. Raises nothing that a repository or disk can cause: backups do not
    fail for want of metrics. What went wrong comes back as warnings, and is noticed by the age of the old metrics.
    """
    warnings = []
    for folder in sorted({job.metrics_dir for job in jobs if job.metrics_dir}):
        try:
            write(folder, of_host([job for job in jobs if job.metrics_dir == folder]))
        except (BackupDbError, OSError) as error:
            warnings.append(f"the metrics were not written: {error}; this user must be able to write there")
    return warnings


def write(folder: str, text: str) -> Path:
    """Replace the metrics in a folder, mode 0644, all at once; raises `RepositoryError` or `NotEnoughSpace`."""
    target = Path(folder, FILE)
    # For the exporter's own user. It reads what ends in .prom, so nothing of a file that is being written.
    replace_file(target, text.encode("utf-8"), mode=0o644)
    return target


def render(state: HostState) -> str:
    """Return the metrics as text. No two samples have the same name and labels: one such would spoil the whole file."""
    samples: dict[str, dict[str, str]] = {name: {} for name in HELP}
    for name, labels, value in _samples(state):
        if value is not None:
            samples[name].setdefault(_labels(labels), _number(value))
    lines = []
    for name, values in samples.items():
        if values:
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
            lines += [f"{name}{labels} {value}" for labels, value in values.items()]
    return "\n".join(lines) + "\n"


def _samples(state: HostState) -> Iterator[Sample]:
    yield "backupdb_metrics_timestamp_seconds", {}, state.moment.timestamp()
    yield "backupdb_problems", {}, len(state.problems)
    for instance in state.instances:
        yield from _of_instance(instance)
        for database in instance.databases:
            yield from _of_database(instance, database)
    for job in state.jobs:
        yield from _of_job(job)
    for repository in state.repositories:
        labels = {"repository": repository.path}
        yield "backupdb_repository_stored_bytes", labels, repository.disk_bytes
        yield "backupdb_repository_free_bytes", labels, repository.free
        yield "backupdb_repository_size_bytes", labels, repository.size


def _of_instance(instance: InstanceState) -> Iterator[Sample]:
    labels = _place(instance)
    run = instance.run
    status = "failed" if instance.error is not None else run.status if run is not None else None
    yield "backupdb_instance_status", labels, None if status is None else _OF_STATUS[status]
    if run is not None:
        yield "backupdb_instance_last_run_timestamp_seconds", labels, run.finished.timestamp()
        yield "backupdb_instance_last_run_duration_seconds", labels, run.duration
    yield "backupdb_instance_waiting", labels, int(instance.waits_until is not None)
    yield "backupdb_databases_expected", labels, instance.count(*EXPECTED)
    yield "backupdb_databases_backed_up", labels, instance.count(OK, PARTIAL)
    yield "backupdb_databases_gone", labels, instance.count(GONE)
    yield "backupdb_databases_left_out", labels, instance.count(LEFT_OUT)


def _of_database(instance: InstanceState, database: DatabaseState) -> Iterator[Sample]:
    labels = {**_place(instance), "database": database.name, "kind": database.kind}
    stored = database.stored
    yield "backupdb_backups", labels, stored.count
    for copy in database.copies:
        yield from _of_copy(labels, copy, expected=database.verdict in EXPECTED)
    yield "backupdb_database_status", labels, _OF_VERDICT.get(database.verdict)
    if database.verdict not in EXPECTED:
        return  # it is old on purpose, or there is nothing yet
    yield "backupdb_max_age_seconds", labels, database.max_age
    yield "backupdb_last_success_age_seconds", labels, database.age
    yield "backupdb_last_complete_timestamp_seconds", labels, _seconds(stored.newest_complete)
    if stored.newest is not None:
        manifest: Mapping[str, Any] = stored.newest.manifest
        yield "backupdb_last_success_timestamp_seconds", labels, _seconds(stored.newest.time)
        yield "backupdb_last_success_duration_seconds", labels, _duration(manifest.get("duration_seconds"))
        yield "backupdb_last_success_left_out", labels, number_left_out(manifest)
        yield "backupdb_last_success_plain_bytes", labels, manifest["plain_bytes"]
        yield "backupdb_last_success_stored_bytes", labels, manifest["stored_bytes"]
    yield "backupdb_last_proven_timestamp_seconds", labels, _seconds(stored.proven)
    if stored.last_drill is not None:
        yield "backupdb_last_drill_timestamp_seconds", labels, _seconds(stored.last_drill.finished)
        yield "backupdb_last_drill_success", labels, int(stored.last_drill.proved)

    if database.copies:
        coverage = database.coverage
        yield "backupdb_database_copies", labels, coverage.copies
        yield "backupdb_database_media", labels, coverage.media
        yield "backupdb_database_off_site", labels, coverage.off_site


def _of_copy(of_database: Mapping[str, str], copy: CopyState, *, expected: bool) -> Iterator[Sample]:
    labels = {**of_database, "copy": copy.name}
    yield "backupdb_copy_backups", labels, copy.backups
    yield "backupdb_copy_stored_bytes", labels, copy.stored_bytes
    yield "backupdb_copy_missing_backups", labels, copy.missing
    yield "backupdb_copy_missing_bytes", labels, copy.missing_bytes
    yield "backupdb_copy_tampered_backups", labels, copy.tampered
    if not expected:
        return  # it is old on purpose
    yield "backupdb_copy_status", labels, _OF_COPY[copy.verdict]
    yield "backupdb_copy_max_age_seconds", labels, copy.max_age
    yield "backupdb_copy_last_success_timestamp_seconds", labels, _seconds(copy.newest)
    yield "backupdb_copy_last_proven_timestamp_seconds", labels, _seconds(copy.proven)
    yield "backupdb_copy_locked_until_timestamp_seconds", labels, _seconds(copy.locked_until)


def _of_job(job: JobState) -> Iterator[Sample]:
    labels = {"backup_job": job.job.name}
    yield "backupdb_job_status", labels, _OF_STATUS.get(job.status or "")
    yield "backupdb_job_last_run_timestamp_seconds", labels, _seconds(job.moment("finished"))
    yield "backupdb_job_last_success_timestamp_seconds", labels, _seconds(job.moment("last_success"))
    yield "backupdb_job_last_run_duration_seconds", labels, job.duration
    yield "backupdb_job_next_run_timestamp_seconds", labels, _seconds(job.next_run.moment)
    for result in job.copy_results:
        yield "backupdb_copy_failed", {**labels, "copy": result.name}, int(result.error is not None)


def _place(instance: InstanceState) -> dict[str, str]:
    return {"host": instance.place.host, "backup_instance": instance.place.instance}


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _duration(value: Any) -> float | None:
    """Return what a manifest says of its duration, unless no clock can have counted that."""
    try:
        return seconds(value) if value >= 0 else None
    except (ValueError, TypeError):
        return None


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, int) else f"{value:.3f}"


def _labels(labels: Mapping[str, str]) -> str:
    """Write labels; bytes of a name that are no text become `\\xNN`."""
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{printable(value).translate(_ESCAPES)}"' for name, value in labels.items()) + "}"
