# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job: what a host backs up by itself, read from `<config_dir>/jobs.d/NAME.json`.

The file has no secrets. A job that is wrong in any place is refused before any work, with the file and the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..backup.options import request_from
from ..backup.request import BackupRequest
from ..credentials.secrets import Secrets
from ..drill import options as drill_options
from ..drill.options import drill_request_from
from ..drill.request import DrillRequest
from ..errors import InvalidOption
from ..notify.settings import check_notifications
from ..repository.copy_source import CopySource
from ..repository.stores.settings import CopySettings, copies_from
from ..retention.policy import policy_from
from ..retention.wanted import policy_of
from ..system.files import read_small_file
from ..system.json_text import read_json
from ..system.options import defaults_of, validate_options
from ..system.text import parse_duration
from .options import (
    AT_WINDOW,
    CREDENTIAL_SOURCES,
    FILE_BACKUP_OPTIONS,
    FILE_DRILL_OPTIONS,
    FINISH,
    MAX_AGE,
    SECRETS,
    STATE_DIR,
)
from .window import ClosedTime, closed_times_from

SCHEMA = 1
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LARGEST_FILE = 16 << 20  # bytes
_KEYS = (
    "schema",
    "name",
    "backups",
    "retention",
    "drill",
    "copies",
    "notifications",
    "metrics_dir",
    "state_dir",
    "max_age",
    "schedule",
    "credentials",
    "not_between",
    "at_window",
)


@dataclass(frozen=True)
class Job:
    """A definition that was found to be right. The mappings have all options, with their defaults filled in.

    `retention` None leaves all backups where they are, `drill` None drills nothing. `max_age` is a duration as text.
    `at_window` says what becomes of dumps that are at work when a time of `not_between` begins.
    """

    name: str
    backups: Sequence[Mapping[str, Any]]
    retention: Mapping[str, Any] | None = None
    drill: Mapping[str, Any] | None = None
    copies: Sequence[CopySettings] = ()
    notifications: Sequence[Mapping[str, Any]] = ()
    metrics_dir: str | None = None
    state_dir: str = STATE_DIR
    max_age: str = MAX_AGE
    on_calendar: str | None = None
    credentials_source: str = "none"
    credentials_path: str | None = None
    not_between: Sequence[ClosedTime] = ()
    at_window: str = FINISH
    defined: datetime | None = field(default=None, compare=False)  # when its file was written; None without one

    def values(self) -> dict[str, Any]:
        """Return it as its file has it."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "backups": [dict(options) for options in self.backups],
            "retention": None if self.retention is None else dict(self.retention),
            "drill": None if self.drill is None else dict(self.drill),
            "copies": [dict(copy.options) for copy in self.copies],
            "notifications": [dict(options) for options in self.notifications],
            "metrics_dir": self.metrics_dir,
            "state_dir": self.state_dir,
            "max_age": self.max_age,
            "schedule": {"on_calendar": self.on_calendar},
            "credentials": {"source": self.credentials_source, "path": self.credentials_path},
            "not_between": [time.text for time in self.not_between],
            "at_window": self.at_window,
        }


def job_path(config_dir: str, name: str) -> Path:
    """Return the file of a job; raises `InvalidOption` for what cannot be a job's name."""
    if not NAME.fullmatch(name):
        raise InvalidOption(
            f"{name!r} cannot be the name of a job: up to 63 of a-z, 0-9, _ and -, the first a letter or a digit"
        )
    return Path(config_dir, "jobs.d", f"{name}.json")


def job_names(config_dir: str) -> list[str]:
    """Return the names of the jobs that are defined there; none when there is no such folder."""
    return sorted(path.stem for path in Path(config_dir, "jobs.d").glob("*.json") if NAME.fullmatch(path.stem))


def read_job(path: Path) -> Job:
    """Read a job's file; raises `InvalidOption` with the file and the key that is wrong."""
    written: list[float] = []
    try:
        content = read_small_file(
            path, _LARGEST_FILE, follow=True, check=lambda status: written.append(status.st_mtime)
        )
    except FileNotFoundError:
        others = ", ".join(job_names(str(path.parents[1]))) or "none"
        raise InvalidOption(f"there is no job {path.stem}: {path} is not there; the jobs here are: {others}") from None
    except OSError as error:
        raise InvalidOption(f"{path} cannot be read: {error.strerror}; run as a user of the file's group") from error
    try:
        values = read_json(content)
    except ValueError as error:
        raise InvalidOption(f"{path} is not JSON: {error}") from error
    job = job_from(values, str(path))
    if job.name != path.stem:
        raise InvalidOption(f"{path}: name is {job.name!r}, but the file is that of job {path.stem!r}")
    return replace(job, defined=datetime.fromtimestamp(written[0], timezone.utc))


