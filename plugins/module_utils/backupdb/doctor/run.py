# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examination: look at every link of a job, in the order in which a run would need them, and tell of all in one.

Nothing is changed: no file is written, no lock is taken, nothing is sent to a store, and no message unless that is
asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Callable

from ..credentials.secrets import Secrets, read_secrets
from ..errors import BackupDbError
from ..jobs.definition import Job, backup_request
from ..outcome import Outcome
from ..repository.catalogue import StoredBackup
from ..system.parallel import result_of
from ..system.table import one_line, table
from ..system.text import counted
from .copies import look_at_copies
from .drills import look_at_drills
from .finding import FAILED, OK, STATES, UNKNOWN, WARNING, Finding, failed, tried
from .history import look_at_backups, look_at_folders, look_at_last_run
from .hooks import look_at_hooks
from .keys import look_at_keys
from .notifications import look_at_notifications
from .repository import look_at_repository, look_at_space
from .schedule import look_at_schedule
from .server import Examined, look_at_server

_TITLES = ("LINK", "STATE", "WHAT")
_ENVIRONMENT = "CREDENTIALS_DIRECTORY"  # by which systemd says where it has put credentials
_STATUS = {OK: "ok", UNKNOWN: "ok", WARNING: "partial", FAILED: "failed"}


def examine(job: Job, environ: Mapping[str, str], *, send_test: bool = False) -> list[Finding]:
    """Look at every link of a job, as the user who runs this; never raises for what it finds."""
    return list(_examined(job, environ, send_test=send_test))


def values_of(job: str, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the findings of a job as plain values."""
    return [
        {
            "job": job,
            "link": one.link,
            "subject": one.subject,
            "state": one.state,
            "what": one.what,
            "next_step": one.next_step,
        }
        for one in findings
    ]


def result(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put the rows of all jobs together: `failed`, `partial` where there are only warnings, else `ok`."""
    counts = Counter(row["state"] for row in rows)
    worst = max((row["state"] for row in rows), key=STATES.index, default=OK)
    words = {WARNING: counted(counts[WARNING], "warning")}
    told = [words.get(state, f"{counts[state]} {state}") for state in STATES if counts[state]]
    bad = [row for row in rows if row["state"] == worst] if worst in (WARNING, FAILED) else []
    first = f". {bad[0]['job']}: {_link(bad[0])}: {bad[0]['what']}" if bad else ""
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    jobs = list(dict.fromkeys(row["job"] for row in rows))
    return Outcome(
        status=_STATUS[worst],
        changed=False,
        message=f"{counted(len(jobs), 'job')}: {', '.join(told)}{first}{more}",
        facts={
            "rows": [dict(row) for row in rows],
            "counts": {state: counts[state] for state in STATES},
            "lines": [line for job in jobs for line in _lines(job, [row for row in rows if row["job"] == job])],
        },
    ).to_dict()


def _examined(job: Job, environ: Mapping[str, str], *, send_test: bool) -> Iterator[Finding]:
    found = result_of(lambda: read_secrets(job.credentials_source, job.credentials_path, environ))
    yield _of_secrets(job, environ, found.error)
    newest: list[StoredBackup] = []
    needed: dict[str, dict[str, int | None]] = {}
    repositories = dict.fromkeys(str(options["repository"]) for options in job.backups)
    for repository in repositories:
        yield from tried("repository", partial(look_at_repository, repository))
    for options in job.backups:
        examined = Examined()
        yield from tried("login", partial(_instance, options, found.value, examined), str(options["instance"]))
        newest += examined.newest
        sizes = needed.setdefault(str(options["repository"]), {})
        sizes.update({f"{options['instance']}/{name}": size for name, size in examined.needed.items()})
    for repository in repositories:
        yield from tried("space", partial(look_at_space, repository, needed[repository]))
    secrets = found.value or Secrets()
    looks: Mapping[str, Callable[[], Iterator[Finding]]] = {
        "state": partial(look_at_folders, job),
        "schedule": partial(look_at_schedule, job),
        "last run": partial(look_at_last_run, job),
        "backups": partial(look_at_backups, job),
        "copy": partial(look_at_copies, job, secrets),
        "drill": partial(look_at_drills, job, secrets, newest),
        "notification": partial(look_at_notifications, job, secrets, send_test=send_test),
    }
    for link, look in looks.items():
        yield from tried(link, look)


def _of_secrets(job: Job, environ: Mapping[str, str], error: BackupDbError | None) -> Finding:
    where = f"systemd's credential {job.name}" if job.credentials_source == "systemd" else job.credentials_path
    if error is None:
        none = job.credentials_source == "none"
        return Finding("secrets", OK, "the job needs none" if none else f"read from {where}")
    if job.credentials_source == "systemd" and _ENVIRONMENT not in environ:
        what = f"{where} is for the job's service alone, so that logins were not tried"
        return Finding("secrets", WARNING, what, "run backupdb doctor as root")
    return failed("secrets", error)


def _instance(options: Mapping[str, Any], secrets: Secrets | None, examined: Examined) -> Iterator[Finding]:
    if secrets is None:
        yield Finding("login", UNKNOWN, "not tried without the secrets", subject=str(options["instance"]))
        return
    request = backup_request(options, secrets, None)
    yield from look_at_keys(request)
    yield from look_at_hooks(request)
    yield from look_at_server(request, examined)


def _link(row: Mapping[str, Any]) -> str:
    return f"{row['subject']}: {row['link']}" if row["subject"] else str(row["link"])


def _lines(job: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the table of a job; what to do stands below its row, so that it can be copied."""
    titles, *told = table([_TITLES, *((_link(row), row["state"], row["what"]) for row in rows)])
    yield f"{job}:"
    yield f"  {titles}"
    for line, row in zip(told, rows):
        yield f"  {line}"
        if row["next_step"]:
            yield f"      -> {one_line(row['next_step'])}"
