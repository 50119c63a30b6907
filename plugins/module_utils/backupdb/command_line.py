# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on the command line, without Ansible: `python -m backupdb.command_line COMMAND`.

backup              run a backup; the request is JSON on standard input, with the fields of request.BackupRequest
list REPOSITORY     print what a repository holds, newest first per database
cat FOLDER ARCHIVE  write the plain stream of one archive to standard output (-i FILE: age identity)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import backup
from .engines.interface import DumpOptions
from .errors import BackupDbError, InvalidOption, RepositoryError
from .instance import Instance
from .repository import catalogue
from .request import BackupRequest, Compression, Encryption, Selection
from .streams.age_keys import read_identity_file
from .streams.reading import plain_blocks
from .text import human_size

_EXIT = {"ok": 0, "planned": 0, "partial": 2, "failed": 1}
_USAGE_ERROR = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 for ok, 2 for partial, 1 for failed and 3 for what could not begin."""
    parser = argparse.ArgumentParser(prog="backupdb", description="Back up databases and look at backups.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("backup", help="run a backup; the request is JSON on standard input")
    run.add_argument("--check", action="store_true", help="only plan")
    listing = commands.add_parser("list", help="print what a repository holds")
    listing.add_argument("repository", type=Path)
    cat = commands.add_parser("cat", help="write the plain stream of one archive to standard output")
    cat.add_argument("folder", type=Path)
    cat.add_argument("archive")
    cat.add_argument("-i", "--identity", help="file with an age identity")
    options = parser.parse_args(arguments)
    try:
        if options.command == "backup":
            return _backup(_request_on_input(), check_mode=options.check)
        if options.command == "list":
            return _list(options.repository)
        return _cat(options.folder, options.archive, options.identity)
    except BackupDbError as error:
        sys.stderr.write(f"backupdb: {error}\n")
        return _USAGE_ERROR
    except BrokenPipeError:  # the reader has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed at the end
        return _EXIT["failed"]


def _request_on_input() -> dict[str, Any]:
    try:
        request = json.load(sys.stdin)
    except ValueError as error:
        raise InvalidOption(f"the request on standard input is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise InvalidOption("the request on standard input is not a JSON object")
    return request


def _backup(request: dict[str, Any], *, check_mode: bool) -> int:
    result = backup.run(request_from(request), check_mode=check_mode)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return _EXIT[result["status"]]


def request_from(values: dict[str, Any]) -> BackupRequest:
    """Build a request from nested plain values, named as the fields of the request's parts are."""
    try:
        return BackupRequest(
            instance=Instance(**values.pop("instance")),
            selection=Selection(**_tuples(values.pop("selection", {}))),
            dump=DumpOptions(**values.pop("dump", {})),
            encryption=Encryption(**_tuples(values.pop("encryption", {}))),
            compression=Compression(**values.pop("compression", {})),
            **values,
        )
    except (KeyError, TypeError) as error:
        raise InvalidOption(f"the request is not well formed: {error}") from error


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _list(repository: Path) -> int:
    if not repository.is_dir():
        raise RepositoryError(f"{repository} is not a directory; give the folder that holds the hosts' folders")
    problems = catalogue.Problems()
    for instance in sorted(repository.glob("*/*/")):
        for folder in catalogue.database_folders(instance, problems):
            for entry in catalogue.backups(folder, problems):
                manifest = entry.manifest
                name = entry.database if entry.database is not None else "(accounts)"
                sys.stdout.write(
                    f"{manifest['host']}/{manifest['instance']} {name!r} {manifest['started']} {manifest['status']} "
                    f"{human_size(manifest['stored_bytes'])} {entry.folder}\n"
                )
    sys.stdout.flush()
    for line in problems.lines:
        sys.stderr.write(f"backupdb: {line}\n")
    return 1 if problems.lines else 0


def _cat(folder: Path, name: str, identity: str | None) -> int:
    manifest = catalogue.read_backup(folder).manifest
    archive = next((entry for entry in manifest["archives"] if entry["name"] == name), None)
    if archive is None:
        names = ", ".join(entry["name"] for entry in manifest["archives"])
        raise InvalidOption(f"{folder} has no archive {name!r}; it has {names}")
    identities = list(read_identity_file(identity).identities) if identity else []
    for block in plain_blocks(folder, archive, identities):
        sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