def job_text(job: Job) -> str:
    """Return the content of a job's file; the same job gives the same text."""
    return json.dumps(job.values(), indent=2) + "\n"


def job_from(values: Any, where: str) -> Job:
    """Make a job of plain values; raises `InvalidOption`, which begins with `where` and the key."""
    if not isinstance(values, Mapping):
        raise InvalidOption(f"{where} is not an object")
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise InvalidOption(f"{where}: {unknown[0]} is not known; remove it")
    if values.get("schema") != SCHEMA:
        raise InvalidOption(f"{where}: schema {values.get('schema')!r} is not {SCHEMA}, the one of this version")
    name = values.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidOption(f"{where}: name {name!r} cannot be the name of a job: a-z, 0-9, _ and -")
    job = Job(
        name=name,
        backups=_backups(values.get("backups"), where),
        retention=_retention(values.get("retention"), where),
        drill=_drill(values.get("drill"), where),
        copies=_copies(values.get("copies"), f"{where}: copies"),
        notifications=_notifications(values.get("notifications"), where),
        metrics_dir=_folder(values, "metrics_dir", None, where),
        state_dir=_folder(values, "state_dir", STATE_DIR, where) or STATE_DIR,
        max_age=_max_age(values.get("max_age"), where),
        on_calendar=_text(values.get("schedule"), "on_calendar", f"{where}: schedule"),
        credentials_source=_text(values.get("credentials"), "source", f"{where}: credentials") or "none",
        credentials_path=_text(values.get("credentials"), "path", f"{where}: credentials"),
        not_between=closed_times_from(values.get("not_between") or [], f"{where}: not_between"),
        at_window=values.get("at_window") or FINISH,
    )
    if job.at_window not in AT_WINDOW:
        raise InvalidOption(f"{where}: at_window {job.at_window!r} is not one of {', '.join(AT_WINDOW)}")
    from_copy = (job.drill or {}).get("from_copy")
    if from_copy is not None and from_copy not in [copy.name for copy in job.copies]:
        raise InvalidOption(f"{where}: drill.from_copy: the job has no copy {from_copy!r}")
    if job.credentials_source not in CREDENTIAL_SOURCES:
        raise InvalidOption(
            f"{where}: credentials.source {job.credentials_source!r} is not one of {', '.join(CREDENTIAL_SOURCES)}"
        )
    return job


def copies_of(job: Job, secrets: Secrets) -> list[CopySettings]:
    """Return the copies of a job with what opens their stores; raises `InvalidOption`."""
    return [copy.opened_by(secrets.copy(copy.name)) for copy in job.copies]


def copy_of(job: Job, name: str, secrets: Secrets) -> CopySource:
    """Return one copy of a job to read from; raises `InvalidOption`, which names those that there are."""
    for copy in copies_of(job, secrets):
        if copy.name == name:
            return CopySource(copy, job.state_dir)
    known = ", ".join(copy.name for copy in job.copies) or "none"
    raise InvalidOption(f"job {job.name} has no copy {name!r}; it has: {known}")


def backup_request(options: Mapping[str, Any], secrets: Secrets, run_id: str | None) -> BackupRequest:
    """Make the library's request of one of a job's backups; raises `InvalidOption`."""
    for_passphrase = options["encryption"] == "age" and not options["recipients"]
    complete = {
        **options,
        "login_password": None,
        **secrets.login(options["instance"]),
        "passphrase": secrets.passphrase() if for_passphrase else None,
    }
    return replace(request_from(complete), run_id=run_id)


