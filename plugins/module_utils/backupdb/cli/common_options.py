# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several commands share: where jobs and backups are, and which backups are meant."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..credentials.secrets import read_secrets
from ..errors import BackupNotFound, InvalidOption
from ..jobs.definition import Job, copy_of, job_names, job_path, read_job
from ..jobs.options import CONFIG_DIR
from ..repository import layout
from ..repository.copy_source import CopySource
from ..repository.manifest import KINDS, STATUSES
from ..repository.stores.settings import BEST
from ..system.files import is_folder

_DEPTH = 4  # host, instance, database, backup
_LONGEST_NUMBER = 12  # digits


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """Give a command the option that says where jobs are defined."""
    parser.add_argument(
        "--config-dir", default=CONFIG_DIR, metavar="FOLDER", help="where jobs are defined (default: %(default)s)"
    )


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Give a command the options that pick backups, named as in the module backup_info."""
    for name, text in (
        ("host", "name or pattern of the host"),
        ("instance", "name or pattern of the instance"),
        ("database", "name or pattern of the database"),
        ("since", "not older than this moment, such as 2026-11-24 or 7d"),
        ("until", "not newer than this moment"),
    ):
        parser.add_argument(f"--{name}", help=text)
    parser.add_argument("--kind", choices=KINDS, help="only these")
    parser.add_argument("--status", choices=STATUSES, help="only backups that are so")
    proven = parser.add_mutually_exclusive_group()
    proven.add_argument("--proven", action="store_true", default=None, help="only those whose last drill succeeded")
    proven.add_argument("--unproven", action="store_false", dest="proven", help="only the others")


def add_backup(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """Give a command the argument that is one backup, or with `many` any number of them."""
    parser.add_argument(
        "backups" if many else "backup",
        nargs="*" if many else None,
        metavar="BACKUP",
        help="folder of the backup, or its id, such as 20261124T021500Z-3f0c9a52 or orders/20261124T021500Z-3f0c9a52",
    )
    parser.add_argument(
        "--repository", metavar="FOLDER", help="folder that holds the hosts' folders (default: those of all jobs)"
    )


def backup_folder(text: str, options: argparse.Namespace) -> Path:
    """Return the folder of a backup that was named by it, or by its id in a repository; raises `BackupNotFound`.

    Databases of one run may have backups of one id, so there may stand before it the database, instance and host.
    """
    *names, backup_id = text.split("/")
    if layout.parse_backup_folder(backup_id) is None or len(names) >= _DEPTH or is_folder(Path(text)):
        return Path(text).absolute()
    roots = repositories_of(options)
    known = [path for root in roots for path in sorted(Path(root).glob(f"*/*/*/{backup_id}")) if not path.is_symlink()]
    found = [path for path in known if _is_called(path, names)]
    if len(found) == 1:
        return found[0]
    if found:
        folders = ", ".join("/".join(path.parts[-_DEPTH:]) for path in found)
        raise InvalidOption(f"several backups have the id {text}; say which one: {folders}")
    raise BackupNotFound(f"there is no backup {text} in {', '.join(roots)}; backupdb list shows which there are")


def _is_called(folder: Path, names: Sequence[str]) -> bool:
    """Tell whether the folders above a backup have these names, as they are or as they are encoded."""
    above = folder.parts[-1 - len(names) : -1]
    return all(part in (name, layout.encode_name(name)) for part, name in zip(above, names))


def whole_number(text: str) -> int:
    """Read a number of the command line; argparse shows the error as it is."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def add_signed_by(parser: argparse.ArgumentParser) -> None:
    """Give a command the option that says whose signature a backup must have."""
    parser.add_argument(
        "--signed-by",
        action="append",
        metavar="KEY",
        help="public key (MCow...) of the host that must have signed it; may be repeated",
    )


def jobs_of(config_dir: str, names: list[str] | None = None) -> list[Job]:
    """Read the named jobs, or all; raises `InvalidOption`, also when there is none."""
    wanted = names or job_names(config_dir)
    if not wanted:
        raise InvalidOption(f"no job is defined in {config_dir}/jobs.d; the role schedule writes them")
    return [read_job(job_path(config_dir, name)) for name in wanted]


def repositories_of(options: argparse.Namespace, *, only_one: bool = False) -> list[str]:
    """Return the repository that was named, or else those of all jobs of this host; raises `InvalidOption`."""
    if options.repository is not None:
        return [str(Path(options.repository).resolve())]
    found = sorted({str(entry["repository"]) for job in jobs_of(options.config_dir) for entry in job.backups})
    if only_one and len(found) > 1:
        raise InvalidOption(f"the jobs have several repositories, name one of them: {', '.join(found)}")
    return found


def add_copy(parser: argparse.ArgumentParser, *, or_best: bool = False) -> None:
    """Give a command the option that reads from a copy."""
    more = f"; {BEST}: from the repository, or the copy that has the freshest one" if or_best else ""
    parser.add_argument("--copy", metavar="NAME", help=f"read from this copy, which a job of this host has{more}")


def copy_source(options: argparse.Namespace) -> CopySource | None:
    """Return the copy that was named, with the credentials of the job that has it; raises `InvalidOption`."""
    if options.copy is None:
        return None
    if options.copy == BEST:
        raise InvalidOption(f"--copy {BEST} is for restore and rebuild; say here which copy is meant")
    if getattr(options, "repository", None) is not None:
        raise InvalidOption("a repository and --copy both say where the backups are; leave one of them out")
    jobs = jobs_of(options.config_dir)
    for job in jobs:
        if any(copy.name == options.copy for copy in job.copies):
            secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
            return copy_of(job, options.copy, secrets)
    known = ", ".join(dict.fromkeys(copy.name for job in jobs for copy in job.copies)) or "none"
    raise InvalidOption(f"no job of this host has a copy {options.copy!r}; there are: {known}")


def copies_of(job: Job) -> list[CopySource]:
    """Return all copies of a job, with its credentials."""
    secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
    return [copy_of(job, copy.name, secrets) for copy in job.copies]


def values(options: argparse.Namespace, **more: Any) -> dict[str, Any]:
    """Return the options of a command as a mapping, as a module has them."""
    return {**vars(options), **more}
