# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look: the instances that jobs back up, and those that a repository holds."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..backup.selection import matches
from ..errors import RepositoryError
from ..repository import layout, local
from ..repository.files import storage_errors
from ..repository.problems import Problems
from ..repository.stores.settings import CopySettings
from ..system.files import is_folder
from ..system.text import parse_duration, parse_iso
from .job_state import JobState
from .stored import Stored, look


@dataclass(frozen=True)
class Choice:
    """What one job takes of an instance, and how old that may become, in seconds."""

    job: str
    include: Sequence[str]
    exclude: Sequence[str]
    accounts: bool
    max_age: float
    copies: Sequence[CopySettings] = ()
    state_dir: str = ""  # of the job
    waits_until: datetime | None = None  # as in `JobState`

    def takes(self, name: str) -> bool:
        """Return whether the job backs a database of this name up."""
        return any(matches(entry, name) for entry in self.include) and not any(
            matches(entry, name) for entry in self.exclude
        )


@dataclass(frozen=True)
class Failure:
    """The run of a job that failed at an instance, when it ended and why."""

    moment: datetime
    run_id: str
    words: str


@dataclass(frozen=True)
class Place:
    """One instance in a repository. `max_age` in seconds is for what none of `choices` takes."""

    repository: str
    host: str
    instance: str
    folder: Path
    max_age: float
    choices: tuple[Choice, ...] = ()
    failure: Failure | None = None  # the last one
    tried: bool = False  # by a job, well or badly, as far as that is remembered

    @property
    def record_folder(self) -> Path:
        """Where the newest run has left its record."""
        return self.folder

    def look(self, folder: str, now: datetime, problems: Problems) -> Stored:
        """Look at the backups of one database, or of the accounts, by the name of its folder."""
        return look(self.folder / folder, now, problems)

    @property
    def jobs(self) -> list[str]:
        """The jobs that back it up."""
        return [choice.job for choice in self.choices]

    @property
    def waits_until(self) -> datetime | None:
        """By when its first backup should be there, of jobs that have not run yet; None when none is waited for."""
        moments = [choice.waits_until for choice in self.choices if choice.waits_until is not None]
        return None if self.tried else max(moments, default=None)

    def max_age_of(self, name: str | None) -> float:
        """Return how old the newest backup of a database (None: of the accounts) may be: the strictest job counts."""
        return min((choice.max_age for choice in self._taking(name)), default=self.max_age)

    def copies_of(self, name: str | None) -> list[tuple[CopySettings, str]]:
        """Return the copies of a database (None: of the accounts), each with the state folder of its job."""
        found: dict[str, tuple[CopySettings, str]] = {}
        for choice in self._taking(name):
            for copy in choice.copies:
                found.setdefault(copy.name, (copy, choice.state_dir))
        return list(found.values())

    def _taking(self, name: str | None) -> Sequence[Choice]:
        taking = [choice for choice in self.choices if (choice.accounts if name is None else choice.takes(name))]
        return taking or self.choices

    def called(self, host: str, instance: str) -> Place:
        """Return the same place under the true names, where a folder's name does not give them."""
        if (layout.encode_name(host), layout.encode_name(instance)) != self.folder.parts[-2:]:
            return self  # of another place: it was copied here
        return replace(self, host=host, instance=instance)


def places_of_jobs(jobs: Sequence[JobState]) -> list[Place]:
    """Return the places of all jobs; one that several jobs back up is there once."""
    found: dict[Path, Place] = {}
    for state in jobs:
        job, record = state.job, state.record
        for options in job.backups:
            folder = local.instance_path(Path(options["repository"]), options["host"], options["instance"])
            choice = Choice(
                job=job.name,
                include=options["databases"],
                exclude=options["exclude"],
                accounts=options["accounts"],
                max_age=parse_duration(job.max_age),
                copies=job.copies,
                state_dir=job.state_dir,
                waits_until=state.waits_until,
            )
            place = found.get(folder) or Place(
                repository=str(options["repository"]),
                host=options["host"],
                instance=options["instance"],
                folder=folder,
                max_age=choice.max_age,
            )
            failures = [failure for failure in (place.failure, _failure(place, record)) if failure is not None]
            last = max(failures, key=lambda failure: failure.moment, default=None)
            tried = place.tried or bool(_entries(place, record))
            found[folder] = replace(place, choices=(*place.choices, choice), failure=last, tried=tried)
    return list(found.values())


def places_of_repository(root: Path, host: str | None, max_age: float, problems: Problems) -> list[Place]:
    """Return the places that a repository holds, of one host or of all; raises `RepositoryError` without one."""
    if not is_folder(root):
        raise RepositoryError(f"repository {root} is not there, or is no folder; mount it, or check the path")
    with storage_errors(root, "reading the repository"):
        hosts = _visible(root) if host is None else [layout.encode_name(host)]
    found = []
    for host_folder in hosts:
        try:
            instances = _visible(root / host_folder)
        except FileNotFoundError:
            continue  # nothing of this host yet
        except OSError as error:
            problems.add_unreadable(root / host_folder, error)
            continue
        for instance in instances:
            found.append(
                Place(
                    repository=str(root),
                    host=host if host is not None else _decoded(host_folder),
                    instance=_decoded(instance),
                    folder=root / host_folder / instance,
                    max_age=max_age,
                )
            )
    return found


def _failure(place: Place, record: Mapping[str, Any]) -> Failure | None:
    """Return how the last run of a job failed here; None when it did not, or its record does not say."""
    try:
        for entry in _entries(place, record):
            if entry["status"] == "failed":
                return Failure(parse_iso(record["finished"]), str(record["run_id"]), str(entry["message"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return None


def _entries(place: Place, record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the record of a job's last run says of this place."""
    wanted = (place.repository, place.host, place.instance)
    try:
        return [
            entry
            for entry in record.get("backups") or ()
            if (entry["repository"], entry["host"], entry["instance"]) == wanted
        ]
    except (AttributeError, KeyError, TypeError):
        return []


def _visible(folder: Path) -> list[str]:
    """Return the folders in a folder; hidden ones are none of ours, and files are no hosts or instances."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _decoded(folder: str) -> str:
    """Return the name that a folder has its own from; a long one keeps the folder's, which is only a part of it."""
    if "~" in folder:
        return folder
    return urllib.parse.unquote_to_bytes(folder).decode("utf-8", "surrogateescape")