def drill_request(
    drill: Mapping[str, Any], options: Mapping[str, Any], secrets: Secrets, copy: CopySource | None = None
) -> DrillRequest:
    """Make the library's request of the drill of what one of a job's backups has made, out of a copy if one is given.

    Raises `InvalidOption`.
    """
    repository = options["repository"] if copy is None else None
    place = {"repository": repository, "copy": copy, "passphrase": secrets.passphrase()}
    request = drill_request_from({**defaults_of(drill_options.OPTIONS), **drill, **place})
    # Set here, as patterns are not meant: an id may have a star in it.
    wanted = replace(request.wanted, host=_exactly(options["host"]), instance=_exactly(options["instance"]))
    return replace(request, wanted=wanted)


def _exactly(name: str) -> str:
    """Write a name as the pattern that matches nothing else."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _backups(entries: Any, where: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(entries, list) or not entries:
        raise InvalidOption(f"{where}: backups must be a list with at least one entry")
    found: list[dict[str, Any]] = []
    places: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(entries):
        key = f"{where}: backups[{number}]"
        options = validate_options(entry, FILE_BACKUP_OPTIONS, key, secrets=SECRETS)
        _check_backup(options, key)
        place = (options["repository"], options["host"], options["instance"])
        if place in places:
            raise InvalidOption(f"{key}.instance: {options['instance']} is there twice; make one entry of both")
        places.add(place)
        found.append(options)
    return tuple(found)


def _check_backup(options: Mapping[str, Any], key: str) -> None:
    if (options["login_host"] is None) == (options["login_unix_socket"] is None):
        raise InvalidOption(f"{key}: one of login_host and login_unix_socket must be given")
    if (options["client_cert"] is None) != (options["client_key"] is None):
        raise InvalidOption(f"{key}: client_cert and client_key go together")
    # Whether there is a passphrase is known when the credentials are read.
    placeholder = Secrets(archive_passphrase=key)
    try:
        backup_request(options, placeholder, None)
    except InvalidOption as error:
        raise InvalidOption(f"{key}: {error}") from error


def _retention(values: Any, where: str) -> dict[str, Any] | None:
    if not values:
        return None
    if not isinstance(values, Mapping):
        raise InvalidOption(f"{where}: retention is not an object of options")
    try:
        policy_from(values)
    except InvalidOption as error:
        raise InvalidOption(f"{where}: retention: {error}") from error
    return dict(values)


def _drill(values: Any, where: str) -> dict[str, Any] | None:
    if not values:
        return None
    key = f"{where}: drill"
    options = validate_options(values, FILE_DRILL_OPTIONS, key, secrets=SECRETS)
    try:
        parse_duration(options["every"])
        drill_request(options, {"repository": "/", "host": "", "instance": ""}, Secrets())
    except InvalidOption as error:
        raise InvalidOption(f"{key}: {error}") from error
    return options


def _copies(entries: Any, where: str) -> tuple[CopySettings, ...]:
    copies = copies_from(entries, where)
    for number, copy in enumerate(copies):
        try:
            policy_of(copy)
        except InvalidOption as error:
            raise InvalidOption(f"{where}[{number}].retention: {error}") from error
    return copies


def _notifications(entries: Any, where: str) -> tuple[dict[str, Any], ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise InvalidOption(f"{where}: notifications is not a list")
    for number, entry in enumerate(entries):
        key = f"{where}: notifications[{number}]"
        if not isinstance(entry, Mapping):
            raise InvalidOption(f"{key} is not an object of options")
        if entry.get("smtp_password"):
            raise InvalidOption(
                f"{key}.smtp_password is a secret and does not belong here; put it into the credentials"
            )
    try:
        check_notifications(entries)
    except InvalidOption as error:
        raise InvalidOption(f"{where}: notifications: {error}") from error
    return tuple(dict(entry) for entry in entries)


def _folder(values: Mapping[str, Any], key: str, default: str | None, where: str) -> str | None:
    folder = values.get(key) or default
    if folder is not None and (not isinstance(folder, str) or not Path(folder).is_absolute()):
        raise InvalidOption(f"{where}: {key} {folder!r} must be an absolute path")
    return folder


def _max_age(text: Any, where: str) -> str:
    try:
        parse_duration(text or MAX_AGE)
    except InvalidOption as error:
        raise InvalidOption(f"{where}: max_age: {error}") from error
    return str(text or MAX_AGE)


def _text(values: Any, key: str, where: str) -> str | None:
    if values is None:
        return None
    if not isinstance(values, Mapping) or not isinstance(values.get(key), (str, type(None))):
        raise InvalidOption(f"{where}.{key} is not a text")
    return values.get(key)
