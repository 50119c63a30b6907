# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the plain stream of one archive to standard output."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..age.identity_file import read_identity_file
from ..archives.read import plain_blocks
from ..errors import InvalidOption
from ..repository import catalogue
from ..repository.place import open_place
from . import exit_status
from .common_options import add_config_dir, add_copy, copy_source

_DEPTH = 4  # host, instance, database, backup


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("folder", type=Path, help="folder of the backup; with --copy as the list of the copy shows it")
    parser.add_argument("archive", help="name of the archive in it")
    parser.add_argument("-i", "--identity", metavar="FILE", help="file with an age identity")
    add_copy(parser)
    add_config_dir(parser)


def run(options: argparse.Namespace) -> int:
    """Write it and return the exit status; whatever differs from the manifest is an error."""
    copy = copy_source(options)
    if copy is None:
        return _write(catalogue.read_backup(options.folder), options)
    with open_place(None, copy) as place:
        folder = place.root.joinpath(*options.folder.parts[-_DEPTH:])
        return _write(place.adopt(catalogue.read_backup(folder)), options)


def _write(backup: catalogue.StoredBackup, options: argparse.Namespace) -> int:
    manifest = backup.manifest
    archive = next((entry for entry in manifest["archives"] if entry["name"] == options.archive), None)
    if archive is None:
        names = ", ".join(entry["name"] for entry in manifest["archives"])
        raise InvalidOption(f"{backup.where} has no archive {options.archive!r}; it has {names}")
    identities = list(read_identity_file(options.identity).identities) if options.identity else []
    for block in plain_blocks(backup.files, archive, identities):
        sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return exit_status.OK
